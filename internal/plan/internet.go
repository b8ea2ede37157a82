package plan

import (
	"net/netip"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// The modelled internet in the data plane: one subnet of its own VPC, in which
// every host reaches all others through the router alone.
const (
	internetSubnet = "internet"
	// internetMTU is what passes an internet gateway (EC2 User Guide, "Network MTU").
	internetMTU = 1500
)

// internetSubnetSpec is nil while nobody stands there, hosts or gateway endpoints:
// internet gateways then lead to nobody, and nobody asks the subnet's router.
func internetSubnetSpec(s *control.State) *spec.Subnet {
	if !s.InternetInhabited() {
		return nil
	}
	return Beyond()
}

// The ENI and the host that an internet host is to the data plane, under one id.
func internetVNICSpec(_ *control.State, h *control.InternetHost) *spec.VNIC {
	return &spec.VNIC{
		ID: h.ID, MAC: h.MAC(), Subnet: internetSubnet, Addrs: []netip.Addr{h.Address},
		SourceDestCheck: true, MTU: internetMTU, Host: h.ID,
	}
}

func internetHostSpec(_ *control.State, h *control.InternetHost) *spec.Host {
	host := &spec.Host{
		ID: h.ID, Name: h.Name, Boot: h.Boot, Fault: faultSpec(h.Fault), Workloads: h.Workloads, Serve: h.Serve,
	}
	if h.Fault != control.FaultStop {
		host.Power = spec.PowerOn
	}
	return host
}

// gatewayEndpointSpec is nil for endpoints that are no gateways, or that are going.
func gatewayEndpointSpec(_ *control.State, e *control.VPCEndpoint) *spec.VNIC {
	if !e.Source.IsValid() {
		return nil
	}
	return &spec.VNIC{
		ID: e.ID, MAC: control.InternetMAC(e.Source), Subnet: internetSubnet, Addrs: []netip.Addr{e.Source}, MTU: internetMTU,
		NAT: &spec.NAT{ID: e.ID, Inside: e.VPC},
	}
}

// Beyond is the subnet in which the internet stands, whether anybody is there or
// not.
func Beyond() *spec.Subnet {
	everywhere := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	return &spec.Subnet{
		ID: internetSubnet, VPC: spec.InternetVPC, CIDR: everywhere, VPCCIDRs: []netip.Prefix{everywhere},
		RouterMAC: control.InternetRouterMAC(), RouterIP: control.InternetRouter(),
	}
}
