package control

import (
	"context"
	"net/netip"
)

// Founded reports whether a region is in use: it has had its default VPC.
func (s *State) Founded(region string) bool {
	return seek[Region](s, TableRegion, byID, region) != nil
}

// Found makes what EC2 has in a region before anybody does anything there: a
// set of DHCP options, the prefix lists that AWS manages, and the default VPC,
// with a subnet in each zone, an internet gateway, and a route to it. Later calls do nothing, even if the
// default VPC has been deleted meanwhile.
func (s *Service) Found(ctx context.Context) error {
	return s.change(ctx, func(t *tx) error { return t.found() })
}

func (t *tx) found() error {
	if exists(t, TableRegion, byID, t.region) {
		return nil
	}
	t.put(TableRegion, &Region{Name: t.region, CreatedAt: t.now})
	t.emit("region.founded", t.region)
	t.awsPrefixLists()
	_, err := t.createDefaultVPC()
	return err
}

// defaultVPCBlock is the block of every default VPC, each of whose subnets is a
// /20 (VPC User Guide, "Default VPC components").
var defaultVPCBlock = netip.MustParsePrefix("172.31.0.0/16")

const defaultSubnetBits = 20

// createDefaultVPC makes the default VPC of t's region. The caller makes sure
// that there is none.
func (t *tx) createDefaultVPC() (*VPC, error) {
	v, err := t.newVPC(defaultVPCBlock, nil, VPCSettings{Default: true, DNSSupport: true, DNSHostnames: true})
	if err != nil {
		return nil, err
	}
	for _, zone := range Zones(v.Region) {
		if _, err := t.createDefaultSubnet(v, zone); err != nil {
			return nil, err
		}
	}
	g, err := t.newInternetGateway(nil)
	if err != nil {
		return nil, err
	}
	t.joinInternetGateway(g, v.ID)
	for _, r := range list[*RouteTable](t, TableRouteTable, byVPC, v.ID) {
		c := *r
		c.Routes = append(c.Routes, Route{Destination: anyIPv4, Gateway: g.ID, Origin: originRoute})
		t.put(TableRouteTable, &c)
	}
	return v, nil
}

// createDefaultSubnet makes the default subnet of a zone in the first free /20
// of the default VPC.
func (t *tx) createDefaultSubnet(v *VPC, zone string) (*Subnet, error) {
	taken := list[*Subnet](t, TableSubnet, byVPC, v.ID)
	for n := range 1 << (defaultSubnetBits - v.CIDR.Bits()) {
		cidr := netip.PrefixFrom(nth(v.CIDR, n<<(32-defaultSubnetBits)), defaultSubnetBits)
		if overlaps(taken, cidr) {
			continue
		}
		return t.newSubnet(v, cidr, zone, nil, SubnetSettings{
			MapPublicIP: true, DefaultForZone: true, HostnameType: hostnameIP,
		})
	}
	return nil, refuse("InvalidSubnet.Conflict", "cidrBlock", "The default VPC '%s' has no free /%d block.", v.ID, defaultSubnetBits)
}

func overlaps(subnets []*Subnet, cidr netip.Prefix) bool {
	for _, s := range subnets {
		if s.CIDR.Overlaps(cidr) {
			return true
		}
	}
	return false
}

// newInternetGateway makes a detached internet gateway.
func (t *tx) newInternetGateway(tags Tags) (*InternetGateway, error) {
	id, err := t.mintRow(TableInternetGateway, InternetGatewayID.Prefix)
	if err != nil {
		return nil, err
	}
	g := &InternetGateway{ID: id, Region: t.region, Tags: ownTags(tags), CreatedAt: t.now}
	t.put(TableInternetGateway, g)
	t.emit("internet-gateway.created", id)
	return g, nil
}
