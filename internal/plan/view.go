package plan

import (
	"net/netip"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// View reads from a State what the data plane is told of it, row by row as it is
// asked for. It is for one caller at a time.
type View struct {
	s       *control.State
	outside map[netip.Addr]string // hosts of the internet and gateway endpoints, by address there
}

// Of returns the View of a State that shows all regions.
func Of(s *control.State) *View { return &View{s: s} }

// State is what the View reads.
func (v *View) State() *control.State { return v.s }

// VNIC returns what an ENI, a host of the internet or a gateway endpoint is to the
// data plane.
func (v *View) VNIC(id string) *spec.VNIC {
	if n := v.s.NetworkInterface(id); n != nil {
		return vnicSpec(v.s, n)
	}
	if h := v.s.InternetHost(id); h != nil {
		return internetVNICSpec(v.s, h)
	}
	if e := v.s.VPCEndpoint(id); e != nil {
		return gatewayEndpointSpec(v.s, e)
	}
	return nil
}

// Subnet returns a subnet, or that of the internet.
func (v *View) Subnet(id string) *spec.Subnet {
	if id == internetSubnet {
		return internetSubnetSpec(v.s)
	}
	if n := v.s.Subnet(id); n != nil {
		return subnetSpec(v.s, n)
	}
	return nil
}

// RouteTable returns a route table.
func (v *View) RouteTable(id string) *spec.RouteTable {
	if t := v.s.RouteTable(id); t != nil {
		return routeTableSpec(v.s, t)
	}
	return nil
}

// ACL returns a network ACL.
func (v *View) ACL(id string) *spec.ACL {
	if a := v.s.NetworkACL(id); a != nil {
		return aclSpec(v.s, a)
	}
	return nil
}

// Group returns a security group.
func (v *View) Group(id string) *spec.Group {
	if g := v.s.SecurityGroup(id); g != nil {
		return groupSpec(v.s, g)
	}
	return nil
}

// Host returns an instance or a host of the internet.
func (v *View) Host(id string) *spec.Host {
	if i := v.s.Instance(id); i != nil {
		return hostSpec(v.s, i)
	}
	if h := v.s.InternetHost(id); h != nil {
		return internetHostSpec(v.s, h)
	}
	return nil
}

// VNICsOf returns the ENIs of a host, by device index.
func (v *View) VNICsOf(host string) (ids []string) {
	for _, n := range v.s.InterfacesOf(host) {
		if a := n.Attachment; a != nil && a.State != control.Detaching {
			ids = append(ids, n.ID)
		}
	}
	return ids
}

// Transit returns a transit gateway.
func (v *View) Transit(id string) *spec.Transit {
	if g := v.s.TransitGateway(id); g != nil {
		return transitSpec(v.s, g)
	}
	return nil
}

// Gateway returns the internet gateway of a VPC.
func (v *View) Gateway(vpc string) *spec.Gateway {
	if g := v.s.InternetGatewayOf(vpc); g != nil {
		return gatewaySpec(v.s, g)
	}
	return nil
}

// Holder returns who has an address in a VPC, or on the internet.
func (v *View) Holder(vpc string, a netip.Addr) string {
	if vpc != spec.InternetVPC {
		if n := v.s.InterfaceByAddr(vpc, a); n != nil {
			return n.ID
		}
		return ""
	}
	if v.outside == nil {
		v.outside = map[netip.Addr]string{}
		for _, h := range v.s.InternetHosts() {
			v.outside[h.Address] = h.ID
		}
		for _, e := range v.s.VPCEndpoints() {
			if e.Source.IsValid() {
				v.outside[e.Source] = e.ID
			}
		}
	}
	if id := v.outside[a]; id != "" {
		return id
	}
	if n, _ := v.s.InterfaceByPublicIP(a); n != nil {
		return n.ID
	}
	return ""
}

// Target returns the VNIC that a route of kind spec.RouteInterface leads to.
func (v *View) Target(r *spec.Route) string {
	if g := v.s.NATGateway(r.Via); g != nil {
		return g.Interface
	}
	if v.macOf(r.Via) == r.MAC {
		return r.Via
	}
	return ""
}

func (v *View) macOf(id string) frame.MAC {
	if n := v.s.NetworkInterface(id); n != nil {
		return n.MAC
	}
	if e := v.s.VPCEndpoint(id); e != nil && e.Source.IsValid() {
		return control.InternetMAC(e.Source)
	}
	return 0
}
