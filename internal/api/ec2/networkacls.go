package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindNetworkACLs(t map[string]handler) {
	const entry = "NetworkAclId RuleNumber Egress RuleAction Protocol CidrBlock Ipv6CidrBlock PortRange Icmp"
	bind(t, "VpcId TagSpecification", createNetworkACL)
	bind(t, "NetworkAclId Filter MaxResults NextToken", describeNetworkACLs)
	bind(t, "NetworkAclId", deleteNetworkACL)
	bind(t, entry, createNetworkACLEntry)
	bind(t, entry, replaceNetworkACLEntry)
	bind(t, "NetworkAclId RuleNumber Egress", deleteNetworkACLEntry)
	bind(t, "AssociationId NetworkAclId", replaceNetworkACLAssociation)
}

// Numbers of the denials that end every network ACL.
const (
	lastRule     = 32767
	lastRuleIPv6 = 32768 // shown if the VPC has an IPv6 block
)

func aclEntry(e control.NetworkACLEntry) model.NetworkAclEntry {
	out := model.NetworkAclEntry{
		RuleNumber: &e.Number, Egress: &e.Egress, Protocol: new(number(e.Protocol)), RuleAction: new("deny"),
	}
	if e.Allow {
		out.RuleAction = new("allow")
	}
	if e.CIDR.Addr().Is4() {
		out.CidrBlock = new(e.CIDR.String())
	} else {
		out.Ipv6CidrBlock = new(e.CIDR.String())
	}
	switch protocols[e.Protocol] {
	case "tcp", "udp":
		out.PortRange = &model.PortRange{From: &e.FromPort, To: &e.ToPort}
	case "icmp", "icmpv6":
		out.IcmpTypeCode = &model.IcmpTypeCode{Type: &e.ICMPType, Code: &e.ICMPCode}
	}
	return out
}

// aclEntries are the rules of a network ACL and, behind those of each
// direction, the denials that nobody wrote.
func (c *call) aclEntries(a *control.NetworkACL) []model.NetworkAclEntry {
	v := c.state.VPC(a.VPC)
	list := []model.NetworkAclEntry{}
	for _, egress := range []bool{false, true} {
		for _, e := range a.Entries {
			if e.Egress == egress {
				list = append(list, aclEntry(e))
			}
		}
		denial := model.NetworkAclEntry{Egress: new(egress), Protocol: new("-1"), RuleAction: new("deny")}
		v4 := denial
		v4.RuleNumber, v4.CidrBlock = new(lastRule), new("0.0.0.0/0")
		list = append(list, v4)
		if v != nil && len(v.IPv6CIDRs) > 0 {
			v6 := denial
			v6.RuleNumber, v6.Ipv6CidrBlock = new(lastRuleIPv6), new("::/0")
			list = append(list, v6)
		}
	}
	return list
}

func (c *call) networkACL(a *control.NetworkACL) model.NetworkAcl {
	out := model.NetworkAcl{
		NetworkAclId: &a.ID, VpcId: &a.VPC, OwnerId: &c.api.opt.Account, IsDefault: &a.Default,
		Entries: c.aclEntries(a), Associations: []model.NetworkAclAssociation{}, Tags: tagList(a.Tags),
	}
	for _, n := range a.Associations {
		out.Associations = append(out.Associations, model.NetworkAclAssociation{
			NetworkAclAssociationId: new(n.ID), NetworkAclId: &a.ID, SubnetId: new(n.Subnet),
		})
	}
	return out
}

// ofEntries is a filter's field of what is shown of the entries.
func ofEntries[T any](value func(model.NetworkAclEntry) *T, shown func(T) string) field[*control.NetworkACL] {
	return some(func(c *call, a *control.NetworkACL) (values []string) {
		for _, e := range c.aclEntries(a) {
			if v := value(e); v != nil {
				values = append(values, shown(*v))
			}
		}
		return values
	})
}

func itself(s string) string { return s }

func ofACLAssociations(value func(*control.NetworkACL, control.NetworkACLAssociation) string) field[*control.NetworkACL] {
	return some(func(_ *call, a *control.NetworkACL) (values []string) {
		for _, n := range a.Associations {
			values = append(values, value(a, n))
		}
		return values
	})
}

var networkACLs = listing[control.NetworkACL]{
	control.NetworkACLID, &networkACLFilters, (*control.State).NetworkACL, (*control.State).NetworkACLs,
}

var networkACLFilters = filterable[*control.NetworkACL]{
	action: "DescribeNetworkAcls",
	fields: map[string]field[*control.NetworkACL]{
		"association.association-id": ofACLAssociations(func(_ *control.NetworkACL, n control.NetworkACLAssociation) string { return n.ID }),
		"association.network-acl-id": ofACLAssociations(func(a *control.NetworkACL, _ control.NetworkACLAssociation) string { return a.ID }),
		"association.subnet-id":      ofACLAssociations(func(_ *control.NetworkACL, n control.NetworkACLAssociation) string { return n.Subnet }),
		"default":                    one(func(_ *call, a *control.NetworkACL) string { return yes(a.Default) }),
		"entry.cidr":                 ofEntries(func(e model.NetworkAclEntry) *string { return e.CidrBlock }, itself),
		"entry.egress":               ofEntries(func(e model.NetworkAclEntry) *bool { return e.Egress }, yes),
		"entry.icmp.code": ofEntries(func(e model.NetworkAclEntry) *int {
			if e.IcmpTypeCode == nil {
				return nil
			}
			return e.IcmpTypeCode.Code
		}, number),
		"entry.icmp.type": ofEntries(func(e model.NetworkAclEntry) *int {
			if e.IcmpTypeCode == nil {
				return nil
			}
			return e.IcmpTypeCode.Type
		}, number),
		"entry.ipv6-cidr": ofEntries(func(e model.NetworkAclEntry) *string { return e.Ipv6CidrBlock }, itself),
		"entry.port-range.from": ofEntries(func(e model.NetworkAclEntry) *int {
			if e.PortRange == nil {
				return nil
			}
			return e.PortRange.From
		}, number),
		"entry.port-range.to": ofEntries(func(e model.NetworkAclEntry) *int {
			if e.PortRange == nil {
				return nil
			}
			return e.PortRange.To
		}, number),
		"entry.protocol":    ofEntries(func(e model.NetworkAclEntry) *string { return e.Protocol }, itself),
		"entry.rule-action": ofEntries(func(e model.NetworkAclEntry) *string { return e.RuleAction }, itself),
		"entry.rule-number": ofEntries(func(e model.NetworkAclEntry) *int { return e.RuleNumber }, number),
		"network-acl-id":    one(func(_ *call, a *control.NetworkACL) string { return a.ID }),
		"owner-id":          owner[*control.NetworkACL](),
		"vpc-id":            one(func(_ *call, a *control.NetworkACL) string { return a.VPC }),
	},
	tags: func(a *control.NetworkACL) control.Tags { return a.Tags },
}

func describeNetworkACLs(c *call, in *model.DescribeNetworkAclsRequest) (result, error) {
	rows, next, err := listed(c, networkACLs, asked{in.Filters, in.MaxResults, in.NextToken, in.NetworkAclIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeNetworkAclsResult{NetworkAcls: []model.NetworkAcl{}, NextToken: next}
	for _, a := range rows {
		out.NetworkAcls = append(out.NetworkAcls, c.networkACL(a))
	}
	return out, nil
}

func createNetworkACL(c *call, in *model.CreateNetworkAclRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "network-acl")
	if err != nil {
		return nil, err
	}
	a, err := c.command().CreateNetworkACL(c.ctx, *in.VpcId, tags["network-acl"])
	if err != nil {
		return nil, err
	}
	return &model.CreateNetworkAclResult{NetworkAcl: new(c.networkACL(a)), ClientToken: in.ClientToken}, nil
}

func deleteNetworkACL(c *call, in *model.DeleteNetworkAclRequest) (result, error) {
	return done{}, c.command().DeleteNetworkACL(c.ctx, *in.NetworkAclId)
}

// entryInput reads a rule's parts, which may be absent one by one.
func entryInput(acl *string, rule *int, egress *bool, action, protocol, v4, v6 *string, ports *model.PortRange,
	icmp *model.IcmpTypeCode,
) control.NetworkACLEntryInput {
	in := control.NetworkACLEntryInput{
		ACL: *acl, Number: *rule, Egress: *egress, Action: *action, Protocol: *protocol,
		CIDR: query.Value(v4), IPv6CIDR: query.Value(v6),
	}
	if ports != nil {
		in.FromPort, in.ToPort = ports.From, ports.To
	}
	if icmp != nil {
		in.ICMPType, in.ICMPCode = icmp.Type, icmp.Code
	}
	return in
}

func createNetworkACLEntry(c *call, in *model.CreateNetworkAclEntryRequest) (result, error) {
	return done{}, c.command().CreateNetworkACLEntry(c.ctx, entryInput(in.NetworkAclId, in.RuleNumber, in.Egress, in.RuleAction,
		in.Protocol, in.CidrBlock, in.Ipv6CidrBlock, in.PortRange, in.IcmpTypeCode))
}

func replaceNetworkACLEntry(c *call, in *model.ReplaceNetworkAclEntryRequest) (result, error) {
	return done{}, c.command().ReplaceNetworkACLEntry(c.ctx, entryInput(in.NetworkAclId, in.RuleNumber, in.Egress, in.RuleAction,
		in.Protocol, in.CidrBlock, in.Ipv6CidrBlock, in.PortRange, in.IcmpTypeCode))
}

func deleteNetworkACLEntry(c *call, in *model.DeleteNetworkAclEntryRequest) (result, error) {
	return done{}, c.command().DeleteNetworkACLEntry(c.ctx, *in.NetworkAclId, *in.RuleNumber, *in.Egress)
}

func replaceNetworkACLAssociation(c *call, in *model.ReplaceNetworkAclAssociationRequest) (result, error) {
	id, err := c.command().ReplaceNetworkACLAssociation(c.ctx, *in.AssociationId, *in.NetworkAclId)
	if err != nil {
		return nil, err
	}
	return &model.ReplaceNetworkAclAssociationResult{NewAssociationId: &id}, nil
}
