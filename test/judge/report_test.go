//go:build judge && linux

package judge

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
)

// leftOut is what the two judges are not asked alike, and why.
var leftOut = []string{
	"untracked flows: nothing is seen of them while rules stay (EC2 User Guide, \"Untracked connections\"); nftables tracks all or what it is told",
	"references to groups in rules: nftables has sets of addresses, and a reference is to who sends, not to an address (Reachability Analyzer, SG_REFERENCES_NOT_PRESERVED)",
	"weights of prefix lists: a quota of the API (VPC User Guide, \"Prefix list weight\"); the routes and rules are the same",
	"connections of frames that have no route: AWS does not publish whether groups or routes are asked first; the engine asks routes first and remembers nothing, Linux's ENI stands before its router. The kernel is sent such a frame from a port of its own",
	"segments that Linux's tracker calls invalid: it knows sequence numbers and what may follow what (nf_conntrack_proto_tcp.c), AWS describes tracking by the five-tuple; TCP here keeps to RFC 9293. And a connection that a reset has refused is forgotten at once, so that no ICMP error is about it",
	"quotes of frames that an internet gateway has translated: nftables' stateless rewriting does not reach into an ICMP error",
	"fragments: Linux reassembles them before it judges (nf_defrag_ipv4)",
	"ports chosen by NAT gateways: any is right",
	"who a NAT gateway's reset is from, when a route of its own subnet has led back to it what it has just translated: AWS publishes nothing of such a route. The engine resets the segment that came back, as from its destination (RFC 9293, 3.10.7.1). Linux does so too, and then takes its reset for a segment of the connection that it had translated, and translates it (nf_nat_core.c)",
	"layer 2 and TTL: Linux's routers are hops, the VPC's are not",
	"frames of an interface to its own addresses: no guest sends them",
	"transit gateways, gateway endpoints, MTU, faults, moves and limits: see the model of internal/dataplane",
}

// forgettable makes of a frame one whose connection no other has, and reports
// whether it could.
func forgettable(b []byte, n uint16) bool {
	buf := frame.NewPool(1, 1).Get(len(b))
	copy(buf.Bytes(), b)
	if buf.Parse() != frame.KindIPv4 {
		return false
	}
	v := &buf.View
	switch v.Proto {
	case frame.ProtoTCP, frame.ProtoUDP:
		buf.SetSrc(v.SrcIP, 40000+n)
	case frame.ProtoICMP:
		if v.ICMPError() {
			return true // of an error nothing is remembered
		}
		binary.BigEndian.PutUint16(buf.Bytes()[v.L4+4:], 40000+n)
		binary.BigEndian.PutUint16(buf.Bytes()[v.L4+2:], 0)
		binary.BigEndian.PutUint16(buf.Bytes()[v.L4+2:], frame.Checksum(buf.Bytes()[v.L4:v.End]))
	default:
		return false
	}
	copy(b, buf.Bytes())
	return true
}

// natAddress reports whether ip is a NAT gateway's, private or public.
func natAddress(t *topology, ip frame.IPv4) bool {
	for i := range t.VNICs {
		if v := &t.VNICs[i]; v.NAT != nil {
			if ip4(v.Addrs[0]) == ip || len(v.Public) > 0 && ip4(v.Public[0].Public) == ip {
				return true
			}
		}
	}
	return false
}

func sorted(a []arrival) []arrival {
	slices.SortFunc(a, func(x, y arrival) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.id, y.id)) })
	return a
}

// metTwice reports whether one NAT gateway had the frame more than once.
func metTwice(t *topology, trace *dataplane.Trace) bool {
	met := map[string]int{}
	for _, h := range trace.Hops {
		if v := t.vnics[h.VNIC]; v != nil && v.NAT != nil && h.Station == "ingress" {
			met[h.VNIC]++
		}
	}
	for _, n := range met {
		if n > 1 {
			return true
		}
	}
	return false
}

// seenBy is what must be alike of what guests get.
func seenBy(t *topology, list []arrival) []string { return seenAfter(t, list, false) }

// seenAfter is seenBy of a frame that may have met a NAT gateway twice.
func seenAfter(t *topology, list []arrival, looped bool) []string {
	var out []string
	for _, a := range list {
		v := &a.view
		var src, dst string
		src, dst = fmt.Sprint(v.SrcIP), fmt.Sprint(v.DstIP)
		// A port at a NAT gateway is either's own choice.
		fromNAT, toNAT := natAddress(t, v.SrcIP), natAddress(t, v.DstIP)
		if looped && a.id == 0 && v.Proto == frame.ProtoTCP && v.TCPFlags&frame.TCPRst != 0 {
			src, fromNAT = "a NAT gateway that met it twice", true // see leftOut
		}
		switch {
		case v.Proto == frame.ProtoTCP, v.Proto == frame.ProtoUDP:
			if !fromNAT {
				src += fmt.Sprint(":", v.SrcPort)
			}
			if !toNAT {
				dst += fmt.Sprint(":", v.DstPort)
			}
		case v.Proto == frame.ProtoICMP:
			dst += fmt.Sprintf(" type %d code %d", v.ICMPType, v.ICMPCode)
			if !fromNAT && !toNAT {
				dst += fmt.Sprint(" id ", v.ICMPID)
			}
		}
		flags := ""
		if v.Proto == frame.ProtoTCP {
			flags = fmt.Sprintf(" flags %#x", v.TCPFlags)
		}
		mark := "marked"
		if a.id == 0 {
			mark = "of the network's own"
		}
		out = append(out, fmt.Sprintf("%s: protocol %d %s > %s%s %s", a.at, v.Proto, src, dst, flags, mark))
	}
	return out
}

// named is seenBy with each frame's mark, in an order of its own.
func named(t *topology, list []arrival) []string {
	var out []string
	for _, a := range list {
		out = append(out, fmt.Sprintf("%d %s", a.id, seenBy(t, []arrival{a})[0]))
	}
	slices.Sort(out)
	return out
}

// describe says what was sent and where, with all that decides.
func describe(t *topology, q *question, sent []byte) string {
	var b strings.Builder
	a, _ := arrived(q.from.ID, sent)
	fmt.Fprintf(&b, "%s by %s (%+v) to %s: %v\n", q.what, q.from.ID, q.from, q.h.Dst, seenBy(t, []arrival{a}))
	for x := q.about; x != nil; x = x.about {
		fmt.Fprintf(&b, "  about: %s by %s, engine %v, kernel %v\n", x.what, x.from.ID, seenBy(t, []arrival{x.engine}), seenBy(t, []arrival{x.kernel}))
	}
	for _, v := range t.VNICs {
		fmt.Fprintf(&b, "  vnic %+v\n", v)
	}
	for _, x := range t.Subnets {
		fmt.Fprintf(&b, "  subnet %+v\n", x)
	}
	for _, x := range t.RouteTables {
		fmt.Fprintf(&b, "  table %+v\n", x)
	}
	for _, x := range t.Gateways {
		fmt.Fprintf(&b, "  gateway %+v\n", x)
	}
	for _, x := range t.Groups {
		fmt.Fprintf(&b, "  group %+v\n", x)
	}
	for _, x := range t.ACLs {
		fmt.Fprintf(&b, "  acl %+v\n", x)
	}
	return b.String()
}

func told(trace *dataplane.Trace) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s", trace.Reason)
	for _, h := range trace.Hops {
		fmt.Fprintf(&b, "\n    %+v", h)
	}
	return b.String()
}
