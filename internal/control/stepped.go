package control

import (
	"context"
	"time"
)

// Next returns when something falls due that Step would do, false if nothing is
// under way. Only for a stepped Service.
func (s *Service) Next() (time.Time, bool) { return s.due.next() }

// Step ends the transitions whose time has come by now, which is the clock's of
// the Service, in the order of their times, and puts what they changed into force.
// Only for a stepped Service.
func (s *Service) Step(ctx context.Context) {
	for batch := s.finishing(); len(batch) > 0; batch = s.finishing() {
		s.carryOut(ctx, batch)
	}
}

// carryOut is one turn of the commit loop and of the apply loop on the caller's
// goroutine.
func (s *Service) carryOut(ctx context.Context, commands []*command) {
	if s.busy {
		panic("control: a command of a stepped Service while another is carried out")
	}
	s.busy = true
	defer func() { s.busy = false }()
	// As with the loops, a caller that goes away does not undo what has begun.
	ctx = context.WithoutCancel(ctx)
	for _, st := range s.commitBatch(ctx, commands) {
		s.apply(ctx, st)
		close(st.done)
	}
}
