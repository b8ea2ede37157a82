package frame

import (
	"bytes"
	"testing"
)

func TestParseRefusesMalformed(t *testing.T) {
	n := 0
	for i, b := range captured(t, "malformed") {
		if MACAt(b[6:]) != clientMAC {
			continue // the server answered one
		}
		n++
		var v View
		if v.Parse(b) != KindInvalid || v.Kind != KindInvalid || v.HasL4 {
			t.Errorf("frame %d is not malformed: %+v\n%x", i, v, b)
		}
		if v.Src != clientMAC {
			t.Errorf("frame %d: source %v is not kept", i, v.Src)
		}
	}
	if n != 37 {
		t.Errorf("%d malformed frames, craft.py sends 37", n)
	}
}

func TestParseAcceptsHosts(t *testing.T) {
	for name, frames := range allCaptured(t) {
		if name == "malformed" {
			continue
		}
		for i, b := range frames {
			var v View
			if v.Parse(b) == KindInvalid {
				t.Errorf("%s frame %d is malformed: %x", name, i, b)
			}
		}
	}
}

func TestParseFields(t *testing.T) {
	tcp := AppendTCP(nil, testHeader, Segment{
		SrcPort: 40000, DstPort: 80, Seq: 0x01020304, Ack: 0x05060708, Flags: TCPSyn | TCPAck, Options: []byte{2, 4, 5, 0xb4},
	}, []byte("data"))
	base := View{
		Dst: serverMAC, Src: clientMAC, SrcIP: clientIP, DstIP: serverIP, EtherType: EtherTypeIPv4, Kind: KindIPv4,
		TTL: 64, DontFrag: true, HasL4: true, IPID: 1, L3: 14, L4: 34,
	}
	want := func(change func(v *View)) View { v := base; change(&v); return v }
	arp := View{
		Dst: BroadcastMAC, Src: clientMAC, SrcIP: clientIP, DstIP: serverIP, EtherType: EtherTypeARP, Kind: KindARP,
		ARPOp: 1, L3: 14, L4: 42, Payload: 42, End: 42,
	}
	tests := []struct {
		name string
		b    []byte
		want View
	}{
		{"tcp", tcp, want(func(v *View) {
			v.Proto, v.TCPFlags, v.SrcPort, v.DstPort = ProtoTCP, TCPSyn|TCPAck, 40000, 80
			v.TCPSeq, v.TCPAckNo, v.Payload, v.End = 0x01020304, 0x05060708, 58, 62
		})},
		{"udp, padded", append(AppendUDP(nil, testHeader, 40000, 53, []byte("q")), make([]byte, 17)...), want(func(v *View) {
			v.Proto, v.SrcPort, v.DstPort, v.Payload, v.End = ProtoUDP, 40000, 53, 42, 43
		})},
		{"echo", AppendICMPEcho(nil, testHeader, false, 7, 9, nil), want(func(v *View) {
			v.Proto, v.ICMPType, v.ICMPID, v.Payload, v.End = ProtoICMP, 8, 7, 42, 42
		})},
		{"unreachable has no identifier", AppendICMP(nil, testHeader, 3, 1, 0x00070000, nil), want(func(v *View) {
			v.Proto, v.ICMPType, v.ICMPCode, v.Payload, v.End = ProtoICMP, 3, 1, 42, 42
		})},
		{"other protocol", AppendIPv4(nil, testHeader, 132, []byte("ab")), want(func(v *View) {
			v.Proto, v.HasL4, v.Payload, v.End = 132, false, 34, 36
		})},
		{"arp", AppendARPRequest(nil, clientMAC, clientIP, serverIP), arp},
	}
	for _, tt := range tests {
		// Whatever was in v before has to be gone.
		v := View{Dst: 9, ARPOp: 9, VLANTags: 9, Fragment: true, FirstFrag: true, ICMPID: 9, TCPSeq: 9, TCPFlags: 9, SrcPort: 9, HasL4: true}
		if v.Parse(tt.b); v != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, v, tt.want)
		}
	}
	var v View
	b := AppendARPReply(nil, serverMAC, serverIP, clientMAC, clientIP)
	if v.Parse(b); v.ARPSender(b) != serverMAC || v.ARPTarget(b) != clientMAC || v.ARPOp != 2 {
		t.Errorf("ARP reply: %+v", v)
	}
}

func TestParseTagged(t *testing.T) {
	var got []uint8
	for _, b := range captured(t, "tagged") {
		var v View
		if kind := v.Parse(b); v.VLANTags > 0 {
			got = append(got, v.VLANTags, uint8(kind))
		}
	}
	want := []uint8{
		1, uint8(KindIPv4), 1, uint8(KindIPv4), 1, uint8(KindARP), 2, uint8(KindIPv4), 2, uint8(KindIPv6),
		2, uint8(KindOther), // the third tag is not looked behind
	}
	if !bytes.Equal(got, want) {
		t.Errorf("tags and kinds %v, want %v", got, want)
	}
}

func TestParseFragments(t *testing.T) {
	for _, name := range []string{"fragments", "ipv6"} {
		first, later := 0, 0
		for i, b := range captured(t, name) {
			var v View
			v.Parse(b)
			if !v.Fragment {
				continue
			}
			if v.FirstFrag {
				first++
			} else {
				later++
			}
			if v.HasL4 != v.FirstFrag || v.FirstFrag && v.ICMPID == 0 || !v.FirstFrag && v.ICMPID != 0 {
				t.Errorf("%s frame %d: %+v", name, i, v)
			}
		}
		if first == 0 || later != 2*first {
			t.Errorf("%s: %d first and %d later fragments, want two later ones for each", name, first, later)
		}
	}
}

func TestParseEmptyAndAtomicFragments(t *testing.T) {
	empty := AppendIPv4(nil, testHeader, ProtoUDP, nil)
	empty[14+7] = 4 // offset 32, and nothing there
	var v View
	if v.Parse(empty) != KindInvalid {
		t.Errorf("an empty fragment is %+v", v)
	}

	// RFC 6946: a fragment header on a whole packet.
	atomic := AppendEthernet(nil, serverMAC, clientMAC, EtherTypeIPv6)
	atomic = append(atomic, 0x60, 0, 0, 0, 0, 16, extFragment, 64)
	atomic = append(atomic, make([]byte, 32)...)
	atomic = append(atomic, ProtoUDP, 0, 0, 0x6, 0, 0, 0, 1) // reserved bits are to be ignored
	atomic = append(atomic, 0, 1, 0, 2, 0, 8, 0, 0)
	if v.Parse(atomic) != KindIPv6 || v.Fragment || !v.HasL4 || v.DstPort != 2 {
		t.Errorf("an atomic fragment is %+v", v)
	}
}

func TestParseLengths(t *testing.T) {
	// All lengths a frame can have, of zeros and of ones: no panic, and the
	// longest offset fits.
	for _, fill := range []byte{0, 0xff} {
		b := bytes.Repeat([]byte{fill}, MaxFrame+1)
		for n := range len(b) + 1 {
			if n > 300 && n < MaxFrame-300 && n%97 != 0 {
				continue
			}
			var v View
			v.Parse(b[:n])
			checkView(t, &v, b[:n])
			if n > MaxFrame && v.Kind != KindInvalid {
				t.Errorf("%d bytes are kind %d", n, v.Kind)
			}
		}
	}
}

func TestParseDoesNotAllocate(t *testing.T) {
	for name, frames := range allCaptured(t) {
		var v View
		if n := testing.AllocsPerRun(10, func() {
			for _, b := range frames {
				v.Parse(b)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
