package scenario

import (
	"fmt"
	"net/netip"
	"strings"
)

// possible checks a step against what cannot change while steps are carried out:
// which VPC and zone things are in, and which interfaces are primary ones. EC2
// would refuse the step whenever it is reached.
func (c *checker) possible(at string, st *step) {
	ch := &st.Change
	switch {
	case st.Attach != nil:
		c.movable(at, st.Attach.NetworkInterface, st.Attach.Instance)
	case st.Detach != nil:
		c.movable(at, st.Detach.NetworkInterface, "")
	case st.Move != nil:
		c.movable(at, st.Move.NetworkInterface, st.Move.Instance)
		if d := st.Move.DeviceIndex; d != nil && *d == 0 {
			c.fail(at+".deviceIndex", "0 is that of the primary interface: want 1 or more")
		}
	case ch.Assign != nil:
		c.inSubnet(at, ch.Assign.NetworkInterface, ch.Assign.IPs)
	case ch.CreateRoute != nil:
		c.withinVPC(at, ch.CreateRoute.Route)
	case ch.ReplaceRoute != nil:
		c.withinVPC(at, ch.ReplaceRoute.Route)
	}
}

// subnetOf is the subnet of an interface of the file, nil if it has none.
func (c *checker) subnetOf(eni string) *subnet {
	name := ""
	if i, ok := c.names.interfaces[eni]; ok && i != notInFile {
		name = c.file.NetworkInterfaces[i].Subnet
	} else if in, primary := strings.CutSuffix(eni, primarySuffix); primary {
		name = c.subnetNameOf(in)
	}
	return c.subnetNamed(name)
}

func (c *checker) subnetNameOf(instance string) string {
	if i, ok := c.names.instances[instance]; ok && i != notInFile {
		return c.file.Instances[i].Subnet
	}
	return ""
}

func (c *checker) subnetNamed(name string) *subnet {
	if i, ok := c.names.subnets[name]; ok && i != notInFile {
		return &c.file.Subnets[i]
	}
	return nil
}

// movable checks that an interface can be detached, and attached to an instance.
func (c *checker) movable(at, eni, instance string) {
	if strings.HasSuffix(eni, primarySuffix) {
		c.fail(at+".networkInterface", "%s is a primary interface, which stays with its instance: want one of networkInterfaces", eni)
		return
	}
	from, to := c.subnetOf(eni), c.subnetNamed(c.subnetNameOf(instance))
	if from == nil || to == nil {
		return
	}
	a, errA := zoneName(rehearsalRegion, from.Zone)
	b, errB := zoneName(rehearsalRegion, to.Zone)
	if errA == nil && errB == nil && a != b {
		c.fail(at+".instance", "instance %s is in zone %s, and interface %s in %s: an interface stays in its zone (a step that is to show this says refused)",
			instance, to.Zone, eni, from.Zone)
	}
}

// inSubnet checks that addresses are of an interface's subnet.
func (c *checker) inSubnet(at, eni string, ips []string) {
	s := c.subnetOf(eni)
	if s == nil {
		return
	}
	p, err := netip.ParsePrefix(s.CIDR)
	if err != nil {
		return // refused when the file was rehearsed
	}
	for k, ip := range ips {
		if a, err := netip.ParseAddr(ip); err == nil && !p.Contains(a) {
			c.fail(fmt.Sprintf("%s.ips[%d]", at, k), "%s is not of subnet %s, %s, in which %s is", ip, s.Name, s.CIDR, eni)
		}
	}
}

// withinVPC checks that a route leads to something of its table's VPC.
func (c *checker) withinVPC(at string, r routing) {
	k, ok := c.names.tables[r.RouteTable]
	if !ok || k == notInFile {
		return
	}
	vpc := c.file.RouteTables[k].VPC
	other := func(key, what, name, in string) {
		if in != "" && in != vpc {
			c.fail(at+"."+key, "%s %s is of VPC %s, and route table %s of %s", what, name, in, r.RouteTable, vpc)
		}
	}
	to := r.Route
	if i, ok := c.names.gateways[to.InternetGateway]; ok && i != notInFile {
		other("internetGateway", "internet gateway", to.InternetGateway, c.file.InternetGateways[i].VPC)
	}
	if i, ok := c.names.nats[to.NATGateway]; ok && i != notInFile {
		if s := c.subnetNamed(c.file.NATGateways[i].Subnet); s != nil {
			other("natGateway", "NAT gateway", to.NATGateway, s.VPC)
		}
	}
	if s := c.subnetOf(to.NetworkInterface); s != nil {
		other("networkInterface", "network interface", to.NetworkInterface, s.VPC)
	}
}
