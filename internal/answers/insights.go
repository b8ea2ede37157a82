package answers

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/control"
)

// Analyse finds what EC2's network insights tell of a path. The error is a Refusal.
func Analyse(s *control.State, p *control.InsightsPath) (f control.InsightsFinding, err error) {
	q := Question{From: p.Source, To: p.Destination, FromAddress: p.SourceIP, ToAddress: p.DestinationIP, Protocol: p.Protocol, Port: uint16(p.Port)}
	if q.To == "" {
		q.To = p.DestinationIP.String()
	}
	a, err := Reach(s, q)
	if err != nil {
		return f, err
	}
	t := insights{s, p}
	f.Found = a.Reachable != "no"
	if a.Reachable == "partly" {
		for _, l := range a.LookedAt {
			if l.What == "ephemeral-ports" {
				f.Warning = l.Finding
			}
		}
	}
	if f.Found {
		f.Forward = t.parts(&a.Forward, p.Source, p.Destination)
		if a.Return != nil {
			f.Return = t.parts(a.Return, p.Destination, p.Source)
		}
		return f, nil
	}
	for _, e := range a.Explanations {
		if e.Path == "return" && !a.Forward.Arrives {
			continue // AWS looks at the answer of what gets there only
		}
		f.Explanations = append(f.Explanations, t.explanation(e))
	}
	return f, nil
}

// insights puts answers in the words of network insights.
type insights struct {
	s *control.State
	p *control.InsightsPath
}

func (t insights) parts(p *PredictedPath, from, to string) (parts []control.InsightsPart) {
	in, inTo := p.Source, p.Destination
	add := func(c control.InsightsPart) {
		c.Protocol, c.InSource, c.InTarget, c.OutSource, c.OutTarget = t.p.Protocol, in, inTo, in, inTo
		parts = append(parts, c)
	}
	if strings.HasPrefix(from, control.InternetGatewayID.Prefix) || from == "" {
		from = ""
	} else if strings.HasPrefix(from, control.InstanceID.Prefix) {
		add(control.InsightsPart{Component: from})
	}
	for _, h := range p.Hops {
		c := control.InsightsPart{Component: h.ID, Direction: h.Direction, Subnet: h.SubnetID, VPC: t.vpcOf(h.SubnetID)}
		switch h.Component {
		case "interface", "appliance":
			if h.ID == outsider || t.s.InternetHost(h.ID) != nil {
				continue
			}
			if n := t.s.NetworkInterface(h.ID); n != nil && n.Attachment != nil {
				c.AttachedTo = n.Attachment.Instance
			}
		case "security-groups":
			c.Component, c.GroupRule = t.groupRule(h.Rule, h.Groups)
			c.Group, c.Interface = c.Component, h.ID
		case "network-acl":
			c.ACLEntry = t.entry(h.Rule)
		case "route-table":
			if h.ID == "" || t.s.RouteTable(h.ID) == nil {
				continue // of the internet
			}
			c.Route = t.route(h.Rule)
		case "guest":
			if !strings.HasPrefix(h.ID, control.InstanceID.Prefix) || h.ID != to {
				continue
			}
		}
		add(c)
		if h.Source != "" {
			last := &parts[len(parts)-1]
			last.OutSource, last.OutTarget = h.Source, h.Destination
			in, inTo = h.Source, h.Destination
		}
	}
	return parts
}

func (t insights) vpcOf(subnet string) string {
	if n := t.s.Subnet(subnet); n != nil {
		return n.VPC
	}
	return ""
}

// groupRule finds a rule by its id, in the group that has it; without one the
// first of the groups.
func (t insights) groupRule(id string, groups []string) (group string, rule *control.SecurityGroupRule) {
	if g := t.s.SecurityGroupOfRule(id); g != nil {
		i := slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.ID == id })
		r := g.Rules[i]
		return g.ID, &r
	}
	if len(groups) > 0 {
		group = groups[0]
	}
	return group, nil
}

// entry finds an entry of a network ACL by its name: the ACL, the direction and the number.
func (t insights) entry(name string) *control.NetworkACLEntry {
	words := strings.Fields(name)
	if len(words) != 3 {
		return nil
	}
	egress := words[1] == "egress"
	n, err := strconv.Atoi(words[2])
	if err != nil { // the last one, which every ACL has
		return &control.NetworkACLEntry{Number: control.MaxACLEntryNumber + 1, Egress: egress, Protocol: -1, CIDR: netip.PrefixFrom(netip.IPv4Unspecified(), 0)}
	}
	if a := t.s.NetworkACL(words[0]); a != nil {
		for _, e := range a.Entries {
			if e.Egress == egress && e.Number == n {
				return &e
			}
		}
	}
	return nil
}

// route finds a route by its name: the table and the destination, which may be of
// a prefix list's entry.
func (t insights) route(name string) *control.Route {
	table, to, _ := strings.Cut(name, " ")
	rt := t.s.RouteTable(table)
	prefix, err := netip.ParsePrefix(to)
	if rt == nil || err != nil {
		return nil
	}
	for _, r := range rt.Routes {
		if r.PrefixList == "" && r.Destination == prefix {
			return &r
		}
	}
	for _, r := range rt.Routes {
		if l := t.s.PrefixList(r.PrefixList); l != nil {
			for _, e := range l.Entries() {
				if e.CIDR == prefix {
					return &r
				}
			}
		}
	}
	return nil
}

func (t insights) explanation(e Explanation) control.InsightsPart {
	c := control.InsightsPart{
		Code: e.Code, Component: e.Component, Direction: e.Direction, Subnet: e.SubnetID, VPC: t.vpcOf(e.SubnetID), Protocol: t.p.Protocol,
		InSource: e.Source, InTarget: e.Destination,
	}
	if n := t.s.NetworkInterface(e.NetworkInterfaceID); n != nil {
		c.Interface = n.ID
	}
	switch {
	case strings.HasPrefix(e.Reason, "egress_acl"), strings.HasPrefix(e.Reason, "ingress_acl"):
		c.ACL, c.ACLEntry = e.Component, t.entry(e.Rule)
	case len(e.Groups) > 0:
		c.Groups, c.Component = e.Groups, e.NetworkInterfaceID
	case strings.HasPrefix(e.Component, control.RouteTableID.Prefix):
		c.RouteTable, c.Route = e.Component, t.route(e.Rule)
	case strings.HasPrefix(e.Component, control.InternetGatewayID.Prefix):
		c.Gateway = e.Component
	}
	if e.NetworkInterfaceID == outsider || t.s.InternetHost(e.NetworkInterfaceID) != nil {
		// What AWS says of an address without a public one in front of it.
		if e.Reason == "not_public" || e.Reason == "no_public_host" {
			c.Code, c.Component, c.Gateway, c.Direction = "IGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS", t.p.Source, t.p.Source, "ingress"
		}
	}
	if c.Code == "" {
		c.Code = "NO_PATH"
	}
	return c
}
