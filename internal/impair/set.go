package impair

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Plane is the data plane, as far as it is impaired: *dataplane.Engine.
type Plane interface {
	Impair(list []spec.Impairment) error
	Impaired(id string) (seen, hit uint64, ok bool)
}

// Options of a Set. Plane and State are required.
type Options struct {
	Plane Plane
	State func() *control.State                    // in which names are looked up
	Now   func() time.Time                         // nil: time.Now
	Seed  uint64                                   // of impairments that have none
	Note  func(typ, id string, kv ...string) error // writes an event; nil: none
}

// Set holds the impairments in force. Safe for concurrent use.
type Set struct {
	opt Options

	mu    sync.Mutex
	made  uint64       // guarded by mu
	force []Impairment // in the order of their making; guarded by mu
}

// New returns a Set without impairments.
func New(opt Options) *Set {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Note == nil {
		opt.Note = func(string, string, ...string) error { return nil }
	}
	opt.Seed &= MaxSeed
	return &Set{opt: opt}
}

// Add puts an impairment into force, behind those that are.
func (s *Set) Add(in Input) (Impairment, error) {
	i, err := in.complete(s.opt.State())
	if err != nil {
		return Impairment{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.force) >= Max {
		return Impairment{}, &control.Error{Code: "ImpairmentLimitExceeded", Message: fmt.Sprintf("There are %d impairments in force, the most there can be: delete one.", Max)}
	}
	if i.Seed == 0 {
		i.Seed = s.opt.Seed
	}
	i.ID, i.CreatedAt = "imp-"+strconv.FormatUint(s.made+1, 10), s.opt.Now().UTC()
	if err := s.tell(append(slices.Clone(s.force), i)); err != nil {
		return Impairment{}, err
	}
	s.made++
	s.note("impairment.created", i.ID, "kind", i.Kind.String())
	return i, nil
}

// tell puts a list into force. It needs mu.
func (s *Set) tell(list []Impairment) error {
	specs := make([]spec.Impairment, len(list))
	for k := range list {
		specs[k] = list[k].Impairment
	}
	if err := s.opt.Plane.Impair(specs); err != nil {
		return err
	}
	s.force = list
	return nil
}

// List returns the impairments in force with what they have done, oldest first.
func (s *Set) List() []Impairment {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := slices.Clone(s.force)
	for k := range list {
		list[k].Seen, list[k].Acted, _ = s.opt.Plane.Impaired(list[k].ID)
	}
	return list
}

// Remove ends an impairment; ok false: it is not in force. Frames that it holds
// back go on when they are due.
func (s *Set) Remove(id string) (ok bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := slices.IndexFunc(s.force, func(i Impairment) bool { return i.ID == id })
	if k < 0 {
		return false, nil
	}
	if err := s.tell(slices.Delete(slices.Clone(s.force), k, k+1)); err != nil {
		return true, err
	}
	s.note("impairment.removed", id)
	return true, nil
}

// Clear ends every impairment.
func (s *Set) Clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ended := s.force
	if len(ended) == 0 {
		return nil
	}
	if err := s.tell(nil); err != nil {
		return err
	}
	for _, i := range ended {
		s.note("impairment.removed", i.ID)
	}
	return nil
}

// note writes an event. What is in force is so whether or not it can be told.
func (s *Set) note(typ, id string, kv ...string) {
	_ = s.opt.Note(typ, id, kv...)
}
