package failover

import (
	"net/netip"
	"slices"

	"enilab/internal/control"
)

// handovers finds private addresses, Elastic IPs and routes that came to another
// ENI, by one call or by two, and subnets whose routes did as they came to another
// table. The zero value has seen nothing.
type handovers struct{ pending[*handover] }

// handover is one of them on its way from one ENI to another.
type handover struct {
	moved  control.Moved
	from   string // instance
	public []netip.Addr
	before []fact
	times  instants
	at     uint64 // revision in which it was taken away
}

// observe takes one commit and returns the moves it completes.
func (h *handovers) observe(n control.Notice, s *control.State) []move {
	for _, ch := range n.Commit.Changes {
		switch ch.Table {
		case control.TableNetworkInterface:
			h.addressesLeave(n, ch, s)
		case control.TableAddress:
			h.elasticLeaves(n, ch, s)
		case control.TableRouteTable:
			h.routesLeave(n, ch, s)
		}
	}
	changed := reassociations(n, s)
	for _, r := range changed {
		h.reassociationLeaves(n, r, s)
	}
	if len(h.left) == 0 {
		return nil
	}
	var done []move
	for _, ch := range n.Commit.Changes {
		switch ch.Table {
		case control.TableNetworkInterface:
			done = append(done, h.addressesCome(n, ch)...)
		case control.TableAddress:
			done = append(done, h.elasticComes(n, ch, s)...)
		case control.TableRouteTable:
			done = append(done, h.routesCome(n, ch, s)...)
		}
	}
	for _, r := range changed {
		done = h.reassociationComes(n, r, s, done)
	}
	return done
}

// rows returns a changed row before and after, nil where there is none.
func rows[T any](ch control.Change) (before, after *T) {
	before, _ = ch.Before.(*T)
	after, _ = ch.After.(*T)
	return before, after
}

// secondary returns the secondary addresses of n that other does not have.
func secondary(n, other *control.NetworkInterface) (as []netip.Addr) {
	for _, a := range n.Addresses {
		if !a.Primary && (other == nil || !slices.Contains(addresses(other), a.Addr)) {
			as = append(as, a.Addr)
		}
	}
	return as
}

func addressKey(vpc string, a netip.Addr) string { return vpc + " " + a.String() }

func (h *handovers) addressesLeave(n control.Notice, ch control.Change, s *control.State) {
	before, after := rows[control.NetworkInterface](ch)
	if before == nil || before.RequesterManaged || after != nil && slices.Equal(before.Addresses, after.Addresses) {
		return
	}
	for _, a := range secondary(before, after) {
		var public []netip.Addr
		if ip := publicBefore(n, before.ID, a); ip.IsValid() {
			public = append(public, ip)
		}
		h.leave(addressKey(before.VPC, a), n, s, before, &handover{
			moved:  control.Moved{Kind: control.MovedAddresses, Addresses: []netip.Addr{a}},
			public: public, before: holding(before, []netip.Addr{a}, public),
		})
	}
}

// publicBefore returns the Elastic IP that a private address had before a commit.
func publicBefore(n control.Notice, eni string, private netip.Addr) netip.Addr {
	for _, ch := range n.Commit.Changes {
		if a, _ := rows[control.Address](ch); a != nil && a.NetworkInterface == eni && a.PrivateIP == private {
			return a.PublicIP
		}
	}
	return netip.Addr{}
}

func (h *handovers) leave(key string, n control.Notice, s *control.State, from *control.NetworkInterface, left *handover) {
	left.moved.From, left.at = from.ID, n.Commit.Revision
	if from.Attachment != nil {
		left.from = from.Attachment.Instance
	}
	left.times = instants{
		fault: brokenAt(s, left.from), accepted: n.Commit.At.UnixNano(), detached: inForce(n),
	}
	h.remember(key, left)
}

// inForce is when the data plane followed a commit. If it failed to, it follows
// with the next one, and the commit is as near as one can say.
func inForce(n control.Notice) int64 {
	if n.Ack.At == 0 {
		return n.Commit.At.UnixNano()
	}
	return n.Ack.At
}

// come completes what has left under a key, if that was another ENI than to. What
// neither an instance had before nor one has now is nothing that moved for
// anybody.
func (h *handovers) come(key string, n control.Notice, to *control.NetworkInterface) (m move, ok bool) {
	left := h.left[key]
	if left == nil {
		return m, false
	}
	h.forget(key)
	m = move{
		kind: control.KindMove, moved: left.moved, from: left.from, private: left.moved.Addresses,
		public: left.public, before: left.before, times: left.times,
	}
	m.moved.To, m.times.attached = to.ID, inForce(n)
	if to.Attachment != nil {
		m.to = to.Attachment.Instance
	}
	if left.at != n.Commit.Revision {
		m.notes = []string{"moved by separate calls"}
	}
	return m, left.moved.From != to.ID && (m.from != "" || m.to != "")
}

func (h *handovers) addressesCome(n control.Notice, ch control.Change) (done []move) {
	before, after := rows[control.NetworkInterface](ch)
	if after == nil || before == nil || slices.Equal(before.Addresses, after.Addresses) {
		return nil
	}
	for _, a := range secondary(after, before) {
		m, ok := h.come(addressKey(after.VPC, a), n, after)
		if !ok {
			continue
		}
		// What one call took from one ENI is one move.
		same := slices.IndexFunc(done, func(o move) bool {
			return o.moved.From == m.moved.From && o.times.accepted == m.times.accepted
		})
		if same < 0 {
			m.notes = append(m.notes, announced(n, after.Subnet, a))
			done = append(done, m)
			continue
		}
		o := &done[same]
		o.moved.Addresses = append(slices.Clip(o.moved.Addresses), a)
		o.private, o.public = o.moved.Addresses, append(slices.Clip(o.public), m.public...)
		o.before = slices.Clone(o.before)
		for i, f := range m.before {
			if (f.name == "ip" || f.name == "eip") && f.value != "" {
				o.before[i].value = joined(o.before[i].value, f.value)
			}
		}
	}
	return done
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

func announced(n control.Notice, subnet string, a netip.Addr) string {
	for _, told := range n.Announced {
		if told.Subnet == subnet && told.Addr == a {
			return "the network announced the new MAC to the guests of the subnet"
		}
	}
	return "nobody announced the new MAC: neighbors that know the former one send to that until their tables age"
}

func (h *handovers) elasticLeaves(n control.Notice, ch control.Change, s *control.State) {
	before, after := rows[control.Address](ch)
	switch {
	case after == nil:
		h.forget(ch.ID)
	case before != nil && before.NetworkInterface != "" && before.NetworkInterface != after.NetworkInterface:
		if from := formerly(n, s, before.NetworkInterface); from != nil && !from.RequesterManaged {
			h.leave(ch.ID, n, s, from, &handover{
				moved:  control.Moved{Kind: control.MovedElasticIP, Allocation: before.AllocationID, PublicIP: before.PublicIP},
				public: []netip.Addr{before.PublicIP}, before: mapping(from, before.PublicIP, before.PrivateIP),
			})
		}
	}
}

// formerly returns an ENI as it was before a commit.
func formerly(n control.Notice, s *control.State, eni string) *control.NetworkInterface {
	for _, ch := range n.Commit.Changes {
		if before, _ := rows[control.NetworkInterface](ch); before != nil && ch.ID == eni {
			return before
		}
	}
	return s.NetworkInterface(eni)
}

func (h *handovers) elasticComes(n control.Notice, ch control.Change, s *control.State) []move {
	before, after := rows[control.Address](ch)
	if after == nil || after.NetworkInterface == "" || before == nil || before.NetworkInterface == after.NetworkInterface {
		return nil
	}
	to := s.NetworkInterface(after.NetworkInterface)
	if to == nil || to.RequesterManaged || before.PrivateIP == after.PrivateIP {
		h.forget(ch.ID) // a gateway's, or it went along with its private address
		return nil
	}
	if m, ok := h.come(ch.ID, n, to); ok {
		return []move{m}
	}
	return nil
}

func routeKey(table string, r control.Route) string { return table + " " + destination(r) }

// leads returns the ENI that a table's route of r's destination leads to, "" if none.
func leads(t *control.RouteTable, r control.Route) string {
	for _, o := range t.Routes {
		if o.Destination == r.Destination && o.PrefixList == r.PrefixList {
			return o.Interface
		}
	}
	return ""
}

func (h *handovers) routesLeave(n control.Notice, ch control.Change, s *control.State) {
	before, after := rows[control.RouteTable](ch)
	if before == nil || after == nil {
		return
	}
	for _, r := range before.Routes {
		if r.Interface == "" || leads(after, r) == r.Interface {
			continue
		}
		if from := formerly(n, s, r.Interface); from != nil {
			h.leave(routeKey(ch.ID, r), n, s, from, &handover{
				moved:  control.Moved{Kind: control.MovedRoute, RouteTable: ch.ID, Destination: destination(r)},
				before: routing(from, destination(r)),
			})
		}
	}
}

func (h *handovers) routesCome(n control.Notice, ch control.Change, s *control.State) (done []move) {
	before, after := rows[control.RouteTable](ch)
	if before == nil || after == nil {
		return nil
	}
	for _, r := range after.Routes {
		if r.Interface == "" || leads(before, r) == r.Interface {
			continue
		}
		if to := s.NetworkInterface(r.Interface); to != nil {
			if m, ok := h.come(routeKey(ch.ID, r), n, to); ok {
				done = append(done, m)
			}
		}
	}
	return done
}
