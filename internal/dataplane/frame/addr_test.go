package frame

import (
	"net/netip"
	"testing"
)

func TestParseMAC(t *testing.T) {
	tests := []struct {
		in   string
		want MAC
		ok   bool
	}{
		{"02:00:00:00:00:42", serverMAC, true},
		{"02-00-00-00-00-42", serverMAC, true},
		{"0200.0000.0042", serverMAC, true},
		{"FF:ff:FF:ff:FF:ff", BroadcastMAC, true},
		{"02:00:00:00:00:00:00:42", 0, false}, // EUI-64
		{"02:00:00:00:00", 0, false},
		{"", 0, false},
	}
	for _, tt := range tests {
		got, err := ParseMAC(tt.in)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("ParseMAC(%q) = %v, %v", tt.in, got, err)
		}
	}
}

func TestMACRoundTrip(t *testing.T) {
	for _, m := range []MAC{0, clientMAC, 0x123456789abc, BroadcastMAC} {
		var b [8]byte
		m.Put(b[1:])
		if got := MACAt(b[1:]); got != m || b[0] != 0 || b[7] != 0 {
			t.Errorf("%v became %v in %x", m, got, b)
		}
		if got, err := ParseMAC(m.String()); got != m || err != nil {
			t.Errorf("%v printed and parsed is %v, %v", m, got, err)
		}
		if m.HardwareAddr().String() != m.String() {
			t.Errorf("%v is %v to the standard library", m, m.HardwareAddr())
		}
	}
	if clientMAC.Multicast() || !BroadcastMAC.Multicast() || !MAC(0x01005e000001).Multicast() {
		t.Error("group bit misread")
	}
}

func TestIPv4From(t *testing.T) {
	tests := []struct {
		in   string
		want IPv4
		ok   bool
	}{
		{"192.168.0.42", serverIP, true},
		{"::ffff:192.168.0.42", serverIP, true},
		{"fd00::42", 0, false},
	}
	for _, tt := range tests {
		if got, ok := IPv4From(netip.MustParseAddr(tt.in)); got != tt.want || ok != tt.ok {
			t.Errorf("IPv4From(%s) = %v, %v", tt.in, got, ok)
		}
	}
	if _, ok := IPv4From(netip.Addr{}); ok {
		t.Error("the zero address is IPv4")
	}
	if serverIP.String() != "192.168.0.42" {
		t.Errorf("printed as %v", serverIP)
	}
}
