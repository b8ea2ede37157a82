package control

// RouteState is EC2's state of a route (EC2 RouteState).
type RouteState string

// States of routes. A blackhole's target is gone or leads nowhere; it becomes
// active by itself when the target is there again.
const (
	RouteActive    RouteState = "active"
	RouteBlackhole RouteState = "blackhole"
)

// RouteState tells whether a route of table t leads anywhere now. A route to
// the ENI of a stopped instance is active, though what goes there is lost: AWS
// does not document it.
func (s *State) RouteState(t *RouteTable, r Route) RouteState {
	leads := false
	switch {
	case r.Local:
		leads = true
	case r.Gateway != "":
		g := s.InternetGateway(r.Gateway)
		leads = g != nil && g.VPC == t.VPC
	case r.EgressOnly != "":
		leads = s.EgressOnlyGateway(r.EgressOnly) != nil
	case r.NATGateway != "":
		g := s.NATGateway(r.NATGateway)
		leads = g != nil && (g.State == NATPending || g.State == NATAvailable)
	case r.Interface != "":
		leads = s.RouteAttachment(r) != nil
	case r.Endpoint != "":
		leads = s.VPCEndpoint(r.Endpoint) != nil
	case r.Peering != "":
		p := s.Peering(r.Peering)
		leads = p != nil && p.State == PeeringActive
	case r.Transit != "":
		leads = s.transitOf(r.Transit, t.VPC) != nil
	}
	if leads {
		return RouteActive
	}
	return RouteBlackhole
}

// RouteAttachment is the attachment of the ENI that a route leads to, nil while
// no instance has it. A detaching ENI has left: the network lets go at once.
func (s *State) RouteAttachment(r Route) *Attachment {
	if r.Interface == "" {
		return nil
	}
	n := s.NetworkInterface(r.Interface)
	if n == nil || n.Attachment == nil || n.Attachment.State == Detaching {
		return nil
	}
	return n.Attachment
}
