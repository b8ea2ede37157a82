package nat

import (
	"encoding/binary"
	"testing"

	"enilab/internal/dataplane/frame"
)

func TestEmbedded(t *testing.T) {
	ip := Embed(server)
	if ip.String() != "64:ff9b::c633:6401" {
		t.Errorf("%v stands for %v", ip, server)
	}
	if got, ok := Embedded(ip); !ok || got != server {
		t.Errorf("%v, %v", got, ok)
	}
	for _, other := range []frame.IPv6{host6(server), {Hi: wellKnown, Lo: 1<<32 | uint64(server)}, {Hi: wellKnown + 1, Lo: uint64(server)}} {
		if got, ok := Embedded(other); ok {
			t.Errorf("%v stands for %v", other, got)
		}
	}
}

func TestNAT64Refuses(t *testing.T) {
	for _, c := range []struct {
		name string
		v    frame.View
		do   func(v *frame.View, b []byte)
		want Outcome
	}{
		{"to an IPv6 host", udp(client, 1, server, 53), func(v *frame.View, b []byte) { host6(server).Put(b[v.L3+24:]) }, Unsupported},
		{"IPv4", udp(client, 1, server, 53), func(v *frame.View, _ []byte) { v.Kind = frame.KindIPv4 }, Unsupported},
		{"GRE", datagram(47, client, server, 0, 0), nil, Unsupported},
		{"an echo reply", icmp(0, client, server, 1), nil, Unsupported},
		{"an error", icmp(3, client, server, 0), nil, Unsupported},
		{"a fragment of TCP", piece(tcp(client, 1, server, 80, syn), true, 1), nil, Fragmented},
		{"a later fragment of nothing", piece(udp(client, 1, server, 53), false, 1), nil, NoFirstFragment},
		{"a segment out of the blue", tcp(client, 1, server, 80, ack), nil, NoConnection},
	} {
		table := one()
		v, b := over6(c.v)
		if c.do != nil {
			c.do(&v, b)
		}
		if src, dst, port, o := table.Out6(&v, b, 0); o != c.want || src != 0 || dst != 0 || port != 0 {
			t.Errorf("%s is %v from %v:%d to %v, want %v", c.name, o, src, port, dst, c.want)
		}
		table.check(t)
	}
}

// A destination's ports are those of both families together, and none is given twice.
func TestPortsAreOfBothFamilies(t *testing.T) {
	table := one()
	taken := map[uint16]bool{}
	for n := range PerDestination {
		v := udp(client+frame.IPv4(n>>12), uint16(n&0xfff), server, 53)
		_, port, o := table.leave(t, &v, n%2 == 1, 0)
		if o != Translated || taken[port] {
			t.Fatalf("connection %d is %v by port %d, taken before: %v", n, o, port, taken[port])
		}
		taken[port] = true
	}
	v := udp(client, 0xffff, server, 53)
	for _, six := range []bool{false, true} {
		if _, _, o := table.leave(t, &v, six, 0); o != NoPort {
			t.Errorf("beyond all ports, IPv6 %v: %v", six, o)
		}
	}
	// Those whose time is over make room for the other family.
	for _, six := range []bool{true, false} {
		if _, _, o := table.leave(t, &v, six, int64(DefaultIdle)); o != Translated {
			t.Errorf("when all have ended, IPv6 %v: %v", six, o)
		}
	}
	if table.check(t); table.Expire(int64(DefaultIdle)*2, 1<<20) == 0 || table.hosts.Len() != 0 {
		t.Errorf("an empty table knows %d hosts", table.hosts.Len())
	}
}

func TestNAT64Related(t *testing.T) {
	for _, ask := range []frame.View{udp(client, 40000, server, 53), tcp(client, 40000, server, 80, syn), icmp(8, client, server, 7)} {
		table := one()
		own, port, _ := table.leave(t, &ask, true, 0)
		local, back := ask.SrcPort, frame.View{}
		h := frame.Header{Src: 2, Dst: 4, SrcIP: own, DstIP: server}
		var out []byte
		switch ask.Proto {
		case frame.ProtoICMP:
			out, back, local = frame.AppendICMPEcho(nil, h, false, port, 1, nil), icmp(0, server, client, 7), ask.ICMPID
		case frame.ProtoUDP:
			out, back = frame.AppendUDP(nil, h, port, 53, nil), udp(server, 53, client, 40000)
		default:
			out, back = frame.AppendTCP(nil, h, frame.Segment{SrcPort: port, DstPort: 80, Flags: syn}, nil), tcp(server, 80, client, 40000, ack)
		}

		// From outside, about what went out.
		e := frame.AppendICMP(nil, frame.Header{Src: 4, Dst: 2, SrcIP: server + 9, DstIP: own}, 3, 1, 0, out[14:])
		var v frame.View
		v.Parse(e)
		if ip, p, ok := table.RelatedIn6(&v, e, second); !ok || ip != host6(client) || p != local {
			t.Errorf("protocol %d: from outside about %v, port %d, %v", ask.Proto, ip, p, ok)
		}
		if ip, p, ok := table.RelatedIn(&v, e, second); ok {
			t.Errorf("protocol %d: an error about an IPv6 host's connection goes to %v, port %d", ask.Proto, ip, p)
		}
		if _, _, ok := table.RelatedIn6(&v, e, int64(DefaultIdle)); ok {
			t.Errorf("protocol %d: about a connection that has ended", ask.Proto)
		}

		// From inside, about what came in.
		e6 := quoting(back)
		v.Parse(e6)
		if ip, p, ok := table.RelatedOut6(&v, e6, second); !ok || ip != own || p != port {
			t.Errorf("protocol %d: from inside about %v, port %d, %v", ask.Proto, ip, p, ok)
		}
		host6(client + 1).Put(e6[v.L3+8+frame.IPv6Len+frame.ICMPLen+16:]) // another host's
		if ip, _, ok := table.RelatedOut6(&v, e6, second); ok {
			t.Errorf("protocol %d: about a host without connections, of %v", ask.Proto, ip)
		}
		if _, _, ok := table.RelatedOut6(&v, quoting(back), int64(DefaultIdle)); ok {
			t.Errorf("protocol %d: about a connection that has ended, from inside", ask.Proto)
		}
	}
}

// quoting returns an ICMPv6 error of the receiver about v, which came in for it.
func quoting(v frame.View) []byte {
	swapped := v
	swapped.SrcIP, swapped.DstIP = v.DstIP, v.SrcIP
	six, inner := over6(swapped) // from host6 of the receiver to what stands for the sender
	h := inner[six.L3:]
	host6(v.DstIP).Put(h[24:])
	Embed(v.SrcIP).Put(h[8:])
	binary.BigEndian.PutUint16(h[4:], six.End-six.L3-frame.IPv6Len)
	l4 := inner[six.L4:]
	if six.Proto == frame.ProtoICMPv6 {
		l4[0] = six.ICMPType
		binary.BigEndian.PutUint16(l4[4:], six.ICMPID)
	} else {
		binary.BigEndian.PutUint16(l4, v.SrcPort)
		binary.BigEndian.PutUint16(l4[2:], v.DstPort)
	}
	b := frame.AppendEthernet(nil, 2, 4, frame.EtherTypeIPv6)
	e := make([]byte, frame.IPv6Len+frame.ICMPLen)
	e[0], e[6], e[frame.IPv6Len] = 0x60, frame.ProtoICMPv6, frame.ICMP6TimeExceeded
	binary.BigEndian.PutUint16(e[4:], uint16(frame.ICMPLen+len(h)))
	host6(v.DstIP).Put(e[8:])
	Embed(v.SrcIP).Put(e[24:])
	return append(append(b, e...), h...)
}

func TestNAT64SteadyStateDoesNotAllocate(t *testing.T) {
	const flows = 1000
	table := one()
	now, next := int64(0), uint64(0)
	v, b := over6(piece(udp(client, 1, server, 53), true, 1))
	later, rest := over6(piece(udp(client, 1, server, 53), false, 1))
	step := func() { // each host has one connection
		now += int64(DefaultIdle) / flows
		host := frame.IPv6{Hi: next, Lo: 7}
		host.Put(b[v.L3+8:])
		host.Put(rest[v.L3+8:])
		own, _, port, o := table.Out6(&v, b, now)
		answer := udp(server, 53, own, port)
		_, dst, p, back := table.In6(&answer, now)
		_, _, _, behind := table.Out6(&later, rest, now)
		if o != Translated || back != Translated || behind != Translated || dst != host || p != 1 {
			t.Fatalf("%v, %v to %v, port %d, %v", o, back, dst, p, behind)
		}
		table.Expire(now, 8)
		next++
	}
	for range 8 * flows {
		step()
	}
	if n := testing.AllocsPerRun(2*flows, step); n != 0 {
		t.Errorf("%v allocations a connection", n)
	}
	if table.check(t); table.Len() < flows || table.Len() > flows+flows/4 {
		t.Errorf("%d connections, want about %d", table.Len(), flows)
	}
}

// Any IPv6 frame: what goes out comes back to who sent it, and leaves the table whole.
func FuzzOut6(f *testing.F) {
	for _, v := range []frame.View{udp(client, 1, server, 53), piece(udp(client, 1, server, 53), true, 3), piece(udp(client, 1, server, 53), false, 3), icmp(8, client, server, 7)} {
		six, b := over6(v)
		b[12], b[13] = 0x86, 0xdd
		b[six.L3+5] = uint8(six.End - six.L3 - frame.IPv6Len)
		l4 := b[six.L4:]
		if six.Proto == frame.ProtoUDP {
			l4[3], l4[5] = 53, uint8(len(l4))
		} else {
			l4[0] = 128
		}
		f.Add(b)
	}
	f.Add(quoting(udp(server, 53, client, 1)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var v frame.View
		if v.Parse(b) != frame.KindIPv6 {
			return
		}
		table := one()
		table.RelatedOut6(&v, b, 0)
		own, dst, port, o := table.Out6(&v, b, 0)
		if table.check(t); o != Translated {
			return
		}
		answer := datagram(v.Proto, dst, own, v.DstPort, port)
		if v.Proto == frame.ProtoTCP {
			answer.TCPFlags = syn | ack
		} else if v.Proto == frame.ProtoICMPv6 {
			answer = icmp(0, dst, own, port)
		}
		src, host, p, back := table.In6(&answer, 1)
		if back != Translated || src != v.DstIP6(b) || host != v.SrcIP6(b) || p != v.SrcPort+v.ICMPID {
			t.Fatalf("the answer to %x is %v, from %v to %v, port %d", b, back, src, host, p)
		}
		if _, _, o := table.In(&answer, 1); o != NoConnection {
			t.Fatalf("an IPv6 host's connection is %v to an IPv4 host", o)
		}
		table.Flows(1, func(f Flow) {
			if f.Inside != host.Addr() || f.Outside != own || f.Remote != dst {
				t.Fatalf("listed %+v", f)
			}
		})
	})
}

// Later fragments follow their first, both ways, and never that of another host: not
// of an IPv4 host that asks for the same, nor of one that has come in its place.
func TestNAT64Fragments(t *testing.T) {
	table := New(Config{Addresses: []frame.IPv4{gateway}, Idle: 1, Seed: 1})
	first, later := piece(udp(client, 1, server, 53), true, 9), piece(udp(client, 1, server, 53), false, 9)
	own, port, o := table.leave(t, &first, true, 0)
	if o != Translated {
		t.Fatal(o)
	}
	if _, _, o := table.leave(t, &later, false, 0); o != NoFirstFragment {
		t.Errorf("an IPv4 host's fragment is %v", o)
	}
	if ip, _, o := table.leave(t, &later, true, 0); o != Translated || ip != own {
		t.Errorf("a later fragment is %v from %v", o, ip)
	}
	answer, rest := piece(udp(server, 53, own, port), true, 4), piece(udp(server, 53, own, port), false, 4)
	if ip, p, o := table.enter(t, &answer, 0); o != Translated || ip != host6(client).Addr() || p != 1 {
		t.Errorf("an answer is %v to %v, port %d", o, ip, p)
	}
	if ip, _, o := table.enter(t, &rest, 0); o != Translated || ip != host6(client).Addr() {
		t.Errorf("the rest of it is %v to %v", o, ip)
	}

	// The host's only connection ends, and another host gets its slot.
	table.Expire(1, 10)
	v := udp(client+1, 1, server, 99)
	table.leave(t, &v, true, 1)
	if host, ok := table.hosts.Find(host6(client + 1)); !ok || host.Slot() != 0 {
		t.Fatalf("the next host is %x", host)
	}
	stranger := piece(udp(client+1, 1, server, 53), false, 9)
	if _, _, o := table.leave(t, &stranger, true, 1); o != NoFirstFragment {
		t.Errorf("a fragment of a host that took another's place is %v", o)
	}
	if ip, _, o := table.enter(t, &rest, 1); o != NoFirstFragment {
		t.Errorf("a fragment for a host that has gone is %v to %v", o, ip)
	}
}
