package dns

import (
	"context"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// nowhere is a store that keeps nothing and a data plane that does nothing.
type nowhere struct{}

func (nowhere) Load(context.Context) (control.Commit, error) { return control.Commit{}, nil }
func (nowhere) Begin(context.Context) (control.Batch, error) { return nowhere{}, nil }
func (nowhere) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 1, nil
}
func (nowhere) Write(control.Commit) error { return nil }
func (nowhere) Commit() error              { return nil }
func (nowhere) Rollback()                  {}
func (nowhere) Follow(_ context.Context, t control.Turn) (spec.Ack, error) {
	return spec.Ack{Generation: t.After.Revision()}, nil
}

// site is a VPC a with an instance, a peered VPC b in another region and a VPC c
// that nothing connects with them.
type site struct {
	*control.Service
	t       *testing.T
	a, b, c *control.VPC
	subnet  map[string]*control.Subnet // by VPC
	one     *control.Instance          // in a at 10.0.0.10, public at elastic
	elastic netip.Addr
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func newSite(t *testing.T) *site {
	rng := rand.NewChaCha8([32]byte{3})
	svc := must[*control.Service](t)(control.Open(t.Context(), control.Options{
		Store: nowhere{}, Plane: nowhere{}, Region: "us-east-1", Now: time.Now, Random: func(b []byte) { _, _ = rng.Read(b) },
	}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	s := &site{Service: svc, t: t, subnet: map[string]*control.Subnet{}}
	vpc := func(region, cidr, subnet string) *control.VPC {
		in := svc.In(region)
		v := must[*control.VPC](t)(in.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: cidr}))
		s.subnet[v.ID] = must[*control.Subnet](t)(in.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: subnet, Zone: region + "a"}))
		return v
	}
	s.a, s.b, s.c = vpc("us-east-1", "10.0.0.0/16", "10.0.0.0/24"), vpc("eu-west-1", "10.1.0.0/16", "10.1.0.0/24"), vpc("us-east-1", "10.0.0.0/16", "10.0.0.0/24")
	s.one = s.run(s.a, "10.0.0.10")
	s.run(s.b, "10.1.0.10")
	s.run(s.c, "10.0.0.33")
	must[*control.NetworkInterface](t)(svc.In("us-east-1").CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: s.subnet[s.a.ID].ID, PrivateIP: "10.0.0.42"}))
	e := must[*control.Address](t)(svc.In("us-east-1").AllocateAddress(t.Context(), nil))
	s.elastic = e.PublicIP
	must[*control.Address](t)(svc.In("us-east-1").AssociateAddress(t.Context(), e.AllocationID, svc.State().PrimaryInterface(s.one.ID).ID, "10.0.0.10", false))
	return s
}

func (s *site) run(v *control.VPC, ip string) *control.Instance {
	s.t.Helper()
	return must[*control.Instance](s.t)(s.In(v.Region).RunInstance(s.t.Context(), control.RunInstanceInput{Subnet: s.subnet[v.ID].ID, Type: "t3.medium", PrivateIP: ip}))
}

func (s *site) dns(v *control.VPC, support, hostnames bool) {
	s.t.Helper()
	for _, in := range []control.ModifyVPCInput{{ID: v.ID, DNSSupport: &support}, {ID: v.ID, DNSHostnames: &hostnames}} {
		must[*control.VPC](s.t)(s.In(v.Region).ModifyVPC(s.t.Context(), in))
	}
}

func (s *site) peer() {
	s.t.Helper()
	p := must[*control.Peering](s.t)(s.In(s.a.Region).CreatePeering(s.t.Context(), control.CreatePeeringInput{VPC: s.a.ID, Peer: s.b.ID, PeerRegion: s.b.Region}))
	must[*control.Peering](s.t)(s.In(s.b.Region).AcceptPeering(s.t.Context(), p.ID))
}

func ask(t *testing.T, r *Resolver, vpc string, q *dns.Msg, udp bool) *dns.Msg {
	t.Helper()
	b, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	a, wait := r.Respond(vpc, b, udp, 9000)
	if wait != nil {
		if w := wait.Answer(t.Context()); w != nil {
			a = w
		}
	}
	if a == nil {
		return nil
	}
	m := new(dns.Msg)
	if err := m.Unpack(a); err != nil {
		t.Fatal(err)
	}
	if m.Id != q.Id || !m.Response || !m.RecursionAvailable {
		t.Errorf("%s is answered with %s", q, m)
	}
	return m
}

func question(name string, qtype uint16) *dns.Msg {
	q := new(dns.Msg)
	q.SetQuestion(dns.Fqdn(name), qtype)
	return q
}

// text is an answer in one line: its code, and the data of its records.
func text(m *dns.Msg) string {
	if m == nil {
		return "nothing"
	}
	list := []string{dns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		list = append(list, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	if m.Truncated {
		list = append(list, "truncated")
	}
	return strings.Join(list, " ")
}

func TestNames(t *testing.T) {
	s := newSite(t)
	r := New(Options{State: s.State, Hosts: func(name string) ([]netip.Addr, bool) {
		return []netip.Addr{netip.MustParseAddr("203.0.113.80")}, name == "www.example.com"
	}})
	dashed := strings.ReplaceAll(s.elastic.String(), ".", "-")
	octets := strings.Split(s.elastic.String(), ".")
	publicPTR := octets[3] + "." + octets[2] + "." + octets[1] + "." + octets[0] + ".in-addr.arpa"
	publicName := "ec2-" + dashed + ".compute-1.amazonaws.com"
	s.dns(s.a, true, true)
	s.peer()
	resource := s.run(s.a, "10.0.0.11")
	yes, kind := true, "resource-name"
	for _, in := range []control.ModifySubnetInput{{RecordA: &yes}, {HostnameType: &kind}} {
		in.ID = s.subnet[s.a.ID].ID
		must[*control.Subnet](t)(s.In(s.a.Region).ModifySubnet(t.Context(), in))
	}
	named := s.run(s.a, "10.0.0.12")

	type row struct {
		vpc   *control.VPC
		name  string
		qtype uint16
		want  string
	}
	for _, x := range []row{
		{s.a, "ip-10-0-0-10.ec2.internal", dns.TypeA, "NOERROR 10.0.0.10"},
		{s.a, "ip-10-0-0-10.ec2.internal", dns.TypeANY, "NOERROR 10.0.0.10"},
		{s.a, "ip-10-0-0-10.ec2.internal", dns.TypeAAAA, "NOERROR"},
		{s.a, "ip-10-0-0-10.ec2.internal", dns.TypeTXT, "NOERROR"},
		{s.a, "ip-10-0-0-42.ec2.internal", dns.TypeA, "NOERROR 10.0.0.42"}, // attached to nothing
		{s.a, "ip-10-0-0-99.ec2.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, "ip-10-0-0-010.ec2.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, "ip-10-0-0-10.us-east-1.compute.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, "x.ip-10-0-0-10.ec2.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, "ec2.internal", dns.TypeSOA, "NOERROR"},
		{s.a, "instance-data.ec2.internal", dns.TypeA, "NOERROR 169.254.169.254"},
		{s.a, "10.0.0.10.in-addr.arpa", dns.TypePTR, "NOERROR ip-10-0-0-10.ec2.internal."},
		{s.a, "99.0.0.10.in-addr.arpa", dns.TypePTR, "NXDOMAIN"},
		{s.a, "42.0.0.10.in-addr.arpa", dns.TypePTR, "NOERROR ip-10-0-0-42.ec2.internal."},
		{s.a, "12.0.0.10.in-addr.arpa", dns.TypePTR, "NOERROR " + named.ID + ".ec2.internal."},
		{s.a, "12.0.0.10.in-addr.arpa", dns.TypeA, "NOERROR"},
		// Peers see each other's names, in the domain of the other's region.
		{s.a, "ip-10-1-0-10.eu-west-1.compute.internal", dns.TypeA, "NOERROR 10.1.0.10"},
		{s.a, "ip-10-1-0-10.ec2.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, "10.0.1.10.in-addr.arpa", dns.TypePTR, "NOERROR ip-10-1-0-10.eu-west-1.compute.internal."},
		{s.b, "ip-10-0-0-10.ec2.internal", dns.TypeA, "NOERROR 10.0.0.10"},
		{s.c, "ip-10-1-0-10.eu-west-1.compute.internal", dns.TypeA, "NXDOMAIN"},
		{s.c, "ip-10-0-0-10.ec2.internal", dns.TypeA, "NXDOMAIN"}, // of the VPC with the same block
		{s.c, "ip-10-0-0-33.ec2.internal", dns.TypeA, "NOERROR 10.0.0.33"},
		// Ids resolve where the subnet asked for that at launch.
		{s.a, resource.ID + ".ec2.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, named.ID + ".ec2.internal", dns.TypeA, "NOERROR 10.0.0.12"},
		{s.a, "ip-10-0-0-12.ec2.internal", dns.TypeA, "NOERROR 10.0.0.12"},
		{s.a, named.ID + ".ec2.internal", dns.TypeAAAA, "NOERROR"},
		{s.c, named.ID + ".ec2.internal", dns.TypeA, "NXDOMAIN"},
		{s.a, "i-0123456789abcdef0.ec2.internal", dns.TypeA, "NXDOMAIN"},
		// Public names are private addresses inside, and public ones elsewhere.
		{s.a, publicName, dns.TypeA, "NOERROR 10.0.0.10"},
		{s.b, publicName, dns.TypeA, "NOERROR " + s.elastic.String()},
		{s.a, "ec2-" + dashed + ".us-east-1.compute.amazonaws.com", dns.TypeA, "NXDOMAIN"},
		{s.a, "ec2-192-0-2-200.compute-1.amazonaws.com", dns.TypeA, "NXDOMAIN"},
		{s.c, publicPTR, dns.TypePTR, "NOERROR " + publicName + "."},
		// Hosts of others, and what nobody has.
		{s.a, "www.Example.com", dns.TypeA, "NOERROR 203.0.113.80"},
		{s.a, "www.example.com", dns.TypeAAAA, "NOERROR"},
		{s.a, "example.com", dns.TypeA, "NXDOMAIN"},
		{s.a, "localhost", dns.TypeA, "NXDOMAIN"},
		{s.a, ".", dns.TypeNS, "NXDOMAIN"},
	} {
		m := ask(t, r, x.vpc.ID, question(x.name, x.qtype), true)
		if text(m) != x.want {
			t.Errorf("%s %s in %s: %q, want %q", x.name, dns.TypeToString[x.qtype], x.vpc.CIDR, text(m), x.want)
			continue
		}
		for _, soa := range m.Ns {
			if !dns.IsSubDomain(soa.Header().Name, dns.Fqdn(strings.ToLower(x.name))) {
				t.Errorf("%s is said to be missing by %s", x.name, soa)
			}
		}
		if strings.HasSuffix(x.name, ".internal") && len(m.Answer) == 0 && len(m.Ns) != 1 {
			t.Errorf("%s: a negative answer that nobody may keep: %s", x.name, m)
		}
	}
	s.dns(s.a, true, false)
	for name, want := range map[string]string{publicName: "NXDOMAIN", publicPTR: "NXDOMAIN", "ip-10-0-0-10.ec2.internal": "NOERROR 10.0.0.10"} {
		qtype := dns.TypeA
		if name == publicPTR {
			qtype = dns.TypePTR
		}
		if got := text(ask(t, r, s.a.ID, question(name, qtype), true)); got != want {
			t.Errorf("without host names %s: %q, want %q", name, got, want)
		}
	}
	s.dns(s.a, false, false)
	if m := ask(t, r, s.a.ID, question("ip-10-0-0-10.ec2.internal", dns.TypeA), true); m != nil {
		t.Errorf("without DNS: %s", m)
	}
	if m := ask(t, r, "vpc-gone", question("ip-10-0-0-10.ec2.internal", dns.TypeA), true); m != nil {
		t.Errorf("in no VPC: %s", m)
	}
}

func TestMessages(t *testing.T) {
	s := newSite(t)
	r := New(Options{State: s.State})
	with := func(change func(*dns.Msg)) *dns.Msg {
		q := question("instance-data.ec2.internal", dns.TypeA)
		change(q)
		return q
	}
	for _, x := range []struct {
		name string
		q    *dns.Msg
		want string
	}{
		{"another class", with(func(q *dns.Msg) { q.Question[0].Qclass = dns.ClassCHAOS }), "REFUSED"},
		{"a transfer", with(func(q *dns.Msg) { q.Question[0].Qtype = dns.TypeAXFR }), "REFUSED"},
		{"an update", with(func(q *dns.Msg) { q.Opcode = dns.OpcodeUpdate }), "NOTIMP"},
		{"no question", with(func(q *dns.Msg) { q.Question = nil }), "FORMERR"},
		{"two questions", with(func(q *dns.Msg) { q.Question = append(q.Question, q.Question[0]) }), "FORMERR"},
		{"an answer", with(func(q *dns.Msg) { q.Response = true }), "nothing"},
		{"another EDNS", with(func(q *dns.Msg) { q.SetEdns0(1232, false); q.IsEdns0().SetVersion(1) }), dns.RcodeToString[dns.RcodeBadVers]},
		{"EDNS", with(func(q *dns.Msg) { q.SetEdns0(1232, true) }), "NOERROR 169.254.169.254"},
	} {
		m := ask(t, r, s.a.ID, x.q, true)
		if got := text(m); got != x.want {
			t.Errorf("%s: %q, want %q", x.name, got, x.want)
		}
		if m != nil && (x.q.IsEdns0() != nil) != (m.IsEdns0() != nil) {
			t.Errorf("%s: EDNS is answered with %v", x.name, m.IsEdns0())
		}
	}
	b, err := question("x.ec2.internal", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	for name, x := range map[string]struct {
		b    []byte
		want string
	}{
		"a question without its end": {b[:len(b)-3], string(b[:2]) + "\x81\x81\x00\x00\x00\x00\x00\x00\x00\x00"},
		"half a header":              {b[:11], ""},
		"nothing":                    {nil, ""},
		"an answer without its end":  {append([]byte{0, 1, 0x81}, b[3:len(b)-3]...), ""},
	} {
		if got, wait := r.Respond(s.a.ID, x.b, true, 9000); string(got) != x.want || wait != nil {
			t.Errorf("%s: %x, want %x", name, got, x.want)
		}
	}
}

// upstream is a resolver on loopback.
func upstream(t *testing.T, answer dns.HandlerFunc) string {
	t.Helper()
	udp := must[net.PacketConn](t)(net.ListenPacket("udp", "127.0.0.1:0"))
	tcp := must[net.Listener](t)(net.Listen("tcp", udp.LocalAddr().String()))
	for _, srv := range []*dns.Server{{PacketConn: udp, Handler: answer}, {Listener: tcp, Handler: answer}} {
		done := make(chan error, 1)
		ready := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(ready) }
		go func() { done <- srv.ActivateAndServe() }()
		<-ready
		t.Cleanup(func() {
			if err := srv.Shutdown(); err != nil {
				t.Error(err)
			}
			<-done
		})
	}
	return udp.LocalAddr().String()
}

func TestUpstream(t *testing.T) {
	s := newSite(t)
	asked := make(chan string, 100)
	address := upstream(t, func(w dns.ResponseWriter, q *dns.Msg) {
		_, byUDP := w.RemoteAddr().(*net.UDPAddr)
		asked <- q.Question[0].Name
		m := new(dns.Msg)
		m.SetReply(q)
		switch strings.ToLower(q.Question[0].Name) {
		case "many.example.":
			for i := range 300 {
				m.Answer = append(m.Answer, &dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: net.IPv4(192, 0, 2, byte(i))})
			}
			if byUDP {
				m.Truncate(512)
			}
		case "one.example.":
			m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}, A: net.IPv4(192, 0, 2, 1)}}
		case "other.example.":
			m.Question[0].Name = "one.example."
		default:
			m.Rcode = dns.RcodeNameError
		}
		_ = w.WriteMsg(m)
	})
	r := New(Options{State: s.State, Upstream: address})
	many := "NOERROR" + func() (list string) {
		for i := range 300 {
			list += " 192.0.2." + net.IPv4(0, 0, 0, byte(i)).String()[len("0.0.0."):]
		}
		return list
	}()
	for _, x := range []struct {
		name string
		edns uint16
		udp  bool
		want string
		is   func(string) bool
	}{
		{name: "One.example", udp: true, want: "NOERROR 192.0.2.1"},
		{name: "none.example", udp: true, want: "NXDOMAIN"},
		{name: "other.example", udp: true, want: "SERVFAIL"},
		{name: "many.example", want: many},
		{name: "many.example", udp: true, is: func(got string) bool { return strings.HasSuffix(got, " truncated") && len(got) < 800 }},
		{name: "many.example", udp: true, edns: 4096, is: func(got string) bool { return strings.HasSuffix(got, " truncated") && len(got) > 2000 }},
	} {
		q := question(x.name, dns.TypeA)
		if x.edns > 0 {
			q.SetEdns0(x.edns, false)
		}
		m := ask(t, r, s.a.ID, q, x.udp)
		if got := text(m); x.is == nil && got != x.want || x.is != nil && !x.is(got) {
			t.Errorf("%s, UDP %t, EDNS %d: %q, want %q", x.name, x.udp, x.edns, got, x.want)
		}
		if m != nil && m.Question[0].Name != q.Question[0].Name {
			t.Errorf("%s is answered as %s", q.Question[0].Name, m.Question[0].Name)
		}
	}
	for len(asked) > 0 {
		<-asked
	}
	// What is ours is nobody else's to know.
	for _, name := range []string{"ip-10-9-9-9.ec2.internal", "x.ap-south-1.compute.internal", "9.9.9.10.in-addr.arpa", "printer"} {
		if got := text(ask(t, r, s.a.ID, question(name, dns.TypeA), true)); got != "NXDOMAIN" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if len(asked) > 0 {
		t.Errorf("upstream was asked for %s", <-asked)
	}
}

// Questions that upstream does not answer hold a bounded number of places, and
// end with who waits for them.
func TestUpstreamIsSilent(t *testing.T) {
	s := newSite(t)
	silent := must[net.PacketConn](t)(net.ListenPacket("udp", "127.0.0.1:0"))
	defer silent.Close()
	r := New(Options{State: s.State, Upstream: silent.LocalAddr().String()})
	b, err := question("x.example", dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	var pending []*Pending
	for range upstreamMost {
		_, wait := r.Respond(s.a.ID, b, true, 9000)
		if wait == nil {
			t.Fatal("upstream is not asked")
		}
		pending = append(pending, wait)
	}
	a, wait := r.Respond(s.a.ID, b, true, 9000)
	m := new(dns.Msg)
	if err := m.Unpack(a); wait != nil || err != nil || m.Rcode != dns.RcodeServerFailure {
		t.Errorf("one more question is answered with %s, %v", m, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	answers := make(chan []byte)
	for _, p := range pending {
		go func() { answers <- p.Answer(ctx) }()
	}
	cancel()
	for range pending {
		if a := <-answers; a != nil {
			t.Errorf("answered with %x", a)
		}
	}
	if _, wait := r.Respond(s.a.ID, b, true, 9000); wait == nil {
		t.Error("places are not given back")
	}
}

func FuzzRespond(f *testing.F) {
	for _, q := range []*dns.Msg{
		question("ip-10-0-0-10.ec2.internal", dns.TypeA), question("10.0.0.10.in-addr.arpa", dns.TypePTR), question("ec2-203-0-113-1.compute-1.amazonaws.com", dns.TypeANY),
	} {
		b, err := q.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	var r *Resolver
	var vpc string
	f.Fuzz(func(t *testing.T, b []byte) {
		if r == nil {
			rng := rand.NewChaCha8([32]byte{3})
			svc, err := control.Open(context.Background(), control.Options{
				Store: nowhere{}, Plane: nowhere{}, Region: "us-east-1", Now: time.Now, Random: func(b []byte) { _, _ = rng.Read(b) },
			})
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			go func() { _ = svc.Run(ctx) }()
			made, err := svc.In("us-east-1").CreateVPC(ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"})
			cancel()
			if err != nil {
				t.Fatal(err)
			}
			vpc, r = made.ID, New(Options{State: svc.State})
		}
		for _, udp := range []bool{true, false} {
			a, wait := r.Respond(vpc, b, udp, 9000)
			switch {
			case wait != nil:
				t.Errorf("%x is for upstream, and there is none", b)
			case udp && len(a) > ednsSize, a != nil && (len(a) < 12 || a[2]&0x80 == 0 || string(a[:2]) != string(b[:2])):
				t.Errorf("%x is answered with %x", b, a)
			}
		}
	})
}
