package secgroup

import (
	"net/netip"

	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const self = frame.IPv4(0xc0a8000a) // 192.168.0.10

// seen is one frame at the ENI.
type seen struct {
	dir  conntrack.Direction
	view frame.View
	peer netip.Addr
}

func at(dir conntrack.Direction, proto uint8, peer string) seen {
	a := netip.MustParseAddr(peer)
	remote, _ := frame.IPv4From(a)
	f := seen{dir, frame.View{Kind: frame.KindIPv4, Proto: proto, SrcIP: self, DstIP: remote}, a}
	if a.Is6() {
		f.view = frame.View{Kind: frame.KindIPv6, Proto: proto}
		return f
	}
	if dir == conntrack.Ingress {
		f.view.SrcIP, f.view.DstIP = remote, self
	}
	return f
}

func tcp(dir conntrack.Direction, peer string, port uint16) seen {
	f := at(dir, frame.ProtoTCP, peer)
	f.view.HasL4, f.view.SrcPort, f.view.DstPort = true, 40000, port
	return f
}

func udp(dir conntrack.Direction, peer string, port uint16) seen {
	f := tcp(dir, peer, port)
	f.view.Proto = frame.ProtoUDP
	return f
}

func icmp(dir conntrack.Direction, peer string, typ, code uint8) seen {
	f := at(dir, frame.ProtoICMP, peer)
	f.view.HasL4, f.view.ICMPType, f.view.ICMPCode = true, typ, code
	return f
}

// later is a fragment other than the first.
func later(dir conntrack.Direction, proto uint8, peer string) seen {
	f := at(dir, proto, peer)
	f.view.Fragment = true
	return f
}

func cidr(id verdict.RuleID, proto int16, from, to int32, prefix string) Rule {
	return Rule{ID: id, Proto: proto, From: from, To: to, Prefix: netip.MustParsePrefix(prefix)}
}

func group(id verdict.RuleID, proto int16, from, to int32, ref uint32) Rule {
	return Rule{ID: id, Proto: proto, From: from, To: to, Group: ref}
}

func (p *Program) judge(f seen, peerGroups ...uint32) Decision {
	if ip, v6 := frame.IPv6From(f.peer); v6 {
		return p.Match6(f.dir, &f.view, ip, peerGroups)
	}
	return p.Match(f.dir, &f.view, peerGroups)
}
