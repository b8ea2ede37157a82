package scenario

import "fmt"

// gateways checks what leads out of a subnet.
func (c *checker) gateways(f *file) {
	for i, g := range f.InternetGateways {
		c.ref(fmt.Sprintf("$.internetGateways[%d].vpc", i), "VPC", g.VPC, c.names.vpcs)
	}
	for i, g := range f.NATGateways {
		at := fmt.Sprintf("$.natGateways[%d]", i)
		c.ref(at+".subnet", "subnet", g.Subnet, c.names.subnets)
		c.address(at+".ip", g.IP)
		if g.ElasticIP != "" {
			c.ref(at+".elasticIp", "Elastic IP", g.ElasticIP, c.names.addresses)
		}
	}
	for i, t := range f.RouteTables {
		at := fmt.Sprintf("$.routeTables[%d]", i)
		c.ref(at+".vpc", "VPC", t.VPC, c.names.vpcs)
		for k, s := range t.Subnets {
			c.ref(fmt.Sprintf("%s.subnets[%d]", at, k), "subnet", s, c.names.subnets)
		}
		if t.Gateway != "" {
			c.ref(at+".gateway", "internet gateway", t.Gateway, c.names.gateways)
		}
		for k, r := range t.Routes {
			c.route(fmt.Sprintf("%s.routes[%d]", at, k), r)
		}
	}
}

func (c *checker) route(at string, r route) {
	c.destination(at, r.Destination)
	targets := 0
	for _, t := range []struct {
		name  string
		check func()
	}{
		{r.InternetGateway, func() { c.ref(at+".internetGateway", "internet gateway", r.InternetGateway, c.names.gateways) }},
		{r.NATGateway, func() { c.ref(at+".natGateway", "NAT gateway", r.NATGateway, c.names.nats) }},
		{r.NetworkInterface, func() { c.interfaceRef(at+".networkInterface", r.NetworkInterface) }},
		{r.Peering, func() { c.ref(at+".peering", "peering", r.Peering, c.names.peerings) }},
		{r.TransitGateway, func() { c.ref(at+".transitGateway", "transit gateway", r.TransitGateway, c.names.transits) }},
	} {
		if t.name != "" {
			targets++
			t.check()
		}
	}
	if targets != 1 {
		c.fail(at, "a route leads to one of internetGateway, natGateway, networkInterface, peering and transitGateway")
	}
}
