package control

import (
	"encoding/binary"
	"net/netip"
)

// Auto-assigned public addresses (EC2 User Guide, "Public IPv4 addresses"): the
// primary ENI of an instance gets one at launch and at each start, if it is to
// have one and is the only ENI, and loses it at stop, at termination, and while
// an Elastic IP is on its primary address.

// primaryOf returns the primary ENI of an instance, nil if it has none.
func (t *tx) primaryOf(instance string) *NetworkInterface {
	for _, n := range t.interfacesOf(instance) {
		if n.Attachment.Primary() {
			return n
		}
	}
	return nil
}

// welcome gives the instance that starts a public address if it is due one. A
// region out of addresses starts it without.
func (t *tx) welcome(instance string) {
	attached := t.interfacesOf(instance)
	if len(attached) == 1 && !exists(t, TableAddress, byInterface, attached[0].ID) {
		t.grantPublicIP(attached[0])
	}
}

// grantPublicIP gives a primary ENI a public address if it is to have one, and
// reports whether it has what it should have.
func (t *tx) grantPublicIP(n *NetworkInterface) bool {
	if !n.WantsPublicIP || n.PublicIP.IsValid() {
		return true
	}
	ip, ok := t.randomPublicIP()
	if !ok {
		return false
	}
	c := *n
	c.PublicIP = ip
	t.putInterface(&c)
	t.emit("network-interface.public-address-assigned", c.ID, "publicIp", ip.String(), "instance", n.Attachment.Instance)
	return true
}

// withdrawPublicIP takes an ENI's auto-assigned address away, if it has one.
func (t *tx) withdrawPublicIP(n *NetworkInterface) {
	if n == nil || !n.PublicIP.IsValid() {
		return
	}
	c := *n
	c.PublicIP = netip.Addr{}
	t.putInterface(&c)
	t.emit("network-interface.public-address-released", c.ID, "publicIp", n.PublicIP.String())
}

// givePublicIPBack looks again at the public address of an ENI from whose
// private address an Elastic IP has gone.
func (t *tx) givePublicIPBack(eni string, private netip.Addr) {
	n := get[*NetworkInterface](t, TableNetworkInterface, byID, eni)
	if n == nil || n.RequesterManaged || n.PrimaryAddress() != private || n.Attachment == nil || !n.Attachment.Primary() {
		return
	}
	switch get[*Instance](t, TableInstance, byID, n.Attachment.Instance).State {
	case InstancePending, InstanceRunning:
		t.welcome(n.Attachment.Instance)
	}
}

// randomPublicIP is a public address by chance: an instance that stops and
// starts does not come back to its old one. The pool of Elastic IPs is small
// enough to be tried in order when chance fails.
func (t *tx) randomPublicIP() (netip.Addr, bool) {
	var b [4]byte
	for range randomTries {
		t.random(b[:])
		n := binary.BigEndian.Uint32(b[:])
		pool := publicPools[n%uint32(len(publicPools)-1)]
		if ip := nth(pool, 1+int(n>>8)%(1<<(32-pool.Bits())-2)); t.freePublic(ip) {
			return ip, true
		}
	}
	return t.freePublicIP()
}

// freePublic reports whether no Elastic IP, ENI or internet host has an address.
func (t *tx) freePublic(ip netip.Addr) bool {
	return !exists(t, TableAddress, byPublicIP, ip) && !exists(t, TableNetworkInterface, byPublicIP, ip) &&
		!exists(t, TableInternetHost, byPublicIP, ip)
}
