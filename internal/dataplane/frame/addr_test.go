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

// TestIPv6RoundTrip: an address is the same as bytes, numbers and text, and orders
// as netip's.
func TestIPv6RoundTrip(t *testing.T) {
	var all []IPv6
	for _, s := range []string{"::", "::1", "::ffff:10.0.0.1", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff", "2001:db8:0:1::", "fe80::1", "ff02::2"} {
		a := netip.MustParseAddr(s)
		ip, ok := IPv6From(a)
		if !ok || ip.Addr() != a || ip.String() != s {
			t.Errorf("%s became %s, %v", s, ip, ok)
		}
		var b [18]byte
		ip.Put(b[1:])
		if got := IPv6At(b[1:]); got != ip || b[0] != 0 || b[17] != 0 {
			t.Errorf("%s became %s in %x", s, got, b)
		}
		all = append(all, ip)
	}
	for i, a := range all {
		for j, b := range all {
			if got, want := a.Compare(b), a.Addr().Compare(b.Addr()); got != want {
				t.Errorf("%s against %s: %d, want %d", all[i], all[j], got, want)
			}
		}
	}
	if _, ok := IPv6From(netip.MustParseAddr("10.0.0.1")); ok {
		t.Error("an IPv4 address was taken for IPv6")
	}
}
