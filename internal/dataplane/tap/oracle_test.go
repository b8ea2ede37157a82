package tap

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// oracle returns the path of a program that judges our files. Where it is not
// installed the test says so and, in CI, fails: a judge that never came is no
// acquittal.
func oracle(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s is not installed, and CI must not go without it", program)
	}
	t.Logf("NOT CHECKED against %s: it is not installed", program)
	return ""
}

// judge runs program on input and returns its output.
func judge(t *testing.T, input []byte, program string, args ...string) []byte {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, errs.Bytes())
	}
	return out.Bytes()
}

var (
	macA = []byte{2, 0, 0, 0, 0, 0x10}
	macB = []byte{2, 0, 0, 0, 0, 0x42}
)

func build(t testing.TB, ls ...gopacket.SerializableLayer) []byte {
	t.Helper()
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, ls...); err != nil {
		t.Fatal(err)
	}
	return bytes.Clone(buf.Bytes())
}

// builtFrames are one of every kind that the filter language knows, and each
// again with one and with two tags.
func builtFrames(t testing.TB) [][]byte {
	t.Helper()
	ip := func(p layers.IPProtocol) *layers.IPv4 {
		return &layers.IPv4{Version: 4, TTL: 64, Protocol: p, SrcIP: []byte{192, 168, 0, 10}, DstIP: []byte{192, 168, 0, 42}}
	}
	ip6 := func(p layers.IPProtocol) *layers.IPv6 {
		src, dst := make([]byte, 16), make([]byte, 16)
		src[0], src[15], dst[0], dst[15] = 0xfd, 0x10, 0xfd, 0x42
		return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: p, SrcIP: src, DstIP: dst}
	}
	payload := gopacket.Payload("GET / HTTP/1.1\r\n\r\n")
	tcp := func(src, dst layers.TCPPort, n gopacket.NetworkLayer, syn, rst bool) *layers.TCP {
		l := &layers.TCP{SrcPort: src, DstPort: dst, SYN: syn, RST: rst, ACK: !syn, Window: 1000}
		if err := l.SetNetworkLayerForChecksum(n); err != nil {
			t.Fatal(err)
		}
		return l
	}
	udp := func(src, dst layers.UDPPort, n gopacket.NetworkLayer) *layers.UDP {
		l := &layers.UDP{SrcPort: src, DstPort: dst}
		if err := l.SetNetworkLayerForChecksum(n); err != nil {
			t.Fatal(err)
		}
		return l
	}
	tcp4, udp4, tcp6, udp6 := ip(layers.IPProtocolTCP), ip(layers.IPProtocolUDP), ip6(layers.IPProtocolTCP), ip6(layers.IPProtocolUDP)
	options := ip(layers.IPProtocolTCP)
	options.Options = []layers.IPv4Option{{OptionType: 1}, {OptionType: 1}, {OptionType: 1}, {OptionType: 0}}
	first, later := ip(layers.IPProtocolUDP), ip(layers.IPProtocolUDP)
	first.Flags, later.FragOffset = layers.IPv4MoreFragments, 185
	fragment6 := append([]byte{6, 0, 0, 0, 0, 0, 0, 1}, bytes.Repeat([]byte{0, 80}, 10)...)
	icmp6 := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
	v6 := ip6(layers.IPProtocolICMPv6)
	if err := icmp6.SetNetworkLayerForChecksum(v6); err != nil {
		t.Fatal(err)
	}
	multicast := ip(layers.IPProtocolUDP)
	multicast.DstIP = []byte{224, 0, 0, 251}

	bodies := []struct {
		kind layers.EthernetType
		ls   []gopacket.SerializableLayer
	}{
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{tcp4, tcp(40000, 80, tcp4, true, false), payload}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{tcp4, tcp(80, 40000, tcp4, false, true)}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{options, tcp(40000, 80, options, false, false), payload}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{udp4, udp(5353, 53, udp4), payload}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{first, udp(5353, 53, first), payload}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{later, gopacket.Payload(bytes.Repeat([]byte{0, 53}, 20))}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{multicast, udp(5353, 5353, multicast), payload}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{ip(layers.IPProtocolICMPv4), &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 7, Seq: 1}, payload}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{ip(layers.IPProtocolSCTP), gopacket.Payload(bytes.Repeat([]byte{0, 80}, 10))}},
		{layers.EthernetTypeIPv4, []gopacket.SerializableLayer{ip(layers.IPProtocolIGMP), gopacket.Payload{0x16, 0, 0, 0, 224, 0, 0, 251}}},
		{layers.EthernetTypeIPv6, []gopacket.SerializableLayer{tcp6, tcp(40000, 80, tcp6, true, false), payload}},
		{layers.EthernetTypeIPv6, []gopacket.SerializableLayer{udp6, udp(5353, 53, udp6), payload}},
		{layers.EthernetTypeIPv6, []gopacket.SerializableLayer{ip6(44), gopacket.Payload(fragment6)}},
		{layers.EthernetTypeIPv6, []gopacket.SerializableLayer{v6, icmp6, payload}},
		{layers.EthernetTypeARP, []gopacket.SerializableLayer{&layers.ARP{
			AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 1,
			SourceHwAddress: macA, SourceProtAddress: []byte{192, 168, 0, 10}, DstHwAddress: make([]byte, 6), DstProtAddress: []byte{192, 168, 0, 42},
		}}},
		{layers.EthernetType(0x8035), []gopacket.SerializableLayer{gopacket.Payload(append(make([]byte, 14), 192, 168, 0, 10, 0, 0, 0, 0, 0, 0, 192, 168, 0, 42))}},
		{layers.EthernetType(0x88b5), []gopacket.SerializableLayer{payload}},
	}
	var frames [][]byte
	for _, b := range bodies {
		eth := layers.Ethernet{SrcMAC: macA, DstMAC: macB, EthernetType: b.kind}
		if b.kind == layers.EthernetTypeARP {
			eth.DstMAC = bytes.Repeat([]byte{0xff}, 6)
		}
		frames = append(frames, build(t, append([]gopacket.SerializableLayer{&eth}, b.ls...)...))
		tagged, tag := eth, layers.Dot1Q{VLANIdentifier: 100, Type: b.kind}
		tagged.EthernetType = layers.EthernetTypeDot1Q
		frames = append(frames, build(t, append([]gopacket.SerializableLayer{&tagged, &tag}, b.ls...)...))
		double, outer := eth, layers.Dot1Q{VLANIdentifier: 7, Type: layers.EthernetTypeDot1Q}
		double.EthernetType = layers.EthernetTypeQinQ
		frames = append(frames, build(t, append([]gopacket.SerializableLayer{&double, &outer, &tag}, b.ls...)...))
	}
	return frames
}

// captureFrames are the frames of the captures of real hosts, few of a kind;
// malformed says whether to take those with broken headers or all the others.
func captureFrames(t testing.TB, malformed bool) [][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../../testdata/captures/*.pcap*")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no captures found: %v", err)
	}
	var frames [][]byte
	for _, path := range paths {
		if malformed != (filepath.Base(path) == "malformed.pcap") {
			continue
		}
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = ReadFile(f, func(_ int64, length int, data []byte) error {
			if n++; n <= 60 && length == len(data) {
				frames = append(frames, bytes.Clone(data))
			}
			return nil
		})
		f.Close()
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return frames
}

// truncated are frames cut at every place where a header begins or ends.
func truncated(frames [][]byte) [][]byte {
	var cut [][]byte
	for _, f := range frames {
		for _, n := range [...]int{1, 7, 11, 13, 14, 15, 20, 23, 24, 28, 33, 34, 35, 36, 38, 42, 47, 50, 54, 55, 57} {
			if n < len(f) {
				cut = append(cut, f[:n])
			}
		}
	}
	return cut
}
