package guest

import (
	"net"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"

	"enilab/internal/dataplane/frame"
)

// machineLease is the client of DHCP of a machine's NIC: what a leaser does in real
// time, as a state machine.
type machineLease struct {
	m *Machine
	n *machineNIC
	c leaser

	assigned []netip.Addr // what control says, of which the NIC has what configured says
	leased   netip.Addr
	held     lease
	over     bool

	asked    *dhcpv4.DHCPv4 // waits for an answer; nil: nothing does
	answered func(*dhcpv4.DHCPv4)
	round    uint64 // of questions; a timer of an earlier one does nothing
}

// lease starts the client of a NIC that has just been plugged, and has no address
// until it has leased it.
func (m *Machine) lease(n *machineNIC) {
	l := &machineLease{m: m, n: n, assigned: n.at.addrs}
	n.at.addrs, n.lease = nil, l
	l.c = leaser{mac: net.HardwareAddr([]byte(n.at.mac)), routerMAC: n.at.routerMAC, xid: func() uint32 {
		m.all.starts++
		return flowID(m.all.seed, m.id, "dhcp "+n.at.vnic, m.all.starts)
	}}
	m.after(0, l.acquire) // behind the Delta that plugs it
}

func (l *machineLease) end() {
	if l != nil {
		l.over = true
	}
}

func (l *machineLease) after(d time.Duration, fn func()) {
	l.m.after(d, func() {
		if !l.over {
			fn()
		}
	})
}

// configured is nic.configured.
func (l *machineLease) configured() []netip.Addr {
	n := nic{assigned: l.assigned, leased: l.leased}
	return n.configured()
}

// apply has the NIC use the addresses that it may, and starts the clients that can
// run now.
func (l *machineLease) apply() {
	l.m.readdress(l.n, l.configured())
	_ = l.m.setWorkloads(l.m.specs) // what is wrong with them was told when they came
}

// acquire is leaser.acquire.
func (l *machineLease) acquire() {
	xid := l.c.xid()
	l.exchange(anyone, l.c.message(dhcpv4.MessageTypeDiscover, xid), firstWait, 0, func(offer *dhcpv4.DHCPv4) {
		offered, ok := leaseOf(offer)
		if !ok {
			l.after(firstWait, l.acquire)
			return
		}
		l.exchange(anyone, l.c.selecting(xid, offered), firstWait, 4*lastWait, func(ack *dhcpv4.DHCPv4) {
			held, ok := acknowledged(ack)
			if !ok {
				l.after(firstWait, l.acquire) // whoever refuses is not asked as fast as it can
				return
			}
			l.held, l.leased, l.n.at.router = held, held.addr.Addr(), held.router
			l.apply()
			l.after(held.renew, l.renew)
		})
	})
}

// acknowledged reads an acknowledgement; false: it is none, or nobody answered.
func acknowledged(ack *dhcpv4.DHCPv4) (lease, bool) {
	if ack == nil || ack.MessageType() != dhcpv4.MessageTypeAck {
		return lease{}, false
	}
	return leaseOf(ack)
}

// renew is one turn of leaser.keep.
func (l *machineLease) renew() {
	was := l.held
	done := func(ack *dhcpv4.DHCPv4) {
		next, ok := acknowledged(ack)
		if !ok || next.addr != was.addr {
			l.leased = netip.Addr{}
			l.apply()
			l.acquire()
			return
		}
		l.held = next
		l.after(next.renew, l.renew)
	}
	server, _ := frame.IPv4From(was.server)
	l.exchange(station{l.c.routerMAC, server}, l.c.renewing(was), shortWait, was.rebind-was.renew, func(ack *dhcpv4.DHCPv4) {
		if ack != nil {
			done(ack)
			return
		}
		l.exchange(anyone, l.c.renewing(was), shortWait, was.end-was.rebind, done)
	})
}

// exchange is leaser.exchange: it sends a message, again and again, until it is
// answered, or until the time is over, which nil says; 0: it never is.
func (l *machineLease) exchange(to station, q *dhcpv4.DHCPv4, wait, most time.Duration, answered func(*dhcpv4.DHCPv4)) {
	l.round++
	round := l.round
	l.asked, l.answered = q, answered
	current := func() bool { return l.round == round && l.asked != nil }
	var again func()
	again = func() {
		if !current() {
			return
		}
		l.m.put(l.n, l.c.frame(to, q))
		l.after(wait, again)
		wait = max(wait, min(2*wait, lastWait))
	}
	if most > 0 {
		l.after(most, func() {
			if current() {
				l.asked = nil
				answered(nil)
			}
		})
	}
	again()
}

// take takes a message for the client.
func (l *machineLease) take(b []byte) {
	if l.over || l.asked == nil {
		return
	}
	if a, ok := l.c.read(l.asked, b); ok {
		answered := l.answered
		l.asked = nil
		answered(a)
	}
}
