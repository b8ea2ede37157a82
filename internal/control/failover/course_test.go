package failover

import (
	"testing"

	"enilab/internal/guest"
)

// TestCourse lays out the story of record_test.go: answers until the fault at 1 s,
// none until 1.6 s, and a connection that is reset and opened again.
func TestCourse(t *testing.T) {
	conns := []guest.Conn{{OpenedAt: 10 * ms, ResetAt: 1650 * ms}, {OpenedAt: 1900 * ms}, {}}
	c := course(client(3000*ms, same), conns, true, story.start(), 3000*ms, 5000*ms)
	if c.From != 0 || c.Width != 100*ms || len(c.Bins) != 30 {
		t.Fatalf("%d bins of %d ms from %d", len(c.Bins), c.Width/ms, c.From)
	}
	for i, want := range map[int]CourseBin{
		5:  {Sent: 10, Answered: 10, P50: ms, P99: ms, Open: 1},
		12: {Sent: 10, Lost: 10, Open: 1},
		16: {Sent: 10, Answered: 9, Lost: 1, P50: ms, P99: ms, Open: 0}, // moved at 1602
		20: {Sent: 10, Answered: 10, P50: ms, P99: ms, Open: 1},
	} {
		if c.Bins[i] != want {
			t.Errorf("bin %d is %+v, want %+v", i, c.Bins[i], want)
		}
	}
	sent, lost := 0, 0
	for _, b := range c.Bins {
		sent, lost = sent+b.Sent, lost+b.Lost
	}
	if sent != 300 || lost != 61 {
		t.Errorf("%d sent, %d lost in all bins; want 300 and 61", sent, lost)
	}
}

// TestCourseIsBounded: a long one has wider bins, one without connections says so,
// and a request that may still be answered is not lost.
func TestCourseIsBounded(t *testing.T) {
	samples := []guest.Sample{{SentAt: 0, RepliedAt: 1}, {SentAt: 119_500 * ms}, {SentAt: 1000 * ms, RepliedAt: 2500 * ms}}
	c := course(samples, nil, false, 1000*ms, 120_000*ms, 120_000*ms)
	if len(c.Bins) > maxCourseBins || int64(len(c.Bins))*c.Width < 120_000*ms || c.Bins[0].Open != -1 {
		t.Errorf("%d bins of %d ms, %d open", len(c.Bins), c.Width/ms, c.Bins[0].Open)
	}
	lost := 0
	for _, b := range c.Bins {
		lost += b.Lost
	}
	if lost != 1 {
		t.Errorf("%d lost, want the one that was answered too late", lost)
	}
}
