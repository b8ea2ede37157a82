package stream

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

var update = flag.Bool("update", false, "write the golden files of testdata/stream")

const goldenDir = "../../../testdata/stream"

// goldenPacket is a record as the decoder of the page should read it.
type goldenPacket struct {
	Cursor    uint64 `json:"cursor"`
	Micros    int64  `json:"micros"` // Unix microseconds
	SrcIP     uint32 `json:"srcIp"`
	DstIP     uint32 `json:"dstIp"`
	SrcPort   uint16 `json:"srcPort"`
	DstPort   uint16 `json:"dstPort"`
	Length    uint16 `json:"length"`
	EtherType uint16 `json:"etherType"`
	Proto     uint8  `json:"proto"`
	Verdict   uint8  `json:"verdict"`
	Reason    uint8  `json:"reason"`
	TCPFlags  uint8  `json:"tcpFlags"`
	SrcVNIC   uint32 `json:"srcVnic"`
	DstVNIC   uint32 `json:"dstVnic"`
	Rule      uint32 `json:"rule"` // as on the wire
	Way       uint32 `json:"way"`  // as on the wire
}

const goldenBase = int64(1_763_884_800_123_456_000)

func goldenRecords() []numbered {
	return []numbered{
		{5_000_000_000, dataplane.Record{
			At: goldenBase, SrcVNIC: 1, DstVNIC: 2, SrcIP: 0xC0A8000A, DstIP: 0xC0A8002A, SrcPort: 40000, DstPort: 7,
			EtherType: 0x0800, Length: 106, Proto: 17, Verdict: verdict.Accept, Step: verdict.StepDelivery, Rule: 17, Way: 1<<31 | 3,
		}},
		{5_000_000_001, dataplane.Record{
			At: goldenBase + 250_000, SrcVNIC: 70_000, DstVNIC: 2, SrcIP: 0xFFFFFFFF, DstIP: 0x01020304, SrcPort: 65535, DstPort: 80,
			EtherType: 0x0800, Length: 9015, Proto: 6, TCPFlags: 0x12, Verdict: verdict.Reject,
			Reason: verdict.IngressDenied, Step: verdict.StepGroupsIn, Rule: verdict.RuleImplicitDeny, Way: 70_001,
		}},
		// Overlaps the batch before: earlier than its predecessor, and sampled.
		{5_000_000_008, dataplane.Record{
			At: goldenBase - 1_000, SrcVNIC: 3, EtherType: 0x0806, Length: 60, SrcIP: 0xC0A8000A, DstIP: 0xC0A80063,
			Verdict: verdict.Lost, Reason: verdict.ARPUnanswered, Step: verdict.StepService,
		}},
		{5_000_000_009, dataplane.Record{
			At: goldenBase + 2_000_000_000, SrcVNIC: 1, EtherType: 0x0806, Length: 60,
			Verdict: verdict.Control, Reason: verdict.ARPAnswered, Step: verdict.StepService,
		}},
	}
}

// goldenRule numbers rules as a new connection's dictionary does.
func goldenRule(id verdict.RuleID) uint32 {
	return map[verdict.RuleID]uint32{verdict.RuleNone: 0, 17: 1, verdict.RuleImplicitDeny: 2}[id]
}

func TestGoldenPackets(t *testing.T) {
	rs := goldenRecords()
	b := appendPackets(nil, rs, 6, 10, goldenRule)
	var want []goldenPacket
	for _, r := range rs {
		want = append(want, goldenPacket{
			Cursor: r.cursor, Micros: r.At / 1000, SrcIP: uint32(r.SrcIP), DstIP: uint32(r.DstIP),
			SrcPort: r.SrcPort, DstPort: r.DstPort, Length: r.Length, EtherType: r.EtherType, Proto: r.Proto,
			Verdict: uint8(r.Verdict), Reason: uint8(r.Reason), TCPFlags: r.TCPFlags,
			SrcVNIC: r.SrcVNIC, DstVNIC: r.DstVNIC, Rule: goldenRule(r.Rule) | uint32(r.Step)<<24, Way: uint32(r.Way),
		})
	}
	golden(t, "packets", b, map[string]any{"skipped": 6, "matched": 10, "packets": want})
	if want := headerSize + len(rs)*packetSize; len(b) != want {
		t.Errorf("the message has %d bytes, want %d", len(b), want)
	}
}

func TestGoldenBins(t *testing.T) {
	edges := []dataplane.Edge{
		{SrcVNIC: 1, DstVNIC: 2, Frames: [verdict.NumVerdicts]uint64{0, 50, 1, 2, 3}, Bytes: 5_300},
		{SrcVNIC: 70_000, DstVNIC: 0, Frames: [verdict.NumVerdicts]uint64{verdict.Lost: 1 << 40}, Bytes: 1 << 41},
	}
	b := appendBin(nil, typeBins, goldenBase/100_000_000*100_000_000, 100_000_000, edges)
	type edge struct {
		Src     uint32 `json:"src"`
		Dst     uint32 `json:"dst"`
		Accept  uint64 `json:"accept"`
		Reject  uint64 `json:"reject"`
		Lost    uint64 `json:"lost"`
		Control uint64 `json:"control"`
		Bytes   uint64 `json:"bytes"`
	}
	golden(t, "bins", b, map[string]any{
		"startMicros": goldenBase / 100_000_000 * 100_000, "widthMs": 100,
		// Frames saturate at 32 bits; bytes do not.
		"edges": []edge{{1, 2, 50, 1, 2, 3, 5_300}, {70_000, 0, 0, 0, 1<<32 - 1, 0, 1 << 41}},
	})
	if want := headerSize + len(edges)*edgeSize; len(b) != want {
		t.Errorf("the message has %d bytes, want %d", len(b), want)
	}
}

// golden compares a message and its meaning with the files that the page's
// decoder is tested with.
func golden(t *testing.T, name string, b []byte, meaning any) {
	t.Helper()
	text, err := json.MarshalIndent(meaning, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{name + ".bin": b, name + ".json": append(text, '\n')}
	for file, got := range files {
		file = filepath.Join(goldenDir, file)
		if *update {
			if err := os.MkdirAll(goldenDir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s differs from what the encoder gives; if the protocol changed, raise Version and run with -update", file)
		}
	}
}
