package control

import (
	"context"
	"net/netip"
	"time"

	"enilab/internal/dataplane/frame"
)

// PrivateAddress is one private IPv4 address of an ENI.
type PrivateAddress struct {
	Addr    netip.Addr
	Primary bool
}

// NetworkInterface is an ENI: the durable object that holds addresses, MAC,
// security groups and flags, whether attached or not.
type NetworkInterface struct {
	ID              string // "eni-..."
	Region          string
	Zone            string
	VPC             string
	Subnet          string
	MAC             frame.MAC
	Description     string
	Addresses       []PrivateAddress // primary first
	Groups          []string         // sorted security group ids, at least one
	SourceDestCheck bool
	Tags            Tags
	CreatedAt       time.Time
	// Attachment is nil while the ENI is available.
	Attachment *Attachment
	InterfaceSettings
}

// Status is EC2's status of the ENI: available, or in-use while an attachment
// exists that has not ended, a service holds it or it is the branch of a trunk.
func (n *NetworkInterface) Status() string {
	if (n.Attachment == nil || n.Attachment.State == Detached) && !n.RequesterManaged && n.Type != TypeBranch {
		return "available"
	}
	return "in-use"
}

// PrimaryAddress returns the primary private IPv4 address.
func (n *NetworkInterface) PrimaryAddress() netip.Addr { return n.Addresses[0].Addr }

// CreateInterfaceInput is CreateNetworkInterface's.
type CreateInterfaceInput struct {
	Subnet, Description string
	Type                string // "": TypeInterface
	PrivateIP           string // "": any free one
	SecondaryIPs        []string
	SecondaryCount      int
	Prefixes            []string // /28 each
	PrefixCount         int
	IPv6                []string
	IPv6Count           *int     // nil: one if the subnet assigns IPv6 addresses
	IPv6Prefixes        []string // /80 each
	IPv6PrefixCount     int
	PrimaryIPv6         bool // EnablePrimaryIpv6
	Tracking            ConnectionTracking
	Groups              []string // empty: the VPC's default group
	Tags                Tags
}

// ModifyInterfaceInput is ModifyNetworkInterfaceAttribute's: exactly one
// attribute is set. AttachmentID and DeleteOnTermination are one.
type ModifyInterfaceInput struct {
	ID                  string
	Description         *string
	Groups              []string // not nil: replaces the whole set
	SourceDestCheck     *bool
	AttachmentID        string
	DeleteOnTermination *bool
	Tracking            *ConnectionTracking // 0 in it: the default again
	PrimaryIPv6         *bool
	PublicIP            *bool // AssociatePublicIpAddress
}

// NetworkInterface returns one ENI.
func (s *State) NetworkInterface(id string) *NetworkInterface {
	return seek[NetworkInterface](s, TableNetworkInterface, byID, id)
}

// NetworkInterfaces returns every ENI.
func (s *State) NetworkInterfaces() []*NetworkInterface {
	return all[*NetworkInterface](s, TableNetworkInterface, byCreation)
}

// InterfacesOf returns the ENIs attached to an instance, by network card and
// device index, the primary one first.
func (s *State) InterfacesOf(instance string) []*NetworkInterface {
	return all[*NetworkInterface](s, TableNetworkInterface, byDevice, instance)
}

// InterfaceByAddr returns the ENI that holds a private address in a VPC.
func (s *State) InterfaceByAddr(vpc string, a netip.Addr) *NetworkInterface {
	l := firstIn[*lease](s.db, tableLease, byID, vpc, a)
	if l == nil {
		return nil
	}
	return s.NetworkInterface(l.Interface)
}

// InterfaceByAttachment returns the ENI of an attachment.
func (s *State) InterfaceByAttachment(id string) *NetworkInterface {
	return seek[NetworkInterface](s, TableNetworkInterface, byAttachment, id)
}

// CreateInterface makes an ENI, unattached.
func (s *Service) CreateInterface(ctx context.Context, in CreateInterfaceInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.createInterface(in) })
}

// ModifyInterface changes exactly one attribute of an ENI.
func (s *Service) ModifyInterface(ctx context.Context, in ModifyInterfaceInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.modifyInterface(in) })
}

// DeleteInterface deletes an unattached ENI.
func (s *Service) DeleteInterface(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteInterface(id) })
}

func (t *tx) createInterface(in CreateInterfaceInput) (*NetworkInterface, error) {
	sub, err := t.subnet(in.Subnet)
	if err != nil {
		return nil, err
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	groups, err := t.groupsFor(sub.VPC, in.Groups, func(string) error { return errForeignGroup() })
	if err != nil {
		return nil, err
	}
	return t.newInterface(sub, &in, groups, false)
}

func checkDescription(s string) error {
	if len(s) > maxGroupText {
		return invalid("description", "Descriptions may not exceed %d characters.", maxGroupText)
	}
	return nil
}

// newInterface makes an ENI of what has been checked.
func (t *tx) newInterface(sub *Subnet, in *CreateInterfaceInput, groups []string, launch bool) (*NetworkInterface, error) {
	if err := t.quota(TableNetworkInterface, sub.Region, ""); err != nil {
		return nil, err
	}
	n := &NetworkInterface{
		Region: sub.Region, Zone: sub.Zone, VPC: sub.VPC, Subnet: sub.ID, Description: in.Description,
		Groups: groups, SourceDestCheck: true, Tags: ownTags(in.Tags), CreatedAt: t.now,
		// An ENI keeps what its subnet said when it was made (EC2 User Guide).
		InterfaceSettings: InterfaceSettings{Tracking: in.Tracking, WantsPublicIP: sub.MapPublicIP},
	}
	// What is to be a branch becomes one when it is associated with a trunk.
	if in.Type != TypeInterface && in.Type != TypeBranch {
		n.Type = in.Type
	}
	if err := t.choose(n, sub, in, launch); err != nil {
		return nil, err
	}
	var err error
	if n.ID, err = t.mintRow(TableNetworkInterface, InterfaceID.Prefix); err != nil {
		return nil, err
	}
	if n.MAC, err = t.mintMAC(); err != nil {
		return nil, err
	}
	t.putInterface(n)
	t.emit("network-interface.created", n.ID, "subnet", sub.ID, "address", n.PrimaryAddress().String())
	return n, nil
}

// given counts the attributes that in sets.
func (in *ModifyInterfaceInput) given() int {
	return one(in.Description != nil) + one(in.Groups != nil) + one(in.SourceDestCheck != nil) +
		one(in.AttachmentID != "" || in.DeleteOnTermination != nil) +
		one(in.Tracking != nil) + one(in.PrimaryIPv6 != nil) + one(in.PublicIP != nil)
}

func (t *tx) modifyInterface(in ModifyInterfaceInput) (*NetworkInterface, error) {
	n, err := t.ownInterface(in.ID)
	if err != nil {
		return nil, err
	}
	switch in.given() {
	case 0:
		return nil, refuse(codeCombination, "", "No attributes specified.")
	case 1:
	default:
		return nil, refuse(codeCombination, "", "Multiple attributes specified")
	}
	if in.PublicIP != nil {
		return t.modifyPublicIP(n, *in.PublicIP)
	}
	c := *n
	attribute := ""
	switch {
	case in.Description != nil:
		attribute, c.Description = "description", *in.Description
		err = checkDescription(*in.Description)
	case in.Groups != nil:
		if len(in.Groups) == 0 {
			return nil, refuse(codeMissing, "groups", "The request must contain at least one security group")
		}
		attribute = "groups"
		c.Groups, err = t.groupsFor(n.VPC, in.Groups, func(string) error { return errForeignGroup() })
	case in.SourceDestCheck != nil:
		attribute, c.SourceDestCheck = "source-dest-check", *in.SourceDestCheck
	case in.Tracking != nil:
		attribute, c.Tracking = "connection-tracking", *in.Tracking
		err = in.Tracking.check()
	case in.PrimaryIPv6 != nil:
		attribute = "primary-ipv6"
		switch {
		case *in.PrimaryIPv6 && !n.PrimaryIPv6:
			err = c.fixPrimaryIPv6()
		case !*in.PrimaryIPv6 && n.PrimaryIPv6:
			err = invalid("enablePrimaryIpv6", "The primary IPv6 address of network interface '%s' cannot be disabled.", n.ID) // unverified: code and text
		}
	default:
		attribute = "delete-on-termination"
		c.Attachment, err = n.keepingOrNot(in)
	}
	if err != nil {
		return nil, err
	}
	t.putInterface(&c)
	t.emit("network-interface.modified", c.ID, "attribute", attribute)
	return &c, nil
}

// keepingOrNot is the attachment of n with another DeleteOnTermination.
func (n *NetworkInterface) keepingOrNot(in ModifyInterfaceInput) (*Attachment, error) {
	if in.AttachmentID == "" || in.DeleteOnTermination == nil {
		return nil, refuse(codeMissing, "attachment",
			"The request must contain both attachment.attachmentId and attachment.deleteOnTermination")
	}
	if err := AttachmentID.check("attachmentId", in.AttachmentID); err != nil {
		return nil, err
	}
	if n.Attachment == nil || n.Attachment.ID != in.AttachmentID {
		return nil, AttachmentID.missing("attachmentId", in.AttachmentID)
	}
	a := *n.Attachment
	a.DeleteOnTermination = *in.DeleteOnTermination
	return &a, nil
}

// modifyPublicIP says whether an ENI shall have an auto-assigned public address.
// For the primary one of a running instance that is at once, unless an Elastic
// IP is there.
func (t *tx) modifyPublicIP(n *NetworkInterface, want bool) (*NetworkInterface, error) {
	if n.Attachment != nil && !n.Attachment.Primary() {
		return nil, refuse(codeCombination, "associatePublicIpAddress", // unverified: code and text
			"A public address can be assigned automatically to the primary network interface only.")
	}
	c := *n
	c.WantsPublicIP = want
	t.putInterface(&c)
	t.emit("network-interface.modified", c.ID, "attribute", "associate-public-ip-address")
	switch {
	case !want:
		t.withdrawPublicIP(&c)
	case n.Attachment == nil || get[*Address](t, TableAddress, byTarget, n.ID, n.PrimaryAddress()) != nil:
	default:
		if s := get[*Instance](t, TableInstance, byID, n.Attachment.Instance).State; (s == InstancePending || s == InstanceRunning) && !t.grantPublicIP(&c) {
			return nil, errNoPublicIP()
		}
	}
	return get[*NetworkInterface](t, TableNetworkInterface, byID, n.ID), nil
}

func errNoPublicIP() error {
	return refuse("InsufficientAddressCapacity", "associatePublicIpAddress", "Not enough public addresses are available to satisfy the request.") // unverified: the text
}

func (t *tx) deleteInterface(id string) error {
	n, err := t.ownInterface(id)
	if err != nil {
		return err
	}
	if n.Attachment != nil {
		return errInUse(id)
	}
	t.dropInterface(n)
	return nil
}

// dropInterface deletes an ENI and what cannot be without it: its Elastic IPs
// stay allocated, the failover policy that moves it goes, and a policy that
// probed from it is switched off.
func (t *tx) dropInterface(n *NetworkInterface) {
	for _, a := range list[*Address](t, TableAddress, byInterface, n.ID) {
		t.disassociate(a)
	}
	for _, p := range list[*FailoverPolicy](t, TablePolicy, byInterface, n.ID) {
		if p.Strategy == StrategyENI { // the others have yet to move what it had
			t.dropPolicy(p)
		}
	}
	t.loseProber(n.ID, "network interface")
	for _, p := range list[*InterfacePermission](t, TableInterfacePermission, byInterface, n.ID) {
		t.remove(TableInterfacePermission, p)
	}
	t.leaveTrunks(n)
	t.dropFlowLogs(n.ID)
	t.removeInterface(n)
	t.emit("network-interface.deleted", n.ID)
}
