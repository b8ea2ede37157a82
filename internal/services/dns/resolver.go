package dns

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"enilab/internal/control"
)

// Port of DNS.
const Port = 53

// Sizes of answers by UDP: what every client takes (RFC 1035, section 4.2.1) and
// what this server sends at most, which it says by EDNS (RFC 6891).
const (
	plainSize = 512
	ednsSize  = 4096
)

// Bounds of what is asked upstream: one question's time, and how many wait at
// once. One more gets SERVFAIL at once.
const (
	upstreamTime = 4 * time.Second
	upstreamMost = 64
)

// Options of a Resolver; State is required.
type Options struct {
	State func() *control.State
	// Hosts tells the addresses of a host that is none of EC2's, such as one that
	// stands for a host of the internet; known is false for a name that it does not
	// know. Names are in lower case and without the last dot. nil: it knows none.
	Hosts func(name string) (addrs []netip.Addr, known bool)
	// Upstream is the address and port of a resolver that is asked for all other
	// names; "": there are none.
	Upstream string
}

// Resolver answers questions. It is safe for concurrent use.
type Resolver struct {
	opt   Options
	slots chan struct{} // one for each question that waits for upstream
}

// New returns a Resolver.
func New(opt Options) *Resolver {
	return &Resolver{opt: opt, slots: make(chan struct{}, upstreamMost)}
}

// Pending is a question that upstream has to answer.
type Pending struct {
	r    *Resolver
	q, m *dns.Msg
	size int
}

// Respond answers a message from a VPC; size is how long an answer may be at most
// for the way that it goes, and by UDP also for what the client takes. answer is
// nil if none is due: to what is no question, and where the VPC has no DNS server.
// Where upstream is to be asked, wait is not nil and to be called, once, and
// answer is what to send if it cannot be.
func (r *Resolver) Respond(vpc string, message []byte, udp bool, size int) (answer []byte, wait *Pending) {
	st := r.opt.State()
	v := st.VPC(vpc)
	if v == nil || !v.DNSSupport {
		return nil, nil
	}
	q := new(dns.Msg)
	if err := q.Unpack(message); err != nil {
		return malformed(message), nil
	}
	if q.Response {
		return nil, nil
	}
	m := new(dns.Msg)
	m.SetReply(q)
	m.RecursionAvailable = true
	opt := q.IsEdns0()
	if udp {
		most := plainSize
		if opt != nil {
			most = min(max(int(opt.UDPSize()), plainSize), ednsSize)
		}
		size = min(size, most)
	}
	if opt != nil {
		m.SetEdns0(ednsSize, false)
	}
	if rcode := judge(q, opt); rcode != dns.RcodeSuccess {
		m.Rcode = rcode
		return pack(m, size), nil
	}
	question := q.Question[0]
	name := strings.TrimSuffix(strings.ToLower(question.Name), ".")
	switch a := (zone{st, v}).lookup(name); {
	case a.apex != "":
		m.Answer = a.records(question.Name, question.Qtype)
		if !a.found {
			m.Rcode = dns.RcodeNameError
		}
		if len(m.Answer) == 0 {
			m.Ns = []dns.RR{a.authority(st.Revision())}
		}
		return pack(m, size), nil
	default:
		if r.opt.Hosts != nil {
			if addrs, known := r.opt.Hosts(name); known {
				m.Answer = answerOf(addrs).records(question.Name, question.Qtype)
				return pack(m, size), nil
			}
		}
	}
	// A name of one label is nobody's outside.
	if r.opt.Upstream == "" || name != "" && !strings.Contains(name, ".") {
		m.Rcode = dns.RcodeNameError
		return pack(m, size), nil
	}
	select {
	case r.slots <- struct{}{}:
		wait = &Pending{r, q, m, size}
	default:
	}
	failed := m.Copy()
	failed.Rcode = dns.RcodeServerFailure
	return pack(failed, size), wait
}

func answerOf(addrs []netip.Addr) answer { return answer{addrs: addrs} }

// judge tells what is wrong with a question.
func judge(q *dns.Msg, opt *dns.OPT) (rcode int) {
	switch {
	case opt != nil && opt.Version() != 0:
		return dns.RcodeBadVers
	case q.Opcode != dns.OpcodeQuery:
		return dns.RcodeNotImplemented
	case len(q.Question) != 1:
		return dns.RcodeFormatError
	case q.Question[0].Qclass != dns.ClassINET, q.Question[0].Qtype == dns.TypeAXFR, q.Question[0].Qtype == dns.TypeIXFR:
		return dns.RcodeRefused
	}
	return dns.RcodeSuccess
}

// malformed is the answer to a question that cannot be read: its header, with
// FORMERR; nil if it has none, or is an answer itself.
func malformed(message []byte) []byte {
	const headerLen, isResponse, opcodeAndDesired = 12, 0x80, 0x79
	if len(message) < headerLen || message[2]&isResponse != 0 {
		return nil
	}
	b := make([]byte, headerLen)
	copy(b, message[:2])
	b[2] = isResponse | message[2]&opcodeAndDesired
	b[3] = 0x80 | dns.RcodeFormatError
	return b
}

// pack makes an answer's bytes, at most size; what does not fit is left out and
// the answer marked, so that the client asks by TCP. nil: it cannot be written,
// which only what upstream says could be.
func pack(m *dns.Msg, size int) []byte {
	m.Compress = true
	m.Truncate(size)
	b, err := m.Pack()
	if err != nil || len(b) > size {
		return nil
	}
	return b
}

// Answer asks upstream and returns the answer, nil if there is none in time. It
// waits up to 4 seconds.
func (p *Pending) Answer(ctx context.Context) []byte {
	defer func() { <-p.r.slots }()
	ctx, cancel := context.WithTimeout(ctx, upstreamTime)
	defer cancel()
	ask := new(dns.Msg)
	ask.SetQuestion(p.q.Question[0].Name, p.q.Question[0].Qtype)
	ask.SetEdns0(ednsSize, false)
	in, err := p.r.exchange(ctx, "udp", ask)
	if err == nil && in.Truncated {
		in, err = p.r.exchange(ctx, "tcp", ask)
	}
	if err != nil || len(in.Question) != 1 || !strings.EqualFold(in.Question[0].Name, ask.Question[0].Name) ||
		in.Question[0].Qtype != ask.Question[0].Qtype {
		return nil
	}
	p.m.Rcode, p.m.Answer, p.m.Ns = in.Rcode, in.Answer, in.Ns
	for _, rr := range in.Extra {
		if rr.Header().Rrtype != dns.TypeOPT {
			p.m.Extra = append(p.m.Extra, rr)
		}
	}
	if p.m.Rcode > 0xf {
		p.m.Rcode = dns.RcodeServerFailure // an extension between upstream and this server
	}
	return pack(p.m, p.size)
}

func (r *Resolver) exchange(ctx context.Context, network string, m *dns.Msg) (*dns.Msg, error) {
	c := dns.Client{Net: network, UDPSize: ednsSize, Dialer: &net.Dialer{}}
	conn, err := c.DialContext(ctx, r.opt.Upstream)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// The library waits for its deadline even if nobody waits for it any more.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in, _, err := c.ExchangeWithConnContext(ctx, m, conn)
	return in, err
}
