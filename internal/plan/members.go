package plan

import (
	"cmp"
	"net/netip"
	"slices"

	"enilab/internal/control"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// vpcMTU is the IP MTU inside a VPC (EC2 User Guide, "Network MTU").
const vpcMTU = 9001

func groupSpec(s *control.State, g *control.SecurityGroup) *spec.Group {
	group := &spec.Group{ID: g.ID, Ref: g.Ref}
	for _, r := range g.Rules {
		rule := spec.Rule{Name: r.ID, Rule: secgroup.Rule{
			ID: verdict.RuleID(r.Ref), Proto: int16(r.Protocol),
			From: int32(r.FromPort), To: int32(r.ToPort), Prefix: r.CIDR,
		}}
		list := &group.Ingress
		if r.Egress {
			list = &group.Egress
		}
		switch {
		case r.PrefixList != "":
			// One for each entry, all with the name of the rule.
			for _, e := range s.PrefixList(r.PrefixList).Entries() {
				rule.Prefix = e.CIDR
				*list = append(*list, rule)
			}
			continue
		case r.Group == g.ID:
			rule.Group = g.Ref
		case r.Group != "":
			rule.Group = s.SecurityGroup(r.Group).Ref
		}
		*list = append(*list, rule)
	}
	return group
}

// vnicSpec is nil for the ENIs of services that the data plane does not have, and
// of NAT gateways that do not work yet or any more: what is sent there is lost.
func vnicSpec(s *control.State, n *control.NetworkInterface) *spec.VNIC {
	vnic := &spec.VNIC{
		ID: n.ID, MAC: n.MAC, Subnet: n.Subnet, Groups: n.Groups, SourceDestCheck: n.SourceDestCheck,
		MTU: vpcMTU, Timeouts: conntrack.DefaultTimeouts(), Public: publicAddrs(s, n),
	}
	if n.RequesterManaged {
		g := s.NATGatewayOf(n)
		if g == nil || g.State != control.NATAvailable {
			return nil
		}
		// Security groups cannot be put on a NAT gateway (VPC User Guide, "NAT gateways").
		vnic.NAT, vnic.Groups = &spec.NAT{ID: g.ID}, nil
	}
	vnic.Addrs = slices.AppendSeq(make([]netip.Addr, 0, len(n.Addresses)), n.OnWire())
	// What is detaching is off already.
	if a := n.Attachment; a != nil && a.State != control.Detaching {
		vnic.Host, vnic.DeviceIndex = a.Instance, a.NetworkCard*(control.MaxDeviceIndex+1)+a.DeviceIndex
		vnic.Overlay = overlayOf(s, n.ID)
		if t, ok := control.InstanceTypeByName(s.Instance(a.Instance).Type); ok {
			vnic.Timeouts.TCPEstablished = t.TCPEstablished
			if t.Nitro() {
				ownTimeouts(n.Tracking, &vnic.Timeouts)
			}
		}
	}
	return vnic
}

// overlay reports whether a route leads one address to an ENI. EC2 lets no such
// route into the VPC's own blocks, so that it is an address of nobody there.
func overlay(r control.Route) bool {
	return r.Interface != "" && r.PrefixList == "" && r.Destination.Addr().Is4() && r.Destination.IsSingleIP()
}

// overlayOf are the addresses that routes lead to an ENI. Its guest has them as
// if an agent had configured them on taking over, as it has secondary addresses.
func overlayOf(s *control.State, eni string) (ips []netip.Addr) {
	for _, t := range s.RouteTablesTo(eni) {
		for _, r := range t.Routes {
			if r.Interface == eni && overlay(r) && !slices.Contains(ips, r.Destination.Addr()) {
				ips = append(ips, r.Destination.Addr())
			}
		}
	}
	slices.SortFunc(ips, netip.Addr.Compare)
	return ips
}

// publicAddrs are the public addresses of an ENI, in the order of the private ones
// that they stand for. Whether they lead anywhere (an attachment, an internet
// gateway, a route to it) is for the data plane to find.
func publicAddrs(s *control.State, n *control.NetworkInterface) (public []spec.PublicAddr) {
	for _, a := range s.AddressesOf(n.ID) {
		public = append(public, spec.PublicAddr{Private: a.PrivateIP, Public: a.PublicIP})
	}
	if n.PublicIP.IsValid() {
		public = append(public, spec.PublicAddr{Private: n.PrimaryAddress(), Public: n.PublicIP})
	}
	slices.SortFunc(public, func(a, b spec.PublicAddr) int { return a.Private.Compare(b.Private) })
	return public
}

// ownTimeouts replaces the timeouts that an ENI has of its own (EC2 User Guide,
// "Connection tracking timeouts").
func ownTimeouts(c control.ConnectionTracking, t *conntrack.Timeouts) {
	t.TCPEstablished = cmp.Or(c.TCPEstablished, t.TCPEstablished)
	t.UDPStream = cmp.Or(c.UDPStream, t.UDPStream)
	t.UDP = cmp.Or(c.UDP, t.UDP)
}

func hostSpec(_ *control.State, i *control.Instance) *spec.Host {
	if i.State == control.InstanceTerminated {
		return nil
	}
	host := &spec.Host{
		ID: i.ID, Name: i.Name(), Boot: i.Boot, Fault: faultSpec(i.Fault), Workloads: i.Workloads, Serve: i.Serve,
	}
	if t, ok := control.InstanceTypeByName(i.Type); ok {
		host.Bandwidth = t.Bandwidth
	}
	if i.State == control.InstancePending || i.State == control.InstanceRunning {
		host.Power = spec.PowerOn
	}
	return host
}

// faultSpec is a fault as the data plane has it: a host without power has none.
func faultSpec(f control.Fault) spec.Fault {
	switch f {
	case control.FaultFreeze:
		return spec.FaultFreeze
	case control.FaultLink:
		return spec.FaultLink
	}
	return spec.FaultNone
}
