package fis

import (
	"context"
	"net/netip"
	"slices"
	"strconv"

	"enilab/internal/control"
)

// disrupt-connectivity acts as AWS's does: subnets get a copy of their network ACL
// with denials in it, and at the end the one that they had (AWS FIS User Guide,
// "aws:network:disrupt-connectivity"). Traffic within a subnet crosses no ACL and
// goes on.

const (
	scopeAll    = "all"
	scopeZone   = "availability-zone"
	scopeVPC    = "vpc"
	scopeList   = "prefix-list"
	scopeS3     = "s3"
	scopeDynamo = "dynamodb"

	// The tags of the copies: AWS's, and whose they are.
	tagManaged    = "managedByFIS"
	tagExperiment = "enilab:experiment"
)

var anywhere = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

func checkDisrupt(field string, p map[string]string) error {
	scope, list := p["scope"], p["prefixListIdentifier"]
	switch scope {
	case scopeAll, scopeZone, scopeVPC, scopeS3, scopeDynamo:
		if list != "" {
			return wrong(field+".prefixListIdentifier", "it goes with the scope prefix-list only, not with %s", scope)
		}
	case scopeList:
		if list == "" {
			return wrong(field+".prefixListIdentifier", "the scope prefix-list needs the id or the ARN of one")
		}
	default:
		return wrong(field+".scope", "'%s' is not all, availability-zone, vpc, prefix-list, s3 or dynamodb", clip(scope))
	}
	return checkDuration(field, p)
}

// disrupt undoes, if it fails, what it has done until then.
func disrupt(ctx context.Context, d *doing) (e effect, err error) {
	if e.lasts, err = parseDuration("duration", d.action.Parameters["duration"]); err != nil {
		return e, err
	}
	// What a server that ended in the act has left.
	if err := reconnect(ctx, d); err != nil {
		return e, err
	}
	for _, arn := range d.arns {
		if err := d.cut(ctx, idIn(arn)); err != nil {
			_ = reconnect(context.WithoutCancel(ctx), d) // the reason is why it was cut short
			return e, err
		}
	}
	return e, nil
}

// mark is the tag of the copies of an action: which experiment, action and ACL.
func (d *doing) mark() string { return d.x.ID + " " + d.action.Name }

// cut puts a copy of its network ACL with denials before a subnet.
func (d *doing) cut(ctx context.Context, id string) error {
	st := d.svc.State()
	subnet := st.Subnet(id)
	if subnet == nil {
		return &control.Error{Code: "InvalidSubnetID.NotFound", Message: "The subnet ID '" + id + "' does not exist"}
	}
	acl := st.NetworkACLOf(id)
	entries, err := d.denied(st, subnet, acl.Entries)
	if err != nil {
		return err
	}
	copied, err := d.svc.CreateNetworkACL(ctx, subnet.VPC, control.Tags{
		tagManaged: "true", tagExperiment: d.mark(), "Name": "FIS " + d.x.ID, "enilab:instead-of": acl.ID,
	})
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := d.svc.CreateNetworkACLEntry(ctx, entryInput(copied.ID, e)); err != nil {
			return err
		}
	}
	k := slices.IndexFunc(acl.Associations, func(a control.NetworkACLAssociation) bool { return a.Subnet == id })
	_, err = d.svc.ReplaceNetworkACLAssociation(ctx, acl.Associations[k].ID, copied.ID)
	return err
}

// reconnect gives the subnets of an action's copies the network ACL that they had,
// or the VPC's own if that is gone, and deletes the copies.
func reconnect(ctx context.Context, d *doing) error {
	for _, acl := range d.svc.State().NetworkACLs() {
		if acl.Tags[tagExperiment] != d.mark() {
			continue
		}
		back := d.svc.State().NetworkACL(acl.Tags["enilab:instead-of"])
		if back == nil {
			all := d.svc.State().NetworkACLs()
			back = all[slices.IndexFunc(all, func(a *control.NetworkACL) bool { return a.VPC == acl.VPC && a.Default })]
		}
		for _, a := range acl.Associations {
			if _, err := d.svc.ReplaceNetworkACLAssociation(ctx, a.ID, back.ID); err != nil {
				return err
			}
		}
		if err := d.svc.DeleteNetworkACL(ctx, acl.ID); err != nil {
			return err
		}
	}
	return nil
}

// denied are the entries of a copy: denials of the scope before those that there
// were, with numbers from 1. For the VPC's edge no denial comes first, since what
// lies outside is many blocks: the entries that there were are cut to the VPC.
func (d *doing) denied(st *control.State, subnet *control.Subnet, was []control.NetworkACLEntry) ([]control.NetworkACLEntry, error) {
	blocks, err := d.blocks(st, subnet)
	if err != nil {
		return nil, err
	}
	var entries []control.NetworkACLEntry
	for _, egress := range []bool{false, true} {
		number := 1
		add := func(e control.NetworkACLEntry) {
			e.Number, e.Egress = number, egress
			entries, number = append(entries, e), number+1
		}
		for _, b := range blocks {
			add(control.NetworkACLEntry{Protocol: -1, CIDR: b})
		}
		for _, e := range was {
			if e.Egress != egress {
				continue
			}
			if d.action.Parameters["scope"] != scopeVPC || !e.CIDR.Addr().Is4() {
				add(e)
				continue
			}
			for _, c := range vpcCIDRs(st, subnet.VPC) {
				if e.CIDR.Overlaps(c) {
					within := e
					if within.CIDR = c; e.CIDR.Bits() > c.Bits() {
						within.CIDR = e.CIDR
					}
					add(within)
				}
			}
		}
	}
	return entries, nil
}

func vpcCIDRs(st *control.State, id string) (blocks []netip.Prefix) {
	if v := st.VPC(id); v != nil {
		for _, c := range v.CIDRs {
			blocks = append(blocks, c.CIDR)
		}
	}
	return blocks
}

// blocks are what is denied.
func (d *doing) blocks(st *control.State, subnet *control.Subnet) (blocks []netip.Prefix, err error) {
	list := d.action.Parameters["prefixListIdentifier"]
	switch scope := d.action.Parameters["scope"]; scope {
	case scopeAll:
		return []netip.Prefix{anywhere}, nil
	case scopeVPC:
		return nil, nil
	case scopeZone:
		for _, n := range st.Subnets() {
			if n.VPC == subnet.VPC && n.Zone != subnet.Zone {
				blocks = append(blocks, n.CIDR)
			}
		}
		return blocks, nil
	case scopeS3, scopeDynamo:
		for _, l := range st.PrefixLists() {
			if l.AWS && l.Family == "IPv4" && l.Name == "com.amazonaws."+d.x.Region+"."+scope {
				list = l.ID
			}
		}
	}
	l := st.PrefixList(idIn(list))
	if l == nil {
		return nil, &control.Error{Code: "InvalidPrefixListID.NotFound", Message: "The prefix list ID '" + clip(list) + "' does not exist"}
	}
	for _, e := range l.Versions[len(l.Versions)-1] {
		if e.CIDR.Addr().Is4() {
			blocks = append(blocks, e.CIDR)
		}
	}
	return blocks, nil
}

// entryInput is an entry as a call makes it.
func entryInput(acl string, e control.NetworkACLEntry) control.NetworkACLEntryInput {
	in := control.NetworkACLEntryInput{ACL: acl, Number: e.Number, Egress: e.Egress, Action: "deny", Protocol: strconv.Itoa(e.Protocol)}
	if e.Allow {
		in.Action = "allow"
	}
	if e.CIDR.Addr().Is4() {
		in.CIDR = e.CIDR.String()
	} else {
		in.IPv6CIDR = e.CIDR.String()
	}
	switch e.Protocol {
	case 6, 17:
		in.FromPort, in.ToPort = &e.FromPort, &e.ToPort
	case 1, 58:
		in.ICMPType, in.ICMPCode = &e.ICMPType, &e.ICMPCode
	}
	return in
}
