package control

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"enilab/internal/dataplane/frame"
)

// StaleInterface is what a forced detach leaves of an ENI on the instance that
// it was taken from, where the timing says so: the device index cannot be used
// and the metadata shows the ENI as it was then, until the instance is stopped
// and started (EC2 API Reference, DetachNetworkInterface, Force). The EC2 API
// does not list the ENI there any more.
type StaleInterface struct {
	NetworkInterface string // "eni-..."
	Attachment       string // the one that was forced off
	DeviceIndex      int
	Since            time.Time

	// As the guest last saw it. Groups and subnet may be deleted meanwhile, so
	// that their names and blocks are kept too.
	MAC        frame.MAC
	Card       int          // of the device
	Addresses  []netip.Addr // primary first
	IPv6       []netip.Addr
	Prefixes   []netip.Prefix // of both families
	Public     []PublicMapping
	Groups     []GroupName
	Subnet     string
	SubnetCIDR netip.Prefix
	SubnetIPv6 []netip.Prefix
}

// PublicMapping is a private address and the public one that is mapped to it.
type PublicMapping struct{ Private, Public netip.Addr }

// GroupName is a security group's id and name.
type GroupName struct{ ID, Name string }

// StaleInterfaces are those of i that its metadata still shows, by device
// index: an ENI that came back is not stale.
func (s *State) StaleInterfaces(i *Instance) []StaleInterface {
	if len(i.Stale) == 0 {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(i.Stale), func(o StaleInterface) bool {
		n := s.NetworkInterface(o.NetworkInterface)
		return n != nil && n.Attachment != nil && n.Attachment.Instance == i.ID && n.Attachment.State != Detaching
	})
}

// forceOff notes what is left of n on the instance that it is being forced off.
// A guest that is switched off has no device to be left with.
func (t *tx) forceOff(n *NetworkInterface) {
	a := n.Attachment
	i := get[*Instance](t, TableInstance, byID, a.Instance)
	if !t.timing.StaleAfterForce || i.State != InstancePending && i.State != InstanceRunning || i.stale(device{a.NetworkCard, a.DeviceIndex}) {
		return
	}
	sub := get[*Subnet](t, TableSubnet, byID, n.Subnet)
	left := StaleInterface{
		NetworkInterface: n.ID, Attachment: a.ID, DeviceIndex: a.DeviceIndex, Since: t.now,
		MAC: n.MAC, Card: a.NetworkCard, Subnet: n.Subnet, SubnetCIDR: sub.CIDR,
		Prefixes: slices.Concat(n.Prefixes, n.IPv6Prefixes),
	}
	for _, c := range sub.IPv6CIDRs {
		left.SubnetIPv6 = append(left.SubnetIPv6, c.CIDR)
	}
	for _, p := range n.IPv6 {
		left.IPv6 = append(left.IPv6, p.Addr)
	}
	for _, g := range n.Groups {
		left.Groups = append(left.Groups, GroupName{g, get[*SecurityGroup](t, TableSecurityGroup, byID, g).Name})
	}
	for _, p := range n.Addresses {
		left.Addresses = append(left.Addresses, p.Addr)
		if e := get[*Address](t, TableAddress, byTarget, n.ID, p.Addr); e != nil {
			left.Public = append(left.Public, PublicMapping{p.Addr, e.PublicIP})
		} else if p.Primary && n.PublicIP.IsValid() {
			left.Public = append(left.Public, PublicMapping{p.Addr, n.PublicIP})
		}
	}
	c := *i
	c.Stale = append(slices.Clone(i.Stale), left)
	slices.SortFunc(c.Stale, func(a, b StaleInterface) int {
		return cmp.Or(a.Card-b.Card, a.DeviceIndex-b.DeviceIndex)
	})
	t.put(TableInstance, &c)
	t.emit("instance.device-index-stale", i.ID, "networkInterface", n.ID, "attachment", a.ID,
		"deviceIndex", strconv.Itoa(a.DeviceIndex))
}

// stale reports whether a forced detach has left a place unusable.
func (i *Instance) stale(at device) bool {
	return slices.ContainsFunc(i.Stale, func(o StaleInterface) bool { return at == device{o.Card, o.DeviceIndex} })
}
