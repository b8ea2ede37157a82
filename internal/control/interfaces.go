package control

import (
	"net/netip"
	"sync"
)

// mostAddresses is what the roomiest instance type takes on one ENI. An ENI
// with more could never be attached to anything.
var mostAddresses = sync.OnceValue(func() int {
	most := 0
	for _, t := range instanceTypes() {
		most = max(most, t.AddressesPerInterface)
	}
	return most
})

func (t *tx) createInterface(in CreateInterfaceInput) (*NetworkInterface, error) {
	sub, err := t.subnet(in.Subnet)
	if err != nil {
		return nil, err
	}
	if len(in.SecondaryIPs) > 0 && in.SecondaryCount != 0 {
		return nil, refuse(codeCombination, "secondaryPrivateIpAddressCount",
			"You may specify secondary addresses or their count, but not both.")
	}
	if in.SecondaryCount < 0 {
		return nil, invalid("secondaryPrivateIpAddressCount",
			"Value (%d) for parameter secondaryPrivateIpAddressCount is invalid.", in.SecondaryCount)
	}
	if 1+len(in.SecondaryIPs) > mostAddresses() || in.SecondaryCount >= mostAddresses() {
		return nil, errAddressLimit()
	}
	groups, err := t.groupsFor(sub.VPC, in.Groups, func(string) error { return errForeignGroup() })
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	wanted := append([]string{in.PrivateIP}, in.SecondaryIPs...)
	addrs, err := t.chooseAddresses(sub, append(wanted, make([]string, in.SecondaryCount)...))
	if err != nil {
		return nil, err
	}
	n, err := t.newInterface(sub, addrs, groups)
	if err != nil {
		return nil, err
	}
	n.Description, n.Tags = in.Description, ownTags(in.Tags)
	t.putInterface(n)
	t.emit("network-interface.created", n.ID, "subnet", sub.ID, "address", n.PrimaryAddress().String())
	return n, nil
}

// chooseAddresses returns an address for each of wanted, the primary one
// first; "" is any free one. Chance chooses last, so that it cannot hit what
// the same request names.
func (t *tx) chooseAddresses(sub *Subnet, wanted []string) ([]PrivateAddress, error) {
	addrs := make([]PrivateAddress, len(wanted))
	addrs[0].Primary = true
	taken := make(map[netip.Addr]bool, len(wanted))
	for k, want := range wanted {
		if want == "" {
			continue
		}
		a, err := t.chooseAddress(sub, want, false)
		if err != nil {
			return nil, err
		}
		if taken[a] {
			return nil, invalid("privateIpAddresses", "Address %s is given more than once.", a)
		}
		taken[a], addrs[k].Addr = true, a
	}
	for k, want := range wanted {
		if want != "" {
			continue
		}
		a, err := t.pickAddress(sub, taken)
		if err != nil {
			return nil, err
		}
		taken[a], addrs[k].Addr = true, a
	}
	return addrs, nil
}

func checkDescription(s string) error {
	if len(s) > maxGroupText {
		return invalid("description", "Descriptions may not exceed %d characters.", maxGroupText)
	}
	return nil
}

// newInterface makes an ENI that is not stored yet.
func (t *tx) newInterface(sub *Subnet, addrs []PrivateAddress, groups []string) (*NetworkInterface, error) {
	if err := t.quota(TableNetworkInterface, sub.Region, ""); err != nil {
		return nil, err
	}
	id, err := t.mintRow(TableNetworkInterface, kindInterface.prefix)
	if err != nil {
		return nil, err
	}
	mac, err := t.mintMAC()
	if err != nil {
		return nil, err
	}
	return &NetworkInterface{
		ID: id, Region: sub.Region, Zone: sub.Zone, VPC: sub.VPC, Subnet: sub.ID, MAC: mac,
		Addresses: addrs, Groups: groups, SourceDestCheck: true, CreatedAt: t.now,
	}, nil
}

// chooseAddress returns want, if the subnet has it to give, or any free
// address if want is "".
func (t *tx) chooseAddress(sub *Subnet, want string, launch bool) (netip.Addr, error) {
	if want == "" {
		return t.pickAddress(sub, nil)
	}
	a, err := parseAddress(want, sub, launch)
	if err != nil {
		return a, err
	}
	if t.holder(sub.VPC, a) != nil {
		if launch {
			return a, refuse(codeAddressInUse, "privateIpAddress", "Address %s is in use.", a)
		}
		return a, refuse(codeAddressInUse, "privateIpAddress", "The specified address is already in use.")
	}
	return a, nil
}

func (t *tx) modifyInterface(in ModifyInterfaceInput) (*NetworkInterface, error) {
	n, err := t.networkInterface(in.ID)
	if err != nil {
		return nil, err
	}
	attachment := in.AttachmentID != "" || in.DeleteOnTermination != nil
	switch one(in.Description != nil) + one(in.Groups != nil) + one(in.SourceDestCheck != nil) + one(attachment) {
	case 0:
		return nil, refuse(codeCombination, "", "No attributes specified.")
	case 1:
	default:
		return nil, refuse(codeCombination, "", "Multiple attributes specified")
	}
	c := *n
	attribute := ""
	switch {
	case in.Description != nil:
		if err := checkDescription(*in.Description); err != nil {
			return nil, err
		}
		attribute, c.Description = "description", *in.Description
	case in.Groups != nil:
		if len(in.Groups) == 0 {
			return nil, refuse(codeMissing, "groups", "The request must contain at least one security group")
		}
		groups, err := t.groupsFor(n.VPC, in.Groups, func(string) error { return errForeignGroup() })
		if err != nil {
			return nil, err
		}
		attribute, c.Groups = "groups", groups
	case in.SourceDestCheck != nil:
		attribute, c.SourceDestCheck = "source-dest-check", *in.SourceDestCheck
	default:
		if in.AttachmentID == "" || in.DeleteOnTermination == nil {
			return nil, refuse(codeMissing, "attachment",
				"The request must contain both attachment.attachmentId and attachment.deleteOnTermination")
		}
		if err := kindAttachment.check("attachmentId", in.AttachmentID); err != nil {
			return nil, err
		}
		if n.Attachment == nil || n.Attachment.ID != in.AttachmentID {
			return nil, kindAttachment.missing("attachmentId", in.AttachmentID)
		}
		a := *n.Attachment
		a.DeleteOnTermination = *in.DeleteOnTermination
		attribute, c.Attachment = "delete-on-termination", &a
	}
	t.putInterface(&c)
	t.emit("network-interface.modified", c.ID, "attribute", attribute)
	return &c, nil
}

func (t *tx) deleteInterface(id string) error {
	n, err := t.networkInterface(id)
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
// stay allocated, its failover policy goes, and a policy that probed from it
// is switched off.
func (t *tx) dropInterface(n *NetworkInterface) {
	for _, a := range list[*Address](t, TableAddress, byInterface, n.ID) {
		t.disassociate(a)
	}
	for _, p := range list[*FailoverPolicy](t, TablePolicy, byInterface, n.ID) {
		t.dropPolicy(p)
	}
	for _, p := range list[*FailoverPolicy](t, TablePolicy, byProbe, n.ID) {
		c := *p
		c.Enabled, c.Probe.From = false, ""
		t.put(TablePolicy, &c)
		t.emit("failover-policy.disabled", c.ID, "reason", "the probing network interface was deleted")
	}
	t.removeInterface(n)
	t.emit("network-interface.deleted", n.ID)
}
