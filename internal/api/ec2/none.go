package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// bindNone binds the Describe actions on what enilab has none of. Clients ask
// them before they delete a VPC or to draw a map.
func bindNone(t map[string]handler) {
	bind(t, "VpcEndpointId Filter MaxResults NextToken", describeVpcEndpoints)
	bind(t, "TransitGatewayIds Filter MaxResults NextToken", describeTransitGateways)
	bind(t, "GroupId GroupName Filter", describePlacementGroups)
}

// none refuses ids and names of a kind of which there is none, and filters that
// the action does not have.
func (c *call) none(f *filterable[struct{}], filters []model.Filter, k control.IDKind, ids []string) error {
	if _, err := f.compile(c, filters); err != nil {
		return err
	}
	for _, id := range ids {
		if err := k.Check(id); err != nil {
			return err
		}
	}
	if len(ids) > 0 {
		return k.Missing(ids...)
	}
	return nil
}

var endpointFilters = filterable[struct{}]{
	action: "DescribeVpcEndpoints",
	absent: "ip-address-type service-name service-region tag-key vpc-id vpc-endpoint-id vpc-endpoint-state vpc-endpoint-type",
	tags:   noTags,
}

var transitFilters = filterable[struct{}]{
	action: "DescribeTransitGateways",
	absent: `options.propagation-default-route-table-id options.amazon-side-asn options.association-default-route-table-id
		options.auto-accept-shared-attachments options.default-route-table-association options.default-route-table-propagation
		options.dns-support options.vpn-ecmp-support owner-id state transit-gateway-id`,
	tags: noTags,
}

var placementFilters = filterable[struct{}]{
	action: "DescribePlacementGroups",
	absent: "group-name group-arn spread-level state strategy",
	tags:   noTags,
}

func noTags(struct{}) control.Tags { return nil }

func describeVpcEndpoints(c *call, in *model.DescribeVpcEndpointsRequest) (result, error) {
	if _, err := c.page(in.MaxResults, in.NextToken, "", nil); err != nil {
		return nil, err
	}
	if err := c.none(&endpointFilters, in.Filters, idEndpoint, in.VpcEndpointIds); err != nil {
		return nil, err
	}
	return &model.DescribeVpcEndpointsResult{VpcEndpoints: []model.VpcEndpoint{}}, nil
}

func describeTransitGateways(c *call, in *model.DescribeTransitGatewaysRequest) (result, error) {
	if _, err := c.page(in.MaxResults, in.NextToken, "", nil); err != nil {
		return nil, err
	}
	if err := c.none(&transitFilters, in.Filters, idTransit, in.TransitGatewayIds); err != nil {
		return nil, err
	}
	return &model.DescribeTransitGatewaysResult{TransitGateways: []model.TransitGateway{}}, nil
}

func describePlacementGroups(c *call, in *model.DescribePlacementGroupsRequest) (result, error) {
	if err := c.none(&placementFilters, in.Filters, idPlacement, in.GroupIds); err != nil {
		return nil, err
	}
	if len(in.GroupNames) > 0 {
		return nil, query.Refuse("InvalidPlacementGroup.Unknown", "The placement group '%s' is unknown.", clip(in.GroupNames[0]))
	}
	return &model.DescribePlacementGroupsResult{PlacementGroups: []model.PlacementGroup{}}, nil
}
