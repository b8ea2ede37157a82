package stream

import (
	"testing"

	"enilab/internal/dataplane"
)

// batch makes n records that carry their ordinal as time.
func batch(from, n int) []dataplane.Record {
	rs := make([]dataplane.Record, n)
	for i := range rs {
		rs[i].At = int64(from + i)
	}
	return rs
}

func TestHistoryKeepsTheNewest(t *testing.T) {
	var h history
	h.restart()
	const total = historyLength + 1234
	for n := 1; n <= total; n += 1000 {
		h.append(batch(n, min(1000, total-n+1)), 0)
	}
	oldest, next := h.span()
	if next != total+1 || oldest != next-historyLength {
		t.Fatalf("span %d to %d after %d records", oldest, next, total)
	}
	got := h.read(next-10, 100, 1, nil)
	if len(got.records) != 10 || got.gone != 0 || got.next != next {
		t.Fatalf("read %d records, %d gone", len(got.records), got.gone)
	}
	for _, r := range got.records {
		if r.At != int64(r.cursor) {
			t.Fatalf("cursor %d holds record %d", r.cursor, r.At)
		}
	}
	late := h.read(1, 1000, 1, nil)
	if late.gone != oldest-1 || late.waiting != historyLength {
		t.Errorf("a late reader: %d gone, %d waiting", late.gone, late.waiting)
	}
}

// However often a client reads, each record is shown, left out or gone exactly
// once, and those shown are evenly spread.
func TestHistorySamplesEvenly(t *testing.T) {
	for _, n := range []int{0, 1, 999, 1000, 1001, 4000, 16_500, historyLength} {
		var h history
		h.restart()
		h.append(batch(1, n), 7)
		got := h.read(1, 1000, 1, nil)
		if len(got.records) > 1000 || got.skipped != 7 {
			t.Errorf("%d records: %d at once, %d skipped", n, len(got.records), got.skipped)
		}
		if n <= 999 && len(got.records) != n {
			t.Errorf("%d records: only %d without need", n, len(got.records))
		}
		for i, r := range got.records {
			if r.cursor%got.factor != 0 || i > 0 && r.cursor != got.records[i-1].cursor+got.factor {
				t.Fatalf("%d records: cursor %d at 1:%d", n, r.cursor, got.factor)
			}
		}
		if again := h.read(got.next, 1000, 1, nil); again.waiting != 0 || again.gone != 0 {
			t.Errorf("%d records: %d wait after all were read", n, again.waiting)
		}
	}
}

func TestHistoryRestartLeavesAHole(t *testing.T) {
	var h history
	h.restart()
	h.append(batch(1, 10), 0)
	_, seen := h.span()
	h.restart()
	if oldest, _ := h.span(); seen >= oldest {
		t.Errorf("a client at %d would not notice that records are missing before %d", seen, oldest)
	}
}
