package exercise

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/drill"
	"enilab/internal/scenario"
)

// World is the laboratory in which exercises are done.
type World struct {
	Env scenario.Env
	// Refusals are the calls after a number that were refused, of every API; last is
	// the newest number.
	Refusals func(after uint64) (refused []Refused, last uint64)
	// Trials are those of drills that were begun since an instant, and have ended.
	Trials func(since time.Time) []Trial
}

// Attempt is an exercise under way. It is safe for concurrent use.
type Attempt struct {
	Exercise *Exercise

	world   World
	session *scenario.Session
	dropped [verdict.NumReasons]uint64 // before it began
	calls   uint64                     // the newest call before it began
	began   time.Time

	mu  sync.Mutex
	met int    // goals that are reached: the first ones; guarded by mu
	saw string // of the goal after them; guarded by mu
}

// Begin begins an exercise in a laboratory that is as its scenario has made it: what
// happens from now on counts.
func Begin(ctx context.Context, w World, e *Exercise) (*Attempt, error) {
	s, err := scenario.Begin(ctx, w.Env, scenario.Nothing(e.Name), scenario.NothingLoaded())
	if err != nil {
		return nil, err
	}
	a := &Attempt{Exercise: e, world: w, session: s, began: time.Unix(0, w.Env.Now())}
	a.dropped = w.Env.Totals().Dropped
	_, a.calls = w.Refusals(0)
	return a, nil
}

// Progress tells how many goals are reached, and what is seen of the next one. A goal
// stays reached, and the one after it is looked at from then on.
func (a *Attempt) Progress(ctx context.Context) (met int, saw string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.met < len(a.Exercise.Goals) {
		ok, saw := a.reached(ctx, &a.Exercise.Goals[a.met])
		if !ok {
			a.saw = saw
			return a.met, saw
		}
		a.met++
	}
	return a.met, ""
}

// reached tells whether all that a goal says is so, and else what is seen of the
// first that is not.
func (a *Attempt) reached(ctx context.Context, g *Goal) (bool, string) {
	for _, text := range g.When {
		ok, saw, err := a.session.Look(ctx, written(text))
		if err != nil {
			return false, message(err)
		}
		if !ok {
			return false, saw
		}
	}
	for _, text := range g.Assert {
		if ok, saw := a.held(ctx, written(text)); !ok {
			return false, saw
		}
	}
	for _, r := range g.Reach {
		if ok, saw := a.reachable(r); !ok {
			return false, saw
		}
	}
	for _, check := range []func() (bool, string){
		func() (bool, string) { return g.Record == nil || a.recorded(g.Record), "no such record" },
		func() (bool, string) { return g.Refused == nil || a.refused(g.Refused), "no such refusal" },
		func() (bool, string) { return g.Policy == nil || a.holds(g.Policy), "no policy that holds back" },
		func() (bool, string) {
			return g.Trial == nil || slices.Contains(a.world.Trials(a.began), *g.Trial), "no such trial"
		},
	} {
		if ok, saw := check(); !ok {
			return false, saw
		}
	}
	return true, ""
}

// written is a piece of a scenario file as the file has it.
func written(m yaml.MapSlice) string {
	text, err := yaml.Marshal(m)
	if err != nil {
		return err.Error() // which is no condition, and is told as such
	}
	return string(text)
}

// message is an error of a scenario file without its place, which is none here.
func message(err error) string {
	var e *scenario.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// held judges an assertion on what has happened since the exercise began.
func (a *Attempt) held(ctx context.Context, text string) (bool, string) {
	assertion, err := a.session.Assertion(ctx, text)
	if err != nil {
		return false, message(err)
	}
	run := &drill.Run{}
	a.session.Observe(run, nil)
	for reason, n := range a.dropped {
		if n > 0 {
			run.Dropped[verdict.Reason(reason).String()] -= n
		}
	}
	r := assertion.Judge(run)
	return r.Verdict == drill.Held, r.Reason
}

func (a *Attempt) reachable(r Reach) (bool, string) {
	from, ok := a.session.ID(r.From)
	if !ok {
		return false, "nothing is named " + r.From
	}
	to, ok := a.session.ID(r.To)
	if !ok {
		return false, "nothing is named " + r.To
	}
	answer, err := answers.Reach(a.world.Env.Service.State(), answers.Question{From: from, To: to, Protocol: r.Protocol, Port: r.Port})
	if err != nil {
		return false, err.Error()
	}
	saw := fmt.Sprintf("%s to %s, %s %d: %s", r.From, r.To, r.Protocol, r.Port, answer.Reachable)
	return (answer.Reachable == "yes") == r.Is, saw
}

func (a *Attempt) recorded(want *Record) bool {
	is := func(name, id string) bool {
		known, ok := a.session.ID(name)
		return name == "" || ok && known == id
	}
	return slices.ContainsFunc(a.world.Env.Service.State().Failovers(), func(f *control.Failover) bool {
		if f.State != control.FailoverCompleted || want.Kind != "" && want.Kind != string(f.Kind) ||
			!is(want.NetworkInterface, f.NetworkInterface) || !is(want.From, f.From) || !is(want.To, f.To) {
			return false
		}
		if want.Fence != "" && (f.Fencing == nil || string(f.Fencing.Fence) != want.Fence || f.Fencing.Error != "") {
			return false
		}
		if want.CallRefused && !slices.ContainsFunc(f.Calls, func(c control.APICall) bool { return c.Error != "" }) {
			return false
		}
		return want.OutageBelow == 0 || outage(f) < want.OutageBelow
	})
}

// outage is the longest that a measured client saw; for ever if none is known.
func outage(f *control.Failover) time.Duration {
	worst := time.Duration(-1)
	for _, t := range f.Traffic {
		if t.Incomplete == "" {
			worst = max(worst, time.Duration(t.OutageNanos))
		}
	}
	if worst < 0 {
		return 1<<63 - 1
	}
	return worst
}

func (a *Attempt) refused(want *Refused) bool {
	calls, _ := a.world.Refusals(a.calls)
	return slices.ContainsFunc(calls, func(c Refused) bool {
		return c.Code == want.Code && (want.Action == "" || want.Action == c.Action)
	})
}

func (a *Attempt) holds(want *Policy) bool {
	id, ok := a.session.ID(want.NetworkInterface)
	return ok && slices.ContainsFunc(a.world.Env.Service.State().Policies(), func(p *control.FailoverPolicy) bool {
		return p.NetworkInterface == id && p.Enabled && (!p.FailBack || p.HoldDown >= want.HoldsFor)
	})
}
