package stream

import (
	"context"
	"errors"
	"testing"

	"enilab/internal/control"
)

// eventLog is a log that holds events first to last, some numbers missing.
type eventLog struct {
	first, last uint64
	every       uint64
	reads       int
}

func (l *eventLog) Watch(int) (<-chan control.Notice, func()) { return nil, func() {} }

func (l *eventLog) Events(_ context.Context, after uint64, limit int) (evs []control.Event, oldest uint64, err error) {
	l.reads++
	for n := max(l.first, after+1); n <= l.last && len(evs) < limit; n++ {
		if n%l.every == 0 {
			evs = append(evs, control.Event{Seq: n})
		}
	}
	return evs, l.first, nil
}

func TestLastEvent(t *testing.T) {
	for _, l := range []*eventLog{
		{1, 0, 1, 0}, {1, 1, 1, 0}, {1, 2, 1, 0}, {1, 100_000, 1, 0}, {99_001, 199_000, 1, 0}, {5, 5, 1, 0}, {10, 1000, 10, 0}, {1, 1023, 1, 0},
	} {
		got, err := lastEvent(context.Background(), l)
		want := l.last / l.every * l.every
		if l.last < l.first {
			want = 0
		}
		if err != nil || got != want {
			t.Errorf("log %d to %d by %d ends at %d, %v", l.first, l.last, l.every, got, err)
		}
		if l.reads > 50 {
			t.Errorf("log %d to %d took %d reads", l.first, l.last, l.reads)
		}
	}
	if _, err := lastEvent(context.Background(), brokenLog{}); err == nil {
		t.Error("a log that cannot be read has an end")
	}
}

type brokenLog struct{ *eventLog }

func (brokenLog) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 0, errors.New("no log")
}

func TestEventRing(t *testing.T) {
	var r eventRing
	r.begin(10)
	if evs, ok := r.after(10, 5); !ok || len(evs) != 0 {
		t.Errorf("after the end: %v %v", evs, ok)
	}
	if _, ok := r.after(9, 5); ok {
		t.Error("the ring claims to hold what it has never seen")
	}
	add := func(from, to uint64) {
		for n := from; n <= to; n++ {
			r.add([]control.Event{{Seq: n}})
		}
	}
	add(9, 12) // 9 and 10 are known
	if evs, ok := r.after(10, 5); !ok || len(evs) != 2 || evs[0].Seq != 11 {
		t.Errorf("after 10: %v %v", evs, ok)
	}
	if evs, ok := r.after(10, 1); !ok || len(evs) != 1 || evs[0].Seq != 11 {
		t.Errorf("one after 10: %v %v", evs, ok)
	}
	add(13, 5000)
	if len(r.events) > 2*eventMemory {
		t.Errorf("%d events are kept", len(r.events))
	}
	if evs, ok := r.after(4990, 100); !ok || len(evs) != 10 || evs[9].Seq != 5000 {
		t.Errorf("after 4990: %d events, %v", len(evs), ok)
	}
	add(5005, 5006) // some were lost
	if _, ok := r.after(5000, 10); ok {
		t.Error("the ring hides a gap")
	}
	if evs, ok := r.after(5004, 10); !ok || len(evs) != 2 {
		t.Errorf("after the gap: %v %v", evs, ok)
	}
}
