package control

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// spoken is a duration as docs/bad-day.md writes it.
func spoken(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d/time.Millisecond)
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}

func TestTimingAndQuotasAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/bad-day.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	rows := 0
	for _, op := range Operations() {
		s := TimingAWS.Spans[op]
		row := fmt.Sprintf(" | %s | %s | %s | ", spoken(s.Min), spoken(s.Median), spoken(s.Max))
		found := false
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "| `"+string(op)+"` | ") {
				found, rows = strings.Contains(line, row), rows+1
			}
		}
		if !found {
			t.Errorf("bad-day.md does not say %q of %s", row, op)
		}
	}
	for _, q := range QuotasAWS {
		of := "a region"
		if q.PerVPC {
			of = "a VPC"
		}
		if row := fmt.Sprintf("| %s | %s | %d | `%s` |\n", q.What, of, q.Most, q.Code); !strings.Contains(text, row) {
			t.Errorf("bad-day.md lacks %q", row)
		}
	}
	if rows != len(Operations()) || strings.Count(text, "LimitExceeded` |") != len(QuotasAWS) {
		t.Errorf("bad-day.md has %d operations, want %d, or other quotas than %d", rows, len(Operations()), len(QuotasAWS))
	}
}
