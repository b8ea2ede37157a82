package guest

import (
	"testing"
	"time"
)

func TestOldLossesAreForgiven(t *testing.T) {
	const s = int64(time.Second)
	var l losses
	l.add(10*s, 5)
	l.add(20*s, 0)
	l.add(30*s, 2)
	for since, want := range map[int64]uint64{0: 7, 11 * s: 7, 12 * s: 2, 31 * s: 2, 40 * s: 0} {
		if got := l.since(since); got != want {
			t.Errorf("since %ds: %d lost, want %d", since/s, got, want)
		}
	}
	if l.total != 7 {
		t.Errorf("total %d, want 7", l.total)
	}
}

func TestLossesAreBounded(t *testing.T) {
	var l losses
	for i := range 10 * maxLosses {
		l.add(int64(i), 1)
	}
	if len(l.seen) > maxLosses || l.since(0) != 10*maxLosses || l.total != 10*maxLosses {
		t.Errorf("%d occasions with %d of %d frames", len(l.seen), l.since(0), l.total)
	}
}
