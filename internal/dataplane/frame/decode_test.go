package frame

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
)

var update = flag.Bool("update", false, "rewrite golden files")

// names of a tree's layers, joined.
func names(t *Tree) string {
	var s []string
	for _, l := range t.Layers {
		s = append(s, l.Name)
	}
	return strings.Join(s, " ")
}

func field(t *testing.T, tree *Tree, layer, name string) Field {
	t.Helper()
	for _, l := range tree.Layers {
		for _, f := range l.Fields {
			if l.Name == layer && f.Name == name {
				return f
			}
		}
	}
	t.Fatalf("no field %q of %s in %+v", name, layer, tree)
	return Field{}
}

// checkTree holds what a hex pane relies on: layers lie side by side and cover
// the frame, fields lie inside their layers.
func checkTree(t *testing.T, tree *Tree, b []byte) {
	t.Helper()
	off := 0
	for _, l := range tree.Layers {
		if l.Off != off || l.Len < 0 {
			t.Fatalf("layer %s at %d+%d, want it at %d in %+v", l.Name, l.Off, l.Len, off, tree)
		}
		off += l.Len
		for _, f := range l.Fields {
			if f.Off < l.Off || f.Len < 0 || f.Off+f.Len > l.Off+l.Len {
				t.Fatalf("field %s at %d+%d outside %s at %d+%d", f.Name, f.Off, f.Len, l.Name, l.Off, l.Len)
			}
		}
	}
	if off != len(b) {
		t.Fatalf("layers cover %d of %d bytes: %+v", off, len(b), tree)
	}
}

func TestDecodeGolden(t *testing.T) {
	// Addresses and ports of our own: captures differ from run to run.
	b := AppendTCP(nil, testHeader, Segment{
		SrcPort: 40000, DstPort: 443, Seq: 1, Flags: TCPSyn, Window: 64240,
		Options: []byte{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 10},
	}, nil)
	tree, err := NewDecoder().Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.MarshalIndent(tree, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "syn.json")
	if *update {
		if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != string(got)+"\n" {
		t.Errorf("tree differs from %s (run with -update and read the diff):\n%s", golden, got)
	}
}

func TestDecodeLayers(t *testing.T) {
	udp := AppendUDP(nil, testHeader, 40000, 53, []byte("not DNS"))
	nested := AppendIPv4(nil, testHeader, 4, nil)
	for range 40 {
		inner := nested[EthernetLen:]
		nested = AppendIPv4(nil, testHeader, 4, inner)
	}
	tests := []struct {
		name, want string
		b          []byte
		fails      bool
	}{
		{"udp", "Ethernet IPv4 UDP data", udp, false},
		{"padded", "Ethernet IPv4 UDP data padding", append(udp[:len(udp):len(udp)], 0, 0, 0), false},
		{"arp padded", "Ethernet ARP padding", append(AppendARPRequest(nil, 1, 2, 3), make([]byte, 18)...), false},
		{"unknown type", "Ethernet data", AppendEthernet(nil, 1, 2, 0x88cc)[:14:14], false},
		{"other protocol", "Ethernet IPv4 data", AppendIPv4(nil, testHeader, 132, []byte("sctp")), false},
		{"cut", "Ethernet IPv4 malformed", udp[:40], true},
		{"empty", "malformed", nil, true},
		{"too long", "malformed", make([]byte, MaxDecode+1), true},
	}
	d := NewDecoder()
	for _, tt := range tests {
		tree, err := d.Decode(tt.b)
		if tt.name == "unknown type" {
			tt.want = "Ethernet"
		}
		if names(tree) != tt.want || (err != nil) != tt.fails {
			t.Errorf("%s: %q, %v; want %q", tt.name, names(tree), err, tt.want)
		}
		checkTree(t, tree, tt.b)
	}
	tree, err := d.Decode(nested)
	if err != nil || len(tree.Layers) > maxLayers+1 {
		t.Errorf("%d layers of nested IPv4, %v; want at most %d", len(tree.Layers), err, maxLayers+1)
	}
	checkTree(t, tree, nested)
}

func TestDecodeCaptures(t *testing.T) {
	d := NewDecoder()
	for name, frames := range allCaptured(t) {
		for i, b := range frames {
			tree, err := d.Decode(b)
			checkTree(t, tree, b)
			var v View
			if bad := v.Parse(b) == KindInvalid; bad != (err != nil) {
				t.Errorf("%s frame %d: parse malformed=%v, decode %v", name, i, bad, err)
			}
			if name == "malformed" {
				continue
			}
			for _, l := range tree.Layers {
				for _, f := range l.Fields {
					if strings.HasSuffix(f.Value, "(wrong)") {
						t.Errorf("%s frame %d: %s %s is %s", name, i, l.Name, f.Name, f.Value)
					}
				}
			}
		}
	}
	if d.Panics() != 0 {
		t.Errorf("the decoder panicked %d times", d.Panics())
	}
}

// oracleFields are the fields of a frame's layers as gopacket's own layers have
// them, in the words of a Tree. It ends at the first layer that gopacket refuses.
func oracleFields(b []byte) (all [][]string) {
	var cut truncation
	var eth layers.Ethernet
	if eth.DecodeFromBytes(b, &cut) != nil {
		return nil
	}
	next, rest := eth.EthernetType, eth.Payload
	if next == layers.EthernetTypeLLC {
		return [][]string{{"Ethernet", "destination=" + eth.DstMAC.String(), "source=" + eth.SrcMAC.String(), fmt.Sprintf("length=%d", eth.Length)}}
	}
	all = append(all, []string{"Ethernet", "destination=" + eth.DstMAC.String(), "source=" + eth.SrcMAC.String(), "type=" + etherTypeName(uint16(next))})
	for next == layers.EthernetTypeDot1Q || next == layers.EthernetTypeQinQ {
		var tag layers.Dot1Q
		if tag.DecodeFromBytes(rest, &cut) != nil {
			return all
		}
		all = append(all, []string{"VLAN", fmt.Sprintf("priority=%d", tag.Priority), "drop eligible=" + yesNo(tag.DropEligible),
			fmt.Sprintf("VLAN=%d", tag.VLANIdentifier), "type=" + etherTypeName(uint16(tag.Type))})
		next, rest = tag.Type, tag.Payload
	}
	switch next {
	case layers.EthernetTypeARP:
		var a layers.ARP
		if guardARP(rest) == nil && a.DecodeFromBytes(rest, &cut) == nil {
			all = append(all, []string{"ARP", "sender MAC=" + net.HardwareAddr(a.SourceHwAddress).String(), "sender IP=" + net.IP(a.SourceProtAddress).String(),
				"target MAC=" + net.HardwareAddr(a.DstHwAddress).String(), "target IP=" + net.IP(a.DstProtAddress).String()})
		}
	case layers.EthernetTypeIPv4:
		var ip layers.IPv4
		if ip.DecodeFromBytes(rest, &cut) != nil {
			return all
		}
		fields := []string{"IPv4", fmt.Sprintf("version=%d", ip.Version), fmt.Sprintf("header length=%d", 4*ip.IHL),
			fmt.Sprintf("DSCP and ECN=0x%02x", ip.TOS), fmt.Sprintf("identification=0x%04x", ip.Id),
			"don't fragment=" + yesNo(ip.Flags&layers.IPv4DontFragment != 0), "more fragments=" + yesNo(ip.Flags&layers.IPv4MoreFragments != 0),
			fmt.Sprintf("fragment offset=%d", 8*int(ip.FragOffset)), fmt.Sprintf("TTL=%d", ip.TTL), fmt.Sprintf("header checksum=0x%04x", ip.Checksum),
			"source=" + ip.SrcIP.String(), "destination=" + ip.DstIP.String()}
		for _, o := range ip.Options {
			fields = append(fields, fmt.Sprintf("option %d=%x", o.OptionType, o.OptionData))
		}
		all = append(all, fields)
		if ip.FragOffset == 0 {
			all = append(all, oracleL4(uint8(ip.Protocol), ProtoICMP, ip.Payload)...)
		}
	case layers.EthernetTypeIPv6:
		var ip ipv6
		if ip.DecodeFromBytes(rest, &cut) != nil {
			return all
		}
		proto := ip.NextHeader
		if ip.HopByHop != nil {
			proto = ip.HopByHop.NextHeader
		}
		all = append(all, []string{"IPv6", fmt.Sprintf("version=%d", ip.Version), fmt.Sprintf("traffic class=0x%02x", ip.TrafficClass),
			fmt.Sprintf("flow label=0x%05x", ip.FlowLabel), fmt.Sprintf("payload length=%d", ip.Length),
			fmt.Sprintf("hop limit=%d", ip.HopLimit), "source=" + addrOf(ip.SrcIP), "destination=" + addrOf(ip.DstIP)})
		all = append(all, oracleL4(uint8(proto), ProtoICMPv6, ip.Payload)...)
	}
	return all
}

func addrOf(ip net.IP) string { return netip.AddrFrom16([16]byte(ip)).String() }

func oracleL4(proto, icmp uint8, b []byte) [][]string {
	var cut truncation
	switch {
	case proto == ProtoTCP:
		var t layers.TCP
		if t.DecodeFromBytes(b, &cut) != nil {
			return nil
		}
		fields := []string{"TCP", fmt.Sprintf("source port=%d", uint16(t.SrcPort)), fmt.Sprintf("destination port=%d", uint16(t.DstPort)),
			fmt.Sprintf("sequence=%d", t.Seq), fmt.Sprintf("acknowledgement=%d", t.Ack), fmt.Sprintf("header length=%d", 4*int(t.DataOffset)),
			fmt.Sprintf("window=%d", t.Window), fmt.Sprintf("checksum=0x%04x", t.Checksum), fmt.Sprintf("urgent pointer=%d", t.Urgent)}
		for _, o := range t.Options {
			name := o.OptionType.String()
			if o.OptionType > 8 || o.OptionType == 6 || o.OptionType == 7 {
				name = fmt.Sprint(uint8(o.OptionType))
			}
			fields = append(fields, "option "+name+"=")
		}
		return [][]string{fields}
	case proto == ProtoUDP:
		var u layers.UDP
		if u.DecodeFromBytes(b, &cut) == nil {
			return [][]string{{"UDP", fmt.Sprintf("source port=%d", uint16(u.SrcPort)), fmt.Sprintf("destination port=%d", uint16(u.DstPort)),
				fmt.Sprintf("length=%d", u.Length), fmt.Sprintf("checksum=0x%04x", u.Checksum)}}
		}
	case proto == ProtoICMP && icmp == ProtoICMP:
		var m layers.ICMPv4
		if m.DecodeFromBytes(b, &cut) == nil {
			return [][]string{{"ICMP", "type=" + numbered(m.TypeCode.Type(), icmpName(ProtoICMP, m.TypeCode.Type())),
				fmt.Sprintf("code=%d", m.TypeCode.Code()), fmt.Sprintf("checksum=0x%04x", m.Checksum)}}
		}
	case proto == ProtoICMPv6 && icmp == ProtoICMPv6:
		var m layers.ICMPv6
		if m.DecodeFromBytes(b, &cut) == nil {
			return [][]string{{"ICMPv6", "type=" + numbered(m.TypeCode.Type(), icmpName(ProtoICMPv6, m.TypeCode.Type())),
				fmt.Sprintf("code=%d", m.TypeCode.Code()), fmt.Sprintf("checksum=0x%04x", m.Checksum)}}
		}
	}
	return nil
}

// compareFields holds the layers that both show against each other: names,
// order and values. What Parse refuses may end the one before the other.
func compareFields(t *testing.T, d *Decoder, b []byte) (compared int) {
	t.Helper()
	tree, err := d.Decode(b)
	for i, want := range oracleFields(b) {
		if i >= len(tree.Layers) || tree.Layers[i].Name != want[0] {
			if err == nil {
				t.Fatalf("layer %d of %s, gopacket has %s: %x", i, names(tree), want, b)
			}
			return compared
		}
		at := 0
		for _, w := range want[1:] {
			for at < len(tree.Layers[i].Fields) && !strings.HasPrefix(tree.Layers[i].Fields[at].Name+"="+tree.Layers[i].Fields[at].Value, w) {
				at++
			}
			if at == len(tree.Layers[i].Fields) {
				t.Fatalf("%s has no %q behind the fields before it: %+v of %x", want[0], w, tree.Layers[i], b)
			}
			at++
			compared++
		}
	}
	return compared
}

func TestDecodeAgainstGopacket(t *testing.T) {
	d, n := NewDecoder(), 0
	for _, frames := range allCaptured(t) {
		for _, b := range frames {
			n += compareFields(t, d, b)
		}
	}
	mutants(t, func(b []byte) { n += compareFields(t, d, b) })
	if n < 10_000 {
		t.Errorf("only %d fields compared", n)
	}
}

func TestDecodeSeesWrongChecksums(t *testing.T) {
	b := AppendTCP(nil, testHeader, Segment{SrcPort: 1, DstPort: 2}, []byte("payload"))
	b[len(b)-1] ^= 1
	b[14+8]-- // TTL
	tree, err := NewDecoder().Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []Field{field(t, tree, "TCP", "checksum"), field(t, tree, "IPv4", "header checksum")} {
		if !strings.HasSuffix(f.Value, "(wrong)") {
			t.Errorf("%s %q, want wrong", f.Name, f.Value)
		}
	}
}

func TestDecodeGuardsARP(t *testing.T) {
	// These sizes make gopacket 1.1.19's own layer slice out of range.
	b := AppendARPRequest(nil, 1, 2, 3)
	b[14+4], b[14+5] = 200, 60
	d := NewDecoder()
	if tree, err := d.Decode(b); err == nil || names(tree) != "Ethernet malformed" || d.Panics() != 0 {
		t.Errorf("%q, %v, %d panics", names(tree), err, d.Panics())
	}
}

func TestDecodeAllocates(t *testing.T) {
	// The tree is for a person, but must not cost by the frame's length.
	d := NewDecoder()
	small := AppendUDP(nil, testHeader, 1, 2, nil)
	large := AppendUDP(nil, testHeader, 1, 2, make([]byte, 8900))
	a := testing.AllocsPerRun(100, func() { d.Decode(small) })
	b := testing.AllocsPerRun(100, func() { d.Decode(large) })
	if b > a+8 {
		t.Errorf("%v allocations for a small frame, %v for a large one", a, b)
	}
}

func FuzzDecode(f *testing.F) {
	addSeeds(f)
	d := NewDecoder()
	f.Fuzz(func(t *testing.T, b []byte) {
		tree, _ := d.Decode(b)
		checkTree(t, tree, b)
		compareFields(t, d, b)
		if d.Panics() != 0 {
			t.Fatal("the decoder panicked")
		}
	})
}
