package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// transcript is what a person would have typed and seen.
type transcript struct{ b strings.Builder }

func (l *transcript) add(title, command, output string) {
	fmt.Fprintf(&l.b, "## %s\n\n```text\n$ %s\n", title, command)
	if output != "" {
		fmt.Fprintln(&l.b, output)
	}
	l.b.WriteString("```\n\n")
}

// String shows the record as the transcript does.
func (f record) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s %s, %s to %s\n", f.ID, f.Kind, f.State, f.FromInstanceID, f.ToInstanceID)
	for _, p := range f.Phases {
		fmt.Fprintf(&b, "  %-8s %9.3f ms\n", p.Name, p.Ms)
	}
	for _, t := range f.Traffic {
		fmt.Fprintf(&b, "  %-8s outage %.3f ms, %d of %d requests lost\n", t.Kind, t.OutageMs, t.Lost, t.Sent)
	}
	fmt.Fprintf(&b, "  TCP      %d open: %d reset, %d closed, %d survived; %d opened again\n",
		f.TCP.Open, f.TCP.Reset, f.TCP.Closed, f.TCP.Survived, f.TCP.Reconnected)
	for _, c := range f.Checks {
		fmt.Fprintf(&b, "  %-8s %s: %q, %q\n", c.Name, c.Result, c.Before, c.After)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func writeTranscript(t *testing.T, l *transcript) {
	t.Helper()
	if !*update || t.Failed() {
		return
	}
	head := `# A failover, and the proof of its record

This is what ` + "`go test ./cmd/server -run TestTheCaptureProvesTheRecord -update`" + ` did and saw: it starts the built binary with the demo,
captures the client's vNIC, freezes EC2-1 under traffic, and holds the failover record against the frames that tshark finds in the
exported capture. The instants are equal to the nanosecond, because the record is computed from the same frames. Answers are shown
short: the record as a table, the frames as what they prove.

`
	if err := os.WriteFile(filepath.Join("..", "..", "docs", "failover-transcript.md"), []byte(head+strings.TrimSpace(l.b.String())+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}
