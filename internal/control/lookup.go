package control

// visible reports whether who sees the regions of scope sees a row.
func visible(scope string, row Row) bool {
	return scope == "" || row.Identity().Region == scope
}

func find[T any](t *tx, k kind, table Table, index, field, id string) (*T, error) {
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
	return find[VPC](t, kindVPC, TableVPC, byID, "vpcId", id)
}

func (t *tx) subnet(id string) (*Subnet, error) {
	return find[Subnet](t, kindSubnet, TableSubnet, byID, "subnetId", id)
}

func (t *tx) instance(id string) (*Instance, error) {
	return find[Instance](t, kindInstance, TableInstance, byID, "instanceId", id)
}

func (t *tx) networkInterface(id string) (*NetworkInterface, error) {
	return find[NetworkInterface](t, kindInterface, TableNetworkInterface, byID, "networkInterfaceId", id)
}

func (t *tx) attachment(id string) (*NetworkInterface, error) {
	return find[NetworkInterface](t, kindAttachment, TableNetworkInterface, byAttachment, "attachmentId", id)
}

func (t *tx) group(id string) (*SecurityGroup, error) {
	return find[SecurityGroup](t, kindGroup, TableSecurityGroup, byID, "groupId", id)
}

func (t *tx) address(id string) (*Address, error) {
	return find[Address](t, kindAddress, TableAddress, byID, "allocationId", id)
}

func (t *tx) association(id string) (*Address, error) {
	return find[Address](t, kindAssociation, TableAddress, byAssociation, "associationId", id)
}

func (t *tx) policy(id string) (*FailoverPolicy, error) {
	return find[FailoverPolicy](t, kindPolicy, TablePolicy, byID, "policyId", id)
}

// interfacesOf returns the ENIs of an instance by device index.
func (t *tx) interfacesOf(instance string) []*NetworkInterface {
	return list[*NetworkInterface](t, TableNetworkInterface, byDevice, instance)
}
