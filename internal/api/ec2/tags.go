package ec2

import (
	"maps"
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// tagList is a tagSet, by key. It is never nil: clients want the element.
func tagList(tags control.Tags) []model.Tag {
	list := make([]model.Tag, 0, len(tags))
	if len(tags) == 0 {
		return list
	}
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, model.Tag{Key: &k, Value: new(tags[k])})
	}
	return list
}

// tagSpecs reads the TagSpecification of a call that creates resources of the
// given types, and returns the tags by type.
func tagSpecs(specs []model.TagSpecification, types ...string) (map[string]control.Tags, error) {
	byType := make(map[string]control.Tags)
	for _, s := range specs {
		kind := query.Value(s.ResourceType)
		if !slices.Contains(types, kind) {
			return nil, invalid("'%s' is not a valid taggable resource type for this operation.", clip(kind))
		}
		if byType[kind] != nil {
			return nil, invalid("Only one TagSpecification is allowed for the resource type '%s'.", kind)
		}
		if len(s.Tags) == 0 {
			return nil, invalid("Tag specification must have at least one tag.")
		}
		tags, err := tagsOf(s.Tags)
		if err != nil {
			return nil, err
		}
		byType[kind] = tags
	}
	return byType, nil
}

func tagsOf(list []model.Tag) (control.Tags, error) {
	tags := make(control.Tags, len(list))
	for _, t := range list {
		key := query.Value(t.Key)
		if _, twice := tags[key]; twice {
			return nil, invalid("Duplicate tag key '%s' specified.", clip(key))
		}
		tags[key] = query.Value(t.Value)
	}
	return tags, nil
}

// tagged is a resource as tags see it.
type tagged struct {
	kind, id string
	tags     control.Tags
}

// taggables are the kinds of resources that have tags, by the prefix of ids.
var taggables = map[string]struct {
	id   control.IDKind
	find func(s *control.State, id string) *tagged
	all  func(s *control.State, yield func(tagged))
}{
	"vpc": {control.VPCID, func(s *control.State, id string) *tagged {
		return as(s.VPC(id), tagVPC)
	}, func(s *control.State, yield func(tagged)) { each(s.VPCs(), tagVPC, yield) }},
	"subnet": {control.SubnetID, func(s *control.State, id string) *tagged {
		return as(s.Subnet(id), tagSubnet)
	}, func(s *control.State, yield func(tagged)) { each(s.Subnets(), tagSubnet, yield) }},
	"i": {control.InstanceID, func(s *control.State, id string) *tagged {
		return as(s.Instance(id), tagInstance)
	}, func(s *control.State, yield func(tagged)) { each(s.Instances(), tagInstance, yield) }},
	"vol": {idVolume, func(s *control.State, id string) *tagged {
		return as(ofVolume(s, id), tagVolume)
	}, func(s *control.State, yield func(tagged)) {
		for _, i := range s.Instances() {
			if i.State != control.InstanceTerminated {
				yield(tagVolume(i))
			}
		}
	}},
	"eni": {control.InterfaceID, func(s *control.State, id string) *tagged {
		return as(s.NetworkInterface(id), tagInterface)
	}, func(s *control.State, yield func(tagged)) { each(s.NetworkInterfaces(), tagInterface, yield) }},
	"sg": {control.GroupID, func(s *control.State, id string) *tagged {
		return as(s.SecurityGroup(id), tagGroup)
	}, func(s *control.State, yield func(tagged)) { each(s.SecurityGroups(), tagGroup, yield) }},
	"sgr": {control.RuleID, func(s *control.State, id string) *tagged {
		g := s.SecurityGroupOfRule(id)
		if g == nil {
			return nil
		}
		return new(tagRule(g.Rules[slices.IndexFunc(g.Rules, func(r control.SecurityGroupRule) bool { return r.ID == id })]))
	}, func(s *control.State, yield func(tagged)) {
		for _, g := range s.SecurityGroups() {
			for _, r := range g.Rules {
				yield(tagRule(r))
			}
		}
	}},
	"pl": {control.PrefixListID, func(s *control.State, id string) *tagged {
		return as(s.PrefixList(id), tagPrefixList)
	}, func(s *control.State, yield func(tagged)) { each(s.PrefixLists(), tagPrefixList, yield) }},
	"fl": {control.FlowLogID, func(s *control.State, id string) *tagged {
		return as(s.FlowLog(id), tagFlowLog)
	}, func(s *control.State, yield func(tagged)) { each(s.FlowLogs(), tagFlowLog, yield) }},
	"eipalloc": {control.AllocationID, func(s *control.State, id string) *tagged {
		return as(s.Address(id), tagAddress)
	}, func(s *control.State, yield func(tagged)) { each(s.Addresses(), tagAddress, yield) }},
	"rtb": {control.RouteTableID, func(s *control.State, id string) *tagged {
		return as(s.RouteTable(id), tagRouteTable)
	}, func(s *control.State, yield func(tagged)) { each(s.RouteTables(), tagRouteTable, yield) }},
	"acl": {control.NetworkACLID, func(s *control.State, id string) *tagged {
		return as(s.NetworkACL(id), tagNetworkACL)
	}, func(s *control.State, yield func(tagged)) { each(s.NetworkACLs(), tagNetworkACL, yield) }},
	"igw": {control.InternetGatewayID, func(s *control.State, id string) *tagged {
		return as(s.InternetGateway(id), tagGateway)
	}, func(s *control.State, yield func(tagged)) { each(s.InternetGateways(), tagGateway, yield) }},
	"eigw": {control.EgressOnlyGatewayID, func(s *control.State, id string) *tagged {
		return as(s.EgressOnlyGateway(id), tagEgressOnly)
	}, func(s *control.State, yield func(tagged)) { each(s.EgressOnlyGateways(), tagEgressOnly, yield) }},
	"dopt": {control.DHCPOptionsID, func(s *control.State, id string) *tagged {
		return as(s.DHCPOptions(id), tagOptions)
	}, func(s *control.State, yield func(tagged)) { each(s.DHCPOptionSets(), tagOptions, yield) }},
	"scr": {control.ReservationID, func(s *control.State, id string) *tagged {
		return as(s.CIDRReservation(id), tagReservation)
	}, func(s *control.State, yield func(tagged)) { each(s.CIDRReservations(), tagReservation, yield) }},
	"pcx": {control.PeeringID, func(s *control.State, id string) *tagged {
		return as(s.Peering(id), tagPeering)
	}, func(s *control.State, yield func(tagged)) { each(s.Peerings(), tagPeering, yield) }},
	"nat": {control.NATGatewayID, func(s *control.State, id string) *tagged {
		return as(s.NATGateway(id), tagNAT)
	}, func(s *control.State, yield func(tagged)) { each(s.NATGateways(), tagNAT, yield) }},
	"key": {control.KeyPairID, func(s *control.State, id string) *tagged {
		return as(s.KeyPair(id), tagKeyPair)
	}, func(s *control.State, yield func(tagged)) { each(s.KeyPairs(), tagKeyPair, yield) }},
}

func tagVPC(v *control.VPC) tagged           { return tagged{"vpc", v.ID, v.Tags} }
func tagSubnet(s *control.Subnet) tagged     { return tagged{"subnet", s.ID, s.Tags} }
func tagInstance(i *control.Instance) tagged { return tagged{"instance", i.ID, i.Tags} }
func tagVolume(i *control.Instance) tagged   { return tagged{"volume", rootVolume(i), i.VolumeTags} }
func tagInterface(n *control.NetworkInterface) tagged {
	return tagged{"network-interface", n.ID, n.Tags}
}
func tagGroup(g *control.SecurityGroup) tagged { return tagged{"security-group", g.ID, g.Tags} }
func tagAddress(a *control.Address) tagged     { return tagged{"elastic-ip", a.AllocationID, a.Tags} }
func tagKeyPair(k *control.KeyPair) tagged     { return tagged{"key-pair", k.ID, k.Tags} }

func tagNAT(g *control.NATGateway) tagged { return tagged{"natgateway", g.ID, g.Tags} }

func tagRouteTable(r *control.RouteTable) tagged { return tagged{"route-table", r.ID, r.Tags} }
func tagNetworkACL(a *control.NetworkACL) tagged { return tagged{"network-acl", a.ID, a.Tags} }
func tagGateway(g *control.InternetGateway) tagged {
	return tagged{"internet-gateway", g.ID, g.Tags}
}
func tagEgressOnly(g *control.EgressOnlyGateway) tagged {
	return tagged{"egress-only-internet-gateway", g.ID, g.Tags}
}
func tagOptions(d *control.DHCPOptions) tagged { return tagged{"dhcp-options", d.ID, d.Tags} }
func tagReservation(r *control.CIDRReservation) tagged {
	return tagged{"subnet-cidr-reservation", r.ID, r.Tags}
}
func tagPeering(p *control.Peering) tagged { return tagged{"vpc-peering-connection", p.ID, p.Tags} }

func tagRule(r control.SecurityGroupRule) tagged { return tagged{"security-group-rule", r.ID, r.Tags} }
func tagPrefixList(l *control.PrefixList) tagged { return tagged{"prefix-list", l.ID, l.Tags} }
func tagFlowLog(l *control.FlowLog) tagged       { return tagged{"vpc-flow-log", l.ID, l.Tags} }

func as[T any](row *T, of func(*T) tagged) *tagged {
	if row == nil {
		return nil
	}
	return new(of(row))
}

func each[T any](rows []*T, of func(*T) tagged, yield func(tagged)) {
	for _, r := range rows {
		yield(of(r))
	}
}

// resources finds what CreateTags and DeleteTags name, all or nothing.
func (c *call) resources(ids []string) ([]*tagged, error) {
	if len(ids) > maxTagResources {
		return nil, query.Refuse("InvalidParameterValue", "The maximum number of resources per request is %d", maxTagResources)
	}
	var found []*tagged
	for _, id := range ids {
		prefix, _, _ := strings.Cut(id, "-")
		kind, ok := taggables[prefix]
		if !ok {
			return nil, query.Refuse("InvalidID", "The ID '%s' is not valid", clip(id))
		}
		r, err := find(kind.id, id, func(id string) *tagged { return kind.find(c.state, id) })
		if err != nil {
			return nil, err
		}
		found = append(found, r)
	}
	return found, nil
}

// maxTagResources is EC2's limit (API reference, CreateTags).
const maxTagResources = 1000

func createTags(c *call, in *model.CreateTagsRequest) (result, error) {
	tags, err := tagsOf(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(tags) == 0 {
		return nil, missing("tag")
	}
	found, err := c.resources(in.Resources)
	if err != nil {
		return nil, err
	}
	svc := c.command()
	for _, r := range found {
		if err := svc.SetTags(c.ctx, r.id, tags, nil); err != nil {
			return nil, err
		}
	}
	return done{}, nil
}

// deleteTags removes a tag given with a value only where it has that value,
// one given without whatever it has, and all tags if none are given.
func deleteTags(c *call, in *model.DeleteTagsRequest) (result, error) {
	found, err := c.resources(in.Resources)
	if err != nil {
		return nil, err
	}
	svc := c.command()
	for _, r := range found {
		var remove []string
		for _, t := range in.Tags {
			key := query.Value(t.Key)
			if have, ok := r.tags[key]; ok && (t.Value == nil || *t.Value == have) {
				remove = append(remove, key)
			}
		}
		if in.Tags == nil {
			remove = slices.Collect(maps.Keys(r.tags))
		}
		if len(remove) == 0 {
			continue
		}
		if err := svc.SetTags(c.ctx, r.id, nil, remove); err != nil {
			return nil, err
		}
	}
	return done{}, nil
}

// tagRow is one tag of one resource.
type tagRow struct{ kind, id, key, value string }

func (t tagRow) place() string { return t.id + "/" + t.key }

var tagFilters = filterable[tagRow]{
	action: "DescribeTags",
	fields: map[string]field[tagRow]{
		"key":           one(func(_ *call, t tagRow) string { return t.key }),
		"resource-id":   one(func(_ *call, t tagRow) string { return t.id }),
		"resource-type": one(func(_ *call, t tagRow) string { return t.kind }),
		"value":         one(func(_ *call, t tagRow) string { return t.value }),
	},
	tags: func(t tagRow) control.Tags { return control.Tags{t.key: t.value} },
}

func describeTags(c *call, in *model.DescribeTagsRequest) (result, error) {
	keep, err := tagFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	var rows []tagRow
	add := func(r tagged) {
		for k, v := range r.tags {
			rows = append(rows, tagRow{r.kind, r.id, k, v})
		}
	}
	if ids := exact(in.Filters, "resource-id"); ids != nil {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			prefix, _, _ := strings.Cut(id, "-")
			if kind, ok := taggables[prefix]; ok {
				if r := kind.find(c.state, id); r != nil {
					add(*r)
				}
			}
		}
	} else {
		for _, kind := range taggables {
			kind.all(c.state, add)
		}
	}
	rows, next := cutPage(p, sorted(rows, tagRow.place), tagRow.place, keep)
	out := &model.DescribeTagsResult{Tags: []model.TagDescription{}, NextToken: next}
	for _, t := range rows {
		out.Tags = append(out.Tags, model.TagDescription{ResourceType: &t.kind, ResourceId: &t.id, Key: &t.key, Value: &t.value})
	}
	return out, nil
}
