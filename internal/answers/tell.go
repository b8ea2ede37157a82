package answers

import (
	"fmt"
	"net/netip"
	"strings"

	"enilab/internal/control"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/plan"
	"enilab/internal/predict"
)

// PredictedPath is the way of one packet, component by component.
type PredictedPath struct {
	Arrives            bool           `json:"arrives"`
	NetworkInterfaceID string         `json:"networkInterfaceId,omitempty" doc:"Who gets it, or would; absent if that is not known"`
	Source             string         `json:"source" doc:"As it is sent"`
	Destination        string         `json:"destination" doc:"As it is sent"`
	NewSource          string         `json:"newSource,omitempty" doc:"As it arrives, if gateways change it"`
	NewDestination     string         `json:"newDestination,omitempty"`
	MTU                int            `json:"mtu" doc:"Largest IP packet that the whole way takes, in bytes"`
	Hops               []PredictedHop `json:"hops"`
}

// PredictedHop is one component on the way, and what it decides.
type PredictedHop struct {
	Component   string   `json:"component" enum:"interface,security-groups,network-acl,route-table,internet-gateway,nat-gateway,vpc-endpoint,peering,transit-gateway,appliance,guest,network-service"`
	ID          string   `json:"id,omitempty" doc:"Of the interface, table, ACL, gateway or instance; of a service of the network its name"`
	Groups      []string `json:"groups,omitempty" doc:"The security groups that judge here"`
	Direction   string   `json:"direction,omitempty" enum:"egress,ingress"`
	SubnetID    string   `json:"subnetId,omitempty"`
	Rule        string   `json:"rule,omitempty" doc:"What decided: a security group rule, a network ACL entry or a route, by the names of POST /packets"`
	Established bool     `json:"established,omitempty" doc:"It belongs to the connection that was asked for: no rule is asked"`
	Outcome     string   `json:"outcome" enum:"pass,stop" doc:"stop: an explanation says why"`
	Assumed     bool     `json:"assumed,omitempty" doc:"Behind something that stops it, as if it went on"`
	Source      string   `json:"source,omitempty" doc:"Behind a component that changes addresses"`
	Destination string   `json:"destination,omitempty"`
	MTU         int      `json:"mtu,omitempty"`
	Detail      string   `json:"detail,omitempty"`
}

// Explanation is one thing in the way.
type Explanation struct {
	Code      string `json:"code,omitempty" doc:"AWS Reachability Analyzer's, where one fits"`
	Reason    string `json:"reason" doc:"The data plane's, as in POST /packets; elsewhere: it arrives, but not at who was meant"`
	Text      string `json:"text"`
	Path      string `json:"path" enum:"forward,return"`
	Direction string `json:"direction,omitempty" enum:"egress,ingress"`
	Component string `json:"component" doc:"Id of what decides: a security group's interface, an ACL, a route table, a gateway, an interface or an instance"`
	// NetworkInterfaceID is where the packet is.
	NetworkInterfaceID string   `json:"networkInterfaceId,omitempty"`
	SubnetID           string   `json:"subnetId,omitempty"`
	Groups             []string `json:"groups,omitempty"`
	Rule               string   `json:"rule,omitempty"`
	Source             string   `json:"source,omitempty" doc:"The packet's ends where it is stopped"`
	Destination        string   `json:"destination,omitempty"`
}

// teller puts predictions in words.
type teller struct{ s *control.State }

func (t teller) path(p *predict.Path) PredictedPath {
	out := PredictedPath{
		Arrives: p.Delivered(), NetworkInterfaceID: p.To, Source: p.Sent.Source.String(), Destination: p.Sent.Destination.String(), MTU: p.MTU, Hops: []PredictedHop{},
	}
	if p.To != "" && p.Arrived != p.Sent {
		out.NewSource, out.NewDestination = p.Arrived.Source.String(), p.Arrived.Destination.String()
	}
	for i := range p.Legs {
		out.Hops = append(out.Hops, t.leg(p, i)...)
	}
	return out
}

// leg tells of one leg; marks says which of its parts stops the packet.
func (t teller) leg(p *predict.Path, i int) (hops []PredictedHop) {
	l := &p.Legs[i]
	stops := func(why func(o *predict.Obstacle) bool) string {
		for k := range p.Obstacles {
			if o := &p.Obstacles[k]; o.Leg == i && why(o) {
				return "stop"
			}
		}
		return "pass"
	}
	is := func(reasons ...verdict.Reason) string {
		return stops(func(o *predict.Obstacle) bool {
			for _, r := range reasons {
				if o.Reason == r {
					return true
				}
			}
			return false
		})
	}
	beyond := false
	add := func(h PredictedHop) {
		h.Assumed = h.Assumed || l.Assumed || beyond
		hops = append(hops, h)
	}
	switch {
	case i == 0:
		at := stops(func(o *predict.Obstacle) bool {
			return o.Direction == conntrack.Egress && !o.Beyond && o.At == l.From && (o.Reason == verdict.Oversize || o.Reason == verdict.SpoofedIP || guestState(o.Reason))
		})
		add(PredictedHop{Component: "interface", ID: l.From, SubnetID: l.Subnet, Direction: "egress", Outcome: at, Detail: t.owner(l.From)})
	case p.Legs[i-1].Translated:
		// The gateway stands at the end of the leg before.
	default:
		add(PredictedHop{Component: "appliance", ID: l.From, SubnetID: l.Subnet, Outcome: "pass", Assumed: true, Detail: "taken to send it on as it came: the interface has no source/destination check"})
	}
	if l.Service != "" || is(verdict.NoService) == "stop" {
		detail := "the network answers itself, past groups, routes and network ACLs"
		if l.Service == "" {
			detail = "the network has nothing at this port of this address"
		}
		add(PredictedHop{Component: "network-service", ID: l.Service, Direction: "egress", Outcome: is(verdict.NoService), Detail: detail})
		return hops
	}
	if l.RuleOut != "" {
		add(PredictedHop{Component: "security-groups", ID: l.From, Groups: t.groups(l.From), Direction: "egress", Rule: l.RuleOut, Established: l.KnownOut, Outcome: is(verdict.EgressDenied)})
	}
	if l.Route != "" {
		table, _, _ := strings.Cut(l.Route, " ")
		add(PredictedHop{Component: "route-table", ID: table, SubnetID: l.Subnet, Rule: l.Route,
			Outcome: is(nowhere(l)...), Detail: via(l.Via)})
	} else if is(verdict.NoRoute) == "stop" {
		table := ""
		if n := t.s.Subnet(l.Subnet); n != nil {
			if rt := t.s.RouteTableOf(n); rt != nil {
				table = rt.ID
			}
		}
		add(PredictedHop{Component: "route-table", ID: table, SubnetID: l.Subnet, Outcome: "stop"})
	}
	beyond = l.Instead
	if l.ACLOut != "" {
		acl, _, _ := strings.Cut(l.ACLOut, " ")
		add(PredictedHop{Component: "network-acl", ID: acl, SubnetID: l.Subnet, Direction: "egress", Rule: l.ACLOut, Outcome: is(verdict.EgressACLDenied)})
	}
	hops = append(hops, t.gateways(l, is)...)
	if l.To == "" {
		return hops
	}
	if l.ACLIn != "" {
		acl, _, _ := strings.Cut(l.ACLIn, " ")
		add(PredictedHop{Component: "network-acl", ID: acl, SubnetID: l.ToSubnet, Direction: "ingress", Rule: l.ACLIn, Outcome: is(verdict.IngressACLDenied)})
	}
	if l.Translated || is(verdict.NATNoConnection, verdict.NATUnsupported) == "stop" {
		kind := "nat-gateway"
		id := l.To
		if n := t.s.NetworkInterface(l.To); n != nil {
			if g := t.s.NATGatewayOf(n); g != nil {
				id = g.ID
			}
		} else {
			kind = "vpc-endpoint"
		}
		add(PredictedHop{Component: kind, ID: id, SubnetID: l.ToSubnet, Source: l.Now.Source.String(), Destination: l.Now.Destination.String(),
			Outcome: is(verdict.NATNoConnection, verdict.NATUnsupported)})
		return hops
	}
	if p.To != l.To && i+1 < len(p.Legs) {
		if l.RuleIn != "" {
			add(PredictedHop{Component: "security-groups", ID: l.To, Groups: t.groups(l.To), Direction: "ingress", Rule: l.RuleIn, Established: l.KnownIn, Outcome: is(verdict.IngressDenied)})
		}
		return hops
	}
	add(PredictedHop{Component: "interface", ID: l.To, SubnetID: l.ToSubnet, Direction: "ingress", Outcome: is(verdict.NotOwnAddress), Detail: t.owner(l.To)})
	if l.RuleIn != "" {
		add(PredictedHop{Component: "security-groups", ID: l.To, Groups: t.groups(l.To), Direction: "ingress", Rule: l.RuleIn, Established: l.KnownIn, Outcome: is(verdict.IngressDenied)})
	}
	state := stops(func(o *predict.Obstacle) bool { return o.Direction == conntrack.Ingress && guestState(o.Reason) })
	add(PredictedHop{Component: "guest", ID: t.host(l.To), Outcome: state, Detail: t.state(l.To)})
	return hops
}

func (t teller) gateways(l *predict.Leg, is func(...verdict.Reason) string) (hops []PredictedHop) {
	stop := is(verdict.TooBig, verdict.Fragmented, verdict.NoPublicAddress, verdict.NoPublicHost, verdict.NotPublic)
	add := func(component, id string) {
		h := PredictedHop{Component: component, ID: id, Outcome: stop, Assumed: l.Assumed, MTU: l.MTU}
		if l.Now != l.Was && l.Now.Source.IsValid() && component == "internet-gateway" && !l.Translated {
			h.Source, h.Destination = l.Now.Source.String(), l.Now.Destination.String()
		}
		hops = append(hops, h)
	}
	if strings.HasPrefix(l.Leaves, "vpce-") {
		add("vpc-endpoint", l.Leaves)
	} else if l.Leaves != "" {
		add("internet-gateway", l.Leaves)
	}
	if l.Enters != "" && l.Enters != l.Leaves {
		add("internet-gateway", l.Enters)
	}
	switch {
	case l.Peering:
		add("peering", l.Via)
	case strings.HasPrefix(l.Via, "tgw-"):
		add("transit-gateway", l.Via)
		hops[len(hops)-1].Rule = l.Onward
	}
	return hops
}

// nowhere is why a route table leads nowhere.
func nowhere(l *predict.Leg) []verdict.Reason {
	reasons := []verdict.Reason{verdict.NoRoute, verdict.Blackhole, verdict.NoMapping, verdict.TooManyHops}
	if l.Leaves == "" && l.Enters == "" {
		reasons = append(reasons, verdict.NotPublic, verdict.NoPublicHost)
	}
	return reasons
}

func via(id string) string {
	if id == "" || id == "local" {
		return ""
	}
	return "leads to " + id
}

func guestState(r verdict.Reason) bool {
	switch r {
	case verdict.Detached, verdict.InstanceStopped, verdict.LinkDown, verdict.GuestFrozen:
		return true
	}
	return false
}

// owner says whose an interface is.
func (t teller) owner(vnic string) string {
	if n := t.s.NetworkInterface(vnic); n != nil && n.Attachment != nil {
		return fmt.Sprintf("eth%d of %s", n.Attachment.DeviceIndex, n.Attachment.Instance)
	}
	return ""
}

// host is the instance behind an interface.
func (t teller) host(vnic string) string {
	if n := t.s.NetworkInterface(vnic); n != nil {
		if n.Attachment != nil {
			return n.Attachment.Instance
		}
		return ""
	}
	return vnic
}

func (t teller) state(vnic string) string {
	if h := t.s.InternetHost(vnic); h != nil {
		if h.Fault == control.FaultNone {
			return "running"
		}
		return string(h.Fault)
	}
	i := t.s.Instance(t.host(vnic))
	switch {
	case i == nil:
		return "attached to no instance"
	case i.Fault != control.FaultNone:
		return string(i.State) + ", " + string(i.Fault)
	}
	return string(i.State)
}

func (t teller) groups(vnic string) []string {
	if n := t.s.NetworkInterface(vnic); n != nil {
		return n.Groups
	}
	return nil
}

// explain tells of all that is in the way of a path.
func (t teller) explain(path string, p *predict.Path) (all []Explanation) {
	for k := range p.Obstacles {
		o := &p.Obstacles[k]
		e := Explanation{
			Code: o.Reason.Code(), Reason: o.Reason.String(), Text: o.Reason.Text(), Path: path, Direction: o.Direction.String(),
			Component: o.At, NetworkInterfaceID: o.At, Rule: o.Rule,
		}
		var l predict.Leg
		if o.Leg < len(p.Legs) {
			l = p.Legs[o.Leg]
		}
		e.Source, e.Destination = text(l.Was.Source), text(l.Was.Destination)
		e.SubnetID = l.Subnet
		if o.Direction == conntrack.Ingress {
			e.SubnetID = l.ToSubnet
		}
		switch o.Reason {
		case verdict.EgressDenied, verdict.IngressDenied:
			e.Groups = t.groups(o.At)
			e.Component = strings.Join(e.Groups, ",")
		case verdict.EgressACLDenied, verdict.IngressACLDenied, verdict.Blackhole:
			e.Component, _, _ = strings.Cut(o.Rule, " ")
		case verdict.NoRoute, verdict.NoMapping:
			if l.Route != "" {
				e.Component, _, _ = strings.Cut(l.Route, " ")
			} else if n := t.s.Subnet(l.Subnet); n != nil && t.s.RouteTableOf(n) != nil {
				e.Component = t.s.RouteTableOf(n).ID
			}
			e.Rule = l.Route
		case verdict.NoPublicAddress, verdict.NoPublicHost, verdict.NotPublic, verdict.TooBig, verdict.Fragmented:
			for _, id := range []string{l.Leaves, l.Enters, l.Via} {
				if id != "" {
					e.Component = id
					break
				}
			}
			if o.Reason == verdict.NoPublicHost && l.Leaves != "" {
				e.Code = "" // the VPC has let it go: AWS has no code for what the internet does
			}
		default:
			if guestState(o.Reason) && t.host(o.At) != "" {
				e.Component = t.host(o.At)
			}
		}
		all = append(all, e)
	}
	return all
}

func text(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// elsewhere is the explanation of a packet that somebody else gets.
func (t teller) elsewhere(p *predict.Path, meant string) Explanation {
	return Explanation{
		Reason: "elsewhere", Text: fmt.Sprintf("it arrives at %s, not at %s", p.To, meant), Path: "forward", Component: p.To, NetworkInterfaceID: p.To,
		Source: text(p.Arrived.Source), Destination: text(p.Arrived.Destination),
	}
}

// looks says what has been looked at.
func (t teller) looks(view *plan.View, a asked, there, back *predict.Path, answered bool, refused []predict.Refused) []Look {
	yes := func(p *predict.Path, what string) Look {
		if p.Delivered() && p.Service != "" {
			return Look{what, "taken by " + p.Service + ", a service of the network", true}
		}
		if p.Delivered() {
			return Look{what, fmt.Sprintf("gets to %s in %d legs", p.To, len(p.Legs)), true}
		}
		return Look{what, fmt.Sprintf("stopped at %s: %s", p.At, p.Reason.Text()), false}
	}
	all := []Look{yes(there, "forward-path")}
	switch {
	case answered:
		all = append(all, yes(back, "return-path"))
	case there.Service != "":
		all = append(all, Look{"return-path", "the network answers its own guests, past groups, routes and network ACLs", there.Delivered()})
	default:
		all = append(all, Look{"return-path", "not looked at: the packet is not known to get anywhere, or nobody answers it", there.Delivered()})
	}
	all = append(all, t.ephemeral(a, answered, refused),
		Look{"connection-state", "a new connection: nothing in a connection table or a NAT gateway vouches for it; its answer passes groups as part of it", true})
	aim := there.To
	if aim == "" {
		aim = a.to
	}
	if aim != "" {
		v := view.VNIC(aim)
		ok := true
		for _, o := range there.Obstacles {
			ok = ok && !guestState(o.Reason)
		}
		all = append(all, Look{"guest-state", t.state(aim), ok})
		if v != nil {
			all = append(all, listener(view, a, v.Host))
		}
	}
	size := fmt.Sprintf("the way takes IP packets of up to %d bytes", there.MTU)
	if a.Bytes > 0 {
		size += fmt.Sprintf("; asked for %d", a.Bytes)
	}
	return append(all, Look{"mtu", size, a.Bytes <= there.MTU},
		Look{"impairments", "not looked at, nor queues and bandwidth: what is lost by chance or for want of room is for a probe to find", true})
}

func (t teller) ephemeral(a asked, answered bool, refused []predict.Refused) Look {
	const what = "ephemeral-ports"
	if a.Protocol == "icmp" || !answered {
		return Look{what, "none: there is no answer to a port", true}
	}
	if len(refused) == 0 {
		return Look{what, fmt.Sprintf("network ACLs treat answers to ports %d to %d as the one to port %d", predict.EphemeralPorts.From, predict.EphemeralPorts.To, a.SourcePort), true}
	}
	var parts []string
	for _, r := range refused {
		parts = append(parts, fmt.Sprintf("%d to %d by %s", r.From, r.To, r.Entry))
	}
	return Look{what, "answers to these ports are refused: " + strings.Join(parts, ", "), false}
}

// listener says whether the guest answers at the port: every guest answers pings,
// UDP echo on port 7 and HTTP on port 80, and what its instance serves besides.
func listener(view *plan.View, a asked, host string) Look {
	const what = "listener"
	if a.Protocol == "icmp" || a.Protocol == "tcp" && a.Port == defaultTCPPort || a.Protocol == "udp" && a.Port == defaultUDPPort {
		return Look{what, "every guest answers there", true}
	}
	if h := view.Host(host); h != nil {
		for _, p := range h.Serve {
			if p.Protocol == a.Protocol && p.Port == a.Port {
				return Look{what, "the guest serves the port", true}
			}
		}
	}
	return Look{what, fmt.Sprintf("the guest has nothing at %s port %d: it refuses what arrives there", a.Protocol, a.Port), false}
}
