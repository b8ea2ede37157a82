package services

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
	"enilab/internal/plan"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // bound of every wait; never reached by a good run

// unstored is a store that keeps nothing.
type unstored struct{}

func (unstored) Load(context.Context) (control.Commit, error) { return control.Commit{}, nil }
func (unstored) Begin(context.Context) (control.Batch, error) { return unstored{}, nil }
func (unstored) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 1, nil
}
func (unstored) Write(control.Commit) error { return nil }
func (unstored) Commit() error              { return nil }
func (unstored) Rollback()                  {}

// lab is the laboratory without its API: control plane, data plane, guests and
// the services.
type lab struct {
	*control.Service
	t      *testing.T
	ctx    context.Context
	engine *dataplane.Engine
	guests *guest.Lab
	vpc    *control.VPC
	subnet *control.Subnet
	one    *control.Instance // at 192.168.0.21
	eni    *control.NetworkInterface
}

// newLab has one running instance, its NIC plugged.
func newLab(t *testing.T, opt Options) *lab {
	l := newEmptyLab(t, opt, false)
	l.one = l.run("192.168.0.21")
	l.eni = l.State().PrimaryInterface(l.one.ID)
	return l
}

// newEmptyLab has no instance; those that come lease their addresses, or are given them.
func newEmptyLab(t *testing.T, opt Options, leases bool) *lab {
	start := time.Now()
	now := func() int64 { return start.UnixNano() + int64(time.Since(start)) }
	rng := rand.NewChaCha8([32]byte{3})
	engine := dataplane.New(dataplane.Options{Workers: 2, Now: now, Seed: 1})
	guests := guest.NewLab(guest.Options{Engine: engine, Now: now, Seed: 1, DHCP: leases})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	svc, err := control.Open(ctx, control.Options{
		Store: unstored{}, Plane: plan.Plane{Network: &guest.Plane{Engine: engine, Lab: guests}}, Region: "us-east-1", Now: time.Now,
		Random: func(b []byte) { _, _ = rng.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	opt.Engine, opt.State = engine, svc.State
	server, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if n := engine.Totals().Unaccounted(); n != 0 {
			t.Errorf("%d frames unaccounted for", n)
		}
	})
	for _, run := range []func(context.Context) error{
		func(ctx context.Context) error { engine.Start(ctx); engine.Wait(); return nil },
		guests.Run, svc.Run, server.Run,
	} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	l := &lab{Service: svc, t: t, ctx: ctx, engine: engine, guests: guests}
	l.vpc = must[*control.VPC](l)(l.CreateVPC(ctx, control.CreateVPCInput{CIDR: "192.168.0.0/16"}))
	l.subnet = must[*control.Subnet](l)(l.CreateSubnet(ctx, control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "192.168.0.0/24", Zone: "us-east-1a"}))
	return l
}

func must[T any](l *lab) func(T, error) T {
	return func(v T, err error) T {
		l.t.Helper()
		if err != nil {
			l.t.Fatal(err)
		}
		return v
	}
}

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) run(ip string, work ...spec.Workload) *control.Instance {
	l.t.Helper()
	i := must[*control.Instance](l)(l.RunInstance(l.ctx, control.RunInstanceInput{Subnet: l.subnet.ID, Type: "t3.medium", PrivateIP: ip, Workloads: work}))
	notices, cancel := l.Watch(64)
	defer cancel()
	for l.State().Instance(i.ID).State != control.InstanceRunning {
		select {
		case <-notices:
		case <-l.ctx.Done():
			l.t.Fatalf("%s does not run", i.ID)
		}
	}
	return l.State().Instance(i.ID)
}

// ask has the guest ask by its own stack; network is udp or tcp.
func (l *lab) ask(network, server string, q *dns.Msg) (*dns.Msg, error) {
	l.t.Helper()
	h := l.guests.Host(l.one.ID)
	to := netip.MustParseAddrPort(server + ":53")
	c, err := h.DialUDP(netip.Addr{}, to)
	if network == "tcp" {
		c, err = h.DialTCP(l.ctx, netip.Addr{}, to)
	}
	if err != nil {
		return nil, err
	}
	defer c.Close()
	// UDPConn of gVisor is a net.PacketConn too, which the library looks at.
	m, _, err := (&dns.Client{Net: network, Timeout: patience}).ExchangeWithConnContext(l.ctx, q, &dns.Conn{Conn: c})
	return m, err
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
	return strings.Join(list, " ")
}

// A guest's own stack asks by UDP and TCP, at both addresses, and no connection is
// tracked.
func TestGuestsAskDNS(t *testing.T) {
	l := newLab(t, Options{})
	before := l.engine.Totals()
	for _, server := range []string{"192.168.0.2", "169.254.169.253"} {
		for _, network := range []string{"udp", "tcp"} {
			m, err := l.ask(network, server, question("IP-192-168-0-21.ec2.Internal", dns.TypeA))
			if err != nil || text(m) != "NOERROR 192.168.0.21" || !m.RecursionAvailable || m.Question[0].Name != "IP-192-168-0-21.ec2.Internal." {
				t.Errorf("%s by %s: %v, %v", server, network, m, err)
			}
			m, err = l.ask(network, server, question("21.0.168.192.in-addr.arpa", dns.TypePTR))
			if err != nil || text(m) != "NOERROR ip-192-168-0-21.ec2.internal." {
				t.Errorf("%s by %s: %v, %v", server, network, m, err)
			}
		}
	}
	after := l.engine.Totals()
	before.Dropped[verdict.ARPAnswered], after.Dropped[verdict.ARPAnswered] = 0, 0
	if after.Dropped != before.Dropped {
		t.Errorf("dropped %v, then %v", before.Dropped, after.Dropped)
	}
	if _, n, err := l.engine.Flows(l.eni.ID, 0); err != nil || n != 0 {
		t.Errorf("%d connections are tracked (%v), want none", n, err)
	}
}

// Hosts of the modelled internet are found by the names that people gave them.
func TestGuestsFindInternetHosts(t *testing.T) {
	l := newLab(t, Options{})
	if _, err := l.CreateInternetHost(t.Context(), control.CreateInternetHostInput{Name: "updates.example.com", Address: "198.51.100.20"}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"Updates.example.com": "NOERROR 198.51.100.20", "other.example.com": "NXDOMAIN"} {
		if m, err := l.ask("udp", "169.254.169.253", question(name, dns.TypeA)); err != nil || strings.TrimSpace(text(m)) != want {
			t.Errorf("%s: %v, %v, want %s", name, m, err, want)
		}
	}
}

// A connection may carry many questions, and ends with garbage.
func TestConnectionOfManyQuestions(t *testing.T) {
	l := newLab(t, Options{})
	c, err := l.guests.Host(l.one.ID).DialTCP(l.ctx, netip.Addr{}, netip.MustParseAddrPort("192.168.0.2:53"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	conn := &dns.Conn{Conn: c}
	for range 5 {
		q := question("instance-data.ec2.internal", dns.TypeA)
		if err := conn.WriteMsg(q); err != nil {
			t.Fatal(err)
		}
		m, err := conn.ReadMsg()
		if err != nil || m.Id != q.Id || text(m) != "NOERROR 169.254.169.254" {
			t.Fatalf("%v, %v", m, err)
		}
	}
	if _, err := c.Write([]byte{0xff, 0xff}); err != nil { // longer than any question
		t.Fatal(err)
	}
	if _, err := conn.ReadMsg(); err == nil {
		t.Error("an endless question is waited for")
	}
}

func (l *lab) exchange(to string, payload []byte) (answer []byte, err error) {
	c, err := l.guests.Host(l.one.ID).DialUDP(netip.Addr{}, netip.MustParseAddrPort(to))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	if _, err := c.Write(payload); err != nil {
		return nil, err
	}
	b := make([]byte, 9000)
	n, err := c.Read(b)
	return b[:n], err
}

func TestGuestsAskTheTime(t *testing.T) {
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	l := newLab(t, Options{Now: func() time.Time { return at }})
	q := make([]byte, 48)
	q[0] = 4<<3 | 3
	a, err := l.exchange("169.254.169.123:123", q)
	if err != nil || len(a) != 48 || a[0] != 4<<3|4 {
		t.Fatalf("%x, %v", a, err)
	}
	since1900 := at.Unix() - time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	if s := binary.BigEndian.Uint32(a[40:]); int64(s) != since1900 {
		t.Errorf("the time is %d s after 1900, want %d", s, since1900)
	}
}

// wire is the guest's end of its NIC as frames: it sends past the stack and sees
// all that is delivered.
type wire struct {
	l    *lab
	port *dataplane.Port
	tap  *tap.Tap
}

func (l *lab) wire() *wire {
	w := &wire{l: l, port: l.engine.Port(l.one.ID, 0), tap: tap.New(tap.Config{Points: verdict.GuestRX, Workers: 2})}
	l.engine.AddTap(w.tap, []string{l.eni.ID})
	l.t.Cleanup(func() { l.engine.RemoveTap(w.tap) })
	return w
}

// next returns the next frame of UDP from a port.
func (w *wire) next(from uint16) (v frame.View, payload []byte) {
	w.l.t.Helper()
	for payload == nil {
		select {
		case <-w.tap.Ready():
		case <-w.l.ctx.Done():
			w.l.t.Fatal("no answer")
		}
		w.tap.Read(func(p tap.Packet) {
			var x frame.View
			if x.Parse(p.Data) == frame.KindIPv4 && x.Proto == frame.ProtoUDP && x.SrcPort == from {
				v, payload = x, bytes.Clone(p.Data[x.Payload:x.End])
			}
		})
	}
	return v, payload
}

func (w *wire) send(h frame.Header, from, to uint16, payload []byte) {
	w.l.t.Helper()
	h.Src = w.port.VNIC().MAC
	if n := w.port.Send([][]byte{frame.AppendUDP(nil, h, from, to, payload)}); n != 1 {
		w.l.t.Fatal("the port does not take a frame")
	}
}

// A client of DHCP without an address gets its ENI's, with what the VPC's set of
// options says, and renews it.
func TestGuestsLease(t *testing.T) {
	l := newLab(t, Options{})
	set := must[*control.DHCPOptions](l)(l.CreateDHCPOptions(l.ctx, []control.DHCPOption{
		{Key: "domain-name", Values: []string{"corp.example"}},
		{Key: "domain-name-servers", Values: []string{"192.0.2.53", "2001:db8::53", "AmazonProvidedDNS"}},
		{Key: "ntp-servers", Values: []string{"169.254.169.123"}},
		{Key: "netbios-name-servers", Values: []string{"192.0.2.1"}}, {Key: "netbios-node-type", Values: []string{"8"}},
	}, nil))
	l.ok(l.AssociateDHCPOptions(l.ctx, set.ID, l.vpc.ID))
	w := l.wire()
	mac := w.port.VNIC().MAC.HardwareAddr()
	anyone := frame.Header{Dst: frame.BroadcastMAC, DstIP: 1<<32 - 1}

	discover, err := dhcpv4.NewDiscovery(mac, dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(1500)))
	l.ok(err)
	w.send(anyone, 68, 67, discover.ToBytes())
	v, payload := w.next(67)
	offer, err := dhcpv4.FromBytes(payload)
	l.ok(err)
	if offer.MessageType() != dhcpv4.MessageTypeOffer || v.Dst != w.port.VNIC().MAC || v.SrcIP.String() != "192.168.0.1" || v.DstIP.String() != "192.168.0.21" || v.DstPort != 68 {
		t.Fatalf("offered %s in %+v", offer.Summary(), v)
	}
	request, err := dhcpv4.NewRequestFromOffer(offer, dhcpv4.WithBroadcast(true), dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(1500)))
	l.ok(err)
	w.send(anyone, 68, 67, request.ToBytes())
	v, payload = w.next(67)
	ack, err := dhcpv4.FromBytes(payload)
	l.ok(err)
	mtu, _ := dhcpv4.GetUint16(dhcpv4.OptionInterfaceMTU, ack.Options)
	if v.Dst != frame.BroadcastMAC || ack.MessageType() != dhcpv4.MessageTypeAck || ack.YourIPAddr.String() != "192.168.0.21" ||
		ack.DomainName() != "corp.example" || ack.HostName() != "ip-192-168-0-21" || mtu != 9001 ||
		!slices.EqualFunc(ack.DNS(), []string{"192.0.2.53", "192.168.0.2"}, func(a net.IP, s string) bool { return a.String() == s }) ||
		len(ack.NTPServers()) != 1 || len(ack.NetBIOSNameServers()) != 1 {
		t.Errorf("acknowledged %s in %+v", ack.Summary(), v)
	}
	// By unicast to the router, from the own address.
	renew, err := dhcpv4.NewRenewFromAck(ack)
	l.ok(err)
	h := frame.Header{Dst: w.port.Subnet().RouterMAC, SrcIP: 192<<24 | 168<<16 | 21, DstIP: 192<<24 | 168<<16 | 1}
	w.send(h, 68, 67, renew.ToBytes())
	_, payload = w.next(67)
	if m, err := dhcpv4.FromBytes(payload); err != nil || m.MessageType() != dhcpv4.MessageTypeAck {
		t.Errorf("renewal: %v, %v", m, err)
	}
	// Without a set there is an address, and nothing about names.
	l.ok(l.AssociateDHCPOptions(l.ctx, "default", l.vpc.ID))
	w.send(h, 68, 67, renew.ToBytes())
	_, payload = w.next(67)
	if m, err := dhcpv4.FromBytes(payload); err != nil || m.MessageType() != dhcpv4.MessageTypeAck || m.DNS() != nil || m.DomainName() != "" {
		t.Errorf("without options: %v, %v", m, err)
	}
}

// A secondary interface leases its own primary address, and another's is refused.
func TestLeaseOfAnotherAddress(t *testing.T) {
	l := newLab(t, Options{})
	w := l.wire()
	_, _, err := l.AssignAddresses(l.ctx, control.AssignAddressesInput{ID: l.eni.ID, IPs: []string{"192.168.0.99"}})
	l.ok(err)
	m, err := dhcpv4.New(dhcpv4.WithHwAddr(w.port.VNIC().MAC.HardwareAddr()), dhcpv4.WithMessageType(dhcpv4.MessageTypeRequest),
		dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.IPv4(192, 168, 0, 99))))
	l.ok(err)
	w.send(frame.Header{Dst: frame.BroadcastMAC, DstIP: 1<<32 - 1}, 68, 67, m.ToBytes())
	v, payload := w.next(67)
	if m, err := dhcpv4.FromBytes(payload); err != nil || m.MessageType() != dhcpv4.MessageTypeNak || v.Dst != frame.BroadcastMAC || v.DstIP != 1<<32-1 {
		t.Errorf("%v in %+v, %v", m, v, err)
	}
}

// A guest that leases says nothing under an address before it has it, answers on
// secondary addresses from then on, and does so anew on each interface that it is
// given.
func TestGuestsBootByDHCP(t *testing.T) {
	l := newEmptyLab(t, Options{}, true)
	w := tap.New(tap.Config{Points: verdict.GuestTX, Workers: 2})
	l.engine.AddTap(w, nil)
	defer l.engine.RemoveTap(w)
	ping := spec.Workload{Name: "p", Kind: spec.WorkloadPing, Target: netip.MustParseAddr("192.168.0.30"), Rate: 100}
	l.run("192.168.0.21", ping)
	first := map[string][]string{} // kinds of frames of each sender until its first own address
	done := map[string]bool{}
	await := func(own string) {
		t.Helper()
		for !done[own] {
			select {
			case <-w.Ready():
			case <-l.ctx.Done():
				t.Fatalf("%s never appears: %v", own, first)
			}
			w.Read(func(p tap.Packet) {
				var v frame.View
				v.Parse(p.Data)
				mac := v.Src.String()
				if v.SrcIP != 0 {
					done[v.SrcIP.String()] = true
					return
				}
				m, err := dhcpv4.FromBytes(p.Data[v.Payload:v.End])
				l.ok(err)
				first[mac] = append(first[mac], m.MessageType().String())
			})
		}
	}
	await("192.168.0.21")
	one := l.State().InterfaceByAddr(l.vpc.ID, netip.MustParseAddr("192.168.0.21"))
	n := must[*control.NetworkInterface](l)(l.CreateInterface(l.ctx, control.CreateInterfaceInput{Subnet: l.subnet.ID, PrivateIP: "192.168.0.42"}))
	_, _, err := l.AssignAddresses(l.ctx, control.AssignAddressesInput{ID: n.ID, IPs: []string{"192.168.0.43"}})
	l.ok(err)
	must[*control.NetworkInterface](l)(l.Attach(l.ctx, control.AttachInput{Interface: n.ID, Instance: one.Attachment.Instance, DeviceIndex: 1}))
	// A second host asks at all three addresses; the guest answers by its stack.
	asker := l.run("192.168.0.22", ping)
	await("192.168.0.22")
	for _, to := range []string{"192.168.0.21", "192.168.0.42", "192.168.0.43"} {
		for err := error(context.Canceled); err != nil; {
			ctx, cancel := context.WithTimeout(l.ctx, 100*time.Millisecond)
			_, err = l.guests.Host(asker.ID).Ping(ctx, netip.Addr{}, netip.MustParseAddr(to), 0, 1, nil)
			cancel()
			if l.ctx.Err() != nil {
				t.Fatalf("%s does not answer: %v", to, err)
			}
		}
	}
	w.Read(func(tap.Packet) {})
	for mac, kinds := range first {
		if !slices.Equal(kinds, []string{"DISCOVER", "REQUEST"}) {
			t.Errorf("%s sent %v without an address", mac, kinds)
		}
	}
	if len(first) != 3 {
		t.Errorf("leases of %v, want those of three interfaces", first)
	}
}

// Garbage at every service is a frame that was taken, and no answer or a short
// one; what follows is answered.
func TestGarbage(t *testing.T) {
	l := newLab(t, Options{})
	w := l.wire()
	r := rand.New(rand.NewPCG(1, 2))
	before := l.engine.Totals()
	n := 0
	for i := range 300 {
		payload := make([]byte, r.IntN(600))
		for k := range payload {
			payload[k] = byte(r.Uint32())
		}
		h := frame.Header{Dst: w.port.Subnet().RouterMAC, SrcIP: 192<<24 | 168<<16 | 21}
		var to uint16
		switch i % 3 {
		case 0:
			h.DstIP, to = 192<<24|168<<16|2, 53
		case 1:
			h.DstIP, to = 169<<24|254<<16|169<<8|123, 123
		case 2:
			h.Dst, h.DstIP, h.SrcIP, to = frame.BroadcastMAC, 1<<32-1, 0, 67
		}
		w.send(h, 40000, to, payload)
		n++
	}
	if m, err := l.ask("udp", "192.168.0.2", question("instance-data.ec2.internal", dns.TypeA)); err != nil || text(m) != "NOERROR 169.254.169.254" {
		t.Errorf("after garbage: %v, %v", m, err)
	}
	after := l.engine.Totals()
	if taken := after.LinkLocal - before.LinkLocal; taken < uint64(n) {
		t.Errorf("%d of %d frames taken", taken, n)
	}
	if sent := after.Originated - before.Originated; sent > uint64(n)/3+10 {
		t.Errorf("%d answers to %d pieces of garbage", sent, n)
	}
}

// Nothing answers, by UDP or TCP, in a VPC without DNS.
func TestDNSSupportOff(t *testing.T) {
	l := newLab(t, Options{})
	off := false
	must[*control.VPC](l)(l.ModifyVPC(l.ctx, control.ModifyVPCInput{ID: l.vpc.ID, DNSSupport: &off}))
	ctx, cancel := context.WithTimeout(l.ctx, 50*time.Millisecond)
	defer cancel()
	if c, err := l.guests.Host(l.one.ID).DialTCP(ctx, netip.Addr{}, netip.MustParseAddrPort("192.168.0.2:53")); err == nil {
		c.Close()
		t.Error("a connection was taken")
	}
	c, err := l.guests.Host(l.one.ID).DialUDP(netip.Addr{}, netip.MustParseAddrPort("169.254.169.253:53"))
	l.ok(err)
	defer c.Close()
	q, err := question("instance-data.ec2.internal", dns.TypeA).Pack()
	l.ok(err)
	_, err = c.Write(q)
	l.ok(err)
	l.ok(c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)))
	if n, err := c.Read(make([]byte, 512)); err == nil {
		t.Errorf("answered with %d bytes", n)
	}
}

func TestSecondServerIsRefused(t *testing.T) {
	l := newLab(t, Options{})
	if _, err := New(Options{Engine: l.engine, State: l.State}); err == nil || !strings.Contains(err.Error(), "serving DHCP") {
		t.Errorf("a second server: %v", err)
	}
}
