package conntrack

import (
	"time"

	"enilab/internal/dataplane/frame"
)

const (
	local  = frame.IPv4(0xc0a8000a) // 192.168.0.10
	remote = frame.IPv4(0xc0a8002a) // 192.168.0.42
	second = int64(time.Second)
)

var aws = DefaultTimeouts()

// seen is one frame at the ENI.
type seen struct {
	dir  Direction
	view frame.View
}

func (f seen) key() Key { return KeyOf(&f.view, f.dir) }

// at returns a frame of n IP bytes between local and remote.
func at(dir Direction, proto uint8) seen {
	f := seen{dir, frame.View{Kind: frame.KindIPv4, Proto: proto, SrcIP: local, DstIP: remote, HasL4: true, L3: 14, End: 14 + 100}}
	if dir == Ingress {
		f.view.SrcIP, f.view.DstIP = remote, local
	}
	return f
}

func (f seen) ports(local, remote uint16) seen {
	f.view.SrcPort, f.view.DstPort = local, remote
	if f.dir == Ingress {
		f.view.SrcPort, f.view.DstPort = remote, local
	}
	return f
}

func tcp(dir Direction, flags uint8) seen {
	f := at(dir, frame.ProtoTCP).ports(40000, 80)
	f.view.TCPFlags = flags
	return f
}

func udp(dir Direction, localPort uint16) seen { return at(dir, frame.ProtoUDP).ports(localPort, 53) }

func icmp(dir Direction, typ, code uint8, id uint16) seen {
	f := at(dir, frame.ProtoICMP)
	f.view.ICMPType, f.view.ICMPCode, f.view.ICMPID = typ, code, id
	return f
}

func (f seen) fragment(first bool, id uint16) seen {
	f.view.Fragment, f.view.FirstFrag, f.view.IPID = true, first, id
	if !first {
		f.view.HasL4 = false
		f.view.SrcPort, f.view.DstPort, f.view.TCPFlags = 0, 0, 0
		f.view.ICMPType, f.view.ICMPCode, f.view.ICMPID = 0, 0, 0
	}
	return f
}

// flow n of many with one remote host.
func nth(n int) seen {
	f := udp(Egress, uint16(n))
	f.view.DstIP += frame.IPv4(n >> 16)
	return f
}

func (t *Table) update(f seen, now int64, gen uint32) *Entry {
	return t.Update(f.key(), &f.view, f.dir, now, &aws, gen)
}

func (t *Table) insert(f seen, now int64, tracked bool, gen uint32) *Entry {
	return t.Insert(f.key(), &f.view, f.dir, now, &aws, 16, tracked, gen)
}
