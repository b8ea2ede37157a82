package control

import (
	"container/heap"
	"context"
	"errors"
	"time"
)

// Run takes commands until ctx ends, then answers those it has taken and
// returns. It runs at most once.
func (s *Service) Run(ctx context.Context) error {
	if s.opt.Stepped {
		return errors.New("running the control plane: it is stepped, and runs as it is called")
	}
	if s.running.Swap(true) {
		return errors.New("running the control plane: it runs already, or has run")
	}
	unhurried := context.WithoutCancel(ctx)
	applyCtx, cancel := context.WithCancel(unhurried)
	defer cancel()
	hurry := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(drainTime)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-applyCtx.Done():
		}
	})
	defer hurry()
	steps := make(chan []step, applyLength)
	applied := make(chan struct{})
	go func() {
		defer close(applied)
		s.applyLoop(applyCtx, steps)
	}()

	s.commitLoop(ctx, unhurried, steps)

	close(steps)
	<-applied
	close(s.ended)
	s.subs.close()
	return nil
}

// commitLoop commits what waits until ctx ends, then what is left.
func (s *Service) commitLoop(ctx, store context.Context, steps chan<- []step) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		batch := s.finishing()
		if len(batch) == 0 {
			timer.Reset(s.untilDue())
			select {
			case c := <-s.queue:
				batch = append(batch, c)
			case <-timer.C:
				continue
			case <-ctx.Done():
				close(s.closing)
				for batch = s.waiting(nil); len(batch) > 0; batch = s.waiting(nil) {
					pass(steps, s.commitBatch(store, batch))
				}
				return
			}
		}
		batch = s.waiting(batch)
		pass(steps, s.commitBatch(store, batch))
	}
}

// pass hands what was committed to the apply loop.
func pass(steps chan<- []step, done []step) {
	if len(done) > 0 {
		steps <- done
	}
}

// waiting fills a batch with what is in the queue now.
func (s *Service) waiting(batch []*command) []*command {
	for len(batch) < batchLength {
		select {
		case c := <-s.queue:
			batch = append(batch, c)
		default:
			return batch
		}
	}
	return batch
}

// finishing makes commands of the transitions whose time has come. Half a
// batch at most, so that callers get on too.
func (s *Service) finishing() (batch []*command) {
	now := s.opt.Now()
	for len(batch) < batchLength/2 {
		d, ok := s.due.take(now)
		if !ok {
			break
		}
		batch = append(batch, &command{
			ctx:  context.Background(),
			view: &Service{core: s.core, region: s.opt.Region},
			run:  func(t *tx) error { return t.finish(d.table, d.id) },
			done: make(chan struct{}),
			due:  d,
		})
	}
	return batch
}

// untilDue is how long the loop may wait. Not less than 100 µs: a clock that
// stands still in a test must not make it spin.
func (s *Service) untilDue() time.Duration {
	at, ok := s.due.next()
	if !ok {
		return time.Hour
	}
	return max(at.Sub(s.opt.Now()), 100*time.Microsecond)
}

// now is the instant of one command: UTC, without the monotonic reading that
// no store keeps, and later than every other, so that it orders creations.
func (s *Service) now() time.Time {
	now := s.opt.Now().UTC().Round(0)
	if !now.After(s.last) {
		now = s.last.Add(1)
	}
	s.last = now
	return now
}

// commitBatch runs commands one after the other, each on what the ones before
// it have left, and commits what they did at once. A refusal is answered after
// the commit as well: it may rest on what an earlier command of the batch did.
// What it returns is to be put into force, in its order: successes that changed
// nothing too, since what they found done may not be in force yet.
func (s *Service) commitBatch(ctx context.Context, commands []*command) (done []step) {
	state := s.state.Load()
	db := state.db
	var batch Batch
	for _, c := range commands {
		if c.ctx.Err() != nil {
			c.err = errCanceled(c.ctx, "before the command was started")
			continue
		}
		c.at = s.now()
		t := c.view.begin(db, state, c.at)
		if c.back != nil {
			t = s.beginBack(c.view, c.back(), state, c.at)
		}
		if c.err = c.run(t); c.err != nil {
			continue
		}
		commit := t.commit(state.revision + 1)
		if len(commit.Changes) == 0 && len(commit.Events) == 0 {
			done = append(done, step{command: c})
			continue
		}
		if batch == nil {
			var err error
			if batch, err = s.opt.Store.Begin(ctx); err != nil {
				s.failAll(commands, internal("beginning a transaction", err))
				return nil
			}
		}
		if err := batch.Write(commit); err != nil {
			c.err = internal("storing the command", err)
			continue
		}
		db = t.Version()
		state = &State{db: db, revision: commit.Revision, next: t.next, timing: t.timing, quotas: t.quotas}
		announce := t.timing.AnnounceMoves
		if t.announce != nil {
			announce = *t.announce
		}
		done = append(done, step{command: c, commit: commit, after: state, announce: announce})
	}
	if batch != nil {
		if err := batch.Commit(); err != nil {
			s.failAll(commands, internal("committing to the store", err))
			return nil
		}
		for _, d := range done {
			d.revision = d.commit.Revision
			s.past.note(d.commit.Changes)
		}
		s.past.supersede(s.state.Load(), s.last)
		s.state.Store(state)
	}
	for _, d := range done {
		s.due.note(d.commit.Changes)
	}
	for _, c := range commands {
		if c.err != nil {
			s.fail(c, c.err)
		}
	}
	return done
}

func (s *Service) failAll(commands []*command, err error) {
	for _, c := range commands {
		s.fail(c, err)
	}
}

// fail answers a command that changed nothing. The end of a transition is
// tried again.
func (s *Service) fail(c *command, err error) {
	c.err = err
	if c.due.id != "" {
		c.due.at = s.last.Add(retryDelay)
		heap.Push(&s.due, c.due)
	}
	close(c.done)
}
