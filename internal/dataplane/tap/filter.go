package tap

import (
	"fmt"

	"enilab/internal/dataplane/frame"
)

// Filter is a compiled pcap-filter expression, immutable and safe for
// concurrent use. The empty expression matches all.
type Filter struct {
	expr  string
	prog  program
	entry uint16
}

const (
	// maxExpr and maxNesting bound what compiling an expression may cost.
	maxExpr    = 4096
	maxNesting = 64
)

// CompileFilter parses the documented subset (see FilterHelp); the error is a
// *FilterError naming column and word.
func CompileFilter(expr string) (*Filter, error) {
	if len(expr) > maxExpr {
		return nil, &FilterError{Column: maxExpr + 1, Problem: fmt.Sprintf("expression longer than %d bytes", maxExpr)}
	}
	tokens, err := lex(expr)
	if err != nil {
		return nil, err
	}
	f := &Filter{expr: expr}
	f.prog.tests = []test{{op: opReject}, {op: opAccept}}
	f.entry = atAccept
	if len(tokens) == 1 { // only the end
		return f, nil
	}
	p := parser{tokens: tokens}
	root, err := p.filter()
	if err != nil {
		return nil, err
	}
	entry, err := f.prog.generate(root, atAccept, atReject)
	if err != nil {
		return nil, err
	}
	f.entry = uint16(entry)
	return f, nil
}

// String returns the expression as it was given.
func (f *Filter) String() string { return f.expr }

// Match reports whether the frame is wanted. No allocation.
//
// It judges the bytes, as libpcap's program does, and not the View: a View
// skips 802.1Q tags and refuses malformed frames, where pcap-filter looks at
// fixed offsets, and a filter that disagrees with tcpdump on exactly the
// unusual frames would be worth little. The View may be nil.
func (f *Filter) Match(_ *frame.View, b []byte) bool { return f.prog.run(f.entry, b) }

// FilterError says where an expression cannot be compiled and why.
type FilterError struct {
	Column  int    // of the word, from 1, in bytes
	Word    string // empty at the end of the expression
	Problem string // and what would be right
}

func (e *FilterError) Error() string {
	where := fmt.Sprintf("filter column %d", e.Column)
	if e.Word == "" {
		return where + ": " + e.Problem
	}
	return fmt.Sprintf("%s, %q: %s", where, e.Word, e.Problem)
}

// FilterHelp describes the subset for people, as plain text for the API, the
// command line and the guide.
const FilterHelp = `Capture filters are a subset of pcap-filter(7), with tcpdump's meaning frame by frame.

Addresses    [ip|arp|rarp] [src|dst|src or dst|src and dst] host A.B.C.D
             [ip6] [src|dst|...] host IPV6
             [ip|ip6|arp|rarp] [src|dst|...] net 10.1 | 10.1.0.0/16 | 10.1.0.0 mask 255.255.0.0 | fd00::/8
             ether [src|dst|...] [host] MAC
             "host" may be left out behind another qualifier: src 10.0.0.1
Ports        [tcp|udp|sctp] [src|dst|...] port N, portrange N-M
Protocols    ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp
             [ip|ip6] proto N|\tcp|\udp|\icmp|\igmp|\sctp|\icmp6, ether proto N|\ip|\ip6|\arp|\rarp
Tags         vlan [N]
Others       less N, greater N, [ether] broadcast, [ether|ip|ip6] multicast
Bytes        EXPR = != < <= > >= EXPR, where EXPR is made of numbers, len, + - * / % & | ^ << >>, parentheses and
             P[OFFSET] or P[OFFSET:1|2|4], P one of ether ip ip6 arp rarp tcp udp sctp icmp icmp6 igmp; tcpflags
             icmptype icmpcode icmp6type icmp6code are offsets and tcp-fin tcp-syn tcp-rst tcp-push tcp-ack tcp-urg
             tcp-ece tcp-cwr icmp-echo icmp-echoreply icmp-unreach icmp-timxceed icmp-redirect icmp6-echo
             icmp6-echoreply icmp6-neighborsolicit icmp6-neighboradvert are numbers:
             tcp[tcpflags] & (tcp-syn|tcp-rst) != 0. From the loosest: | & shifts +- */, but ^ and % bind to the
             number before them and reach to the end.
Combining    not !, and &&, or ||, parentheses. "and" and "or" have the same precedence and group from the left:
             a or b and c means (a or b) and c. An address or port without qualifiers takes those before it:
             host 10.0.0.1 or 10.0.0.2; tcp dst port 80 or 443.

As in tcpdump: "host" also matches ARP and RARP; "port" does not match fragments other than the first; behind "vlan"
all offsets move by one tag for the rest of the expression, and without it a tagged frame is no IP frame; reading
behind the end of the frame makes the whole filter fail, "not" included. (On truncated frames that is tcpdump -O:
libpcap's optimizer moves such reads.)

Different from tcpdump: there are no host, network, port or protocol names from the system, no direction (inbound,
outbound; choose the tap point instead) and no gateway, protochain, ip broadcast, MPLS, PPPoE, Geneve, LLC and
wireless words; protocol names behind "proto" may be written without a backslash; a host needs all four numbers;
"ether proto" takes EtherTypes only, no lengths.
`
