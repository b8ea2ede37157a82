package guest

import "time"

// pacer turns a rate into how many requests are due now. It collects credit
// over time instead of ticking once a request: a client at 10/s wakes ten
// times a second, one at 100,000/s a thousand times with a hundred each.
type pacer struct {
	rate   float64 // per second, > 0
	last   int64   // Unix nanoseconds of the last take
	credit float64 // requests due, with fraction
}

const (
	// pacerTick is the shortest time between two wake-ups.
	pacerTick = time.Millisecond
	// pacerBurst bounds what a client that could not run makes up for.
	pacerBurst = 50 * time.Millisecond
)

// newPacer returns a pacer whose first request is due at now plus the phase, a
// part of the interval from 0 to 1.
func newPacer(rate float64, now int64, phase float64) pacer {
	return pacer{rate: rate, last: now, credit: 1 - phase}
}

// setRate goes on with another rate from now; credit earned so far stays.
func (p *pacer) setRate(rate float64, now int64) {
	if rate == p.rate {
		return
	}
	p.earn(now)
	p.rate = rate
}

func (p *pacer) earn(now int64) {
	if d := now - p.last; d > 0 {
		p.credit = min(p.credit+float64(d)*p.rate/1e9, max(1, p.rate*pacerBurst.Seconds()))
	}
	p.last = now
}

// take returns how many requests are due at now and counts them as done.
func (p *pacer) take(now int64) int {
	p.earn(now)
	// A hair of tolerance: a timer that fires exactly when due must not miss
	// its request for the rounding of a fraction.
	n := int(p.credit + 1e-6)
	p.credit -= float64(n)
	return n
}

// wait returns how long nothing will be due.
func (p *pacer) wait() time.Duration {
	return max(pacerTick, time.Duration((1-p.credit)/p.rate*1e9))
}
