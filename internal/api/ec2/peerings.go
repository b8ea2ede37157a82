package ec2

import (
	"net/netip"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindPeerings(t map[string]handler) {
	bind(t, "VpcId PeerVpcId PeerRegion PeerOwnerId TagSpecification", createVpcPeeringConnection)
	bind(t, "VpcPeeringConnectionId Filter MaxResults NextToken", describeVpcPeeringConnections)
	bind(t, "VpcPeeringConnectionId", acceptVpcPeeringConnection)
	bind(t, "VpcPeeringConnectionId", rejectVpcPeeringConnection)
	bind(t, "VpcPeeringConnectionId", deleteVpcPeeringConnection)
}

// side shows one of the two VPCs. EC2 shows no blocks of the accepter before it
// has accepted.
func (c *call) side(s control.PeeringSide, blocks bool) *model.VpcPeeringConnectionVpcInfo {
	out := &model.VpcPeeringConnectionVpcInfo{OwnerId: &c.api.opt.Account, VpcId: &s.VPC, Region: &s.Region}
	if !blocks || len(s.CIDRs) == 0 {
		return out
	}
	out.CidrBlock = new(s.CIDRs[0].String())
	for _, p := range s.CIDRs {
		out.CidrBlockSet = append(out.CidrBlockSet, model.CidrBlock{CidrBlock: new(p.String())})
	}
	for _, p := range s.IPv6CIDRs {
		out.Ipv6CidrBlockSet = append(out.Ipv6CidrBlockSet, model.Ipv6CidrBlock{Ipv6CidrBlock: new(p.String())})
	}
	out.PeeringOptions = &model.VpcPeeringConnectionOptionsDescription{
		AllowDnsResolutionFromRemoteVpc: new(false), AllowEgressFromLocalClassicLinkToRemoteVpc: new(false),
		AllowEgressFromLocalVpcToRemoteClassicLink: new(false),
	}
	return out
}

func (c *call) peering(p *control.Peering) model.VpcPeeringConnection {
	out := model.VpcPeeringConnection{
		VpcPeeringConnectionId: &p.ID, RequesterVpcInfo: c.side(p.Requester, true),
		AccepterVpcInfo: c.side(p.Accepter, p.State == control.PeeringActive), Tags: tagList(p.Tags),
		Status: &model.VpcPeeringConnectionStateReason{Code: new(string(p.State)), Message: &p.Message},
	}
	if !p.ExpiresAt.IsZero() {
		out.ExpirationTime = &p.ExpiresAt
	}
	return out
}

func cidrStrings(blocks []netip.Prefix) (values []string) {
	for _, b := range blocks {
		values = append(values, b.String())
	}
	return values
}

var peeringFilters = filterable[*control.Peering]{
	action: "DescribeVpcPeeringConnections",
	fields: map[string]field[*control.Peering]{
		"accepter-vpc-info.cidr-block":  some(func(_ *call, p *control.Peering) []string { return cidrStrings(p.Accepter.CIDRs) }),
		"accepter-vpc-info.owner-id":    owner[*control.Peering](),
		"accepter-vpc-info.vpc-id":      one(func(_ *call, p *control.Peering) string { return p.Accepter.VPC }),
		"expiration-time":               some(func(_ *call, p *control.Peering) []string { return expiry(p) }),
		"requester-vpc-info.cidr-block": some(func(_ *call, p *control.Peering) []string { return cidrStrings(p.Requester.CIDRs) }),
		"requester-vpc-info.owner-id":   owner[*control.Peering](),
		"requester-vpc-info.vpc-id":     one(func(_ *call, p *control.Peering) string { return p.Requester.VPC }),
		"status-code":                   one(func(_ *call, p *control.Peering) string { return string(p.State) }),
		"status-message":                one(func(_ *call, p *control.Peering) string { return p.Message }),
		"vpc-peering-connection-id":     one(func(_ *call, p *control.Peering) string { return p.ID }),
	},
	tags: func(p *control.Peering) control.Tags { return p.Tags },
}

func expiry(p *control.Peering) []string {
	if p.ExpiresAt.IsZero() {
		return nil
	}
	return []string{p.ExpiresAt.UTC().Format("2006-01-02T15:04:05.000Z")}
}

var peerings = listing[control.Peering]{
	control.PeeringID, &peeringFilters, (*control.State).Peering, (*control.State).Peerings,
}

func describeVpcPeeringConnections(c *call, in *model.DescribeVpcPeeringConnectionsRequest) (result, error) {
	rows, next, err := listed(c, peerings, asked{in.Filters, in.MaxResults, in.NextToken, in.VpcPeeringConnectionIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeVpcPeeringConnectionsResult{VpcPeeringConnections: []model.VpcPeeringConnection{}, NextToken: next}
	for _, p := range rows {
		out.VpcPeeringConnections = append(out.VpcPeeringConnections, c.peering(p))
	}
	return out, nil
}

// createVpcPeeringConnection knows no account but its own, with which nobody
// else could agree.
func createVpcPeeringConnection(c *call, in *model.CreateVpcPeeringConnectionRequest) (result, error) {
	if in.PeerVpcId == nil {
		return nil, missing("peerVpcId")
	}
	if o := query.Value(in.PeerOwnerId); o != "" && o != c.api.opt.Account {
		return nil, unsupported("A peering with the account %s is not supported by enilab: it has one account, %s.", clip(o), c.api.opt.Account)
	}
	tags, err := tagSpecs(in.TagSpecifications, "vpc-peering-connection")
	if err != nil {
		return nil, err
	}
	p, err := c.command().CreatePeering(c.ctx, control.CreatePeeringInput{
		VPC: *in.VpcId, Peer: *in.PeerVpcId, PeerRegion: query.Value(in.PeerRegion), Account: c.api.opt.Account,
		Tags: tags["vpc-peering-connection"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateVpcPeeringConnectionResult{VpcPeeringConnection: new(c.peering(p))}, nil
}

func acceptVpcPeeringConnection(c *call, in *model.AcceptVpcPeeringConnectionRequest) (result, error) {
	p, err := c.command().AcceptPeering(c.ctx, *in.VpcPeeringConnectionId)
	if err != nil {
		return nil, err
	}
	return &model.AcceptVpcPeeringConnectionResult{VpcPeeringConnection: new(c.peering(p))}, nil
}

func rejectVpcPeeringConnection(c *call, in *model.RejectVpcPeeringConnectionRequest) (result, error) {
	if err := c.command().RejectPeering(c.ctx, *in.VpcPeeringConnectionId, c.api.opt.Account); err != nil {
		return nil, err
	}
	return &model.RejectVpcPeeringConnectionResult{Return: new(true)}, nil
}

func deleteVpcPeeringConnection(c *call, in *model.DeleteVpcPeeringConnectionRequest) (result, error) {
	if err := c.command().DeletePeering(c.ctx, *in.VpcPeeringConnectionId, c.api.opt.Account); err != nil {
		return nil, err
	}
	return &model.DeleteVpcPeeringConnectionResult{Return: new(true)}, nil
}
