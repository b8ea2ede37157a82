package virtual

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/sim"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/scenario"
)

const servicesText = `vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: 1}]
securityGroups: [{name: all, vpc: lab, description: everything, ingress: [{protocol: "-1", from: 10.0.0.0/16}]}]
instances:
  - {name: one, subnet: a, ip: 10.0.0.10, groups: [all], workloads: [{name: w, kind: udp-echo, target: 10.0.0.11, rate: 1}]}
  - {name: two, subnet: a, ip: 10.0.0.11, groups: [all]}
networkInterfaces:
  - {name: more, subnet: a, ip: 10.0.0.42, secondaryIps: [10.0.0.43], groups: [all], attach: {instance: two, deviceIndex: 1}}
`

type served struct {
	*Lab
	t      *testing.T
	loaded *scenario.Loaded
	tap    *tap.Tap
	heard  map[string]int // frames of the services, by what they are
	dns    *dns.Msg       // the newest answer by UDP
}

func newServed(t *testing.T, leases bool) *served {
	t.Helper()
	sc, err := scenario.Parse(t.Context(), "services.yaml", []byte(servicesText))
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(Options{Seed: 5, Leases: leases, Timing: control.TimingFast})
	if err != nil {
		t.Fatal(err)
	}
	s := &served{Lab: l, t: t, tap: newTap(), heard: map[string]int{}}
	l.Sim.Engine().AddTap(s.tap, nil)
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if n := l.Sim.Engine().Totals().Unaccounted(); n != 0 {
			t.Errorf("%d frames unaccounted for", n)
		}
	})
	l.Each = s.hear
	if s.loaded, err = sc.Load(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *served) hear() {
	_, lost := s.tap.Read(func(p tap.Packet) {
		var v frame.View
		if p.Point != verdict.GuestRX || v.Parse(p.Data) != frame.KindIPv4 || v.Proto != frame.ProtoUDP || !v.HasL4 {
			return
		}
		switch payload := p.Data[v.Payload:v.End]; v.SrcPort {
		case 67:
			s.heard["DHCP"]++
		case 123:
			s.heard["time"]++
		case 53:
			s.heard["DNS"]++
			s.dns = new(dns.Msg)
			if err := s.dns.Unpack(payload); err != nil {
				s.t.Error(err)
			}
		}
	})
	if lost > 0 {
		s.t.Errorf("%d frames were not seen", lost)
	}
}

// ask has "one" send a datagram to an address that is not of its subnet's neighbours.
func (s *served) ask(to string, port uint16, payload []byte) {
	n := s.State().NetworkInterface(s.loaded.Interfaces["one/eth0"])
	src, _ := frame.IPv4From(n.Addresses[0].Addr)
	dst, _ := frame.IPv4From(netip.MustParseAddr(to))
	h := frame.Header{Src: n.MAC, Dst: s.State().Subnet(n.Subnet).RouterMAC, SrcIP: src, DstIP: dst}
	s.Sim.Send(sim.Link{Host: s.loaded.Instances["one"]}, frame.AppendUDP(nil, h, 40000, port, payload))
	s.Settle()
}

// Machines boot by DHCP, keep their lease, and lose it when nobody renews it.
func TestMachinesLease(t *testing.T) {
	without, s := newServed(t, false), newServed(t, true)
	s.Advance(2 * time.Second)
	if without.heard["DHCP"] != 0 || s.heard["DHCP"] != 6 { // an offer and an acknowledgement for each interface
		t.Fatalf("%d and %d messages of DHCP, want 0 and 6", without.heard["DHCP"], s.heard["DHCP"])
	}
	id, err := s.Ask(t.Context(), s.loaded.Instances["one"], netip.MustParseAddr("10.0.0.43"), "/", time.Second)
	if err != nil || id != s.loaded.Instances["two"] {
		t.Errorf("a secondary address, which comes with the lease, is answered by %q, %v", id, err)
	}
	answered := func() uint64 { return s.Guests.Stats()[0].Received }
	before := answered()
	if before == 0 {
		t.Error("a client has not begun with its lease")
	}
	s.Advance(3 * time.Hour)
	if n := s.heard["DHCP"]; n < 6+3*5 || n > 6+3*8 { // after half an hour each time
		t.Errorf("%d messages of DHCP in three hours", n)
	}
	if got := answered() - before; got < 3*3600-10 {
		t.Errorf("%d replies in three hours, one a second: the address was lost meanwhile", got)
	}
	// Cut off from the router for longer than a lease, it is without an address, and
	// has one again when the router is back.
	serve := s.Sim.Serve
	s.Sim.Serve = nil
	s.Advance(2 * time.Hour)
	if _, err := s.Ask(t.Context(), s.loaded.Instances["one"], netip.MustParseAddr("10.0.0.11"), "/", time.Second); err == nil {
		t.Error("an address is used without a lease")
	}
	s.Sim.Serve = serve
	s.Advance(time.Minute)
	if id, err := s.Ask(t.Context(), s.loaded.Instances["one"], netip.MustParseAddr("10.0.0.11"), "/", time.Second); err != nil || id != s.loaded.Instances["two"] {
		t.Errorf("after the router is back %q answers, %v", id, err)
	}
}

// DNS and time answer in virtual time, by the clock of the laboratory.
func TestDNSAndTime(t *testing.T) {
	s := newServed(t, false)
	q := new(dns.Msg)
	q.SetQuestion("ip-10-0-0-11.ec2.internal.", dns.TypeA)
	asked, err := q.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for i, resolver := range []string{"169.254.169.253", "10.0.0.2"} {
		s.dns = nil
		if s.ask(resolver, 53, asked); s.heard["DNS"] != i+1 || s.dns == nil || len(s.dns.Answer) != 1 || s.dns.Answer[0].(*dns.A).A.String() != "10.0.0.11" {
			t.Errorf("%s: %d answers, %v", resolver, s.heard["DNS"], s.dns)
		}
	}
	ntp := make([]byte, 48)
	ntp[0] = 4<<3 | 3 // version 4, client
	if s.ask("169.254.169.123", 123, ntp); s.heard["time"] != 1 {
		t.Errorf("%d answers of the time service", s.heard["time"])
	}
}

// Metadata is answered to the instance that asks, whoever has what; connections to
// its other ports are refused, and one to DNS by TCP is answered.
func TestMetadataInVirtualTime(t *testing.T) {
	s := newServed(t, true)
	s.Advance(time.Second)
	at := netip.MustParseAddr("169.254.169.254")
	for _, name := range []string{"one", "two"} {
		id := s.loaded.Instances[name]
		if got, err := s.Ask(t.Context(), id, at, "/latest/meta-data/instance-id", time.Second); err != nil || got != id {
			t.Errorf("%s is told that it is %q, %v", name, got, err)
		}
	}
	two := s.loaded.Instances["two"]
	macs := func() int {
		text, err := s.Ask(t.Context(), two, at, "/latest/meta-data/network/interfaces/macs/", time.Second)
		if err != nil {
			t.Fatal(err)
		}
		return len(strings.Fields(text))
	}
	n := s.State().NetworkInterface(s.loaded.Interfaces["more"])
	if _, err := s.Detach(t.Context(), control.DetachInput{Attachment: n.Attachment.ID, Force: true}); err != nil {
		t.Fatal(err)
	}
	if s.Advance(time.Second); macs() != 1 {
		t.Errorf("%d interfaces are listed after one of two has left", macs())
	}
	m := s.Guests.Machine(two)
	refused := make(chan error, 1)
	m.Connect(netip.MustParseAddr("10.0.0.11"), at, 8080, time.Second, func(err error) { refused <- err })
	s.Advance(100 * time.Millisecond)
	if len(refused) != 1 || (<-refused) == nil {
		t.Error("a port that nobody serves was not refused at once")
	}
	opened := make(chan error, 1)
	m.Connect(netip.MustParseAddr("10.0.0.11"), netip.MustParseAddr("10.0.0.2"), 53, time.Second, func(err error) { opened <- err })
	s.Advance(100 * time.Millisecond)
	if len(opened) != 1 || (<-opened) != nil {
		t.Error("DNS by TCP does not open")
	}
}
