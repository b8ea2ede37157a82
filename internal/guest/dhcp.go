package guest

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"enilab/internal/dataplane/frame"
)

// A guest that leases asks for the address of each NIC that it is given, by DHCP
// (RFC 2131), and has none before. As on AWS that is the primary address only;
// secondary ones are configured by something in the guest that asks metadata, as
// amazon-ec2-net-utils does, which here comes with the lease.

const (
	dhcpServerPort = 67
	dhcpClientPort = 68

	// A question is asked again after firstWait, twice as long each time up to
	// lastWait. RFC 2131 begins with four seconds, which is for networks that lose
	// frames.
	firstWait = time.Second
	lastWait  = 8 * time.Second
	// shortWait is how soon a renewal is asked for again at the earliest (RFC 2131,
	// section 4.4.5).
	shortWait = time.Minute

	// leaseBacklog answers wait to be read.
	leaseBacklog = 4
)

// lease is what a server has granted.
type lease struct {
	addr   netip.Prefix // with the length of its subnet
	router netip.Addr
	server netip.Addr

	renew, rebind, end time.Duration // from now
}

// leaseOf reads an offer or an acknowledgement; false: it does not say enough.
func leaseOf(m *dhcpv4.DHCPv4) (l lease, ok bool) {
	addr, ok := netip.AddrFromSlice(m.YourIPAddr.To4())
	bits, size := m.SubnetMask().Size()
	server, served := netip.AddrFromSlice(m.ServerIdentifier().To4())
	if !ok || size != 32 || !served || len(m.Router()) == 0 {
		return lease{}, false
	}
	router, ok := netip.AddrFromSlice(m.Router()[0].To4())
	l = lease{addr: netip.PrefixFrom(addr, bits), router: router, server: server, end: m.IPAddressLeaseTime(0)}
	l.renew, l.rebind = m.IPAddressRenewalTime(l.end/2), m.IPAddressRebindingTime(l.end*7/8)
	return l, ok && !addr.IsUnspecified() && l.end > 0 && l.renew < l.rebind && l.rebind < l.end
}

// leaser is the client of one NIC.
type leaser struct {
	link      *link
	mac       net.HardwareAddr
	routerMAC frame.MAC
	xid       func() uint32           // of the next exchange
	answers   <-chan []byte           // messages for the client, from the link
	bound     func(l lease) (ok bool) // gives the NIC its address; false: the NIC has gone
	lost      func()                  // takes it away again
}

// run leases until ctx ends.
func (c *leaser) run(ctx context.Context) {
	for ctx.Err() == nil {
		l, ok := c.acquire(ctx)
		if !ok || !c.bound(l) {
			sleep(ctx, firstWait) // whoever refuses is not asked as fast as it can
			continue
		}
		c.keep(ctx, l)
		if ctx.Err() == nil {
			c.lost()
		}
	}
}

// acquire asks for a lease until there is one or ctx ends; false also if a server
// has taken back what it offered.
func (c *leaser) acquire(ctx context.Context) (lease, bool) {
	xid := c.xid()
	offer, ok := c.exchange(ctx, anyone, c.message(dhcpv4.MessageTypeDiscover, xid), firstWait, 0)
	if !ok {
		return lease{}, false
	}
	offered, ok := leaseOf(offer)
	if !ok {
		return lease{}, false
	}
	request := c.selecting(xid, offered)
	ack, ok := c.exchange(ctx, anyone, request, firstWait, 4*lastWait)
	if !ok || ack.MessageType() != dhcpv4.MessageTypeAck {
		return lease{}, false
	}
	return leaseOf(ack)
}

// selecting asks for what was offered (RFC 2131, section 4.3.2).
func (c *leaser) selecting(xid uint32, offered lease) *dhcpv4.DHCPv4 {
	return c.message(dhcpv4.MessageTypeRequest, xid,
		dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(offered.addr.Addr().AsSlice())),
		dhcpv4.WithOption(dhcpv4.OptServerIdentifier(offered.server.AsSlice())))
}

// renewing asks for a lease to go on.
func (c *leaser) renewing(l lease) *dhcpv4.DHCPv4 {
	return c.message(dhcpv4.MessageTypeRequest, c.xid(), dhcpv4.WithClientIP(l.addr.Addr().AsSlice()))
}

// keep renews a lease and returns when it is over: refused, run out, or ctx ended.
func (c *leaser) keep(ctx context.Context, l lease) {
	for {
		if !sleep(ctx, l.renew) {
			return
		}
		ask := func(to station, most time.Duration) (*dhcpv4.DHCPv4, bool) {
			return c.exchange(ctx, to, c.renewing(l), shortWait, most)
		}
		server, _ := frame.IPv4From(l.server)
		ack, ok := ask(station{c.routerMAC, server}, l.rebind-l.renew)
		if !ok {
			ack, ok = ask(anyone, l.end-l.rebind)
		}
		if !ok || ack.MessageType() != dhcpv4.MessageTypeAck {
			return
		}
		next, ok := leaseOf(ack)
		if !ok || next.addr != l.addr {
			return
		}
		l = next
	}
}

// station is who a message goes to.
type station struct {
	mac frame.MAC
	ip  frame.IPv4
}

// anyone is whoever hears a broadcast.
var anyone = station{frame.BroadcastMAC, 1<<32 - 1}

// message begins one of the client's.
func (c *leaser) message(kind dhcpv4.MessageType, xid uint32, more ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	m := &dhcpv4.DHCPv4{OpCode: dhcpv4.OpcodeBootRequest, HWType: 1, ClientHWAddr: c.mac, Options: dhcpv4.Options{}}
	m.TransactionID = dhcpv4.TransactionID{byte(xid >> 24), byte(xid >> 16), byte(xid >> 8), byte(xid)}
	for _, change := range append([]dhcpv4.Modifier{
		dhcpv4.WithMessageType(kind),
		dhcpv4.WithRequestedOptions(dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionHostName,
			dhcpv4.OptionDomainName, dhcpv4.OptionInterfaceMTU, dhcpv4.OptionBroadcastAddress, dhcpv4.OptionNTPServers),
	}, more...) {
		change(m)
	}
	return m
}

// exchange sends a message, again and again, until it is answered, ctx ends, or
// the time is over; 0: it never is.
func (c *leaser) exchange(ctx context.Context, to station, m *dhcpv4.DHCPv4, wait, most time.Duration) (*dhcpv4.DHCPv4, bool) {
	if most > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, most)
		defer cancel()
	}
	for ctx.Err() == nil {
		c.send(to, m)
		again := time.NewTimer(wait)
		a, ok := c.answer(ctx, m, again.C)
		again.Stop()
		if ok {
			return a, true
		}
		wait = max(wait, min(2*wait, lastWait))
	}
	return nil, false
}

func (c *leaser) send(to station, m *dhcpv4.DHCPv4) { c.link.send([][]byte{c.frame(to, m)}) }

func (c *leaser) frame(to station, m *dhcpv4.DHCPv4) []byte {
	h := frame.Header{Dst: to.mac, Src: frame.MACAt(c.mac), DstIP: to.ip}
	if ip := m.ClientIPAddr.To4(); ip != nil {
		h.SrcIP = frame.IPv4At(ip)
	}
	return frame.AppendUDP(nil, h, dhcpClientPort, dhcpServerPort, m.ToBytes())
}

// answer waits for the answer to m until the time is over.
func (c *leaser) answer(ctx context.Context, m *dhcpv4.DHCPv4, over <-chan time.Time) (*dhcpv4.DHCPv4, bool) {
	for {
		select {
		case <-ctx.Done():
			return nil, false
		case <-over:
			return nil, false
		case b := <-c.answers:
			if a, ok := c.read(m, b); ok {
				return a, true
			}
		}
	}
}

// read takes a message for an answer to m if it is one.
func (c *leaser) read(m *dhcpv4.DHCPv4, b []byte) (a *dhcpv4.DHCPv4, ok bool) {
	a, err := dhcpv4.FromBytes(b)
	if err != nil || a.OpCode != dhcpv4.OpcodeBootReply || a.TransactionID != m.TransactionID || !slices.Equal(a.ClientHWAddr, c.mac) {
		return nil, false
	}
	kind := a.MessageType()
	return a, kind == dhcpv4.MessageTypeOffer && m.MessageType() == dhcpv4.MessageTypeDiscover ||
		m.MessageType() == dhcpv4.MessageTypeRequest && (kind == dhcpv4.MessageTypeAck || kind == dhcpv4.MessageTypeNak)
}

// sleep reports whether the time has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// forLeaser reports whether a frame is a message for a client of DHCP, and returns
// the message.
func forLeaser(b []byte) ([]byte, bool) {
	const protoAt = frame.EthernetLen + 9
	if len(b) <= protoAt || b[protoAt] != frame.ProtoUDP {
		return nil, false
	}
	var v frame.View
	if v.Parse(b) != frame.KindIPv4 || !v.HasL4 || v.Fragment || v.DstPort != dhcpClientPort || v.SrcPort != dhcpServerPort {
		return nil, false
	}
	return b[v.Payload:v.End], true
}

// lease starts the client of a NIC that has just been plugged. Its host's mutex is
// held.
func (h *Host) lease(n *nic) {
	ctx, cancel := context.WithCancel(context.Background())
	n.unlease = cancel
	mac := net.HardwareAddr([]byte(n.at.mac))
	answers := make(chan []byte, leaseBacklog)
	n.link.leases.Store(&answers)
	c := &leaser{
		link: n.link, mac: mac, routerMAC: n.at.routerMAC, answers: answers,
		xid: func() uint32 { return h.env.flowID(h.id, "dhcp "+n.at.vnic) },
	}
	// The NIC's addresses change as by a Delta, and never at the same time.
	change := func(addrs func() []netip.Addr) (ok bool) {
		h.env.alone(func() {
			if ctx.Err() != nil {
				return
			}
			ok = h.readdress(n, addrs) == nil
		})
		return ok
	}
	c.bound = func(l lease) bool {
		return change(func() []netip.Addr {
			n.leased = l.addr.Addr()
			n.at.router = l.router
			return n.configured()
		})
	}
	c.lost = func() {
		change(func() []netip.Addr { n.leased = netip.Addr{}; return nil })
	}
	h.env.spawn(func() { c.run(ctx) })
}

// readdress gives a NIC other addresses and starts the workloads that can run now.
func (h *Host) readdress(n *nic, addrs func() []netip.Addr) error {
	h.mu.Lock()
	err := n.setAddrs(addrs())
	h.stack.SetRouteTable(routes(h.nics))
	specs := h.workloads
	h.mu.Unlock()
	if err != nil {
		return err
	}
	return h.setWorkloads(specs)
}
