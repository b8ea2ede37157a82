package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"enilab/internal/drill/runner"
	"enilab/internal/drill/sweep"
)

const (
	// waiting bounds one question for a job.
	waiting = 2 * time.Second
	// maxTries is how often a job is given out. One that was as often and has no
	// result kills its workers.
	maxTries = 10
	// maxSweeps is how many sweeps' files a worker keeps.
	maxSweeps = 4
)

// WorkOptions of Work.
type WorkOptions struct {
	Options
	Driver   runner.Driver
	Build    string // of this enilab: orders of others are refused
	Parallel int    // jobs at once
	// Idle is after how long without a job the worker ends; 0: never.
	Idle time.Duration
}

// Work does jobs of whatever sweeps there are until ctx ends, which is no error:
// what was under way then goes to others at once. It returns how many were done.
func Work(ctx context.Context, opt WorkOptions) (done int, err error) {
	c, err := dial(ctx, opt.Options, "enilab worker")
	if err != nil {
		return 0, err
	}
	defer c.close()
	ended, end := context.WithCancelCause(ctx)
	defer end(nil)
	w := &worker{conn: c, opt: opt, end: end, sweeps: map[string]*sweep.Sweep{}, last: time.Now()}
	var slots sync.WaitGroup
	for range opt.Parallel {
		slots.Go(func() { w.slot(ended) })
	}
	over := make(chan struct{})
	go func() { // what is under way could not be told to anybody
		select {
		case <-c.gone:
			end(c.errAway())
		case <-over:
		}
	}()
	slots.Wait()
	close(over)
	if err := context.Cause(ended); ctx.Err() == nil && !errors.Is(err, errIdle) {
		return w.done, err
	}
	return w.done, nil
}

// errIdle ends a worker that has nothing to do.
var errIdle = errors.New("there was no job")

type worker struct {
	*conn
	opt WorkOptions
	end context.CancelCauseFunc

	reading sync.Mutex // one file at a time
	mu      sync.Mutex
	sweeps  map[string]*sweep.Sweep
	busy    int
	last    time.Time // when a job was there
	done    int
}

// slot does one job after the other.
func (w *worker) slot(ctx context.Context) {
	for ctx.Err() == nil {
		one, stop := context.WithTimeout(ctx, waiting)
		m, err := w.jobs.Next(jetstream.FetchContext(one))
		stop()
		if err == nil {
			w.note(1, 0)
			var done bool
			done, err = w.carryOut(ctx, m)
			if done {
				w.note(-1, 1)
			} else {
				w.note(-1, 0)
			}
			if err != nil && ctx.Err() == nil {
				w.end(err)
			}
			continue
		}
		if w.idle() {
			w.end(errIdle)
		}
		if errors.Is(err, jetstream.ErrNoMessages) || errors.Is(err, nats.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
			err = w.pause(ctx, 0)
		} else { // the server is away, or the consumer
			err = w.pause(ctx, min(time.Second, w.conn.opt.Patience/4))
		}
		if err != nil {
			w.end(err)
		}
	}
}

func (w *worker) note(busy, done int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.busy, w.done, w.last = w.busy+busy, w.done+done, time.Now()
}

func (w *worker) idle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.opt.Idle > 0 && w.busy == 0 && time.Since(w.last) >= w.opt.Idle
}

// carryOut does one job and stores its result. Only then the job leaves the
// queue. The error is one for which the worker has to end.
func (w *worker) carryOut(ctx context.Context, m jetstream.Msg) (done bool, err error) {
	var j job
	if err := json.Unmarshal(m.Data(), &j); err != nil || j.Sweep == "" || j.Redeliver <= 0 {
		w.conn.opt.Say("a job that is none was removed from the queue: " + m.Subject())
		_ = m.Term() // else it comes again, and is removed then
		return false, nil
	}
	stop := alive(m, j.Redeliver)
	defer stop()
	data, kind, err := w.result(ctx, m, j)
	switch {
	case ctx.Err() != nil:
		_ = m.Nak() // else it is given out again when its worker was silent for long enough
		return false, nil
	case errors.Is(err, errGone):
		_ = m.Term()
		return false, nil
	case err != nil:
		_ = m.NakWithDelay(waiting)
		return false, err
	}
	if most := w.nc.MaxPayload() - 4096; int64(len(data)) > most {
		data, kind = fmt.Appendf(nil, "the result has %d bytes: the NATS server takes %d (max_payload); want fewer --job-seeds", len(data), most), kindError
	}
	out := &nats.Msg{Subject: resultSubject(j.Sweep, j.Index), Data: data, Header: nats.Header{kindHeader: []string{kind}}}
	if err := w.publishOnce(ctx, out); err != nil {
		return false, fmt.Errorf("storing a result: %w", err)
	}
	_ = m.Ack() // else it is given out again, and its result counts once
	return true, nil
}

// errGone says that a job's sweep is not there any more.
var errGone = errors.New("the sweep is not there any more")

// result does a job. The error is ctx's, errGone, or one for which the worker has to end.
func (w *worker) result(ctx context.Context, m jetstream.Msg, j job) (data []byte, kind string, err error) {
	if md, err := m.Metadata(); err == nil && md.NumDelivered > maxTries {
		return fmt.Appendf(nil, "given out %d times, and no worker came back with a result", maxTries), kindError, nil
	}
	s, err := w.sweepOf(ctx, j.Sweep)
	var wrong *fileError
	if errors.As(err, &wrong) {
		return []byte(wrong.Error()), kindError, nil
	}
	if err != nil {
		return nil, "", err
	}
	if j.Index < 0 || j.Index >= s.Jobs() {
		return nil, "", errGone
	}
	part, err := s.Do(ctx, w.opt.Driver, s.Job(j.Index))
	var run *sweep.RunError
	switch {
	case errors.As(err, &run):
		return []byte(err.Error()), kindError, nil
	case err != nil:
		return nil, "", err
	}
	data, err = part.Encode()
	return data, kindPart, err
}

// fileError says that a sweep's file is wrong.
type fileError struct{ error }

// sweepOf returns the sweep of an id, from the server if it is new here.
func (w *worker) sweepOf(ctx context.Context, id string) (*sweep.Sweep, error) {
	w.reading.Lock()
	defer w.reading.Unlock()
	if s := w.sweeps[id]; s != nil {
		return s, nil
	}
	var entry jetstream.KeyValueEntry
	none := func(err error) bool { return errors.Is(err, jetstream.ErrKeyNotFound) }
	err := w.insist(ctx, none, func(ctx context.Context) (err error) {
		entry, err = w.orders.Get(ctx, id)
		return err
	})
	if none(err) {
		return nil, errGone
	}
	if err != nil {
		return nil, fmt.Errorf("reading what a job is of: %w", err)
	}
	var o sweep.Order
	if err := json.Unmarshal(entry.Value(), &o); err != nil {
		return nil, &fileError{fmt.Errorf("reading the order: %w", err)}
	}
	if o.Build != w.opt.Build {
		return nil, fmt.Errorf("%s is swept by enilab %s, and this is %s: only the same one gives the same runs", o.File, o.Build, w.opt.Build)
	}
	s, err := sweep.Prepare(ctx, o)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, &fileError{err}
	}
	if len(w.sweeps) >= maxSweeps {
		clear(w.sweeps)
	}
	w.sweeps[id] = s
	w.conn.opt.Say(fmt.Sprintf("%s, seeds %d to %d", o.File, o.From, o.To))
	return s, nil
}

// alive says until stop that a job is being done.
func alive(m jetstream.Msg, redeliver time.Duration) (stop func()) {
	end := make(chan struct{})
	var telling sync.WaitGroup
	telling.Go(func() {
		t := time.NewTicker(max(time.Millisecond, redeliver/3))
		defer t.Stop()
		for {
			select {
			case <-t.C:
				_ = m.InProgress() // the next one may come through
			case <-end:
				return
			}
		}
	})
	return func() { close(end); telling.Wait() }
}
