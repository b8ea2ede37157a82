package ec2

import (
	"net/netip"

	"enilab/internal/control"
)

// privateName is the host name of a private address inside a VPC.
func (c *call) privateName(addr netip.Addr) string {
	return control.PrivateName(addr, c.region.Name)
}

// publicName is the host name of a public address, "" in a VPC without names.
func (c *call) publicName(vpc string, addr netip.Addr) string {
	if !c.named(vpc) {
		return ""
	}
	return control.PublicName(addr, c.region.Name)
}

// interfaceName is the private host name that an ENI shows for one of its
// addresses, "" in a VPC without names.
func (c *call) interfaceName(n *control.NetworkInterface, addr netip.Addr) string {
	if !c.named(n.VPC) {
		return ""
	}
	return c.privateName(addr)
}

// instanceName is the private host name of an instance: of its primary address,
// or of its id. It needs a resolver only.
func (c *call) instanceName(i *control.Instance, primary *control.NetworkInterface) string {
	switch v := c.state.VPC(i.VPC); {
	case v == nil || !v.DNSSupport:
		return ""
	}
	return i.HostName(primary.PrimaryAddress())
}

// mapping is the public side of a private address: an Elastic IP, or without
// one the address that was assigned automatically.
type mapping struct {
	public  netip.Addr
	elastic *control.Address
}

// owner is who a public address belongs to.
func (m mapping) owner(c *call) string {
	if m.elastic == nil {
		return "amazon"
	}
	return c.api.opt.Account
}

// mappings are the public addresses of an ENI by its private ones.
func (c *call) mappings(n *control.NetworkInterface) map[netip.Addr]mapping {
	elastic := c.elastic(n)
	if len(elastic) == 0 && !n.PublicIP.IsValid() {
		return nil
	}
	m := make(map[netip.Addr]mapping, len(elastic)+1)
	if n.PublicIP.IsValid() {
		m[n.PrimaryAddress()] = mapping{public: n.PublicIP}
	}
	for private, a := range elastic {
		m[private] = mapping{a.PublicIP, a}
	}
	return m
}
