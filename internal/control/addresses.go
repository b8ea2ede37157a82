package control

import "net/netip"

// publicPools are addresses that look public and can belong to nobody, first
// the blocks that RFC 5737 keeps for documentation.
var publicPools = []netip.Prefix{
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	// RFC 2544's block for benchmarks, for whoever needs more than those have.
	netip.MustParsePrefix("198.18.0.0/15"),
}

func (t *tx) allocateAddress(tags Tags) (*Address, error) {
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if err := t.quota(TableAddress, t.region, ""); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableAddress, kindAddress.prefix)
	if err != nil {
		return nil, err
	}
	ip, ok := t.freePublicIP()
	if !ok {
		return nil, refuse("AddressLimitExceeded", "", "The maximum number of addresses has been reached.")
	}
	a := &Address{AllocationID: id, Region: t.region, PublicIP: ip, Tags: ownTags(tags), CreatedAt: t.now}
	t.put(TableAddress, a)
	t.emit("address.allocated", id, "publicIp", ip.String())
	return a, nil
}

// freePublicIP is the first public address that neither an Elastic IP nor an
// ENI has; false if there is none.
func (t *tx) freePublicIP() (netip.Addr, bool) {
	for _, pool := range publicPools {
		for n := 1; n < 1<<(32-pool.Bits())-1; n++ {
			ip := nth(pool, n)
			if !exists(t, TableAddress, byPublicIP, ip) && !exists(t, TableNetworkInterface, byPublicIP, ip) {
				return ip, true
			}
		}
	}
	return netip.Addr{}, false
}

// associateAddress maps an Elastic IP to a private address, by default the
// ENI's primary one. What was mapped there before stays allocated. The ENI may
// be unattached or of a stopped instance, not of a pending one (EC2 API error
// code IncorrectInstanceState).
func (t *tx) associateAddress(allocation, eni, privateIP string, allowReassociation bool) (*Address, error) {
	a, err := t.address(allocation)
	if err != nil {
		return nil, err
	}
	n, err := t.networkInterface(eni)
	if err != nil {
		return nil, err
	}
	target := n.PrimaryAddress()
	if privateIP != "" {
		target, err = netip.ParseAddr(privateIP)
		if err != nil || !holds(n, target) {
			return nil, invalid("privateIpAddress",
				"The private IP address '%s' is not assigned to network interface '%s'.", privateIP, n.ID)
		}
	}
	if a.NetworkInterface == n.ID && a.PrivateIP == target {
		return a, nil
	}
	if n.Attachment != nil {
		if i := get[*Instance](t, TableInstance, byID, n.Attachment.Instance); i.State == InstancePending {
			// EC2's text names a finer state than its API shows.
			return nil, refuse(codeInstanceState, "networkInterfaceId",
				"The pending-instance-creation instance to which '%s' is attached is not in a valid state for this operation", n.ID)
		}
	}
	if a.AssociationID != "" {
		if !allowReassociation {
			return nil, refuse(codeAlreadyDone, "allocationId",
				"resource %s is already associated with associate-id %s", a.AllocationID, a.AssociationID)
		}
		a = t.disassociate(a)
	}
	if old := get[*Address](t, TableAddress, byTarget, n.ID, target); old != nil {
		t.disassociate(old)
	}
	id, err := t.mint(kindAssociation.prefix, func(id string) bool { return exists(t, TableAddress, byAssociation, id) })
	if err != nil {
		return nil, err
	}
	c := *a
	c.AssociationID, c.NetworkInterface, c.PrivateIP = id, n.ID, target
	t.put(TableAddress, &c)
	t.emit("address.associated", c.AllocationID, "networkInterface", n.ID, "privateIp", target.String(),
		"publicIp", c.PublicIP.String())
	return &c, nil
}

func holds(n *NetworkInterface, a netip.Addr) bool {
	for _, p := range n.Addresses {
		if p.Addr == a {
			return true
		}
	}
	return false
}

func (t *tx) disassociate(a *Address) *Address {
	c := *a
	c.AssociationID, c.NetworkInterface, c.PrivateIP = "", "", netip.Addr{}
	t.put(TableAddress, &c)
	t.emit("address.disassociated", c.AllocationID, "networkInterface", a.NetworkInterface,
		"privateIp", a.PrivateIP.String(), "publicIp", c.PublicIP.String())
	return &c
}

func (t *tx) disassociateAddress(association string) error {
	a, err := t.association(association)
	if err != nil {
		return err
	}
	t.disassociate(a)
	return nil
}

func (t *tx) releaseAddress(allocation string) error {
	a, err := t.address(allocation)
	if err != nil {
		return err
	}
	if a.AssociationID != "" {
		return refuse(codeAddressInUse, "allocationId", "Address %s is in use.", a.PublicIP)
	}
	t.remove(TableAddress, a)
	t.emit("address.released", a.AllocationID, "publicIp", a.PublicIP.String())
	return nil
}
