package tap

import (
	"net/netip"
	"strconv"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Why is what decided about a frame at a tap point beside the rule: references
// that a writer resolves to names, so that workers copy numbers only.
type Why struct {
	Route  verdict.RuleID // of the sender's route table
	Onward verdict.RuleID // of the table of a gateway on the way
	Via    verdict.RuleID // what the routes lead through: a gateway, a peering connection, an ENI
	Leaves verdict.RuleID // the internet gateway or gateway endpoint that the frame leaves by
	Enters verdict.RuleID // the internet gateway that it comes in by
	Entry  verdict.RuleID // of the network ACL of the subnet that it leaves or enters
	// Was and Now are the frame's ends before and after a gateway translated them.
	Was, Now Ends
}

// Ends are the addresses and ports of a frame's two ends; ports are 0 where there
// are none.
type Ends struct {
	Src, Dst         frame.IPv4
	SrcPort, DstPort uint16
}

// EndsOf returns the ends of an IPv4 frame. Ports are those of UDP and TCP.
func EndsOf(v *frame.View) Ends {
	e := Ends{Src: v.SrcIP, Dst: v.DstIP}
	if v.HasL4 && (v.Proto == frame.ProtoUDP || v.Proto == frame.ProtoTCP) {
		e.SrcPort, e.DstPort = v.SrcPort, v.DstPort
	}
	return e
}

// appendWhy appends what y has as name=value, each behind a blank.
func (w *NgWriter) appendWhy(b []byte, y *Why) []byte {
	for _, field := range [...]struct {
		key string
		id  verdict.RuleID
	}{
		{"route", y.Route},
		{"onward", y.Onward},
		{"via", y.Via},
		{"leaves", y.Leaves},
		{"enters", y.Enters},
		{"acl", y.Entry},
	} {
		if field.id != verdict.RuleNone {
			b = append(append(append(b, ' '), field.key...), '=')
			b = w.appendRule(b, field.id)
		}
	}
	if y.Was != y.Now {
		b = y.Was.append(append(b, " was="...))
		b = y.Now.append(append(b, " now="...))
	}
	return b
}

// appendRule appends the name of what a reference stands for, quoted if it has
// blanks.
func (w *NgWriter) appendRule(b []byte, id verdict.RuleID) []byte {
	if id == verdict.RuleImplicitDeny {
		return append(b, "implicit-deny"...)
	}
	name := clip(w.names.RuleName(id))
	if name == "" {
		return strconv.AppendUint(append(b, '#'), uint64(id), 10)
	}
	for i := range len(name) {
		if name[i] == ' ' {
			return append(append(append(b, '"'), name...), '"')
		}
	}
	return append(b, name...)
}

func (e Ends) append(b []byte) []byte {
	if e.SrcPort|e.DstPort == 0 { // of no UDP and no TCP
		return e.Dst.Addr().AppendTo(append(e.Src.Addr().AppendTo(b), '>'))
	}
	b = netip.AddrPortFrom(e.Src.Addr(), e.SrcPort).AppendTo(b)
	return netip.AddrPortFrom(e.Dst.Addr(), e.DstPort).AppendTo(append(b, '>'))
}
