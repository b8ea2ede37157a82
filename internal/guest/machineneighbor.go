package guest

import (
	"net/netip"
	"time"

	"enilab/internal/dataplane/frame"
)

// Neighbor unreachability detection as netstack and Linux do it (RFC 4861, 7.3,
// and its constants in 10): a guest that has talked to a neighbor sends to the MAC
// it knows for 15 to 45 s, then for 5 s more, and then asks.
const (
	baseReachable  = 30 * time.Second
	delayProbe     = 5 * time.Second
	retransTimer   = time.Second
	maxSolicit     = 3
	pendingPackets = 256
)

// neighbor is what a NIC knows of one address of its subnet.
type neighbor struct {
	mac       frame.MAC // 0: not known yet
	confirmed int64     // when it last showed that it is there
	probing   bool      // the delay or the questions of a doubted entry are under way
	asked     int       // questions without an answer
	round     uint64    // of questions; a timer of an earlier one does nothing
	waiting   [][]byte  // frames that wait for the MAC
}

// resolve sends a frame to a neighbor, or keeps it until the neighbor is known.
func (m *Machine) resolve(n *machineNIC, hop netip.Addr, b []byte) {
	e := n.table[hop]
	if e == nil {
		e = &neighbor{}
		n.table[hop] = e
		m.ask(n, hop, e)
	}
	if e.mac == 0 {
		if len(e.waiting) < pendingPackets {
			e.waiting = append(e.waiting, b)
		}
		return
	}
	if !e.probing && m.now()-e.confirmed >= int64(n.reachable) {
		e.probing = true
		e.round++
		round := e.round
		m.after(delayProbe, func() {
			if n.table[hop] == e && e.probing && e.round == round {
				m.ask(n, hop, e)
			}
		})
	}
	e.mac.Put(b)
	m.put(n, b)
}

// ask asks who has an address, up to three times a second apart: everybody, or
// whoever was known to have it.
func (m *Machine) ask(n *machineNIC, hop netip.Addr, e *neighbor) {
	if len(n.at.addrs) == 0 {
		return
	}
	if e.asked == maxSolicit {
		delete(n.table, hop) // what waited is lost; the next packet asks anew
		return
	}
	e.asked++
	e.round++
	round := e.round
	from, _ := frame.IPv4From(n.at.addrs[0])
	to, _ := frame.IPv4From(hop)
	b := frame.AppendARPRequest(nil, n.mac, from, to)
	if e.mac != 0 {
		e.mac.Put(b)
	}
	m.put(n, b)
	m.after(retransTimer, func() {
		if n.table[hop] == e && e.round == round {
			m.ask(n, hop, e)
		}
	})
}

// onARP takes a reply, which overrides what is known (see neighborARP); what was
// never asked for makes no entry.
func (m *Machine) onARP(n *machineNIC, v *frame.View, b []byte) {
	if v.ARPOp == frame.ARPRequest {
		target := v.DstIP.Addr()
		for _, a := range n.at.addrs {
			if a == target {
				m.put(n, frame.AppendARPReply(nil, n.mac, v.DstIP, v.ARPSender(b), v.SrcIP))
			}
		}
		return
	}
	e := n.table[v.SrcIP.Addr()]
	if v.ARPOp != frame.ARPReply || e == nil {
		return
	}
	e.mac = v.ARPSender(b)
	e.confirm(m.now())
	waiting := e.waiting
	e.waiting = nil
	for _, b := range waiting {
		e.mac.Put(b)
		m.put(n, b)
	}
}

func (e *neighbor) confirm(now int64) {
	e.confirmed, e.probing, e.asked = now, false, 0
	e.round++
}

// confirm notes that a peer's TCP went forward by way of what is known (RFC 4861, 7.3.1).
func (m *Machine) confirm(src, dst netip.Addr) {
	n, hop := m.route(src, dst)
	if n == nil {
		return
	}
	if e := n.table[hop]; e != nil && e.mac != 0 {
		e.confirm(m.now())
	}
}
