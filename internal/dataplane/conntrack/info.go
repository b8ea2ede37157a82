package conntrack

import (
	"net/netip"
	"time"

	"enilab/internal/dataplane/verdict"
)

// FlowInfo is an entry as a person reads it.
type FlowInfo struct {
	Local, Remote         netip.Addr // both IPv4, or both IPv6
	LocalPort, RemotePort uint16     // TCP and UDP
	ICMPType              uint8      // ICMP and ICMPv6: of the query, or of a message that has no reply
	ICMPID                uint16     // ICMP and ICMPv6: the query's identifier, or the message's code
	Proto                 uint8      // of the later fragments of an IPv6 datagram that of the fragment header, 44
	State                 State
	Tracked               bool
	AdmittedBy            Direction      // of the frame that the rule admitted
	Rule                  verdict.RuleID // that admitted it
	Gen                   uint32         // of the rules that admitted it
	Packets, Bytes        [2]uint64      // by Direction, since it was admitted; bytes of IP
	Expires               time.Duration  // from now, if no frame comes
}

// Each calls fn for every entry that has not expired, in no order. fn must not
// call the table.
func (t *Table) Each(now int64, fn func(FlowInfo)) {
	for number := range uint32(t.n) {
		if e := t.at(number); !e.expired(now) {
			fn(t.info(e, now))
		}
	}
}

func (t *Table) info(e *Entry, now int64) FlowInfo {
	f := FlowInfo{
		Proto:      e.key.Proto(),
		State:      e.state,
		Tracked:    e.Tracked(),
		AdmittedBy: e.AdmittedBy(),
		Rule:       e.rule,
		Gen:        e.gen,
		Packets:    [2]uint64{e.Packets(Egress), e.Packets(Ingress)},
		Bytes:      e.bytes,
		Expires:    time.Duration(e.deadline - now),
	}
	f.Local, f.Remote = t.ends(e.key)
	f.LocalPort, f.RemotePort = e.key.Ports()
	f.ICMPType, f.ICMPID = e.key.ICMP()
	return f
}
