package control

import (
	"slices"
	"strings"
)

// createVPC makes a VPC and its default security group.
func (t *tx) createVPC(in CreateVPCInput) (*VPC, error) {
	cidr, err := parseBlock(in.CIDR, "InvalidVpc.Range")
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableVPC, kindVPC.prefix)
	if err != nil {
		return nil, err
	}
	v := &VPC{ID: id, Region: t.region, CIDR: cidr, Tags: ownTags(in.Tags), CreatedAt: t.now}
	t.put(TableVPC, v)
	t.emit("vpc.created", id, "cidr", cidr.String())
	if _, err := t.newGroup(id, defaultGroup, "default VPC security group", nil, true); err != nil {
		return nil, err
	}
	return v, nil
}

func (t *tx) deleteVPC(id string) error {
	v, err := t.vpc(id)
	if err != nil {
		return err
	}
	groups := list[*SecurityGroup](t, TableSecurityGroup, byName, id)
	if exists(t, TableSubnet, byVPC, id) || len(groups) > 1 {
		return refuse(codeDependency, "vpcId", "The vpc '%s' has dependencies and cannot be deleted.", id)
	}
	for _, g := range groups {
		t.remove(TableSecurityGroup, g)
	}
	t.remove(TableVPC, v)
	t.emit("vpc.deleted", id)
	return nil
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
	if !v.CIDR.Contains(cidr.Addr()) || cidr.Bits() < v.CIDR.Bits() {
		return nil, refuse("InvalidSubnet.Range", "cidrBlock", "The CIDR '%s' is invalid.", in.CIDR)
	}
	for _, other := range list[*Subnet](t, TableSubnet, byVPC, v.ID) {
		if other.CIDR.Overlaps(cidr) {
			return nil, refuse("InvalidSubnet.Conflict", "cidrBlock", "The CIDR '%s' conflicts with another subnet", in.CIDR)
		}
	}
	zone, err := t.zone(in.Zone)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableSubnet, kindSubnet.prefix)
	if err != nil {
		return nil, err
	}
	mac, err := t.routerMAC(id)
	if err != nil {
		return nil, err
	}
	s := &Subnet{
		ID: id, VPC: v.ID, Region: t.region, Zone: zone, CIDR: cidr, RouterMAC: mac,
		Tags: ownTags(in.Tags), CreatedAt: t.now,
	}
	t.put(TableSubnet, s)
	t.emit("subnet.created", id, "vpc", v.ID, "cidr", cidr.String(), "zone", zone)
	return s, nil
}

func (t *tx) zone(name string) (string, error) {
	zones := regions()[t.region]
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
	if exists(t, TableNetworkInterface, bySubnet, id) {
		return refuse(codeDependency, "subnetId", "The subnet '%s' has dependencies and cannot be deleted.", id)
	}
	if u := get[*usage](t, tableUsage, byID, id); u != nil {
		t.remove(tableUsage, u)
	}
	t.remove(TableSubnet, s)
	t.emit("subnet.deleted", id)
	return nil
}
