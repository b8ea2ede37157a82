package frame

import (
	"bytes"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// naiveChecksum is RFC 1071 as written.
func naiveChecksum(b []byte) uint16 {
	var s uint32
	for i := 0; i < len(b); i += 2 {
		s += uint32(b[i]) << 8
		if i+1 < len(b) {
			s += uint32(b[i+1])
		}
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

func TestChecksumAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 200 {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if got, want := Checksum(b), naiveChecksum(b); got != want {
			t.Fatalf("%d bytes: %#04x, want %#04x", n, got, want)
		}
	}
	// Every carry at once.
	ones := bytes.Repeat([]byte{0xff}, 9000)
	if got, want := Checksum(ones), naiveChecksum(ones); got != want {
		t.Errorf("all ones: %#04x, want %#04x", got, want)
	}
}

// serialized is the frame as gopacket builds it.
func serialized(t *testing.T, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func oracleIP(h Header, proto layers.IPProtocol) (*layers.Ethernet, *layers.IPv4) {
	ttl := h.TTL
	if ttl == 0 {
		ttl = DefaultTTL
	}
	var flags layers.IPv4Flag
	if h.DontFrag {
		flags = layers.IPv4DontFragment
	}
	return &layers.Ethernet{DstMAC: h.Dst.HardwareAddr(), SrcMAC: h.Src.HardwareAddr(), EthernetType: layers.EthernetTypeIPv4},
		&layers.IPv4{
			Version: 4, IHL: 5, TOS: h.TOS, Id: h.ID, Flags: flags, TTL: ttl, Protocol: proto,
			SrcIP: h.SrcIP.Addr().AsSlice(), DstIP: h.DstIP.Addr().AsSlice(),
		}
}

func TestBuildersAgainstGopacket(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	// Room in front and behind with old bytes in it: builders must overwrite.
	buf := bytes.Repeat([]byte{0xaa}, 4096)
	check := func(what string, got, want []byte) {
		t.Helper()
		// gopacket pads to Ethernet's minimum, which a virtual wire has not.
		padded := append(bytes.Clone(got[3:]), make([]byte, max(0, 60-len(got[3:])))...)
		if string(got[:3]) != "\xaa\xaa\xaa" || !bytes.Equal(padded, want) {
			t.Fatalf("%s:\n got %x\nwant aaaaaa %x", what, got, want)
		}
	}
	for n := range 100 {
		payload := make([]byte, n)
		for i := range payload {
			payload[i] = byte(r.Uint32())
		}
		h := Header{
			Dst: MAC(r.Uint64N(1 << 48)), Src: MAC(r.Uint64N(1 << 48)), SrcIP: IPv4(r.Uint32()), DstIP: IPv4(r.Uint32()),
			ID: uint16(r.Uint32()), TTL: uint8(n), TOS: uint8(n), DontFrag: n%2 == 0,
		}
		s := Segment{
			SrcPort: uint16(r.Uint32()), DstPort: uint16(r.Uint32()), Seq: r.Uint32(), Ack: r.Uint32(),
			Flags: TCPSyn | TCPAck, Window: uint16(r.Uint32()), Options: []byte{2, 4, 5, 0xb4},
		}
		eth, ip := oracleIP(h, layers.IPProtocolTCP)
		tcp := &layers.TCP{
			SrcPort: layers.TCPPort(s.SrcPort), DstPort: layers.TCPPort(s.DstPort), Seq: s.Seq, Ack: s.Ack,
			SYN: true, ACK: true, Window: s.Window,
			Options: []layers.TCPOption{{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{5, 0xb4}}},
		}
		if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		check("tcp", AppendTCP(buf[:3], h, s, payload), serialized(t, eth, ip, tcp, gopacket.Payload(payload)))

		eth, ip = oracleIP(h, layers.IPProtocolUDP)
		udp := &layers.UDP{SrcPort: layers.UDPPort(s.SrcPort), DstPort: layers.UDPPort(s.DstPort)}
		if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
		check("udp", AppendUDP(buf[:3], h, s.SrcPort, s.DstPort, payload), serialized(t, eth, ip, udp, gopacket.Payload(payload)))

		eth, ip = oracleIP(h, layers.IPProtocolICMPv4)
		icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: s.SrcPort, Seq: s.DstPort}
		check("echo", AppendICMPEcho(buf[:3], h, false, s.SrcPort, s.DstPort, payload), serialized(t, eth, ip, icmp, gopacket.Payload(payload)))
	}

	arp := &layers.ARP{
		AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 2,
		SourceHwAddress: serverMAC.HardwareAddr(), SourceProtAddress: net.IP(serverIP.Addr().AsSlice()),
		DstHwAddress: clientMAC.HardwareAddr(), DstProtAddress: net.IP(clientIP.Addr().AsSlice()),
	}
	eth := &layers.Ethernet{DstMAC: clientMAC.HardwareAddr(), SrcMAC: serverMAC.HardwareAddr(), EthernetType: layers.EthernetTypeARP}
	check("arp reply", AppendARPReply(buf[:3], serverMAC, serverIP, clientMAC, clientIP), serialized(t, eth, arp))
}

func TestUDPNeverSendsChecksumZero(t *testing.T) {
	// The payload is chosen so that the checksum would be 0.
	b := AppendUDP(nil, testHeader, 1, 2, []byte{0, 0})
	check := uint16(b[40])<<8 | uint16(b[41])
	b = AppendUDP(nil, testHeader, 1, 2, []byte{byte(check >> 8), byte(check)})
	if b[40] != 0xff || b[41] != 0xff {
		t.Errorf("checksum %x, want ffff", b[40:42])
	}
	if got := L4Checksum(clientIP, serverIP, ProtoUDP, b[34:]); got != 0 {
		t.Errorf("checksum over the datagram %#04x, want 0", got)
	}
}

func TestBuildersOfTheLongestFrame(t *testing.T) {
	b := AppendIPv4(nil, testHeader, 47, make([]byte, MaxFrame-EthernetLen-IPv4MinLen))
	var v View
	if len(b) != MaxFrame || v.Parse(b) != KindIPv4 || v.End != MaxFrame {
		t.Errorf("%d bytes parsed as %+v", len(b), v)
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic for a payload that does not fit")
		}
	}()
	AppendUDP(nil, testHeader, 1, 2, make([]byte, 1<<16))
}

func TestRewriteMACs(t *testing.T) {
	b := AppendUDP(nil, testHeader, 1, 2, nil)
	want := bytes.Clone(b[12:])
	RewriteMACs(b, 0x0a0000000001, 0x0a0000000002)
	if MACAt(b) != 0x0a0000000001 || MACAt(b[6:]) != 0x0a0000000002 || !bytes.Equal(b[12:], want) {
		t.Errorf("frame is now %x", b)
	}
}

func TestBuildersDoNotAllocate(t *testing.T) {
	buf := make([]byte, 0, 2048)
	payload := make([]byte, 1000)
	if n := testing.AllocsPerRun(100, func() {
		AppendARPReply(buf, serverMAC, serverIP, clientMAC, clientIP)
		AppendUDP(buf, testHeader, 1, 2, payload)
		AppendTCP(buf, testHeader, Segment{SrcPort: 1, DstPort: 2}, payload)
		AppendICMPEcho(buf, testHeader, true, 1, 2, payload)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
