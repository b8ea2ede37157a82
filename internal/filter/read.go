package filter

import (
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// etherTypes stand above the numbers of IP protocols.
const etherTypes = 1 << 8

var protoNumbers = map[string]uint64{
	"icmp": uint64(frame.ProtoICMP), "tcp": uint64(frame.ProtoTCP), "udp": uint64(frame.ProtoUDP), "icmpv6": 58,
	"arp": etherTypes + uint64(frame.EtherTypeARP), "ipv4": etherTypes + uint64(frame.EtherTypeIPv4), "ipv6": etherTypes + uint64(frame.EtherTypeIPv6),
}

var (
	verdictNumbers = map[string]uint64{}
	hopNumbers     = map[string]uint64{}
	hopNames       []string
	reasonNames    []string
	flagNames      = []string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"}
)

func init() {
	for v := verdict.Accept; int(v) < verdict.NumVerdicts; v++ {
		verdictNumbers[v.String()] = uint64(v)
	}
	for s := verdict.StepNone + 1; int(s) < verdict.NumSteps; s++ {
		hopNumbers[s.String()] = uint64(s)
		hopNames = append(hopNames, s.String())
	}
	for r := verdict.Delivered; int(r) < verdict.NumReasons; r++ {
		reasonNames = append(reasonNames, r.String())
	}
	if verdict.NumReasons > 64 {
		panic("filter: reasons do not fit into one word")
	}
}

func readProto(s string) (uint64, bool) {
	if n, ok := protoNumbers[strings.ToLower(s)]; ok {
		return n, true
	}
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 16)
		return etherTypes + n, err == nil && n >= 0x600 // less is a length
	}
	n, err := strconv.ParseUint(s, 10, 8)
	return n, err == nil
}

// readReason is the set of reasons that a name, an AWS code or a part of one means.
func readReason(s string, part bool) (set uint64, ok bool) {
	for r := verdict.Delivered; int(r) < verdict.NumReasons; r++ {
		name, code := r.String(), strings.ToLower(r.Code())
		low := strings.ToLower(s)
		if low == name || low == code && code != "" || part && (strings.Contains(name, low) || strings.Contains(code, low)) {
			set |= 1 << r
		}
	}
	return set, set != 0
}

func readFlags(s string) (set uint64, ok bool) {
	if strings.EqualFold(s, "none") {
		return 0, true
	}
	for _, one := range strings.Split(strings.ToLower(s), "+") {
		i := slices.Index(flagNames, one)
		if i < 0 {
			return 0, false
		}
		set |= 1 << i
	}
	return set, true
}

// readAddress reads an address, a network or, if it looks like neither, a name.
func readAddress(t *Term, v piece) (value, *Error) {
	if lo, hi, ok := addressRange(v.text); ok && t.Op != Contains {
		return value{lo: lo, hi: hi}, nil
	}
	switch {
	case v.quoted || t.Op == Contains:
	case isIPv6(v.text):
		return value{}, fail(v.at, v.length, "ipv6_address")
	case looksLikeAddress(v.text):
		return value{}, fail(v.at, v.length, "bad_address", "value", v.text)
	}
	return value{name: v.text, isName: true}, nil
}

// looksLikeAddress tells a mistaken address from a name: digits, dots and a slash.
func looksLikeAddress(s string) bool { return strings.Trim(s, "0123456789./") == "" }

// addressRange is the addresses of an address or network, both ends included.
func addressRange(s string) (lo, hi uint64, ok bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		ip, is := frame.IPv4From(a)
		return uint64(ip), uint64(ip), is
	}
	n, err := netip.ParsePrefix(s)
	if err != nil {
		return 0, 0, false
	}
	ip, is := frame.IPv4From(n.Masked().Addr())
	if !is {
		return 0, 0, false
	}
	return uint64(ip), uint64(ip) | (1<<(32-n.Bits()) - 1), true
}

// flow is one conversation; ports and protocol may be left open.
type flow struct {
	a, b         uint64
	portA, portB int // -1: any
	proto        int // -1: any
	id           int // of ICMP; -1: any
}

// readFlow reads a:port-b:port/proto, of ICMP a-b/icmp/identifier.
func readFlow(s string) (flow, bool) {
	f := flow{portA: -1, portB: -1, proto: -1, id: -1}
	ends, proto, hasProto := strings.Cut(s, "/")
	if hasProto {
		name, id, hasID := strings.Cut(proto, "/")
		n, ok := readProto(name)
		if !ok || n >= etherTypes {
			return f, false
		}
		f.proto = int(n)
		if hasID {
			id, err := strconv.ParseUint(id, 10, 16)
			if err != nil || f.proto != int(frame.ProtoICMP) {
				return f, false
			}
			f.id = int(id)
		}
	}
	a, b, ok := strings.Cut(ends, "-")
	if !ok {
		return f, false
	}
	var okA, okB bool
	f.a, f.portA, okA = readEnd(a)
	f.b, f.portB, okB = readEnd(b)
	return f, okA && okB && (f.portA < 0 && f.portB < 0 || f.proto < 0 || f.proto == int(frame.ProtoTCP) || f.proto == int(frame.ProtoUDP))
}

func readEnd(s string) (ip uint64, port int, ok bool) {
	address, p, hasPort := strings.Cut(s, ":")
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return 0, 0, false
	}
	v4, _ := frame.IPv4From(a)
	port = -1
	if hasPort {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil {
			return 0, 0, false
		}
		port = int(n)
	}
	return uint64(v4), port, true
}

// readTime reads an instant as the span that its digits leave open.
func readTime(s string, now int64) (lo, hi uint64, ok bool) {
	if strings.EqualFold(s, "now") {
		return uint64(now), uint64(now), true
	}
	if strings.HasPrefix(s, "-") {
		d, err := time.ParseDuration(s[1:])
		if err != nil || d < 0 || int64(d) > now {
			return 0, 0, false
		}
		return uint64(now - int64(d)), uint64(now - int64(d)), true
	}
	if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
		ns := at.UnixNano()
		if at.Year() < 1970 || at.Year() > 2261 {
			return 0, 0, false
		}
		width := uint64(time.Second)
		if _, fraction, has := strings.Cut(s, "."); has {
			digits := len(fraction) - len(strings.TrimLeft(fraction, "0123456789"))
			width /= uint64(math.Pow10(min(digits, 9)))
		}
		return uint64(ns), uint64(ns) + width - 1, true
	}
	whole, fraction, _ := strings.Cut(s, ".")
	n, err := strconv.ParseUint(whole, 10, 63)
	if err != nil {
		return 0, 0, false
	}
	// As many digits as Unix seconds, milli-, micro- or nanoseconds have.
	unit := uint64(1)
	switch {
	case n < 1e11:
		unit = 1e9
	case n < 1e14:
		unit = 1e6
	case n < 1e17:
		unit = 1e3
	}
	if n > math.MaxInt64/unit {
		return 0, 0, false
	}
	lo, width := n*unit, unit
	for _, c := range fraction {
		if c < '0' || c > '9' {
			return 0, 0, false
		}
		if width > 1 {
			width /= 10
			lo += uint64(c-'0') * width
		}
	}
	return lo, lo + width - 1, true
}
