package failover

import (
	"slices"

	"enilab/internal/control"
)

// A subnet that comes to another route table changes where its routes lead as a
// route that is replaced does, for the clients of that subnet alone.

// reassociation is a subnet that a commit gives another route table.
type reassociation struct {
	subnet        *control.Subnet
	before, after *control.RouteTable
}

// reassociations finds them in a commit after which the State is s: subnets of an
// explicit association that is made, replaced or ended, and those that follow the
// main table as that changes.
func reassociations(n control.Notice, s *control.State) (all []reassociation) {
	var former []*control.RouteTable // as they were, of those that have changed
	var vpcs []string                // in which associations have
	for _, ch := range n.Commit.Changes {
		before, after := rows[control.RouteTable](ch)
		if before == nil {
			continue
		}
		former = append(former, before)
		if after != nil && !slices.Equal(before.Associations, after.Associations) && !slices.Contains(vpcs, after.VPC) {
			vpcs = append(vpcs, after.VPC)
		}
	}
	if len(vpcs) == 0 {
		return nil
	}
	for _, subnet := range s.Subnets() {
		if !slices.Contains(vpcs, subnet.VPC) {
			continue
		}
		after := s.RouteTableOf(subnet)
		if before := formerTable(former, s, subnet, after); before != nil && after != nil && before.ID != after.ID {
			all = append(all, reassociation{subnet, before, after})
		}
	}
	return all
}

// formerTable returns the table of a subnet before those of former changed, after
// which it has the table now.
func formerTable(former []*control.RouteTable, s *control.State, subnet *control.Subnet, now *control.RouteTable) *control.RouteTable {
	explicit := func(t *control.RouteTable) bool {
		return slices.ContainsFunc(t.Associations, func(a control.RouteTableAssociation) bool { return a.Subnet == subnet.ID })
	}
	if i := slices.IndexFunc(former, explicit); i >= 0 {
		return former[i]
	}
	changed := now == nil || slices.ContainsFunc(former, func(t *control.RouteTable) bool { return t.ID == now.ID })
	if !changed && explicit(now) {
		return now
	}
	if i := slices.IndexFunc(former, func(t *control.RouteTable) bool { return t.VPC == subnet.VPC && t.Main() }); i >= 0 {
		return former[i]
	}
	return s.MainRouteTable(subnet.VPC)
}

func subnetKey(subnet string, r control.Route) string { return subnet + " " + destination(r) }

func (h *handovers) reassociationLeaves(n control.Notice, r reassociation, s *control.State) {
	for _, route := range r.before.Routes {
		if route.Interface == "" || leads(r.after, route) == route.Interface {
			continue
		}
		if from := formerly(n, s, route.Interface); from != nil {
			h.leave(subnetKey(r.subnet.ID, route), n, s, from, &handover{
				moved:  control.Moved{Kind: control.MovedRoute, Destination: destination(route)},
				before: routing(from, destination(route)),
			})
		}
	}
}

// reassociationComes adds to done what r completes: subnets that one commit gives the
// same route make one move.
func (h *handovers) reassociationComes(n control.Notice, r reassociation, s *control.State, done []move) []move {
	for _, route := range r.after.Routes {
		if route.Interface == "" || leads(r.before, route) == route.Interface {
			continue
		}
		to := s.NetworkInterface(route.Interface)
		if to == nil {
			continue
		}
		m, ok := h.come(subnetKey(r.subnet.ID, route), n, to)
		if !ok {
			continue
		}
		m.moved.RouteTable = r.after.ID
		same := slices.IndexFunc(done, func(o move) bool {
			return o.subnets != nil && o.moved.RouteTable == r.after.ID && o.moved.Destination == m.moved.Destination &&
				o.moved.From == m.moved.From && o.times.accepted == m.times.accepted
		})
		if same < 0 {
			m.subnets = []string{r.subnet.ID}
			m.notes = append(m.notes, "the subnet "+r.subnet.ID+" came to this route table")
			done = append(done, m)
			continue
		}
		o := &done[same]
		o.subnets = append(slices.Clip(o.subnets), r.subnet.ID)
		o.notes = append(slices.Clip(o.notes), "the subnet "+r.subnet.ID+" came to this route table")
	}
	return done
}
