package nat

import (
	"net/netip"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/intern"
)

// A NAT gateway translates for IPv6 hosts too, to IPv4 destinations, which they name
// by addresses of 64:ff9b::/96 (RFC 6052; Amazon VPC User Guide, "DNS64 and NAT64").
// Outside such a connection is one of IPv4 (RFC 6146) and shares ports, limits
// and times with all others. Inside its key has the host's name, which the table
// gives each host for as long as it has a connection, in the place of an IPv4 address: as
// the outside keys differ in a bit too, what Out and In ask never meets one.
//
// The table says which addresses and ports a datagram gets. Headers of the other
// family (RFC 7915) are written by whoever asks.

// wellKnown is 64:ff9b::/96.
const wellKnown = 0x0064_ff9b << 32

// Embedded returns the IPv4 address in ip, which must be in 64:ff9b::/96.
func Embedded(ip frame.IPv6) (frame.IPv4, bool) {
	return frame.IPv4(ip.Lo), ip.Hi == wellKnown && ip.Lo>>32 == 0
}

// Embed returns the address in 64:ff9b::/96 that stands for ip.
func Embed(ip frame.IPv4) frame.IPv6 { return frame.IPv6{Hi: wellKnown, Lo: uint64(ip)} }

// Out6 is Out of a datagram of IPv6, which v describes and b are the bytes of. It becomes
// one of IPv4 from src and port to dst.
func (t *Table) Out6(v *frame.View, b []byte, now int64) (src, dst frame.IPv4, port uint16, o Outcome) {
	if o := admits6(v); o != Translated {
		return 0, 0, 0, o
	}
	dst, ok := Embedded(v.DstIP6(b))
	if !ok {
		return 0, 0, 0, Unsupported
	}
	if v.Fragment && !v.FirstFrag {
		if t.hosts != nil {
			host, _ := t.hosts.Find(v.SrcIP6(b))
			if e := t.fragments.recall(t.hash, piece6(host, dst, v, b), now); e != nil && e.serial == serial(host) {
				return e.to, dst, 0, Translated
			}
		}
		return 0, 0, 0, NoFirstFragment
	}
	local, remote, proto, ok := ends6(v, v.SrcPort, v.DstPort, frame.ICMP6EchoRequest)
	if !ok {
		return 0, 0, 0, Unsupported
	}
	if t.hosts == nil {
		t.hosts = new(intern.Table[frame.IPv6])
	}
	// Held meanwhile: the connection that ends to make room may be its last.
	host := t.hosts.Hold(v.SrcIP6(b))
	f, o := t.send(keyOf(frame.IPv4(host.Slot()), dst, proto, local, remote).six(), v, now)
	if o == Translated {
		if v.Fragment {
			t.fragments.remember(t.hash, piece6(host, dst, v, b), f.own, serial(host), now)
		}
		src, port = f.own, f.port
	} else {
		dst = 0
	}
	t.hosts.Release(host)
	return src, dst, port, o
}

// In6 is In of a datagram of IPv4 for an IPv6 host, if In has found it no connection. It
// becomes one of IPv6 from src to dst and port.
func (t *Table) In6(v *frame.View, now int64) (src, dst frame.IPv6, port uint16, o Outcome) {
	if o := t.admits(v); o != Translated {
		return src, dst, 0, o
	}
	src = Embed(v.SrcIP)
	k, ok := toLocal(v, echoReply)
	switch {
	case ok && t.hosts != nil:
		if f := t.receive(k.six(), v, now); f != nil {
			host := t.host(f.key)
			if v.Fragment {
				t.fragments.remember(t.hash, fragmentKey(v, in), f.key.local(), serial(host), now)
			}
			dst, _ = t.hosts.Value(host)
			return src, dst, f.key.localPort(), Translated
		}
	case !ok && (v.Proto != frame.ProtoUDP || !v.Fragment):
		return frame.IPv6{}, dst, 0, Unsupported
	case !ok:
		if e := t.fragments.recall(t.hash, fragmentKey(v, in), now); e != nil {
			if dst, ok = t.hosts.Value(intern.Ref(e.serial)<<32 | intern.Ref(e.to)); ok {
				return src, dst, 0, Translated
			}
		}
		return frame.IPv6{}, dst, 0, NoFirstFragment
	}
	return frame.IPv6{}, dst, 0, NoConnection
}

// RelatedOut6 is RelatedOut of an ICMPv6 error from inside, whose bytes are b.
func (t *Table) RelatedOut6(v *frame.View, b []byte, now int64) (ip frame.IPv4, port uint16, ok bool) {
	q, ok := v.Inner6(b)
	if !ok || t.hosts == nil || q.SrcIP6(b) != v.DstIP6(b) {
		return 0, 0, false
	}
	remote, embedded := Embedded(q.SrcIP6(b))
	host, known := t.hosts.Find(q.DstIP6(b))
	localPort, remotePort, proto, ok := ends6(&q, q.DstPort, q.SrcPort, frame.ICMP6EchoReply)
	if !ok || !embedded || !known {
		return 0, 0, false
	}
	i, ok := t.findInside(keyOf(frame.IPv4(host.Slot()), remote, proto, localPort, remotePort).six())
	if !ok || t.flows.at(i).expired(now) {
		return 0, 0, false
	}
	f := t.flows.at(i)
	return f.own, f.port, true
}

// RelatedIn6 is RelatedIn of an ICMP error for an IPv6 host.
func (t *Table) RelatedIn6(v *frame.View, b []byte, now int64) (ip frame.IPv6, port uint16, ok bool) {
	q, ok := v.Inner(b)
	if !ok || t.hosts == nil || q.SrcIP != v.DstIP {
		return ip, 0, false
	}
	k, ok := fromLocal(&q, echoRequest)
	if !ok {
		return ip, 0, false
	}
	i, ok := t.findOutside(k.six())
	if !ok || t.flows.at(i).expired(now) {
		return ip, 0, false
	}
	f := t.flows.at(i)
	ip, ok = t.hosts.Value(t.host(f.key))
	return ip, f.key.localPort(), ok
}

// send finds or opens the connection k of a datagram from inside, which it counts, as
// Out does: that has it in its own body, since a call would be what sharing it costs.
func (t *Table) send(k key, v *frame.View, now int64) (f *flow, o Outcome) {
	i, ok := t.lastOut, true
	if i >= t.flows.n || t.flows.at(i).key != k {
		if i, ok = t.findInside(k); ok {
			t.lastOut = i
		}
	}
	if ok && t.flows.at(i).expired(now) {
		t.end(i)
		ok = false
	}
	if !ok {
		if v.Proto == frame.ProtoTCP && !opens(v.TCPFlags) {
			t.stats.NoConnection++
			return nil, NoConnection
		}
		if i, o = t.open(k, now); o != Translated {
			return nil, o
		}
	}
	f = t.flows.at(i)
	if f.state == TCPClosing && opens(v.TCPFlags) {
		// The port serves the next connection between the same ends.
		f.begin(k, f.own, f.port)
		t.stats.Opened++
	}
	before := f.state
	f.touch(v, out, now, t.idle, t.closing)
	if before == TCPOpening && f.state == TCPEstablished {
		t.stats.Established++
	}
	return f, Translated
}

// receive finds the connection of a datagram from outside, of which k is the outside
// key, and counts it, as In does; nil if there is none.
func (t *Table) receive(k key, v *frame.View, now int64) *flow {
	i, ok := t.lastIn, true
	if i >= t.flows.n || t.flows.at(i).outside() != k {
		if i, ok = t.findOutside(k); !ok {
			return nil
		}
		t.lastIn = i
	}
	f := t.flows.at(i)
	if f.expired(now) {
		t.end(i)
		return nil
	}
	if f.state == TCPClosing && opens(v.TCPFlags) {
		return nil
	}
	f.touch(v, in, now, t.idle, t.closing)
	return f
}

// admits6 is admits of IPv6.
func admits6(v *frame.View) Outcome {
	switch {
	case v.Kind != frame.KindIPv6:
		return Unsupported
	case v.Proto == frame.ProtoUDP:
		return Translated
	case v.Proto != frame.ProtoTCP && v.Proto != frame.ProtoICMPv6:
		return Unsupported
	case v.Fragment:
		return Fragmented
	}
	return Translated
}

// ends6 is ends of a datagram of IPv6, and the protocol that it has outside.
func ends6(v *frame.View, local, remote uint16, echo uint8) (l, r uint16, proto uint8, ok bool) {
	switch v.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		return local, remote, v.Proto, v.HasL4
	case frame.ProtoICMPv6:
		return v.ICMPID, 0, frame.ProtoICMP, v.HasL4 && v.ICMPType == echo
	}
	return 0, 0, 0, false
}

// piece6 is fragmentKey of a datagram of IPv6 from a host inside: with 32 bits of
// identification. Its serial, which e has, tells hosts that had the slot apart.
func piece6(host intern.Ref, dst frame.IPv4, v *frame.View, b []byte) key {
	const from6 = 1 << 41 // no key of fragmentKey
	return key{uint64(host.Slot())<<32 | uint64(dst), keyIPv6 | from6 | uint64(v.FragmentID6(b))}
}

func serial(host intern.Ref) uint32 { return uint32(host >> 32) }

// host returns the name of the IPv6 host in an inside key.
func (t *Table) host(k key) intern.Ref { return t.hosts.Of(uint32(k.local())) }

// insideOf returns the address of a connection's host.
func (t *Table) insideOf(f *flow) netip.Addr {
	if !f.key.ipv6() {
		return f.key.local().Addr()
	}
	ip, _ := t.hosts.Value(t.host(f.key))
	return ip.Addr()
}
