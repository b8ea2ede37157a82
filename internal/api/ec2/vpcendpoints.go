package ec2

import (
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindEndpoints(t map[string]handler) {
	bind(t, "VpcId ServiceName ServiceRegion VpcEndpointType PolicyDocument RouteTableId SubnetId SecurityGroupId PrivateDnsEnabled"+
		" IpAddressType=ipv4 DnsOptions.DnsRecordIpType=ipv4 DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint=false TagSpecification",
		createVpcEndpoint)
	bind(t, "VpcEndpointId Filter MaxResults NextToken", describeVpcEndpoints)
	bind(t, "VpcEndpointId PolicyDocument ResetPolicy AddRouteTableId RemoveRouteTableId AddSubnetId RemoveSubnetId"+
		" AddSecurityGroupId RemoveSecurityGroupId PrivateDnsEnabled IpAddressType=ipv4 DnsOptions.DnsRecordIpType=ipv4"+
		" DnsOptions.PrivateDnsOnlyForInboundResolverEndpoint=false", modifyVpcEndpoint)
	bind(t, "VpcEndpointId", deleteVpcEndpoints)
	bind(t, "ServiceName ServiceRegion Filter MaxResults NextToken", describeVpcEndpointServices)
}

type endpoint = *control.VPCEndpoint

const addressTypeIPv4 = "ipv4" // all that endpoints have here

func (c *call) vpcEndpoint(e endpoint) *model.VpcEndpoint {
	out := &model.VpcEndpoint{
		VpcEndpointId: &e.ID, VpcEndpointType: &e.Type, VpcId: &e.VPC, ServiceName: &e.Service, ServiceRegion: &e.Region,
		State: new(string(e.State)), PolicyDocument: &e.Policy, RouteTableIds: orNone(e.RouteTables), SubnetIds: orNone(e.Subnets),
		NetworkInterfaceIds: orNone(e.Interfaces), Groups: []model.SecurityGroupIdentifier{}, DnsEntries: c.endpointNames(e),
		PrivateDnsEnabled: &e.PrivateDNS, RequesterManaged: new(false), CreationTimestamp: &e.CreatedAt, OwnerId: &c.api.opt.Account,
		IpAddressType: new(addressTypeIPv4), Tags: tagList(e.Tags),
	}
	for _, g := range c.groupIDs(e.Groups) {
		out.Groups = append(out.Groups, model.SecurityGroupIdentifier{GroupId: g.GroupId, GroupName: g.GroupName})
	}
	if e.Type == control.EndpointInterface {
		out.DnsOptions = &model.DnsOptions{
			DnsRecordIpType: new(addressTypeIPv4), PrivateDnsOnlyForInboundResolverEndpoint: new(false),
		}
	}
	return out
}

// orNone is a list that is there without items too.
func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// endpointNames are the names of an interface endpoint: for all its zones, for
// each, and the service's own.
func (c *call) endpointNames(e endpoint) []model.DnsEntry {
	names := []model.DnsEntry{}
	service := control.EndpointServiceNamed(e.Region, e.Service)
	if e.Type != control.EndpointInterface || service == nil {
		return names
	}
	label := e.ID + "-" + e.DNSLabel
	zone := new("Z" + strings.ToUpper(strings.TrimPrefix(service.ID, "vpce-svc-0")))
	base := strings.TrimPrefix(service.BaseDNS, "*.")
	names = append(names, model.DnsEntry{DnsName: new(label + "." + base), HostedZoneId: zone})
	for _, id := range e.Subnets {
		if s := c.state.Subnet(id); s != nil {
			names = append(names, model.DnsEntry{DnsName: new(label + "-" + s.Zone + "." + base), HostedZoneId: zone})
		}
	}
	if e.PrivateDNS {
		own := "Z0" + strings.ToUpper(strings.TrimPrefix(e.ID, control.VPCEndpointID.Prefix))
		names = append(names, model.DnsEntry{DnsName: &service.PrivateDNS, HostedZoneId: &own})
	}
	return names
}

var vpcEndpoints = listing[control.VPCEndpoint]{
	control.VPCEndpointID, &endpointFilters, (*control.State).VPCEndpoint, (*control.State).VPCEndpoints,
}

var endpointFilters = filterable[endpoint]{
	action: "DescribeVpcEndpoints",
	fields: map[string]field[endpoint]{
		"ip-address-type":    fixed[endpoint](addressTypeIPv4),
		"service-name":       one(func(_ *call, e endpoint) string { return e.Service }),
		"service-region":     one(func(_ *call, e endpoint) string { return e.Region }),
		"vpc-id":             one(func(_ *call, e endpoint) string { return e.VPC }),
		"vpc-endpoint-id":    one(func(_ *call, e endpoint) string { return e.ID }),
		"vpc-endpoint-state": one(func(_ *call, e endpoint) string { return string(e.State) }),
		"vpc-endpoint-type":  one(func(_ *call, e endpoint) string { return e.Type }),
	},
	tags: func(e endpoint) control.Tags { return e.Tags },
}

// ownRegion refuses services of other regions.
func (c *call) ownRegion(region *string) error {
	if region != nil && *region != c.region.Name {
		return unsupported("VPC endpoints to services of another region, %s, are not supported by enilab.", clip(*region))
	}
	return nil
}

func createVpcEndpoint(c *call, in *model.CreateVpcEndpointRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "vpc-endpoint")
	if err != nil {
		return nil, err
	}
	if in.ServiceName == nil {
		return nil, missing("serviceName")
	}
	if err := c.ownRegion(in.ServiceRegion); err != nil {
		return nil, err
	}
	switch typ := query.Value(in.VpcEndpointType); typ {
	case "", control.EndpointGateway, control.EndpointInterface:
	case "GatewayLoadBalancer", "Resource", "ServiceNetwork":
		return nil, unsupported("VPC endpoints of type %s are not supported by enilab; there are Gateway and Interface.", typ)
	default:
		return nil, invalid("Value (%s) for parameter vpcEndpointType is invalid. It must be Gateway, Interface, GatewayLoadBalancer, Resource or ServiceNetwork.", clip(typ)) // unverified: the text
	}
	e, err := c.command().CreateVPCEndpoint(c.ctx, control.CreateVPCEndpointInput{
		VPC: *in.VpcId, Service: *in.ServiceName, Type: query.Value(in.VpcEndpointType), Policy: query.Value(in.PolicyDocument),
		RouteTables: in.RouteTableIds, Subnets: in.SubnetIds, Groups: in.SecurityGroupIds, PrivateDNS: in.PrivateDnsEnabled,
		Tags: tags["vpc-endpoint"],
	})
	if err != nil {
		return nil, err
	}
	c.state = c.svc.State()
	return &model.CreateVpcEndpointResult{VpcEndpoint: c.vpcEndpoint(e), ClientToken: in.ClientToken}, nil
}

func describeVpcEndpoints(c *call, in *model.DescribeVpcEndpointsRequest) (result, error) {
	rows, next, err := listed(c, vpcEndpoints, asked{in.Filters, in.MaxResults, in.NextToken, in.VpcEndpointIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVpcEndpointsResult{VpcEndpoints: []model.VpcEndpoint{}, NextToken: next}
	for _, e := range rows {
		out.VpcEndpoints = append(out.VpcEndpoints, *c.vpcEndpoint(e))
	}
	return out, nil
}

func modifyVpcEndpoint(c *call, in *model.ModifyVpcEndpointRequest) (result, error) {
	err := c.command().ModifyVPCEndpoint(c.ctx, control.ModifyVPCEndpointInput{
		ID: *in.VpcEndpointId, Policy: in.PolicyDocument, ResetPolicy: query.Value(in.ResetPolicy),
		AddRouteTables: in.AddRouteTableIds, RemoveRouteTables: in.RemoveRouteTableIds,
		AddSubnets: in.AddSubnetIds, RemoveSubnets: in.RemoveSubnetIds,
		AddGroups: in.AddSecurityGroupIds, RemoveGroups: in.RemoveSecurityGroupIds, PrivateDNS: in.PrivateDnsEnabled,
	})
	return &model.ModifyVpcEndpointResult{Return: new(true)}, err
}

func deleteVpcEndpoints(c *call, in *model.DeleteVpcEndpointsRequest) (result, error) {
	out := &model.DeleteVpcEndpointsResult{Unsuccessful: []model.UnsuccessfulItem{}}
	for _, id := range in.VpcEndpointIds {
		if err := control.VPCEndpointID.Check(id); err != nil {
			return nil, err
		}
	}
	svc := c.command()
	for _, id := range in.VpcEndpointIds {
		if err := svc.DeleteVPCEndpoint(c.ctx, id); err != nil {
			if c.dry {
				return nil, err
			}
			out.Unsuccessful = append(out.Unsuccessful, unsuccessful(id, err))
		}
	}
	return out, nil
}

var endpointServiceFilters = filterable[*control.EndpointService]{
	action: "DescribeVpcEndpointServices",
	fields: map[string]field[*control.EndpointService]{
		"owner":                      fixed[*control.EndpointService]("amazon"),
		"service-name":               one(func(_ *call, s *control.EndpointService) string { return s.Name }),
		"service-region":             one(func(c *call, _ *control.EndpointService) string { return c.region.Name }),
		"service-type":               some(func(_ *call, s *control.EndpointService) []string { return s.Types }),
		"supported-ip-address-types": fixed[*control.EndpointService](addressTypeIPv4),
	},
	tags: func(*control.EndpointService) control.Tags { return nil },
}

func (c *call) serviceDetail(s *control.EndpointService, typ string) model.ServiceDetail {
	d := model.ServiceDetail{
		ServiceName: &s.Name, ServiceId: &s.ID, ServiceRegion: &c.region.Name, Owner: new("amazon"), AcceptanceRequired: new(false),
		ManagesVpcEndpoints: new(false), VpcEndpointPolicySupported: &s.Policies, ServiceType: []model.ServiceTypeDetail{{ServiceType: &typ}},
		SupportedIpAddressTypes: []string{addressTypeIPv4}, Tags: []model.Tag{}, AvailabilityZones: []string{}, BaseEndpointDnsNames: []string{},
	}
	for _, z := range c.region.Zones {
		d.AvailabilityZones = append(d.AvailabilityZones, z.Name)
	}
	if typ != control.EndpointInterface {
		d.BaseEndpointDnsNames = append(d.BaseEndpointDnsNames, strings.TrimSuffix(s.BaseDNS, ".vpce.amazonaws.com")+".amazonaws.com")
		return d
	}
	d.BaseEndpointDnsNames = append(d.BaseEndpointDnsNames, s.BaseDNS)
	if s.PrivateDNS != "" {
		d.PrivateDnsName, d.PrivateDnsNameVerificationState = &s.PrivateDNS, new("verified")
		d.PrivateDnsNames = []model.PrivateDnsDetails{{PrivateDnsName: &s.PrivateDNS}}
	}
	return d
}

// describeVpcEndpointServices lists a service once for each type of endpoint, as
// EC2 does.
func describeVpcEndpointServices(c *call, in *model.DescribeVpcEndpointServicesRequest) (result, error) {
	keep, err := endpointServiceFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "", nil)
	if err != nil {
		return nil, err
	}
	for i := range in.ServiceRegions {
		if err := c.ownRegion(&in.ServiceRegions[i]); err != nil {
			return nil, err
		}
	}
	for _, name := range in.ServiceNames {
		if control.EndpointServiceNamed(c.region.Name, name) == nil {
			return nil, query.Refuse("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", clip(name))
		}
	}
	type way struct {
		service *control.EndpointService
		typ     string
		place   string
	}
	var ways []way
	services := control.EndpointServices(c.region.Name)
	for i := range services {
		s := &services[i]
		if len(in.ServiceNames) > 0 && !contains(in.ServiceNames, s.Name) {
			continue
		}
		for k, typ := range s.Types {
			// A filter by type keeps that type of a service alone.
			one := *s
			one.Types = []string{typ}
			if keep(&one) {
				ways = append(ways, way{s, typ, s.Name + "/" + strconv.Itoa(k)})
			}
		}
	}
	at := func(w way) string { return w.place }
	rows, next := cutPage(p, sorted(ways, at), at, func(way) bool { return true })
	out := &model.DescribeVpcEndpointServicesResult{ServiceDetails: []model.ServiceDetail{}, ServiceNames: []string{}, NextToken: next}
	for _, w := range rows {
		out.ServiceDetails = append(out.ServiceDetails, c.serviceDetail(w.service, w.typ))
		if n := len(out.ServiceNames); n == 0 || out.ServiceNames[n-1] != w.service.Name {
			out.ServiceNames = append(out.ServiceNames, w.service.Name)
		}
	}
	return out, nil
}
