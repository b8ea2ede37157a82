package scenario

import (
	"strconv"
	"strings"

	"enilab/internal/control"
)

// nameAll names every row that the file has.
func (e *exporter) nameAll() {
	untouched := e.untouchedVPC()
	inVPC := func(vpc string) bool { return vpc != untouched && e.ofRegion(e.s.VPC(vpc)) }
	space := func() map[string]bool { return map[string]bool{} }
	give := func(taken map[string]bool, id, wish string) {
		name := sane(wish)
		if name == "" || taken[name] {
			name = id
		}
		// EC2 takes no group whose name begins with its ids' prefix.
		if rest, ok := strings.CutPrefix(name, "sg-"); ok {
			name = "group-" + rest
		}
		taken[name], e.names[id] = true, name
	}
	// called gives a name that a person gave, and says so if it cannot be it.
	called := func(taken map[string]bool, id, name, stays string) {
		give(taken, id, name)
		if name != "" && e.names[id] != name {
			e.leave("the name %s of %s, which is no name of a scenario or not the only one: the file calls it %s%s", strconv.QuoteToASCII(name), id, e.names[id], stays)
		}
	}
	const tagStays = ", and its Name tag stays"
	vpcs, subnets, groups, hosts, igws, nats, tables := space(), space(), space(), space(), space(), space(), space()
	for _, v := range e.s.VPCs() {
		if inVPC(v.ID) {
			called(vpcs, v.ID, v.Tags["Name"], tagStays)
		}
	}
	for _, n := range e.s.Subnets() {
		if inVPC(n.VPC) {
			called(subnets, n.ID, n.Tags["Name"], tagStays)
		}
	}
	for _, g := range e.s.SecurityGroups() {
		if !inVPC(g.VPC) || e.standardGroup(g) {
			continue
		}
		wish := g.Name
		if g.Name == defaultGroup {
			wish = e.names[g.VPC] + "-" + defaultGroup
		}
		give(groups, g.ID, wish)
	}
	// Instances, their network interfaces, Elastic IPs and hosts of the internet can
	// stand in the same places, so no two of them share a name.
	for _, h := range e.s.InternetHosts() {
		called(hosts, h.ID, h.Name, "")
	}
	for _, i := range e.s.Instances() {
		if inVPC(i.VPC) && i.State != control.InstanceTerminated && i.State != control.InstanceShuttingDown {
			called(hosts, i.ID, i.Tags["Name"], tagStays)
		}
	}
	for _, n := range e.s.NetworkInterfaces() {
		if inVPC(n.VPC) && !n.RequesterManaged {
			called(hosts, n.ID, n.Tags["Name"], tagStays)
		}
	}
	for _, a := range e.s.Addresses() {
		if a.Region == e.region {
			give(hosts, a.AllocationID, a.Tags["Name"])
		}
	}
	for _, g := range e.s.InternetGateways() {
		if inVPC(g.VPC) {
			give(igws, g.ID, g.Tags["Name"])
		} else if g.VPC == "" && g.Region == e.region {
			e.leave("internet gateway %s, which is attached to no VPC", g.ID)
		}
	}
	for _, g := range e.s.NATGateways() {
		if inVPC(g.VPC) && (g.State == control.NATAvailable || g.State == control.NATPending) {
			called(nats, g.ID, g.Tags["Name"], tagStays)
		} else if inVPC(g.VPC) && g.State == control.NATFailed {
			e.leave("NAT gateway %s, which has failed", g.ID)
		}
	}
	for _, t := range e.s.RouteTables() {
		if !inVPC(t.VPC) || e.bareMain(t) {
			continue
		}
		wish := t.Tags["Name"]
		if wish == "" && e.isMain(t) {
			wish = e.names[t.VPC] + "-main"
		}
		give(tables, t.ID, wish)
	}
	e.nameJoins(inVPC, give)
}

func (e *exporter) nameJoins(inVPC func(string) bool, give func(taken map[string]bool, id, wish string)) {
	peerings, transits, attachments, tables := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	endpoints, acls := map[string]bool{}, map[string]bool{}
	for _, p := range e.s.Peerings() {
		if p.State != control.PeeringActive && p.State != control.PeeringPending {
			continue
		}
		if inVPC(p.Requester.VPC) && inVPC(p.Accepter.VPC) {
			give(peerings, p.ID, p.Tags["Name"])
		} else if p.Region == e.region {
			e.leave("peering %s, of which one side is in another region", p.ID)
		}
	}
	for _, g := range e.s.TransitGateways() {
		if g.Region != e.region || g.State == control.TransitDeleting || g.State == control.TransitDeleted {
			continue
		}
		give(transits, g.ID, g.Tags["Name"])
		for _, t := range e.s.TransitTablesOf(g.ID) {
			if t.ID != g.DefaultTable() && (t.State == control.TransitAvailable || t.State == control.TransitPending) {
				give(tables, t.ID, t.Tags["Name"])
			}
		}
	}
	for _, a := range e.s.TransitAttachments() {
		if e.names[a.Gateway] != "" && inVPC(a.VPC) && a.State != control.TransitDeleting && a.State != control.TransitDeleted {
			give(attachments, a.ID, a.Tags["Name"])
		}
	}
	for _, p := range e.s.VPCEndpoints() {
		if inVPC(p.VPC) && p.State != control.EndpointDeleting {
			give(endpoints, p.ID, p.Tags["Name"])
		}
	}
	for _, a := range e.s.NetworkACLs() {
		if inVPC(a.VPC) && !e.standardACL(a) {
			wish := a.Tags["Name"]
			if wish == "" && a.Default {
				wish = e.names[a.VPC] + "-acl"
			}
			give(acls, a.ID, wish)
		}
	}
}

// defaultGroup is EC2's name of the group that every VPC has.
const defaultGroup = "default"

// sane makes a name of a wish, "" if nothing is left of it.
func sane(wish string) string {
	if namePattern.MatchString(wish) {
		return wish
	}
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		}
		return '-'
	}, wish)
	name = strings.Trim(name, "-._")
	if name = name[:min(len(name), 63)]; namePattern.MatchString(name) {
		return name
	}
	return ""
}

func (e *exporter) ofRegion(v *control.VPC) bool { return v != nil && v.Region == e.region }

// untouchedVPC is the default VPC, "" if there is none or somebody uses it: it
// comes by itself where it is asked for.
func (e *exporter) untouchedVPC() string {
	v := e.s.DefaultVPC(e.region)
	if v == nil {
		return ""
	}
	for _, n := range e.s.NetworkInterfaces() {
		if n.VPC == v.ID {
			return ""
		}
	}
	return v.ID
}
