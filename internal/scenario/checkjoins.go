package scenario

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"enilab/internal/control"
)

// Types of endpoints, as a file says them.
const (
	endpointGateway   = "gateway"
	endpointInterface = "interface"
)

// joins checks what joins VPCs with each other and with services, and what filters
// at the edge of subnets.
func (c *checker) joins(f *file) {
	for i, p := range f.Peerings {
		at := fmt.Sprintf("$.peerings[%d]", i)
		c.ref(at+".requester", "VPC", p.Requester, c.names.vpcs)
		c.ref(at+".accepter", "VPC", p.Accepter, c.names.vpcs)
		if p.Requester == p.Accepter {
			c.fail(at+".accepter", "a peering joins two VPCs, and %s is one", p.Accepter)
		}
	}
	for i, g := range f.TransitGateways {
		c.transitGateway(fmt.Sprintf("$.transitGateways[%d]", i), g)
	}
	for i, e := range f.Endpoints {
		c.endpoint(fmt.Sprintf("$.endpoints[%d]", i), e)
	}
	for i, a := range f.NetworkACLs {
		at := fmt.Sprintf("$.networkAcls[%d]", i)
		c.ref(at+".vpc", "VPC", a.VPC, c.names.vpcs)
		c.subnetsOf(at, a.VPC, a.Subnets)
		for k, e := range a.Ingress {
			c.aclEntry(fmt.Sprintf("%s.ingress[%d]", at, k), e, false)
		}
		for k, e := range a.Egress {
			c.aclEntry(fmt.Sprintf("%s.egress[%d]", at, k), e, true)
		}
	}
	for i, t := range f.RouteTables {
		for k, r := range t.Routes {
			c.joined(fmt.Sprintf("$.routeTables[%d].routes[%d]", i, k), t.VPC, r)
		}
	}
}

// subnetsOf checks that subnets are those of a VPC.
func (c *checker) subnetsOf(at, vpc string, subnets []string) {
	for k, name := range subnets {
		c.subnetIn(fmt.Sprintf("%s.subnets[%d]", at, k), name, vpc)
	}
}

func (c *checker) subnetIn(path, name, vpc string) {
	c.ref(path, "subnet", name, c.names.subnets)
	if i, ok := c.names.subnets[name]; ok && c.file.Subnets[i].VPC != vpc {
		c.fail(path, "subnet %s is in VPC %s, not in %s", name, c.file.Subnets[i].VPC, vpc)
	}
}

// joined checks that a VPC has what one of its routes leads through.
func (c *checker) joined(at, vpc string, r route) {
	if i, ok := c.names.peerings[r.Peering]; ok {
		if p := c.file.Peerings[i]; p.Requester != vpc && p.Accepter != vpc {
			c.fail(at+".peering", "peering %s joins %s and %s, and the route is of VPC %s", p.Name, p.Requester, p.Accepter, vpc)
		}
	}
	if i, ok := c.names.transits[r.TransitGateway]; ok {
		g := c.file.TransitGateways[i]
		if !slices.ContainsFunc(g.Attachments, func(a transitAttachment) bool { return a.VPC == vpc }) {
			c.fail(at+".transitGateway", "VPC %s is not attached to transit gateway %s: want an attachment of it", vpc, g.Name)
		}
	}
}

func (c *checker) transitGateway(at string, g transitGateway) {
	for k, a := range g.Attachments {
		at := fmt.Sprintf("%s.attachments[%d]", at, k)
		c.ref(at+".vpc", "VPC", a.VPC, c.names.vpcs)
		if len(a.Subnets) == 0 {
			c.fail(at, "an attachment needs subnets of its VPC, one in each zone that is to reach the gateway")
		}
		c.subnetsOf(at, a.VPC, a.Subnets)
		if i := slices.IndexFunc(g.Attachments[:k], func(o transitAttachment) bool { return o.VPC == a.VPC }); i >= 0 {
			c.fail(at+".vpc", "VPC %s is attached to transit gateway %s already, by %s: want more subnets there", a.VPC, g.Name, g.Attachments[i].Name)
		}
	}
	associates := g.DefaultAssociation == nil || *g.DefaultAssociation
	if len(g.Routes) > 0 && !g.hasDefaultTable() {
		c.fail(at+".routes", "these are routes of the default route table, which the transit gateway has not: want them in one of routeTables")
	}
	routes := func(at string, rs []transitRoute) {
		for k, r := range rs {
			c.transitRoute(fmt.Sprintf("%s.routes[%d]", at, k), g, r)
		}
	}
	routes(at, g.Routes)
	associated := map[string]string{}
	for k, t := range g.RouteTables {
		at := fmt.Sprintf("%s.routeTables[%d]", at, k)
		for m, name := range t.Associations {
			path := fmt.Sprintf("%s.associations[%d]", at, m)
			c.attachmentOf(path, g, name)
			if other, ok := associated[name]; ok {
				c.fail(path, "attachment %s is associated with %s already: its frames ask one route table", name, other)
			}
			if associates {
				c.fail(path, "every attachment is associated with the default route table: want defaultAssociation: false of %s", g.Name)
			}
			associated[name] = t.Name
		}
		for m, name := range t.Propagations {
			c.attachmentOf(fmt.Sprintf("%s.propagations[%d]", at, m), g, name)
		}
		routes(at, t.Routes)
	}
}

// hasDefaultTable reports whether the gateway has a default route table.
func (g *transitGateway) hasDefaultTable() bool {
	return g.DefaultAssociation == nil || *g.DefaultAssociation || g.DefaultPropagation == nil || *g.DefaultPropagation
}

// attachmentOf checks that a transit gateway has an attachment.
func (c *checker) attachmentOf(path string, g transitGateway, name string) {
	var own []string
	for _, a := range g.Attachments {
		if a.Name == name {
			return
		}
		own = append(own, a.Name)
	}
	c.fail(path, "transit gateway %s has no attachment %q: it has %s", g.Name, name, cmp.Or(strings.Join(own, ", "), "none"))
}

func (c *checker) transitRoute(at string, g transitGateway, r transitRoute) {
	if _, err := netip.ParsePrefix(r.Destination); err != nil {
		c.fail(at+".destination", "%q is not a CIDR block such as 0.0.0.0/0", r.Destination)
	}
	switch {
	case r.Blackhole == (r.Attachment != ""):
		c.fail(at, "a route of a transit gateway leads to an attachment, or is a blackhole")
	case r.Attachment != "":
		c.attachmentOf(at+".attachment", g, r.Attachment)
	}
}

func (c *checker) endpoint(at string, e endpoint) {
	c.ref(at+".vpc", "VPC", e.VPC, c.names.vpcs)
	c.optional(at+".type", e.Type, endpointGateway, endpointInterface)
	gateway, wrong := e.Type != endpointInterface, ""
	if s := control.EndpointServiceNamed(rehearsalRegion, serviceName(rehearsalRegion, e.Service)); s == nil {
		c.fail(at+".service", "%q is no service that endpoints lead to: want the last part of its name, such as s3", e.Service)
	} else if gateway && !slices.Contains(s.Types, control.EndpointGateway) {
		c.fail(at+".service", "no gateway endpoint leads to %s: want type: interface", e.Service)
	}
	switch {
	case gateway && len(e.Subnets) > 0:
		wrong = "subnets"
	case gateway && len(e.Groups) > 0:
		wrong = "groups"
	case gateway && e.PrivateDNS != nil:
		wrong = "privateDns"
	case !gateway && len(e.RouteTables) > 0:
		c.fail(at+".routeTables", "no route leads to an endpoint of type interface: want subnets")
	}
	if wrong != "" {
		c.fail(at+"."+wrong, "%s is of endpoints of type interface, and this one is of type gateway", wrong)
	}
	for k, name := range e.RouteTables {
		path := fmt.Sprintf("%s.routeTables[%d]", at, k)
		c.ref(path, "route table", name, c.names.tables)
		if i, ok := c.names.tables[name]; ok && c.file.RouteTables[i].VPC != e.VPC {
			c.fail(path, "route table %s is of VPC %s, not of %s", name, c.file.RouteTables[i].VPC, e.VPC)
		}
	}
	c.subnetsOf(at, e.VPC, e.Subnets)
	c.groups(at, e.Groups)
	if i, ok := c.names.vpcs[e.VPC]; ok && !gateway && (e.PrivateDNS == nil || *e.PrivateDNS) && privateNames(e.Service) {
		if h := c.file.VPCs[i].DNSHostnames; h == nil || !*h {
			c.fail(at+".privateDns", "the private names of %s need dnsHostnames: true of VPC %s; else want privateDns: false", e.Service, e.VPC)
		}
	}
}

// serviceName is what AWS calls a service in a region.
func serviceName(region, service string) string { return "com.amazonaws." + region + "." + service }

func privateNames(service string) bool {
	s := control.EndpointServiceNamed(rehearsalRegion, serviceName(rehearsalRegion, service))
	return s != nil && s.PrivateDNS != ""
}

func (c *checker) aclEntry(at string, e aclEntry, egress bool) {
	peer, key, wrong, unwanted := e.From, ".from", ".to", e.To
	if egress {
		peer, key, wrong, unwanted = e.To, ".to", ".from", e.From
	}
	if unwanted != "" {
		c.fail(at+wrong, "an ingress entry says from where, an egress entry to where")
	}
	if _, err := netip.ParsePrefix(peer); err != nil {
		c.fail(at+key, "%q is not a CIDR block: entries of network ACLs know no groups", peer)
	}
	c.oneOf(at+".action", e.Action, "allow", "deny")
	if e.Number < 1 || e.Number > control.MaxACLEntryNumber {
		c.fail(at+".number", "%d is no number of an entry: they are from 1 to %d", e.Number, control.MaxACLEntryNumber)
	}
	c.traffic(at, rule{Protocol: e.Protocol, Ports: e.Ports, Type: e.Type, Code: e.Code})
}
