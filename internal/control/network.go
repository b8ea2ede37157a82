package control

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"time"

	"enilab/internal/dataplane/frame"
)

// VPC is a virtual private cloud.
type VPC struct {
	ID        string // "vpc-..."
	Region    string
	CIDR      netip.Prefix // the primary block
	Tags      Tags
	CreatedAt time.Time
	VPCSettings
}

// Subnet is a range of one VPC in one Availability Zone.
type Subnet struct {
	ID        string // "subnet-..."
	VPC       string
	Region    string
	Zone      string // "us-east-1a"
	CIDR      netip.Prefix
	RouterMAC frame.MAC // of the VPC router at CIDR base+1
	Tags      Tags
	CreatedAt time.Time
	SubnetSettings
}

// CreateVPCInput is CreateVpc's.
type CreateVPCInput struct {
	CIDR       string
	AmazonIPv6 bool   // with a /56 of Amazon's
	Tenancy    string // "default", "dedicated"; "" is default
	Tags       Tags
}

// CreateSubnetInput is CreateSubnet's. Zone "" is the region's first.
type CreateSubnetInput struct {
	VPC, CIDR, Zone string
	IPv6CIDR        string // a /64 of the VPC's, "" for none
	Tags            Tags
}

// VPC returns one VPC.
func (s *State) VPC(id string) *VPC { return seek[VPC](s, TableVPC, byID, id) }

// VPCs returns every VPC.
func (s *State) VPCs() []*VPC { return all[*VPC](s, TableVPC, byCreation) }

// Subnet returns one subnet.
func (s *State) Subnet(id string) *Subnet { return seek[Subnet](s, TableSubnet, byID, id) }

// SubnetsOf are the subnets of a VPC.
func (s *State) SubnetsOf(vpc string) []*Subnet { return all[*Subnet](s, TableSubnet, byVPC, vpc) }

// Subnets returns every subnet.
func (s *State) Subnets() []*Subnet { return all[*Subnet](s, TableSubnet, byCreation) }

// resolverOffset is where in its primary block a VPC has its DNS server (VPC User
// Guide, "Amazon DNS server").
const resolverOffset = 2

// Resolver is the address of the VPC's own DNS server.
func (v *VPC) Resolver() netip.Addr { return nth(v.CIDR, resolverOffset) }

// AvailableAddresses is EC2's AvailableIpAddressCount of a subnet, 0 if there
// is no such subnet.
func (s *State) AvailableAddresses(subnet string) int {
	sub := s.Subnet(subnet)
	if sub == nil {
		return 0
	}
	free := capacity(sub.CIDR)
	if u := firstIn[*usage](s.db, tableUsage, byID, subnet); u != nil {
		free -= u.Used
	}
	return free
}

// CreateVPC makes a VPC with its default security group.
func (s *Service) CreateVPC(ctx context.Context, in CreateVPCInput) (*VPC, error) {
	return result(ctx, s, func(t *tx) (*VPC, error) { return t.createVPC(in) })
}

// DeleteVPC deletes a VPC that holds nothing but its default group.
func (s *Service) DeleteVPC(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteVPC(id) })
}

// CreateSubnet makes a subnet in one zone.
func (s *Service) CreateSubnet(ctx context.Context, in CreateSubnetInput) (*Subnet, error) {
	return result(ctx, s, func(t *tx) (*Subnet, error) { return t.createSubnet(in) })
}

// DeleteSubnet deletes a subnet without ENIs.
func (s *Service) DeleteSubnet(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteSubnet(id) })
}

// createVPC makes a VPC and what EC2 gives each one: a main route table, a
// default network ACL and a default security group.
func (t *tx) createVPC(in CreateVPCInput) (*VPC, error) {
	cidr, err := parseBlock(in.CIDR, "InvalidVpc.Range")
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkVPCTenancy(in.Tenancy); err != nil {
		return nil, err
	}
	settings := VPCSettings{DNSSupport: true}
	if in.Tenancy == tenancyDedicated {
		settings.Tenancy = in.Tenancy
	}
	if in.AmazonIPv6 {
		block, err := t.amazonBlock()
		if err != nil {
			return nil, err
		}
		settings.IPv6CIDRs = []CIDRAssociation{block}
	}
	return t.newVPC(cidr, in.Tags, settings)
}

func (t *tx) newVPC(cidr netip.Prefix, tags Tags, settings VPCSettings) (*VPC, error) {
	if err := t.quota(TableVPC, t.region, ""); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableVPC, VPCID.Prefix)
	if err != nil {
		return nil, err
	}
	association, err := t.mintCIDR(VPCCIDRID)
	if err != nil {
		return nil, err
	}
	options, err := t.defaultOptions()
	if err != nil {
		return nil, err
	}
	settings.DHCPOptions = options.ID
	settings.CIDRs = []CIDRAssociation{{ID: association, CIDR: cidr}}
	v := &VPC{ID: id, Region: t.region, CIDR: cidr, Tags: ownTags(tags), CreatedAt: t.now, VPCSettings: settings}
	t.put(TableVPC, v)
	t.emit("vpc.created", id, "cidr", cidr.String())
	if _, err := t.newRouteTable(v, true, nil); err != nil {
		return nil, err
	}
	if _, err := t.newNetworkACL(v, true, nil); err != nil {
		return nil, err
	}
	if _, err := t.newGroup(v, defaultGroup, "default VPC security group", nil, true); err != nil {
		return nil, err
	}
	return v, nil
}

// deleteVPC deletes a VPC that holds nothing but what it came with.
func (t *tx) deleteVPC(id string) error {
	v, err := t.vpc(id)
	if err != nil {
		return err
	}
	groups := list[*SecurityGroup](t, TableSecurityGroup, byName, id)
	tables := list[*RouteTable](t, TableRouteTable, byVPC, id)
	acls := list[*NetworkACL](t, TableNetworkACL, byVPC, id)
	if len(groups) > 1 || len(tables) > 1 || len(acls) > 1 || exists(t, TableSubnet, byVPC, id) ||
		exists(t, TableInternetGateway, byVPC, id) || exists(t, TableEgressOnlyGateway, byVPC, id) ||
		exists(t, TableVPCEndpoint, byVPC, id) || t.peered(id) {
		return refuse(codeDependency, "vpcId", "The vpc '%s' has dependencies and cannot be deleted.", id)
	}
	for _, g := range groups {
		// A rule of a VPC that was a peer may still name it.
		if exists(t, TableSecurityGroup, byReference, g.ID) {
			return errDependent(g.ID)
		}
		t.remove(TableSecurityGroup, g)
	}
	for _, r := range tables {
		t.remove(TableRouteTable, r)
	}
	for _, a := range acls {
		t.remove(TableNetworkACL, a)
	}
	t.dropFlowLogs(id)
	t.remove(TableVPC, v)
	t.emit("vpc.deleted", id)
	return nil
}

// peered reports whether a VPC has a peering connection that is in use or asked
// for.
func (t *tx) peered(vpc string) bool {
	for _, p := range list[*Peering](t, TablePeering, byCreation) {
		if p.open() && p.has(vpc) {
			return true
		}
	}
	return false
}

func (t *tx) createSubnet(in CreateSubnetInput) (*Subnet, error) {
	v, err := t.vpc(in.VPC)
	if err != nil {
		return nil, err
	}
	cidr, err := parseBlock(in.CIDR, "InvalidSubnet.Range")
	if err != nil {
		return nil, err
	}
	if _, inside := v.block(cidr); !inside {
		return nil, refuse("InvalidSubnet.Range", "cidrBlock", "The CIDR '%s' is invalid.", in.CIDR)
	}
	for _, other := range list[*Subnet](t, TableSubnet, byVPC, v.ID) {
		if other.CIDR.Overlaps(cidr) {
			return nil, refuse("InvalidSubnet.Conflict", "cidrBlock", "The CIDR '%s' conflicts with another subnet", in.CIDR)
		}
	}
	zone, err := zoneOf(v.Region, in.Zone)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	settings := SubnetSettings{HostnameType: hostnameIP}
	if in.IPv6CIDR != "" {
		block := CIDRAssociation{}
		if block.CIDR, err = t.subnetIPv6(v, in.IPv6CIDR); err != nil {
			return nil, err
		}
		if block.ID, err = t.mintCIDR(SubnetCIDRID); err != nil {
			return nil, err
		}
		block.Until = t.until(OpAssociateBlock)
		settings.IPv6CIDRs = []CIDRAssociation{block}
	}
	return t.newSubnet(v, cidr, zone, in.Tags, settings)
}

// hostnameIP and hostnameResource are the two forms of instances' host names
// (EC2 HostnameType).
const (
	hostnameIP       = "ip-name"
	hostnameResource = "resource-name"
)

func (t *tx) newSubnet(v *VPC, cidr netip.Prefix, zone string, tags Tags, settings SubnetSettings) (*Subnet, error) {
	if err := t.quota(TableSubnet, v.Region, v.ID); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableSubnet, SubnetID.Prefix)
	if err != nil {
		return nil, err
	}
	mac, err := t.routerMAC(id)
	if err != nil {
		return nil, err
	}
	s := &Subnet{
		ID: id, VPC: v.ID, Region: v.Region, Zone: zone, CIDR: cidr, RouterMAC: mac,
		Tags: ownTags(tags), CreatedAt: t.now, SubnetSettings: settings,
	}
	t.put(TableSubnet, s)
	if err := t.joinDefaultACL(s); err != nil {
		return nil, err
	}
	t.emit("subnet.created", id, "vpc", v.ID, "cidr", cidr.String(), "zone", zone)
	return s, nil
}

func zoneOf(region, name string) (string, error) {
	zones := Zones(region)
	if name == "" {
		return zones[0], nil
	}
	if !slices.Contains(zones, name) {
		return "", invalid("availabilityZone",
			"Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s.",
			name, strings.Join(zones, ", "))
	}
	return name, nil
}

func (t *tx) deleteSubnet(id string) error {
	s, err := t.subnet(id)
	if err != nil {
		return err
	}
	if t.someInterface(func(n *NetworkInterface) bool { return n.Subnet == id }) != nil {
		return refuse(codeDependency, "subnetId", "The subnet '%s' has dependencies and cannot be deleted.", id)
	}
	if u := get[*usage](t, tableUsage, byID, id); u != nil {
		t.remove(tableUsage, u)
	}
	t.leaveNetworks(s)
	t.dropFlowLogs(id)
	t.remove(TableSubnet, s)
	t.emit("subnet.deleted", id)
	return nil
}
