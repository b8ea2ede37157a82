package tap

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// names is a fixed Names.
type names struct{}

func (names) VNICName(i uint32) (string, frame.MAC) {
	if i == 99 {
		return "", 0
	}
	return fmt.Sprintf("eni-%08x", i), 0x020000000000 | frame.MAC(i)
}

func (names) RuleName(id verdict.RuleID) string {
	if id == 999 {
		return ""
	}
	switch id.Kind() {
	case verdict.KindRoute:
		return fmt.Sprintf("rtb-%04x 10.0.0.0/8", uint16(id))
	case verdict.KindGateway:
		return fmt.Sprintf("igw-%04x", uint16(id))
	case verdict.KindACLEntry:
		return fmt.Sprintf("acl-%04x egress 100", uint16(id))
	}
	return fmt.Sprintf("sgr-%04x", uint32(id))
}

var _ Names = names{}

// told are verdicts and the comments they must become.
var told = []struct {
	meta    Meta
	comment string
	flags   string // tshark's frame.packet_flags_direction
}{
	{Meta{VNIC: 1, Point: verdict.GuestTX, Verdict: verdict.Accept, Rule: 16}, "verdict=accept point=guest_tx rule=sgr-0010", "2"},
	{Meta{VNIC: 1, Point: verdict.EgressPost, Verdict: verdict.Accept}, "verdict=accept point=egress_post", "2"},
	{
		Meta{VNIC: 2, Point: verdict.IngressPre, Verdict: verdict.Reject, Step: verdict.StepGroupsIn, Reason: verdict.IngressDenied, Rule: verdict.RuleImplicitDeny},
		"verdict=reject point=ingress_pre step=groups_in reason=ingress_denied code=ENI_SG_RULES_MISMATCH rule=implicit-deny (no ingress rule of the receiver's security groups allows it)", "1",
	},
	{
		Meta{VNIC: 99, Point: verdict.GuestRX, Verdict: verdict.Lost, Step: verdict.StepDelivery, Reason: verdict.Detached, Rule: 999},
		"verdict=lost point=guest_rx step=delivery reason=detached code=BAD_STATE_ATTACHMENT rule=#999 (the interface holding the address is attached to no instance)", "1",
	},
	{
		Meta{VNIC: 1, Point: verdict.EgressPost, Verdict: verdict.Accept, Why: Why{
			Route: verdict.RuleOf(verdict.KindRoute, 1), Onward: verdict.RuleOf(verdict.KindRoute, 2), Via: verdict.RuleOf(verdict.KindGateway, 3),
			Leaves: verdict.RuleOf(verdict.KindGateway, 4), Enters: verdict.RuleOf(verdict.KindGateway, 5), Entry: verdict.RuleOf(verdict.KindACLEntry, 6),
			Was: Ends{0x0a000001, 0xc6336407, 40000, 443}, Now: Ends{0xcb007105, 0xc6336407, 1024, 443},
		}},
		`verdict=accept point=egress_post route="rtb-0001 10.0.0.0/8" onward="rtb-0002 10.0.0.0/8" via=igw-0003 leaves=igw-0004 enters=igw-0005` +
			` acl="acl-0006 egress 100" was=10.0.0.1:40000>198.51.100.7:443 now=203.0.113.5:1024>198.51.100.7:443`, "2",
	},
}

const startTime = 1_790_000_000_123_456_789

// writeNg writes every built frame with the verdicts of told in turn.
func writeNg(t *testing.T) ([]byte, [][]byte) {
	t.Helper()
	var file bytes.Buffer
	w, err := NewNgWriter(&file, names{}, 0, "a comment, “quoted”")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Statistics(startTime, 0); err != nil { // before any interface is known
		t.Fatal(err)
	}
	frames := builtFrames(t)
	for i, b := range frames {
		m := told[i%len(told)].meta
		m.At = startTime + int64(i)*1001
		if err := w.Packet(Packet{Meta: m, Length: len(b), Data: b}); err != nil {
			t.Fatal(err)
		}
		if i == 5 {
			if err := w.Statistics(m.At, 3); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Statistics(startTime+1e9, 7); err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), frames
}

func TestNgWriterIsReadByPcapgo(t *testing.T) {
	file, frames := writeNg(t)
	r, err := pcapgo.NewNgReader(bytes.NewReader(file), pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range frames {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		in, err := r.Interface(ci.InterfaceIndex)
		if err != nil {
			t.Fatal(err)
		}
		name, _ := names{}.VNICName(told[i%len(told)].meta.VNIC)
		if name == "" {
			name = "vnic-99"
		}
		if !bytes.Equal(data, want) || ci.Length != len(want) || ci.Timestamp.UnixNano() != startTime+int64(i)*1001 || in.Name != name {
			t.Fatalf("frame %d: %d bytes of %d at %d on %q", i, len(data), ci.Length, ci.Timestamp.UnixNano(), in.Name)
		}
	}
	if _, _, err := r.ReadPacketData(); err != io.EOF {
		t.Fatalf("behind the last frame: %v, want EOF", err)
	}
	if n := r.NInterfaces(); n != 3 {
		t.Errorf("%d interfaces, want 3", n)
	}
	if in, _ := r.Interface(1); in.Statistics.PacketsDropped != 7 || in.Statistics.LastUpdate.UnixNano() != startTime+1e9 {
		t.Errorf("statistics %+v", in.Statistics)
	}
	if r.SectionInfo().Application != "enilab" || r.SectionInfo().Comment != "a comment, “quoted”" {
		t.Errorf("section %+v", r.SectionInfo())
	}
}

func TestNgWriterIsReadByTshark(t *testing.T) {
	file, frames := writeNg(t)
	lines := tsharkFields(t, file, "frame.interface_name", "frame.comment", "frame.packet_flags_direction", "frame.time_epoch", "frame.len", "_ws.malformed")
	if lines == nil {
		return
	}
	if len(lines) != len(frames) {
		t.Fatalf("tshark reads %d frames, want %d", len(lines), len(frames))
	}
	for i, got := range lines {
		want := told[i%len(told)]
		name, _ := names{}.VNICName(want.meta.VNIC)
		if name == "" {
			name = "vnic-99"
		}
		at := startTime + int64(i)*1001
		expected := []string{name, want.comment, want.flags, fmt.Sprintf("%d.%09d", at/1e9, at%1e9), fmt.Sprint(len(frames[i])), ""}
		// Wireshark shows the direction as a number with a prefix in some versions.
		got[2] = strings.TrimPrefix(got[2], "0x0000000")
		if strings.Join(got[:5], "|") != strings.Join(expected[:5], "|") {
			t.Errorf("frame %d:\n got %q\nwant %q", i, got, expected)
		}
	}
}

// tsharkFields returns what tshark reads of each frame, or nil without tshark.
func tsharkFields(t *testing.T, file []byte, fields ...string) [][]string {
	t.Helper()
	tshark := oracle(t, "tshark")
	if tshark == "" {
		return nil
	}
	args := []string{"-n", "-r", "-", "-T", "fields", "-E", "separator=/t"}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	lines := [][]string{}
	for line := range strings.Lines(string(judge(t, file, tshark, args...))) {
		lines = append(lines, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	return lines
}

func TestPcapWriterIsReadByPcapgo(t *testing.T) {
	var file bytes.Buffer
	w, err := NewPcapWriter(&file, 40)
	if err != nil {
		t.Fatal(err)
	}
	frames := builtFrames(t)
	for i, b := range frames {
		if err := w.Packet(Packet{Meta: Meta{At: startTime + int64(i)}, Length: len(b), Data: b}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := pcapgo.NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	if r.LinkType() != layers.LinkTypeEthernet || r.Snaplen() != 40 {
		t.Errorf("link type %v, snap length %d", r.LinkType(), r.Snaplen())
	}
	for i, want := range frames {
		data, ci, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(data, want[:min(40, len(want))]) || ci.Length != len(want) || ci.Timestamp.UnixNano() != startTime+int64(i) {
			t.Fatalf("frame %d: %d bytes of %d at %d", i, len(data), ci.Length, ci.Timestamp.UnixNano())
		}
	}
}

func TestWritersDoNotAllocate(t *testing.T) {
	ng, err := NewNgWriter(io.Discard, names2{}, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	classic, err := NewPcapWriter(io.Discard, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := Packet{Meta: Meta{VNIC: 2, Point: verdict.IngressPre, Verdict: verdict.Reject, Step: verdict.StepGroupsIn, Reason: verdict.IngressDenied, Rule: 17}, Length: 1514, Data: make([]byte, 1514)}
	allocs := testing.AllocsPerRun(200, func() {
		if ng.Packet(p) != nil || ng.Statistics(1, 1) != nil || classic.Packet(p) != nil {
			t.Fatal("writing failed")
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a packet", allocs)
	}
}

// names2 answers without allocating, as the engine's tables do.
type names2 struct{}

func (names2) VNICName(uint32) (string, frame.MAC) { return "eni-0abc", 0x020000000042 }
func (names2) RuleName(verdict.RuleID) string      { return "sgr-0123456789abcdef0" }

func TestNgWriterBoundsNames(t *testing.T) {
	var file bytes.Buffer
	w, err := NewNgWriter(&file, longNames{}, 64, strings.Repeat("ü", 70000))
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 1514)
	if err := w.Packet(Packet{Meta: Meta{Rule: 20, Point: verdict.GuestTX}, Length: len(b), Data: b}); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = ReadFile(&file, func(_ int64, length int, data []byte) error {
		n++
		if length != 1514 || len(data) != 64 {
			t.Errorf("%d bytes of %d, want 64 of 1514", len(data), length)
		}
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d frames, %v", n, err)
	}
}

type longNames struct{}

func (longNames) VNICName(uint32) (string, frame.MAC) { return strings.Repeat("€", 50000), 1 }
func (longNames) RuleName(verdict.RuleID) string      { return strings.Repeat("x", 90000) }
