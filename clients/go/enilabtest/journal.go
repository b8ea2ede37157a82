package enilabtest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"enilab/internal/control"
)

// maxJournal bounds the log that is kept, in bytes; the oldest lines go first.
const maxJournal = 256 << 10

// journal keeps the laboratory's log for a test that fails.
type journal struct {
	*slog.Logger

	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
	lost bool         // guarded by mu
}

func newJournal() *journal {
	j := &journal{}
	j.Logger = slog.New(slog.NewTextHandler(j, nil))
	return j
}

// Write implements io.Writer: each call is a line.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.text.Len() > 0 && j.text.Len()+len(line) > maxJournal {
		_, _ = j.text.ReadBytes('\n') // there is one
		j.lost = true
	}
	return j.text.Write(line)
}

func (j *journal) tell(t testing.TB) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.text.Len() == 0 {
		return
	}
	before := ""
	if j.lost {
		before = " (its end)"
	}
	t.Logf("enilabtest: the laboratory's log%s:\n%s", before, j.text.String())
}

// maxEvents is how many of the newest events a test that fails is told.
const maxEvents = 200

// tellEvents tells what has happened in the laboratory.
func (l *Lab) tellEvents() {
	if l.session == nil {
		return // it did not start
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	var events []control.Event
	for after := uint64(0); ; {
		page, _, err := l.lab.Control.Events(ctx, after, 1000)
		if err != nil {
			l.t.Logf("enilabtest: reading the events: %v", err)
			return
		}
		if len(page) == 0 {
			break
		}
		after = page[len(page)-1].Seq
		events = append(events, page...)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "enilabtest: what has happened in the laboratory, the last %d of %d events:", min(maxEvents, len(events)), len(events))
	for _, e := range events[max(0, len(events)-maxEvents):] {
		fmt.Fprintf(&b, "\n%10.3fs  %s %s", e.At.Sub(l.clock.start).Seconds(), e.Type, l.nameOf(l.session.InterfaceName(e.Resource)))
		for _, k := range slices.Sorted(maps.Keys(e.Detail)) {
			fmt.Fprintf(&b, " %s=%s", k, l.nameOf(e.Detail[k]))
		}
	}
	l.t.Logf("%s", b.String())
}

// sorted lists names, by their order.
func sorted(known map[string]string) string {
	if len(known) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(maps.Keys(known)), ", ")
}
