package scenario

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"enilab/internal/control"
)

// Bounds of a chaos step.
const (
	maxChaos     = 24 * time.Hour
	maxMishaps   = 10_000 // drawn on average
	maxChaosRate = 1000.0
	// mendWithin is how long the end of a fault may take: an instance that lost its
	// power is started again once it has stopped.
	mendWithin = 5 * time.Minute
	// mendSoon is how long it may take where the run is broken off: whoever ends a
	// server does not wait for AWS's durations.
	mendSoon = 2 * time.Second
)

// chaos lets faults happen that are drawn by a seed, and ends them all.
type chaos struct {
	Seed    uint64   `yaml:"seed"` // 0: the run's
	Rate    float64  `yaml:"rate"` // faults a second, on average
	For     duration `yaml:"for"`
	AtOnce  *int     `yaml:"atOnce"` // nil: 1
	Lasting lasting  `yaml:"lasting"`
	Of      []mishap `yaml:"of"`
}

// lasting bounds how long one fault lasts.
type lasting struct {
	Min duration `yaml:"min"`
	Max duration `yaml:"max"`
}

// mishap is a fault that may happen; exactly one field is set.
type mishap struct {
	Fail      *failure     `yaml:"fail"`
	Inject    *injection   `yaml:"inject"`
	Partition *parting     `yaml:"partition"`
	Metadata  *lagging     `yaml:"metadata"`
	API       *callsFailed `yaml:"api"`
}

func (m mishap) String() string {
	switch {
	case m.Fail != nil:
		return fmt.Sprintf("fail %s by %s", m.Fail.Instance, m.Fail.Fault)
	case m.Inject != nil:
		return m.Inject.String()
	case m.Partition != nil:
		return m.Partition.String()
	case m.Metadata != nil:
		return m.Metadata.String()
	}
	return m.API.String()
}

func (h *chaos) String() string {
	texts := make([]string, len(h.Of))
	for i, m := range h.Of {
		texts[i] = m.String()
	}
	return fmt.Sprintf("chaos for %v of %s", time.Duration(h.For), strings.Join(texts, ", "))
}

func (h *chaos) atOnce() int {
	if h.AtOnce == nil {
		return 1
	}
	return *h.AtOnce
}

func (h *chaos) check(c *checker, at string) {
	switch {
	case !(h.Rate > 0 && h.Rate <= maxChaosRate):
		c.fail(at+".rate", "rate %g: want faults a second, more than 0 and at most %g", h.Rate, maxChaosRate)
	case h.For <= 0 || time.Duration(h.For) > maxChaos:
		c.fail(at+".for", "chaos lasts more than 0s and at most %v", maxChaos)
	case h.Rate*time.Duration(h.For).Seconds() > maxMishaps:
		c.fail(at+".rate", "%g faults a second for %v are more than %d", h.Rate, time.Duration(h.For), maxMishaps)
	case h.Lasting.Min <= 0 || h.Lasting.Max < h.Lasting.Min:
		c.fail(at+".lasting", "a fault lasts from min to max: want both, such as {min: 1s, max: 10s}")
	case len(h.Of) == 0:
		c.fail(at, "want of, a list of faults such as fail, inject, partition, metadata and api")
	case h.atOnce() < 1 || h.atOnce() > len(h.Of):
		c.fail(at+".atOnce", "%d faults at once: want 1 to as many as there are in of, which is %d", h.atOnce(), len(h.Of))
	}
	for k, m := range h.Of {
		c.mishap(fmt.Sprintf("%s.of[%d]", at, k), m)
	}
}

func (c *checker) mishap(at string, m mishap) {
	given, name := 0, ""
	for _, set := range []bool{m.Fail != nil, m.Inject != nil, m.Partition != nil, m.Metadata != nil, m.API != nil} {
		if set {
			given++
		}
	}
	switch {
	case given != 1:
		c.fail(at, "a fault is one of fail, inject, partition, metadata, api")
		return
	case m.Fail != nil:
		c.failure(at+".fail", m.Fail)
	case m.Inject != nil:
		name = m.Inject.Name
		c.injection(at+".inject", m.Inject)
	case m.Partition != nil:
		name = m.Partition.Name
		m.Partition.check(c, at+".partition")
	case m.Metadata != nil:
		m.Metadata.check(c, at+".metadata")
		if m.Metadata.Lag != nil && *m.Metadata.Lag == 0 {
			c.fail(at+".metadata.lag", "a lag of 0s is no fault")
		}
	default:
		name = m.API.Name
		m.API.check(c, at+".api")
	}
	if name != "" {
		c.fail(at, "a fault of chaos has no name: chaos ends it by itself")
	}
}

// drawn is one fault that is to happen, at times from the beginning.
type drawn struct {
	of        int
	from, end time.Duration
}

// draw draws what happens: a Poisson process, each time one of the faults that are
// not in force, unless as many are as may be. It is the same for the same seed.
func (h *chaos) draw(seed uint64) (all []drawn) {
	const stream = 0xc4a05 // apart from other draws by the same seed
	random := rand.New(rand.NewPCG(seed, stream))
	for at := time.Duration(0); ; {
		at += time.Duration(random.ExpFloat64() / h.Rate * float64(time.Second))
		if at >= time.Duration(h.For) {
			return all
		}
		// Drawn whether or not it happens, so that one bound does not change the rest.
		pick, part := random.Uint64(), random.Float64()
		free := make([]int, 0, len(h.Of))
		for k := range h.Of {
			if !slices.ContainsFunc(all, func(d drawn) bool { return d.of == k && d.end > at }) {
				free = append(free, k)
			}
		}
		if len(h.Of)-len(free) >= h.atOnce() {
			continue
		}
		lasts := time.Duration(h.Lasting.Min) + time.Duration(part*float64(h.Lasting.Max-h.Lasting.Min))
		all = append(all, drawn{free[pick%uint64(len(free))], at, min(at+lasts, time.Duration(h.For))})
	}
}

// do lets everything happen that is drawn and ends it, also if it is broken off.
func (h *chaos) do(ctx context.Context, r *Session) (err error) {
	begun, inForce := r.Now(), map[int]func(context.Context) error{}
	defer func() {
		within := mendWithin
		if ctx.Err() != nil {
			within = mendSoon
		}
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		defer cancel()
		for k := range h.Of {
			if end := inForce[k]; end != nil {
				err = errors.Join(err, end(ending))
			}
		}
	}()
	at := func() time.Duration { return time.Duration(r.Now() - begun).Round(time.Millisecond) }
	type turn struct {
		drawn
		ends bool
	}
	var turns []turn
	for _, d := range h.draw(cmp.Or(h.Seed, r.Seed)) {
		turns = append(turns, turn{d, false}, turn{d, true})
	}
	due := func(t turn) time.Duration {
		if t.ends {
			return t.end
		}
		return t.from
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(due(a), due(b)) })
	for _, t := range turns {
		if err := r.sleepUntil(ctx, begun+int64(due(t))); err != nil {
			return err
		}
		if t.ends {
			if end := inForce[t.of]; end != nil {
				delete(inForce, t.of)
				if err := end(ctx); err != nil {
					return err
				}
			}
			continue
		}
		end, err := h.Of[t.of].begin(ctx, r)
		var refusal *control.Error
		switch {
		case errors.As(err, &refusal):
			// Such as an instance that a policy has fenced: it is down already.
			r.note("%v: %s was refused: %v", at(), h.Of[t.of], err)
		case err != nil:
			return err
		default:
			inForce[t.of] = end
			r.note("%v: %s, for %v", at(), h.Of[t.of], (t.end - t.from).Round(time.Millisecond))
		}
	}
	return r.sleepUntil(ctx, begun+int64(h.For))
}

// begin lets a fault happen and returns what ends it.
func (m mishap) begin(ctx context.Context, r *Session) (end func(context.Context) error, err error) {
	switch {
	case m.Fail != nil:
		return func(ctx context.Context) error { return r.mend(ctx, m.Fail.Instance) }, r.fail(ctx, m.Fail)
	case m.Metadata != nil:
		over := &lagging{Instance: m.Metadata.Instance}
		return func(ctx context.Context) error { return ignoreRefusal(over.do(ctx, r)) }, m.Metadata.do(ctx, r)
	case m.API != nil:
		if r.APIFaults == nil {
			return nil, errors.New("nobody here has calls fail")
		}
		f, err := r.APIFaults.Add(m.API.fault())
		return func(context.Context) error { r.APIFaults.Remove(f.ID); return nil }, err
	}
	j := m.Inject
	if j == nil {
		j = m.Partition.injection()
	}
	id, err := r.add(j)
	return func(context.Context) error { _, err := r.Impairments.Remove(id); return err }, err
}

// mend ends the fault of a host, if it has one still. One that lost its power
// starts again once it has stopped.
func (r *Session) mend(ctx context.Context, host string) error {
	for deadline := r.Now() + int64(mendWithin); ; {
		err := r.recover(ctx, host)
		i := r.Service.State().Instance(r.loaded.Instances[host])
		if err == nil || i == nil || i.State != control.InstanceStopping || r.Now() >= deadline {
			return ignoreRefusal(err)
		}
		if err := r.pause(ctx, recheck); err != nil {
			return err
		}
	}
}

// ignoreRefusal is for ends: what cannot be ended has been ended by somebody else.
func ignoreRefusal(err error) error {
	var refusal *control.Error
	if errors.As(err, &refusal) {
		return nil
	}
	return err
}
