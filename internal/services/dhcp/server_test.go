package dhcp

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

var lease = Lease{
	MAC: 0x02_00_00_00_00_05, Addr: netip.MustParseAddr("10.0.1.5"), Subnet: netip.MustParsePrefix("10.0.1.0/25"),
	Router: netip.MustParseAddr("10.0.1.1"), MTU: 9001, HostName: "ip-10-0-1-5", Domain: "ec2.internal",
	DNS:     []netip.Addr{netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("192.0.2.53")},
	NTP:     []netip.Addr{netip.MustParseAddr("169.254.169.123")},
	NetBIOS: []netip.Addr{netip.MustParseAddr("192.0.2.137")}, NodeType: 2,
}

func message(kind dhcpv4.MessageType, more ...dhcpv4.Modifier) *dhcpv4.DHCPv4 {
	m, err := dhcpv4.New(append([]dhcpv4.Modifier{
		dhcpv4.WithHwAddr(net.HardwareAddr{2, 0, 0, 0, 0, 5}), dhcpv4.WithMessageType(kind),
	}, more...)...)
	if err != nil {
		panic(err)
	}
	return m
}

func wants(a string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptRequestedIPAddress(net.ParseIP(a)))
}
func chooses(a string) dhcpv4.Modifier {
	return dhcpv4.WithOption(dhcpv4.OptServerIdentifier(net.ParseIP(a)))
}
func has(a string) dhcpv4.Modifier { return dhcpv4.WithClientIP(net.ParseIP(a)) }

// What a client says tells its state, and that what it gets (RFC 2131, sections
// 4.1 and 4.3).
func TestRespond(t *testing.T) {
	const none = dhcpv4.MessageTypeNone
	offer, ack, nak := dhcpv4.MessageTypeOffer, dhcpv4.MessageTypeAck, dhcpv4.MessageTypeNak
	discover, request := dhcpv4.MessageTypeDiscover, dhcpv4.MessageTypeRequest
	for _, x := range []struct {
		name  string
		q     *dhcpv4.DHCPv4
		want  dhcpv4.MessageType
		yours string // "": none
		to    string // "": broadcast
	}{
		{"DISCOVER", message(discover), offer, "10.0.1.5", "10.0.1.5"},
		{"DISCOVER for a broadcast", message(discover, dhcpv4.WithBroadcast(true)), offer, "10.0.1.5", ""},
		{"DISCOVER with a wish", message(discover, wants("10.0.1.99")), offer, "10.0.1.5", "10.0.1.5"},
		{"SELECTING", message(request, chooses("10.0.1.1"), wants("10.0.1.5")), ack, "10.0.1.5", "10.0.1.5"},
		{"SELECTING another address", message(request, chooses("10.0.1.1"), wants("10.0.1.6")), nak, "", ""},
		{"SELECTING another server", message(request, chooses("10.0.1.2"), wants("10.0.1.5")), none, "", ""},
		{"SELECTING nothing", message(request, chooses("10.0.1.1")), none, "", ""},
		{"INIT-REBOOT", message(request, wants("10.0.1.5")), ack, "10.0.1.5", "10.0.1.5"},
		{"INIT-REBOOT with a secondary address", message(request, wants("10.0.1.42")), nak, "", ""},
		{"INIT-REBOOT in another network", message(request, wants("192.0.2.7")), nak, "", ""},
		{"RENEWING", message(request, has("10.0.1.5")), ack, "10.0.1.5", "10.0.1.5"},
		{"RENEWING for a broadcast", message(request, has("10.0.1.5"), dhcpv4.WithBroadcast(true)), ack, "10.0.1.5", "10.0.1.5"},
		{"RENEWING another's", message(request, has("10.0.1.6")), nak, "", ""},
		{"RENEWING one for another", message(request, has("10.0.1.5"), wants("10.0.1.6")), nak, "", ""},
		{"INFORM", message(dhcpv4.MessageTypeInform, has("10.0.1.42")), ack, "", "10.0.1.42"},
		{"INFORM from nowhere", message(dhcpv4.MessageTypeInform), none, "", ""},
		{"DECLINE", message(dhcpv4.MessageTypeDecline, wants("10.0.1.5")), none, "", ""},
		{"RELEASE", message(dhcpv4.MessageTypeRelease, has("10.0.1.5")), none, "", ""},
		{"what servers send", message(offer), none, "", ""},
		{"BOOTP", message(0), none, "", ""},
		{"an answer", message(discover, func(m *dhcpv4.DHCPv4) { m.OpCode = dhcpv4.OpcodeBootReply }), none, "", ""},
		{"for another MAC", message(discover, dhcpv4.WithHwAddr(net.HardwareAddr{2, 0, 0, 0, 0, 6})), none, "", ""},
		{"for no Ethernet", message(discover, dhcpv4.WithHwAddr(net.HardwareAddr{2, 0, 0, 0, 0, 5, 0, 0})), none, "", ""},
		{"by a relay", message(discover, dhcpv4.WithGatewayIP(net.IPv4(10, 0, 9, 1))), none, "", ""},
		{"with an endless identifier", message(discover, dhcpv4.WithOption(dhcpv4.OptClientIdentifier(make([]byte, 300)))), none, "", ""},
	} {
		a, ok := Respond(lease, x.q.ToBytes())
		if ok != (x.want != none) {
			t.Errorf("%s: answered %t", x.name, ok)
			continue
		}
		if !ok {
			continue
		}
		m, err := dhcpv4.FromBytes(a.Message)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		to, yours := "", ""
		if a.To.IsValid() {
			to = a.To.String()
		}
		if !m.YourIPAddr.IsUnspecified() {
			yours = m.YourIPAddr.String()
		}
		if m.MessageType() != x.want || yours != x.yours || to != x.to || m.TransactionID != x.q.TransactionID ||
			!m.ServerIdentifier().Equal(net.IPv4(10, 0, 1, 1)) || m.OpCode != dhcpv4.OpcodeBootReply {
			t.Errorf("%s: answered %s, yours %q, to %q, from %s", x.name, m.MessageType(), yours, to, m.ServerIdentifier())
		}
		timed := m.Options.Has(dhcpv4.OptionIPAddressLeaseTime)
		if want := x.yours != ""; timed != want || timed && m.IPAddressLeaseTime(0) != time.Hour {
			t.Errorf("%s: a lease of %s, want one of an hour: %t", x.name, m.IPAddressLeaseTime(0), want)
		}
		if m.Options.Has(dhcpv4.OptionSubnetMask) == (x.want == nak) {
			t.Errorf("%s: options %v", x.name, m.Options)
		}
	}
}

func TestConfiguration(t *testing.T) {
	id := []byte{1, 2, 0, 0, 0, 0, 5}
	a, ok := Respond(lease, message(dhcpv4.MessageTypeDiscover, dhcpv4.WithOption(dhcpv4.OptClientIdentifier(id)),
		dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(1500))).ToBytes())
	if !ok {
		t.Fatal("no answer")
	}
	m, err := dhcpv4.FromBytes(a.Message)
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[uint8]string{
		1: "\xff\xff\xff\x80", 3: "\x0a\x00\x01\x01", 6: "\x0a\x00\x00\x02\xc0\x00\x02\x35", 12: "ip-10-0-1-5", 15: "ec2.internal",
		26: "\x23\x29", 28: "\x0a\x00\x01\x7f", 42: "\xa9\xfe\xa9\x7b", 44: "\xc0\x00\x02\x89", 46: "\x02",
		51: "\x00\x00\x0e\x10", 53: "\x02", 54: "\x0a\x00\x01\x01", 58: "\x00\x00\x07\x08", 59: "\x00\x00\x0c\x4e", 61: string(id),
	} {
		if got := string(m.Options[code]); got != want {
			t.Errorf("option %d is %q, want %q", code, got, want)
		}
		delete(m.Options, code)
	}
	if len(m.Options) > 0 {
		t.Errorf("further options %v", m.Options)
	}
}

// An answer is no longer than the client takes; what does not fit is left out
// whole, and what is needed most stays.
func TestAnswersFit(t *testing.T) {
	l := lease
	l.Domain = strings.Repeat("x", 255)
	for range 20 {
		l.DNS = append(l.DNS, l.Addr)
	}
	for _, size := range []uint16{0, 100, 576, 700, 1500} {
		var more []dhcpv4.Modifier
		if size > 0 {
			more = append(more, dhcpv4.WithOption(dhcpv4.OptMaxMessageSize(size)))
		}
		a, _ := Respond(l, message(dhcpv4.MessageTypeDiscover, more...).ToBytes())
		if most := max(int(size), 576) - 28; len(a.Message) > most {
			t.Errorf("%d bytes for a client that takes %d", len(a.Message), most)
		}
		m, err := dhcpv4.FromBytes(a.Message)
		if err != nil || m.HostName() == "" || len(m.DNS()) != len(l.DNS) || (m.DomainName() == l.Domain) != (size >= 700) {
			t.Errorf("size %d: %v, %v", size, m, err)
		}
	}
}

func FuzzRespond(f *testing.F) {
	for _, m := range []*dhcpv4.DHCPv4{
		message(dhcpv4.MessageTypeDiscover), message(dhcpv4.MessageTypeRequest, wants("10.0.1.5"), chooses("10.0.1.1")),
		message(dhcpv4.MessageTypeRequest, has("10.0.1.5")), message(dhcpv4.MessageTypeInform, has("10.0.1.9")),
		message(dhcpv4.MessageTypeRequest, wants("10.0.1.6"), dhcpv4.WithOption(dhcpv4.OptRelayAgentInfo())),
	} {
		f.Add(m.ToBytes())
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		a, ok := Respond(lease, b)
		if !ok {
			return
		}
		m, err := dhcpv4.FromBytes(a.Message)
		if err != nil {
			t.Fatalf("%x is answered with %x: %v", b, a.Message, err)
		}
		if !bytes.Equal(m.ClientHWAddr, net.HardwareAddr{2, 0, 0, 0, 0, 5}) || len(a.Message) > len(b)+1000 ||
			!m.YourIPAddr.IsUnspecified() && !same(m.YourIPAddr, lease.Addr) {
			t.Errorf("%x is answered with %x", b, a.Message)
		}
	})
}
