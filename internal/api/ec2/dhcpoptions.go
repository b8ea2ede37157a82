package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindDhcpOptions(t map[string]handler) {
	bind(t, "DhcpConfiguration TagSpecification", createDhcpOptions)
	bind(t, "DhcpOptionsId Filter MaxResults NextToken", describeDhcpOptions)
	bind(t, "DhcpOptionsId VpcId", associateDhcpOptions)
	bind(t, "DhcpOptionsId", deleteDhcpOptions)
}

func (c *call) dhcpOptions(d *control.DHCPOptions) model.DhcpOptions {
	out := model.DhcpOptions{
		DhcpOptionsId: &d.ID, OwnerId: &c.api.opt.Account, DhcpConfigurations: []model.DhcpConfiguration{}, Tags: someTags(d.Tags),
	}
	for _, o := range d.Options {
		configuration := model.DhcpConfiguration{Key: new(o.Key)}
		for _, v := range o.Values {
			configuration.Values = append(configuration.Values, model.AttributeValue{Value: &v})
		}
		out.DhcpConfigurations = append(out.DhcpConfigurations, configuration)
	}
	return out
}

var dhcpOptionSets = listing[control.DHCPOptions]{
	control.DHCPOptionsID, &dhcpFilters, (*control.State).DHCPOptions, (*control.State).DHCPOptionSets,
}

var dhcpFilters = filterable[*control.DHCPOptions]{
	action: "DescribeDhcpOptions",
	fields: map[string]field[*control.DHCPOptions]{
		"dhcp-options-id": one(func(_ *call, d *control.DHCPOptions) string { return d.ID }),
		"key": some(func(_ *call, d *control.DHCPOptions) (keys []string) {
			for _, o := range d.Options {
				keys = append(keys, o.Key)
			}
			return keys
		}),
		"owner-id": owner[*control.DHCPOptions](),
		"value": some(func(_ *call, d *control.DHCPOptions) (values []string) {
			for _, o := range d.Options {
				values = append(values, o.Values...)
			}
			return values
		}),
	},
	tags: func(d *control.DHCPOptions) control.Tags { return d.Tags },
}

func describeDhcpOptions(c *call, in *model.DescribeDhcpOptionsRequest) (result, error) {
	rows, next, err := listed(c, dhcpOptionSets, asked{in.Filters, in.MaxResults, in.NextToken, in.DhcpOptionsIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeDhcpOptionsResult{DhcpOptions: []model.DhcpOptions{}, NextToken: next}
	for _, d := range rows {
		out.DhcpOptions = append(out.DhcpOptions, c.dhcpOptions(d))
	}
	return out, nil
}

func createDhcpOptions(c *call, in *model.CreateDhcpOptionsRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "dhcp-options")
	if err != nil {
		return nil, err
	}
	svc := c.command()
	var options []control.DHCPOption
	for _, o := range in.DhcpConfigurations {
		options = append(options, control.DHCPOption{Key: query.Value(o.Key), Values: o.Values})
	}
	d, err := svc.CreateDHCPOptions(c.ctx, options, tags["dhcp-options"])
	if err != nil {
		return nil, err
	}
	return &model.CreateDhcpOptionsResult{DhcpOptions: new(c.dhcpOptions(d))}, nil
}

func associateDhcpOptions(c *call, in *model.AssociateDhcpOptionsRequest) (result, error) {
	return done{}, c.command().AssociateDHCPOptions(c.ctx, *in.DhcpOptionsId, *in.VpcId)
}

func deleteDhcpOptions(c *call, in *model.DeleteDhcpOptionsRequest) (result, error) {
	return done{}, c.command().DeleteDHCPOptions(c.ctx, *in.DhcpOptionsId)
}
