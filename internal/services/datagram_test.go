package services

import (
	"testing"

	"enilab/internal/dataplane/frame"
)

// What has been damaged on its way is no question.
func TestDatagramsAreWhole(t *testing.T) {
	h := frame.Header{Dst: 1, Src: 2, SrcIP: 10<<24 | 5, DstIP: 10<<24 | 2}
	const udpAt = frame.EthernetLen + frame.IPv4MinLen
	for _, x := range []struct {
		name   string
		change func(b []byte) []byte
		ok     bool
	}{
		{"as sent", func(b []byte) []byte { return b }, true},
		{"with padding behind it", func(b []byte) []byte { return append(b, 1, 2, 3) }, true},
		{"a wrong byte", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, false},
		{"a wrong checksum", func(b []byte) []byte { b[udpAt+6] ^= 1; return b }, false},
		{"no checksum", func(b []byte) []byte { b[udpAt+6], b[udpAt+7] = 0, 0; return b }, true},
		{"a shorter datagram than the packet", func(b []byte) []byte { b[udpAt+5]--; b[udpAt+6], b[udpAt+7] = 0, 0; return b }, true},
		{"a fragment", func(b []byte) []byte { b[frame.EthernetLen+6] = 0x20; return b }, false},
		{"half", func(b []byte) []byte { return b[:udpAt+4] }, false},
		{"TCP", func([]byte) []byte { return frame.AppendTCP(nil, h, frame.Segment{}, nil) }, true},
		{"ICMP", func([]byte) []byte { return frame.AppendICMPEcho(nil, h, false, 1, 1, nil) }, false},
		{"ARP", func([]byte) []byte { return frame.AppendARPRequest(nil, 2, 1, 2) }, false},
	} {
		var d datagram
		if ok := d.read(x.change(frame.AppendUDP(nil, h, 40000, 53, []byte("question")))); ok != x.ok {
			t.Errorf("%s: read %t, want %t", x.name, ok, x.ok)
		}
	}
	var d datagram
	d.read(frame.AppendUDP(nil, h, 40000, 53, []byte("question")))
	if string(d.payload) != "question" {
		t.Errorf("read %q", d.payload)
	}
	var v frame.View
	if b := d.answer([]byte("!")); v.Parse(b) != frame.KindIPv4 || v.Dst != 2 || v.Src != 1 || v.SrcIP != h.DstIP || v.DstIP != h.SrcIP || v.SrcPort != 53 || v.DstPort != 40000 {
		t.Errorf("answered by %+v", v)
	}
}
