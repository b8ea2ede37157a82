package frame

import (
	"slices"
	"testing"
)

func TestSummary(t *testing.T) {
	tests := []struct {
		b    []byte
		want string
	}{
		{AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80, Flags: TCPSyn, Options: make([]byte, 20)}, nil),
			"TCP 192.168.0.10:40000 → 192.168.0.42:80 [SYN] len 74"},
		{AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2, Flags: TCPFin | TCPAck}, nil),
			"TCP 192.168.0.10:1 → 192.168.0.42:2 [FIN ACK] len 54"},
		{AppendUDP(nil, testHeader, 40000, 53, []byte("query")), "UDP 192.168.0.10:40000 → 192.168.0.42:53 len 47"},
		{AppendICMPEcho(nil, testHeader, true, 7, 3, nil), "ICMP 192.168.0.10 → 192.168.0.42 echo reply id 7 seq 3 len 42"},
		{AppendICMP(nil, testHeader, 40, 2, 0, nil), "ICMP 192.168.0.10 → 192.168.0.42 type 40 code 2 len 42"},
		{AppendIPv4(nil, testHeader, 47, nil), "IP protocol 47 192.168.0.10 → 192.168.0.42 len 34"},
		{AppendARPRequest(nil, clientMAC, clientIP, serverIP), "ARP who has 192.168.0.42? tell 192.168.0.10 len 42"},
		{AppendARPReply(nil, serverMAC, serverIP, clientMAC, clientIP), "ARP 192.168.0.42 is at 02:00:00:00:00:42 len 42"},
		{AppendARPRequest(nil, clientMAC, clientIP, clientIP), "ARP announces 192.168.0.10 at 02:00:00:00:00:10 len 42"},
		{AppendARP(nil, 1, 2, 8, 2, 3, 4, 5), "ARP operation 8 00:00:00:00:00:02 → 00:00:00:00:00:01 len 42"},
		{AppendEthernet(nil, serverMAC, clientMAC, EtherTypeIPv4),
			"malformed EtherType 0x0800 02:00:00:00:00:10 → 02:00:00:00:00:42 len 14"},
		{nil, "malformed len 0"},
	}
	for _, tt := range tests {
		if got := Summary(tt.b); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestSummaryOfCaptures(t *testing.T) {
	tests := []struct{ capture, want string }{
		{"fragments", "ICMP 192.168.0.10 → 192.168.0.42 fragment at 1480 len 1514"},
		{"odd", "UDP [fd00::10]:40000 → [fd00::42]:5000 len 92"},
		{"odd", "EtherType 0x88cc 02:00:00:00:00:10 → 01:80:c2:00:00:0e len 33"},
		{"odd", "LLC 02:00:00:00:00:10 → 01:80:c2:00:00:00 len 60"},
		{"tagged", "VLAN UDP 192.168.0.10:40000 → 192.168.0.42:5000 len 52"},
	}
	for _, tt := range tests {
		var got []string
		for _, b := range captured(t, tt.capture) {
			got = append(got, Summary(b))
		}
		if !slices.Contains(got, tt.want) {
			t.Errorf("%s has no frame %q but %q", tt.capture, tt.want, got)
		}
	}
}
