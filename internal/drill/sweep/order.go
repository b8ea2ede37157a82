// Package sweep runs a drill in virtual time under very many seeds, in jobs of a
// few seeds each, and gathers what came of them. Jobs may be done in any order,
// anywhere, and more than once: each counts once, and the results are the same.
// Who does them is somebody else: the cores of this machine (Local), or workers
// that package queue reaches.
package sweep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"enilab/internal/drill"
	"enilab/internal/scenario"
)

// Bounds of an order.
const (
	MaxSeeds    = 1_000_000_000
	MaxJobs     = 100_000
	MaxJobSeeds = 2_000
)

// Order is what is to be run: everything that the results depend on.
type Order struct {
	Build    string   `json:"build"` // of enilab: only the same one gives the same runs
	File     string   `json:"file"`  // what it is called
	Text     string   `json:"text"`
	Set      []string `json:"set,omitempty"`
	Timing   string   `json:"timing"`               // fast, aws
	Strategy []string `json:"strategies,omitempty"` // none: as the file says
	From     uint64   `json:"from"`                 // the first seed
	To       uint64   `json:"to"`                   // the last seed
	JobSeeds int      `json:"jobSeeds"`             // seeds of one job
}

// ParseSeeds reads "1..1000", or one seed.
func ParseSeeds(s string) (from, to uint64, err error) {
	first, last, isRange := strings.Cut(s, "..")
	if !isRange {
		last = first
	}
	from, err = strconv.ParseUint(first, 10, 64)
	to, err2 := strconv.ParseUint(last, 10, 64)
	switch {
	case errors.Join(err, err2) != nil:
		return 0, 0, fmt.Errorf("--seeds %q: want the first and the last seed, such as 1..1000", s)
	case from > to:
		return 0, 0, fmt.Errorf("--seeds %s: the first seed is greater than the last", s)
	case to-from >= MaxSeeds:
		return 0, 0, fmt.Errorf("--seeds %s: want at most %d seeds", s, MaxSeeds)
	}
	return from, to, nil
}

// ID names the order: another one has another.
func (o *Order) ID() string {
	data, err := json.Marshal(o)
	if err != nil {
		panic("an order as JSON: " + err.Error()) // strings and numbers only
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}

// Seeds is how many seeds each variant is run under.
func (o *Order) Seeds() int { return int(o.To-o.From) + 1 }

// Job is a part of a sweep: one variant under a few seeds.
type Job struct {
	Index   int
	Variant int    // index of the strategy
	From    uint64 // the first seed
	To      uint64 // the last seed
}

// Sweep is an order whose file was read and checked.
type Sweep struct {
	Order
	variants []variant
	perEach  int // jobs of one variant
}

type variant struct {
	strategy string // "": as the policies say
	scenario *scenario.Scenario
	spec     drill.Spec
}

func (v *variant) tally() *drill.Tally { return drill.NewTally(v.spec, v.scenario.HasHypothesis()) }

// Prepare checks an order and reads and rehearses its file under each strategy.
func Prepare(ctx context.Context, o Order) (*Sweep, error) {
	if o.JobSeeds < 1 || o.JobSeeds > MaxJobSeeds {
		return nil, fmt.Errorf("--job-seeds %d: want from 1 to %d", o.JobSeeds, MaxJobSeeds)
	}
	if o.From > o.To || o.To-o.From >= MaxSeeds {
		return nil, fmt.Errorf("seeds from %d to %d: want at most %d, the first before the last", o.From, o.To, MaxSeeds)
	}
	sc, err := scenario.ParseWith(ctx, o.File, []byte(o.Text), o.Set)
	if err != nil {
		return nil, err
	}
	if err := sc.CheckDrill(); err != nil {
		return nil, err
	}
	if err := sc.NoSnapshot("a sweep's workers have only the drill's file: want a drill that builds its network"); err != nil {
		return nil, err
	}
	spec := sc.Drill()
	list := spec.Strategies
	if len(o.Strategy) > 0 {
		list = o.Strategy
	}
	if len(list) == 0 {
		list = []string{""}
	}
	s := &Sweep{Order: o, perEach: (o.Seeds() + o.JobSeeds - 1) / o.JobSeeds}
	for _, strategy := range list {
		with := sc
		if strategy != "" {
			if with, err = sc.WithStrategy(ctx, strategy); err != nil {
				return nil, err
			}
		}
		s.variants = append(s.variants, variant{strategy, with, spec.For(strategy)})
	}
	if s.Jobs() > MaxJobs {
		return nil, fmt.Errorf("%d jobs: want at most %d; give more seeds to each by --job-seeds", s.Jobs(), MaxJobs)
	}
	return s, nil
}

// Jobs is how many jobs there are.
func (s *Sweep) Jobs() int { return s.perEach * len(s.variants) }

// Runs is how many runs there are in all.
func (s *Sweep) Runs() int { return s.Seeds() * len(s.variants) }

// Job returns the job of an index.
func (s *Sweep) Job(i int) Job {
	from := s.From + uint64(i%s.perEach*s.JobSeeds)
	to := s.To
	if to-from >= uint64(s.JobSeeds) {
		to = from + uint64(s.JobSeeds) - 1
	}
	return Job{Index: i, Variant: i / s.perEach, From: from, To: to}
}

// Size is how many runs a job has.
func (j Job) Size() int { return int(j.To-j.From) + 1 }
