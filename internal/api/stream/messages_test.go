package stream

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"enilab/internal/filter"
)

// TestGoldenMessages holds the form of every JSON message, one of each, which the
// page's tests read too.
func TestGoldenMessages(t *testing.T) {
	_, fault := filter.Parse("dst:192.168.0.42 prot:tcp", 0)
	at := time.Date(2026, 1, 31, 12, 0, 0, 250_000_000, time.UTC)
	all := []any{
		helloMessage{"hello", Version, "EPOCH", "501", 42, "1769860800250000000", binWidthMs},
		gapMessage{"gap", "packets", "100", "501"},
		dictMessage{"dict", "vnic", []dictItem{{I: 7, ID: "eni-7", MAC: "02:00:00:00:00:07"}}},
		dictMessage{"dict", "rule", []dictItem{{I: 1, ID: "sgr-1"}}},
		dictMessage{"dict", "way", []dictItem{{I: 3, wayNames: wayNames{Route: "rtb-1 0.0.0.0/0", Via: "igw-1", ACLOut: "acl-1 egress 100"}}}},
		dictMessage{"dict", "who", []dictItem{
			{I: 7, whoNames: whoNames{"0", "i-1", "EC2-1", 1}},
			{I: 7, whoNames: whoNames{"1769860800250000000", "i-2", "EC2-2", 1}},
		}},
		eventMessage{"event", 43, at, "interface.attached", "eni-7", detail(nil)},
		failoverMessage{"failover", map[string]string{"id": "fo-1"}},
		reducedMessage{"reduced", 4},
		filteredMessage{"filtered", 2, "dst:192.168.0.42", nil},
		refusal(3, "dst:192.168.0.42 prot:tcp", fault),
		matchesMessage{"matches", 2, 250, 2604, 78, 78, 0},
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	for _, m := range all {
		if err := enc.Encode(m); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(goldenDir, "messages.jsonl")
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%s differs from what is sent; if the protocol changed, raise Version and run with -update:\n%s", file, got.Bytes())
	}
}
