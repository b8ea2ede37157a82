package control

// visible reports whether who sees the region scope, "" all, sees a row. What is of
// no region is seen from all.
func visible(scope string, row Row) bool {
	if p, ok := row.(*Peering); ok && p.Accepter.Region == scope {
		return true // both sides' regions show it
	}
	region := row.Identity().Region
	return scope == "" || region == scope || region == ""
}

func find[T any](t *tx, k IDKind, table Table, index, field, id string) (*T, error) {
	if err := k.check(field, id); err != nil {
		return nil, err
	}
	row := get[*T](t, table, index, id)
	if row == nil || !visible(t.scope, any(row).(Row)) {
		return nil, k.missing(field, id)
	}
	return row, nil
}

func (t *tx) vpc(id string) (*VPC, error) {
	return find[VPC](t, VPCID, TableVPC, byID, "vpcId", id)
}

func (t *tx) subnet(id string) (*Subnet, error) {
	return find[Subnet](t, SubnetID, TableSubnet, byID, "subnetId", id)
}

func (t *tx) instance(id string) (*Instance, error) {
	return find[Instance](t, InstanceID, TableInstance, byID, "instanceId", id)
}

func (t *tx) networkInterface(id string) (*NetworkInterface, error) {
	return find[NetworkInterface](t, InterfaceID, TableNetworkInterface, byID, "networkInterfaceId", id)
}

func (t *tx) attachment(id string) (*NetworkInterface, error) {
	return find[NetworkInterface](t, AttachmentID, TableNetworkInterface, byAttachment, "attachmentId", id)
}

func (t *tx) group(id string) (*SecurityGroup, error) {
	return find[SecurityGroup](t, GroupID, TableSecurityGroup, byID, "groupId", id)
}

// ruleGroup finds the group that has a rule.
func (t *tx) ruleGroup(id string) (*SecurityGroup, error) {
	return find[SecurityGroup](t, RuleID, TableSecurityGroup, byRule, "securityGroupRuleId", id)
}

func (t *tx) prefixList(id string) (*PrefixList, error) {
	return find[PrefixList](t, PrefixListID, TablePrefixList, byID, "prefixListId", id)
}

func (t *tx) address(id string) (*Address, error) {
	return find[Address](t, AllocationID, TableAddress, byID, "allocationId", id)
}

func (t *tx) association(id string) (*Address, error) {
	return find[Address](t, AssociationID, TableAddress, byAssociation, "associationId", id)
}

func (t *tx) routeTable(id string) (*RouteTable, error) {
	return find[RouteTable](t, RouteTableID, TableRouteTable, byID, "routeTableId", id)
}

func (t *tx) routeAssociation(id string) (*RouteTable, error) {
	return find[RouteTable](t, RouteAssociationID, TableRouteTable, byAssociation, "associationId", id)
}

func (t *tx) networkACL(id string) (*NetworkACL, error) {
	return find[NetworkACL](t, NetworkACLID, TableNetworkACL, byID, "networkAclId", id)
}

func (t *tx) aclAssociation(id string) (*NetworkACL, error) {
	return find[NetworkACL](t, ACLAssociationID, TableNetworkACL, byAssociation, "associationId", id)
}

func (t *tx) internetGateway(id string) (*InternetGateway, error) {
	return find[InternetGateway](t, InternetGatewayID, TableInternetGateway, byID, "internetGatewayId", id)
}

func (t *tx) egressOnlyGateway(id string) (*EgressOnlyGateway, error) {
	return find[EgressOnlyGateway](t, EgressOnlyGatewayID, TableEgressOnlyGateway, byID, "egressOnlyInternetGatewayId", id)
}

func (t *tx) dhcpOptions(id string) (*DHCPOptions, error) {
	return find[DHCPOptions](t, DHCPOptionsID, TableDHCPOptions, byID, "dhcpOptionsId", id)
}

func (t *tx) peering(id string) (*Peering, error) {
	return find[Peering](t, PeeringID, TablePeering, byID, "vpcPeeringConnectionId", id)
}

func (t *tx) volume(id string) (*Volume, error) {
	return find[Volume](t, VolumeID, TableVolume, byID, "volumeId", id)
}

func (t *tx) snapshot(id string) (*Snapshot, error) {
	return find[Snapshot](t, SnapshotID, TableSnapshot, byID, "snapshotId", id)
}

// image finds an image of the account that is not deregistered.
func (t *tx) image(id string) (*Image, error) {
	i, err := find[Image](t, ImageID, TableImage, byID, "imageId", id)
	if err == nil && i.State == ImageDeregistered {
		return nil, ImageID.missing("imageId", id)
	}
	return i, err
}

// volumesOf returns the volumes of an instance by device name.
func (t *tx) volumesOf(instance string) []*Volume {
	return list[*Volume](t, TableVolume, byDevice, instance)
}

func (t *tx) policy(id string) (*FailoverPolicy, error) {
	return find[FailoverPolicy](t, PolicyID, TablePolicy, byID, "policyId", id)
}

// ownInterface finds an ENI that its user may change, which those that a service
// holds are not (EC2 User Guide, "Requester-managed network interfaces").
func (t *tx) ownInterface(id string) (*NetworkInterface, error) {
	n, err := t.networkInterface(id)
	if err == nil && n.RequesterManaged {
		return nil, errManaged()
	}
	return n, err
}

// someInterface returns the oldest ENI of which is is true, or nil. It looks at
// all: subnets and groups are deleted so rarely that an index of ENIs by them,
// which every creation would have to keep, is not worth it.
func (t *tx) someInterface(is func(*NetworkInterface) bool) *NetworkInterface {
	for row := range t.Scan(string(TableNetworkInterface), byCreation, "") {
		if n := row.(*NetworkInterface); is(n) {
			return n
		}
	}
	return nil
}

// interfacesOf returns the ENIs of an instance by network card and device
// index, the primary one first.
func (t *tx) interfacesOf(instance string) []*NetworkInterface {
	return list[*NetworkInterface](t, TableNetworkInterface, byDevice, instance)
}
