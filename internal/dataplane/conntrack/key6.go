package conntrack

import (
	"net/netip"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/intern"
)

// Key6 identifies an IPv6 flow as Key does one of IPv4. It is too wide to find a
// connection by: a key of 40 bytes makes an entry two cache lines and an update
// twice as dear, of which IPv4 would pay a part if it shared the code. A table keeps
// each pair of addresses once, gives it a name as long as it has an entry of it, and finds
// the flow by a Key with the name in the addresses' place. So both families share
// entries, limit, expiry and states, IPv4 passes by what is here, and IPv6 pays one more look-up.
type Key6 struct {
	pair
	rest  uint64 // as in Key
	piece uint32 // identification of a first fragment
}

// pair is what a table keeps of a Key6.
type pair struct{ local, remote frame.IPv6 }

// protoFragment is the number of IPv6's fragment header. It stands in a key for the
// protocol of later fragments, since their own next header is that of what follows
// the fragment header of the first, which need not be the datagram's protocol
// (RFC 8200, 4.5).
const protoFragment = 44

// KeyOf6 returns the key of the frame described by v (Kind IPv6), whose bytes are b.
// A later fragment has one of the identification that it shares with its first.
func KeyOf6(v *frame.View, b []byte, dir Direction) Key6 {
	k := Key6{pair: pair{v.SrcIP6(b), v.DstIP6(b)}}
	local, remote := v.SrcPort, v.DstPort
	if dir == Ingress {
		k.local, k.remote = k.remote, k.local
		local, remote = remote, local
	}
	k.rest = keyValid | keyIPv6 | uint64(v.Proto)<<32
	if v.Fragment {
		k.piece = v.FragmentID6(b)
		if !v.FirstFrag {
			k.rest = pieces(k.piece, dir)
			return k
		}
	}
	switch {
	case !v.HasL4:
	case v.Proto == frame.ProtoTCP, v.Proto == frame.ProtoUDP:
		k.rest |= uint64(local)<<16 | uint64(remote)
	case v.Proto == frame.ProtoICMPv6:
		typ, reply, query := icmp6Query(v.ICMPType)
		id := v.ICMPID
		if !query {
			id = uint16(v.ICMPCode)
		}
		if (dir == Ingress) != reply {
			k.rest |= keyRemote
		}
		k.rest |= uint64(typ)<<16 | uint64(id)
	}
	return k
}

// pieces returns the key without addresses of the later fragments of a datagram.
func pieces(id uint32, dir Direction) uint64 {
	rest := keyValid | keyIPv6 | keyFragment | uint64(protoFragment)<<32 | uint64(id)
	if dir == Ingress {
		rest |= keyRemote
	}
	return rest
}

// icmp6Query is icmpQuery of ICMPv6, where echo alone is answered end to end (RFC
// 4443): what neighbours and routers ask each other stays on the link.
func icmp6Query(t uint8) (typ uint8, reply, query bool) {
	switch t {
	case frame.ICMP6EchoRequest:
		return t, false, true
	case frame.ICMP6EchoReply:
		return frame.ICMP6EchoRequest, true, true
	}
	return t, false, false
}

// reply reports whether v, a frame of k's flow, is an ICMP reply.
func (k Key) reply(v *frame.View) (reply bool) {
	if k.IPv6() {
		_, reply, _ = icmp6Query(v.ICMPType)
	} else {
		_, reply, _ = icmpQuery(v.ICMPType)
	}
	return reply
}

// RelatedKey6 is RelatedKey of ICMPv6, where messages of types 1 to 4 are errors
// (RFC 4443); b is the frame that v describes. It refuses what RelatedKey does.
func RelatedKey6(v *frame.View, b []byte, dir Direction) (Key6, bool) {
	q, ok := v.Inner6(b)
	if !ok || q.SrcIP6(b) != v.DstIP6(b) || q.Fragment && !q.FirstFrag {
		return Key6{}, false
	}
	switch q.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		if !q.HasL4 {
			return Key6{}, false
		}
	case frame.ProtoICMPv6:
		if _, _, query := icmp6Query(q.ICMPType); !query || !q.HasL4 {
			return Key6{}, false
		}
	}
	return KeyOf6(&q, b, dir.Reverse()), true
}

// Local returns the address on the ENI's side.
func (k Key6) Local() frame.IPv6 { return k.local }

// Remote returns the address on the far side.
func (k Key6) Remote() frame.IPv6 { return k.remote }

// pair returns the name of an IPv6 key's addresses.
func (k Key) pair() intern.Ref { return intern.Ref(k.Addrs) }

// ends returns a key's addresses, which an entry of t has.
func (t *Table) ends(k Key) (local, remote netip.Addr) {
	if !k.IPv6() {
		return k.Local().Addr(), k.Remote().Addr()
	}
	p, _ := t.pairs.Value(k.pair())
	return p.local.Addr(), p.remote.Addr()
}
