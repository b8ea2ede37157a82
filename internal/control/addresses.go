package control

import (
	"context"
	"net/netip"
	"slices"
	"time"
)

// Address is an Elastic IP.
type Address struct {
	AllocationID     string // "eipalloc-..."
	Region           string
	PublicIP         netip.Addr
	AssociationID    string // "eipassoc-...", "" if none
	NetworkInterface string
	PrivateIP        netip.Addr
	Tags             Tags
	CreatedAt        time.Time
}

// AssociateAddressInput is AssociateAddress'. PrivateIP "" is the ENI's
// primary address.
type AssociateAddressInput struct {
	Allocation, Interface, PrivateIP string
	AllowReassociation               bool
	// NeedsGateway: refuse it in a VPC without an internet gateway, as EC2
	// does. The laboratory's own calls do not.
	NeedsGateway bool
}

// Address returns one Elastic IP.
func (s *State) Address(allocationID string) *Address {
	return seek[Address](s, TableAddress, byID, allocationID)
}

// Addresses returns every Elastic IP.
func (s *State) Addresses() []*Address { return all[*Address](s, TableAddress, byCreation) }

// AddressesOf returns the Elastic IPs associated with an ENI.
func (s *State) AddressesOf(eni string) []*Address {
	return all[*Address](s, TableAddress, byInterface, eni)
}

// AllocateAddress gives an Elastic IP.
func (s *Service) AllocateAddress(ctx context.Context, tags Tags) (*Address, error) {
	return s.RecoverAddress(ctx, tags, "")
}

// RecoverAddress gives the Elastic IP that was released before, if nobody has it
// since; "" is any.
func (s *Service) RecoverAddress(ctx context.Context, tags Tags, ip string) (*Address, error) {
	return result(ctx, s, func(t *tx) (*Address, error) { return t.allocateAddress(tags, ip) })
}

// AssociateAddress maps an Elastic IP to a private address of an ENI, by
// default the primary one, with or without an internet gateway.
func (s *Service) AssociateAddress(ctx context.Context, allocation, eni, privateIP string, allowReassociation bool) (*Address, error) {
	return s.Associate(ctx, AssociateAddressInput{
		Allocation: allocation, Interface: eni, PrivateIP: privateIP, AllowReassociation: allowReassociation,
	})
}

// Associate is AssociateAddress by EC2's rules.
func (s *Service) Associate(ctx context.Context, in AssociateAddressInput) (*Address, error) {
	return result(ctx, s, func(t *tx) (*Address, error) { return t.associateAddress(in) })
}

// DisassociateAddress ends an association; the Elastic IP stays allocated.
func (s *Service) DisassociateAddress(ctx context.Context, association string) error {
	return s.change(ctx, func(t *tx) error { return t.disassociateAddress(association) })
}

// ReleaseAddress gives an Elastic IP back.
func (s *Service) ReleaseAddress(ctx context.Context, allocation string) error {
	return s.change(ctx, func(t *tx) error { return t.releaseAddress(allocation) })
}

// publicPools are addresses that look public and can belong to nobody, first
// the blocks that RFC 5737 keeps for documentation.
var publicPools = []netip.Prefix{
	netip.MustParsePrefix("203.0.113.0/24"),
	netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"),
	// RFC 2544's block for benchmarks, for whoever needs more than those have.
	netip.MustParsePrefix("198.18.0.0/15"),
}

// allocateAddress gives an Elastic IP: a free one, or the one that want names.
func (t *tx) allocateAddress(tags Tags, want string) (*Address, error) {
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	if err := t.quota(TableAddress, t.region, ""); err != nil {
		return nil, err
	}
	ip, err := t.chooseElastic(want)
	if err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableAddress, AllocationID.Prefix)
	if err != nil {
		return nil, err
	}
	a := &Address{AllocationID: id, Region: t.region, PublicIP: ip, Tags: ownTags(tags), CreatedAt: t.now}
	t.put(TableAddress, a)
	t.emit("address.allocated", id, "publicIp", ip.String())
	return a, nil
}

// chooseElastic finds the address of an allocation. want is one that was
// released before and shall be had again, which somebody else may have by now.
func (t *tx) chooseElastic(want string) (netip.Addr, error) {
	if want == "" {
		ip, ok := t.freePublicIP()
		if !ok {
			return ip, refuse("AddressLimitExceeded", "", "The maximum number of addresses has been reached.")
		}
		return ip, nil
	}
	ip, err := parseIPv4("address", want)
	switch {
	case err != nil:
		return ip, err
	case !slices.ContainsFunc(publicPools, func(p netip.Prefix) bool { return p.Contains(ip) }):
		return ip, refuse("InvalidAddress.NotFound", "address", "Address '%s' not found.", ip) // unverified: the code
	case !t.freePublic(ip):
		return ip, refuse("AuthFailure", "address", "The address '%s' does not belong to you.", ip) // unverified: code and text
	}
	return ip, nil
}

// freePublicIP is the first public address that nobody has; false if there is
// none.
func (t *tx) freePublicIP() (netip.Addr, bool) {
	for _, pool := range publicPools {
		for n := 1; n < 1<<(32-pool.Bits())-1; n++ {
			ip := nth(pool, n)
			if t.freePublic(ip) {
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
func (t *tx) associateAddress(in AssociateAddressInput) (*Address, error) {
	a, err := t.address(in.Allocation)
	if err != nil {
		return nil, err
	}
	n, err := t.ownInterface(in.Interface)
	if err != nil {
		return nil, err
	}
	target := n.PrimaryAddress()
	if in.PrivateIP != "" {
		if target, err = parseIPv4("privateIpAddress", in.PrivateIP); err != nil {
			return nil, err
		}
		if !holds(n, target) {
			return nil, invalid("privateIpAddress", "%s is not mapped to the interface %s", target, n.ID)
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
	if in.NeedsGateway && !t.hasInternetGateway(n.VPC) {
		return nil, errNoGateway(n.VPC)
	}
	if a.AssociationID != "" {
		if !in.AllowReassociation {
			return nil, refuse(codeAlreadyDone, "allocationId",
				"resource %s is already associated with associate-id %s", a.AllocationID, a.AssociationID)
		}
		if t.natOf(a) != nil {
			return nil, errManaged()
		}
	}
	return t.bindAddress(a, n, target)
}

func errNoGateway(vpc string) error {
	return refuse("Gateway.NotAttached", "vpcId", "Network %s is not attached to any internet gateway", vpc)
}

// bindAddress maps an Elastic IP to a private address of an ENI, whatever
// either was mapped to.
func (t *tx) bindAddress(a *Address, n *NetworkInterface, target netip.Addr) (*Address, error) {
	left, from := a.NetworkInterface, a.PrivateIP
	if a.AssociationID != "" {
		a = t.disassociate(a)
	}
	if old := get[*Address](t, TableAddress, byTarget, n.ID, target); old != nil {
		t.disassociate(old)
	}
	if target == n.PrimaryAddress() {
		t.withdrawPublicIP(n)
	}
	id, err := t.mint(AssociationID.Prefix, func(id string) bool { return exists(t, TableAddress, byAssociation, id) })
	if err != nil {
		return nil, err
	}
	c := *a
	c.AssociationID, c.NetworkInterface, c.PrivateIP = id, n.ID, target
	t.put(TableAddress, &c)
	t.emit("address.associated", c.AllocationID, "networkInterface", n.ID, "privateIp", target.String(),
		"publicIp", c.PublicIP.String())
	if left != "" {
		t.givePublicIPBack(left, from)
	}
	return &c, nil
}

// natOf is the NAT gateway that has an Elastic IP, nil if none.
func (t *tx) natOf(a *Address) *NATGateway {
	if a.NetworkInterface == "" {
		return nil
	}
	return get[*NATGateway](t, TableNATGateway, byInterface, a.NetworkInterface)
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
	if t.natOf(a) != nil {
		return errManaged()
	}
	t.disassociate(a)
	t.givePublicIPBack(a.NetworkInterface, a.PrivateIP)
	return nil
}

// releaseAddress gives an Elastic IP back. One that is associated in a default
// VPC is disassociated first, in another VPC it is in use (ReleaseAddress).
func (t *tx) releaseAddress(allocation string) error {
	a, err := t.address(allocation)
	if err != nil {
		return err
	}
	if a.AssociationID != "" {
		n := get[*NetworkInterface](t, TableNetworkInterface, byID, a.NetworkInterface)
		if v := get[*VPC](t, TableVPC, byID, n.VPC); !v.Default || n.RequesterManaged {
			return refuse(codeAddressInUse, "allocationId", "Address %s is in use.", a.PublicIP)
		}
		left, from := a.NetworkInterface, a.PrivateIP
		a = t.disassociate(a)
		defer t.givePublicIPBack(left, from)
	}
	t.remove(TableAddress, a)
	t.emit("address.released", a.AllocationID, "publicIp", a.PublicIP.String())
	return nil
}
