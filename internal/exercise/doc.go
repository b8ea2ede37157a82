// Package exercise has guided exercises: a laboratory to begin with, goals that a
// learner reaches in it by his own means, and a look at the laboratory that tells
// which are reached. A goal is said in the words of scenario files, conditions and
// assertions, and in a few of its own, so that what teaches is what tests.
package exercise

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"enilab/docs/drills"
)

// Text is what a learner reads, in both languages.
type Text struct {
	En string `yaml:"en" json:"en"`
	Ko string `yaml:"ko" json:"ko"`
}

// Exercise is one of those that ship.
type Exercise struct {
	Name     string `yaml:"-"`
	Title    Text   `yaml:"title"`
	About    Text   `yaml:"about"`
	Scenario string `yaml:"scenario"` // what the laboratory begins with; "": nothing
	Page     string `yaml:"page"`     // of docs/drills that teaches what is behind it; "": none
	Goals    []Goal `yaml:"goals"`    // reached one after the other
}

// Drill is a drill that shows what the exercise's page teaches; "" if there is none.
func (e *Exercise) Drill() string { return drills.DrillOf(e.Page) }

// Goal is reached once everything that it says is so at one time.
type Goal struct {
	Name string `yaml:"name"`
	Goal Text   `yaml:"goal"`
	Hint Text   `yaml:"hint"`

	When    []yaml.MapSlice `yaml:"when"`    // conditions of scenario files
	Assert  []yaml.MapSlice `yaml:"assert"`  // assertions of scenario files, on what has happened since the exercise began
	Record  *Record         `yaml:"record"`  // of a move since the exercise began
	Reach   []Reach         `yaml:"reach"`   // predictions
	Refused *Refused        `yaml:"refused"` // a call since the exercise began
	Policy  *Policy         `yaml:"policy"`  // how one is set
	Trial   *Trial          `yaml:"trial"`   // of a drill, beside the laboratory

	// Solve are steps of scenario files that reach the goal, for the tests; what they
	// cannot do a test does itself.
	Solve []yaml.MapSlice `yaml:"solve"`
}

// Record is a completed move. What is left out is any.
type Record struct {
	NetworkInterface string        `yaml:"networkInterface"`
	Kind             string        `yaml:"kind"`
	From             string        `yaml:"from"`
	To               string        `yaml:"to"`
	OutageBelow      time.Duration `yaml:"outageBelow"` // of every measured client
	Fence            string        `yaml:"fence"`       // what was done to the former owner, without an error
	CallRefused      bool          `yaml:"callRefused"` // one of the policy's calls was refused
}

// Reach is whether From could reach To.
type Reach struct {
	From     string `yaml:"from"`
	To       string `yaml:"to"`
	Protocol string `yaml:"protocol"`
	Port     uint16 `yaml:"port"`
	Is       bool   `yaml:"is"`
}

// Refused is a refused call.
type Refused struct {
	Action string `yaml:"action"` // of EC2; "": any, of the admin API too
	Code   string `yaml:"code"`
}

// Policy is a failover policy that leaves an address with who serves it.
type Policy struct {
	NetworkInterface string        `yaml:"networkInterface"`
	HoldsFor         time.Duration `yaml:"holdsFor"` // it does not fail back, or not sooner than this
}

// Trial is one of a drill that has ended.
type Trial struct {
	Drill   string `yaml:"drill"`
	Verdict string `yaml:"verdict"`
}

//go:embed exercises/*.yaml
var files embed.FS

// All are the exercises that ship, in the order in which they are best done.
var All = sync.OnceValues(func() ([]*Exercise, error) {
	names, err := fs.Glob(files, "exercises/*.yaml") // sorted
	if err != nil {
		return nil, err
	}
	var all []*Exercise
	for _, file := range names {
		data, err := files.ReadFile(file)
		if err != nil {
			return nil, err
		}
		e, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("exercise %s: %w", file, err)
		}
		_, e.Name, _ = strings.Cut(strings.TrimSuffix(path.Base(file), ".yaml"), "-")
		all = append(all, e)
	}
	return all, nil
})

func parse(data []byte) (*Exercise, error) {
	e := &Exercise{}
	return e, yaml.UnmarshalWithOptions(data, e, yaml.Strict())
}

// Find returns an exercise by its name; nil if there is none.
func Find(name string) (*Exercise, error) {
	all, err := All()
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if e.Name == name {
			return e, nil
		}
	}
	return nil, nil
}
