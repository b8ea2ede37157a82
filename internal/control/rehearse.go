package control

import (
	"errors"
	"math/rand/v2"
)

// ErrRehearsed is how a command of a Rehearsal ends that would have succeeded.
var ErrRehearsed = errors.New("the command would have succeeded")

// Rehearsal is the view whose commands change nothing: each is refused for the
// reasons for which it would be now, or ends with ErrRehearsed.
func (s *Service) Rehearsal() *Service {
	c := *s
	c.rehearsing = true
	return &c
}

// rehearse runs a transition on a snapshot and throws the outcome away. It
// needs no place in the queue.
func (s *Service) rehearse(f func(*tx) error) error {
	state := s.State()
	t := s.begin(state.db, state, s.opt.Now().UTC().Round(0))
	// The Service's own sequence is for what happens.
	chance := rand.NewChaCha8([32]byte{})
	t.random = func(b []byte) { _, _ = chance.Read(b) }
	return f(t)
}
