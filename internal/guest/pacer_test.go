package guest

import (
	"math"
	"testing"
	"time"
)

func TestPacerKeepsTheRate(t *testing.T) {
	for _, rate := range []float64{0.5, 3, 10, 500, 12_345, 1e6} {
		p := newPacer(rate, 0, 0)
		now, sent := int64(0), 0
		for now < int64(10*time.Second) {
			sent += p.take(now)
			now += int64(p.wait())
		}
		// The first request is due at once; those of the last tick are due just after the end.
		if want := 10 * rate; math.Abs(float64(sent)-want) > 1+rate*pacerTick.Seconds() {
			t.Errorf("%g a second: %d requests in 10 s", rate, sent)
		}
	}
}

func TestPacerWakesOncePerRequest(t *testing.T) {
	p := newPacer(500, 0, 0)
	if n := p.take(0); n != 1 {
		t.Fatalf("%d requests at the start, want 1", n)
	}
	if w := p.wait(); w != 2*time.Millisecond {
		t.Errorf("waits %s for the next of 500 a second", w)
	}
	if n := p.take(int64(2 * time.Millisecond)); n != 1 {
		t.Errorf("%d requests after the wait, want 1", n)
	}
}

func TestPacerForgetsLongPauses(t *testing.T) {
	p := newPacer(1000, 0, 0)
	p.take(0)
	if n := p.take(int64(time.Hour)); n != 50 {
		t.Errorf("%d requests after an hour, want those of %s", n, pacerBurst)
	}
	if n := p.take(int64(time.Hour) - 1); n != 0 {
		t.Errorf("%d requests when the clock went back", n)
	}
}

func TestPacerPhase(t *testing.T) {
	p := newPacer(1, 0, 0.25)
	if n := p.take(0); n != 0 {
		t.Errorf("%d requests before the phase", n)
	}
	if w := p.wait(); w != 250*time.Millisecond {
		t.Errorf("first request after %s, want a quarter of the interval", w)
	}
}

func TestPacerChangesRateWithoutBurst(t *testing.T) {
	p := newPacer(1, 0, 0)
	p.take(0)
	p.setRate(1000, int64(time.Second/2))
	if n := p.take(int64(time.Second / 2)); n != 0 {
		t.Errorf("%d requests at the change", n)
	}
	if w := p.wait(); w != pacerTick {
		t.Errorf("next after %s, want %s", w, pacerTick)
	}
}
