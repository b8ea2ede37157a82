package trials

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"enilab/docs/drills"
	"enilab/internal/scenario"
)

// Drill is one of the drills that ship, and what is to be known before it is run.
type Drill struct {
	Name        string
	Description string
	English     string // the page's title; "": there is no page
	Korean      string
	Hypothesis  []scenario.Line
	Steps       []scenario.Line
	Asserts     []scenario.Line
	Strategies  []string // that the file names
	Choosable   []string // that its policies can have
	Runs        int      // that the file asks for
	Seed        uint64
	Takes       time.Duration // of the laboratory's time, for one run with timing fast; 0: unknown
	Text        string        // the file
	Page        drills.Page
}

// durations are how long one run of each drill takes, in seconds of the
// laboratory's time: TestDurations writes them.
//
//go:embed durations.json
var durationsJSON []byte

var durations = sync.OnceValue(func() map[string]float64 {
	var m map[string]float64
	if err := json.Unmarshal(durationsJSON, &m); err != nil {
		panic("trials: durations.json: " + err.Error())
	}
	return m
})

// shipped are all drills by name, each read when it is first asked for: that
// rehearses it.
var shipped = sync.OnceValue(func() map[string]func() (*scenario.Scenario, error) {
	m := map[string]func() (*scenario.Scenario, error){}
	for _, name := range scenario.Names() {
		m[name] = sync.OnceValues(func() (*scenario.Scenario, error) {
			return scenario.Open(context.Background(), name)
		})
	}
	return m
})

func open(name string) (*scenario.Scenario, error) {
	read, ok := shipped()[name]
	if !ok {
		return nil, ErrDrill
	}
	sc, err := read()
	if err != nil {
		return nil, fmt.Errorf("reading the drill %s: %w", name, err)
	}
	if len(sc.Drill().Asserts) == 0 {
		return nil, ErrDrill // a network without a question
	}
	return sc, nil
}

// Drills are the scenarios of the binary that assert something, by name.
func Drills() (out []Drill, err error) {
	for _, name := range scenario.Names() {
		d, err := Find(name)
		switch {
		case err == nil:
			out = append(out, d)
		case !errors.Is(err, ErrDrill):
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Drill) int { return cmp.Compare(rank(a), rank(b)) })
	return out, nil
}

// rank puts first what a newcomer begins with, and then what there is to read about.
func rank(d Drill) int {
	switch {
	case d.Name == "eni-failover":
		return 0
	case d.Name == "four-strategies":
		return 1
	case d.English != "":
		return 2
	}
	return 3
}

// Find returns one drill, or ErrDrill.
func Find(name string) (Drill, error) {
	look, ok := described()[name]
	if !ok {
		return Drill{}, ErrDrill
	}
	return look()
}

// described are what there is to know of each drill: trying its strategies
// rehearses it some more times.
var described = sync.OnceValue(func() map[string]func() (Drill, error) {
	m := map[string]func() (Drill, error){}
	for _, name := range scenario.Names() {
		m[name] = sync.OnceValues(func() (Drill, error) { return describe(name) })
	}
	return m
})

func describe(name string) (Drill, error) {
	sc, err := open(name)
	if err != nil {
		return Drill{}, err
	}
	spec := sc.Drill()
	d := Drill{
		Name: name, Description: sc.Description, Hypothesis: sc.Hypothesis(), Steps: sc.Outline(),
		Strategies: spec.Strategies, Runs: spec.Runs, Seed: spec.Seed, Text: sc.Text(),
		Takes: time.Duration(durations()[name] * float64(time.Second)),
	}
	for _, strategy := range scenario.Strategies() {
		if _, err := sc.WithStrategy(context.Background(), strategy); err == nil {
			d.Choosable = append(d.Choosable, strategy)
		}
	}
	for _, a := range spec.Asserts {
		d.Asserts = append(d.Asserts, scenario.Line{Line: a.Line, Text: a.String()})
	}
	if p, ok := drills.Of(name); ok {
		d.Page, d.English, d.Korean = p, drills.Title(p.English), drills.Title(p.Korean)
	}
	return d, nil
}
