package scenario

import (
	"cmp"
	"net/netip"
	"slices"

	"enilab/internal/control"
)

// everywhere is what EC2's first egress rule is for.
var everywhere = netip.MustParsePrefix("0.0.0.0/0")

// openEgress reports whether rules are those of egress that EC2 starts a group with.
func openEgress(rules []control.SecurityGroupRule) bool {
	return len(rules) == 1 && rules[0].Protocol == -1 && rules[0].CIDR == everywhere && rules[0].Description == ""
}

// byDirection splits rules, each in the order in which they were made.
func byDirection(g *control.SecurityGroup) (ingress, egress []control.SecurityGroupRule) {
	rules := slices.SortedFunc(slices.Values(g.Rules), func(a, b control.SecurityGroupRule) int { return cmp.Compare(a.Ref, b.Ref) })
	for _, r := range rules {
		if r.Egress {
			egress = append(egress, r)
		} else {
			ingress = append(ingress, r)
		}
	}
	return ingress, egress
}

// standardGroup reports whether a group is a VPC's default one as EC2 makes it,
// and used as such: alone. Then a file says nothing of it.
func (e *exporter) standardGroup(g *control.SecurityGroup) bool {
	if g.Name != defaultGroup {
		return false
	}
	ingress, egress := byDirection(g)
	if !openEgress(egress) || len(ingress) != 1 || ingress[0].Group != g.ID || ingress[0].Protocol != -1 {
		return false
	}
	for _, n := range e.s.NetworkInterfaces() {
		if len(n.Groups) > 1 && slices.Contains(n.Groups, g.ID) {
			return false
		}
	}
	for _, other := range e.s.SecurityGroupsNaming(g.ID) {
		if other.ID != g.ID {
			return false
		}
	}
	return true
}

func (e *exporter) groups(f *file) {
	for _, g := range here(e, e.s.SecurityGroups()) {
		out := group{Name: e.names[g.ID], VPC: e.names[g.VPC], Description: g.Description, Tags: e.tags(g.ID, g.Tags)}
		if out.Name != g.Name {
			e.leave("security group %s: that its name is %q", out.Name, g.Name)
		}
		ingress, egress := byDirection(g)
		for _, r := range ingress {
			if one, ok := e.rule(r, out.Name); ok {
				one.From, one.To = one.To, ""
				out.Ingress = append(out.Ingress, one)
			}
		}
		if !openEgress(egress) {
			out.Egress = []rule{} // nothing may go out, which nil would not say
			for _, r := range egress {
				if one, ok := e.rule(r, out.Name); ok {
					out.Egress = append(out.Egress, one)
				}
			}
		}
		f.SecurityGroups = append(f.SecurityGroups, out)
	}
}

// rule is one as egress has it; false if a file cannot say it.
func (e *exporter) rule(r control.SecurityGroupRule, of string) (rule, bool) {
	out := rule{Protocol: protocol(r.Protocol), Ports: portRange(r.Protocol, r.FromPort, r.ToPort), Description: r.Description}
	if r.Protocol == 1 || r.Protocol == 58 {
		out.Type, out.Code = unlessAll(r.FromPort), unlessAll(r.ToPort)
	}
	switch {
	case r.PrefixList != "":
		e.leave("security group %s: its rule for prefix list %s", of, r.PrefixList)
		return out, false
	case r.Group != "":
		if out.To = e.names[r.Group]; out.To == "" {
			e.leave("security group %s: its rule for group %s, which is not in this file", of, r.Group)
			return out, false
		}
	default:
		out.To = r.CIDR.String()
	}
	return out, true
}

// groupNames are the groups of an ENI; none stands for the VPC's default group.
func (e *exporter) groupNames(n *control.NetworkInterface) (names []string) {
	for _, id := range n.Groups {
		if name := e.names[id]; name != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// standardACL reports whether a network ACL is a VPC's default one as EC2 makes it.
func (e *exporter) standardACL(a *control.NetworkACL) bool {
	if !a.Default || len(a.Entries) != 2 {
		return false
	}
	for _, entry := range a.Entries {
		if entry.Number != 100 || !entry.Allow || entry.Protocol != -1 || entry.CIDR != everywhere {
			return false
		}
	}
	return true
}

func (e *exporter) acls(f *file) {
	for _, a := range here(e, e.s.NetworkACLs()) {
		out := networkACL{Name: e.names[a.ID], VPC: e.names[a.VPC], Tags: e.tags(a.ID, a.Tags)}
		if a.Default {
			e.leave("network ACL %s: that it is the VPC's default one", out.Name)
		}
		for _, one := range a.Associations {
			if name := e.names[one.Subnet]; name != "" {
				out.Subnets = append(out.Subnets, name)
			}
		}
		for _, entry := range a.Entries {
			if entry.CIDR.Addr().Is6() {
				e.leave("network ACL %s: entry %d, which is of IPv6", out.Name, entry.Number)
				continue
			}
			one := aclEntry{Number: entry.Number, Action: "deny", Protocol: protocol(entry.Protocol), Ports: portRange(entry.Protocol, entry.FromPort, entry.ToPort)}
			if entry.Allow {
				one.Action = "allow"
			}
			if entry.Protocol == 1 {
				one.Type, one.Code = unlessAll(entry.ICMPType), unlessAll(entry.ICMPCode)
			}
			if entry.Egress {
				one.To = entry.CIDR.String()
				out.Egress = append(out.Egress, one)
			} else {
				one.From = entry.CIDR.String()
				out.Ingress = append(out.Ingress, one)
			}
		}
		f.NetworkACLs = append(f.NetworkACLs, out)
	}
}
