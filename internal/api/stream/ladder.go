package stream

import "time"

const (
	// reduction is one rung: every 4th, 16th, ... record is shown.
	reduction = 4
	maxRung   = 2 // beyond 1:16 a table shows nothing useful; 16 is where it stays

	slowFPS, fastFPS = 20, 50
	largeBacklog     = 5000
	// A client that is late is shown less after lateFor and more again after
	// calmFor.
	lateFor = 2 * time.Second
	calmFor = 5 * time.Second
)

// ladder follows what a client says of itself and shows it less while it
// cannot keep up. Counts are exact on every rung.
type ladder struct {
	rung  int
	since time.Time // of the present judgement
	late  bool
}

// ack judges one report. No frames a second means that the page has not
// measured yet, or does not paint.
func (l *ladder) ack(fps float64, backlog int, now time.Time) {
	late := backlog > largeBacklog || fps > 0 && fps < slowFPS
	calm := backlog < largeBacklog/2 && fps >= fastFPS
	if l.since.IsZero() || late != l.late || !late && !calm {
		l.since, l.late = now, late
		return
	}
	switch held := now.Sub(l.since); {
	case late && held >= lateFor && l.rung < maxRung:
		l.rung++
		l.since = now
	case !late && held >= calmFor && l.rung > 0:
		l.rung--
		l.since = now
	}
}

func (l *ladder) factor() uint64 {
	f := uint64(1)
	for range l.rung {
		f *= reduction
	}
	return f
}
