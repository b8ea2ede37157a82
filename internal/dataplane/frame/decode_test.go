package frame

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
		t.Errorf("gopacket panicked %d times", d.Panics())
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
	// These sizes make gopacket 1.1.19 slice out of range.
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
		if d.Panics() != 0 {
			t.Fatal("gopacket panicked")
		}
	})
}
