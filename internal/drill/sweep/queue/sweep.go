package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"enilab/internal/drill/sweep"
)

const (
	// batch is how many jobs are under way to the queue at once.
	batch = 256
	// look is how often results are looked for though nobody has told of one.
	look = time.Second
	// quiet is after how long without a result the queue is looked after: jobs that
	// somebody has removed are put in again.
	quiet = 30 * time.Second
)

// Sweep has workers do the jobs of a sweep and adds what came of them to sum,
// which calls added after each. Results of an earlier one that was broken off
// are taken as they are. When it ends before all is done, its jobs are
// taken out of the queue, and what workers have done by then stays.
func Sweep(ctx context.Context, opt Options, s *sweep.Sweep, sum *sweep.Sum, added func() error) (err error) {
	c, err := dial(ctx, opt, "enilab sweep")
	if err != nil {
		return err
	}
	defer c.close()
	w := &sweeper{conn: c, sweep: s, id: s.ID(), sum: sum, added: added}
	if most, size := c.nc.MaxPayload(), int64(len(s.Text)); size > most/2 {
		return fmt.Errorf("%s has %d bytes: the NATS server takes %d (max_payload)", s.File, size, most/2)
	}
	order, err := json.Marshal(s.Order)
	if err != nil {
		return fmt.Errorf("writing the order: %w", err)
	}
	if err := c.insist(ctx, nil, func(ctx context.Context) error {
		_, err := c.orders.Put(ctx, w.id, order)
		return err
	}); err != nil {
		return fmt.Errorf("storing the file: %w", err)
	}
	defer func() {
		if err != nil {
			w.withdraw(context.WithoutCancel(ctx))
		}
	}()
	return w.run(ctx)
}

type sweeper struct {
	*conn
	sweep *sweep.Sweep
	id    string
	sum   *sweep.Sum
	added func() error
	next  uint64 // sequence from which results were not seen yet
	begun bool   // results are of this command, not of an earlier one
}

func (w *sweeper) run(ctx context.Context) error {
	told := make(chan *nats.Msg, 1024)
	sub, err := w.nc.ChanSubscribe("enilab.results."+w.id+".*", told)
	if err != nil {
		return fmt.Errorf("listening for results: %w", err)
	}
	defer func() { _ = sub.Unsubscribe() }() // the connection is closed soon
	if err := w.take(ctx); err != nil {
		return err
	}
	w.begun = true
	if n := w.sum.Done(); n > 0 {
		w.opt.Say(fmt.Sprintf("%d of %d jobs were done before", n, w.sweep.Jobs()))
	}
	if err := w.enqueue(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	since, warned := time.Now(), false
	for !w.sum.Whole() {
		select {
		case <-told:
		case <-tick.C:
		case <-w.gone:
			return w.errAway()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		before := w.sum.Done()
		if err := w.take(ctx); err != nil {
			return err
		}
		switch {
		case w.sum.Done() > before:
			since = time.Now()
		case time.Since(since) > quiet:
			since = time.Now()
			if err := w.enqueue(ctx); err != nil {
				return err
			}
			fallthrough
		case time.Since(since) > 3*look && !warned:
			warned = w.warn(ctx)
		}
	}
	return nil
}

// warn tells that nobody does the jobs.
func (w *sweeper) warn(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, asking)
	defer stop()
	info, err := w.jobs.Info(ctx)
	if err != nil || info.NumWaiting > 0 || info.NumAckPending > 0 {
		return false
	}
	w.opt.Say("no worker is there; on any machine: enilab worker --nats " + Shown(w.opt.URL))
	return true
}

// enqueue puts the jobs that are not done into the queue. Those that are there
// already stay as they are.
func (w *sweeper) enqueue(ctx context.Context) error {
	var todo []*nats.Msg
	for i := range w.sweep.Jobs() {
		if w.sum.Has(i) {
			continue
		}
		data, err := json.Marshal(job{w.id, i, w.opt.Redeliver})
		if err != nil {
			return fmt.Errorf("writing a job: %w", err)
		}
		todo = append(todo, &nats.Msg{Subject: jobSubject(w.id, i), Data: data, Header: nats.Header{}})
	}
	for len(todo) > 0 {
		some := todo[:min(batch, len(todo))]
		if err := w.insist(ctx, nil, func(ctx context.Context) error { return w.publish(ctx, some) }); err != nil {
			return fmt.Errorf("putting jobs into the queue: %w", err)
		}
		todo = todo[len(some):]
	}
	return nil
}

// publish stores messages side by side.
func (w *sweeper) publish(ctx context.Context, some []*nats.Msg) error {
	futures := make([]jetstream.PubAckFuture, 0, len(some))
	for _, m := range some {
		again := &nats.Msg{Subject: m.Subject, Data: m.Data, Header: nats.Header{}} // the library keeps what it is given
		f, err := w.js.PublishMsgAsync(again, onlyOne)
		if err != nil {
			return err
		}
		futures = append(futures, f)
	}
	for _, f := range futures {
		select {
		case <-f.Ok():
		case err := <-f.Err():
			if !isThere(err) {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// take adds all results that are there.
func (w *sweeper) take(ctx context.Context) error {
	for !w.sum.Whole() {
		var m *jetstream.RawStreamMsg
		none := func(err error) bool { return errors.Is(err, jetstream.ErrMsgNotFound) }
		err := w.insist(ctx, none, func(ctx context.Context) (err error) {
			m, err = w.results.GetMsg(ctx, max(1, w.next), jetstream.WithGetMsgSubject("enilab.results."+w.id+".*"))
			return err
		})
		if none(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading results: %w", err)
		}
		w.next = m.Sequence + 1
		if err := w.add(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (w *sweeper) add(ctx context.Context, m *jetstream.RawStreamMsg) error {
	index, err := strconv.Atoi(m.Subject[strings.LastIndexByte(m.Subject, '.')+1:])
	if err != nil || index < 0 || index >= w.sweep.Jobs() {
		return w.discard(ctx, m, fmt.Errorf("%s is a result of no job", m.Subject))
	}
	j := w.sweep.Job(index)
	if m.Header.Get(kindHeader) == kindError {
		return w.discard(ctx, m, fmt.Errorf("seeds %d to %d: %s", j.From, j.To, m.Data))
	}
	part, err := w.sweep.Decode(j, m.Data)
	if err != nil {
		return w.discard(ctx, m, err)
	}
	if w.sum.Has(index) {
		return nil
	}
	if err := w.sum.Add(j, part); err != nil {
		return err
	}
	return w.added()
}

// discard removes a result that is none, so that the job is tried again. The error
// is why it is none; that of an earlier command is not told any more.
func (w *sweeper) discard(ctx context.Context, m *jetstream.RawStreamMsg, why error) error {
	if !w.begun {
		why = nil
	}
	return errors.Join(why, w.insist(ctx, nil, func(ctx context.Context) error { return w.results.DeleteMsg(ctx, m.Sequence) }))
}

// withdraw takes the sweep's jobs out of the queue.
func (w *sweeper) withdraw(ctx context.Context) {
	ctx, stop := context.WithTimeout(ctx, asking)
	defer stop()
	stream, err := w.js.Stream(ctx, jobsStream)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject("enilab.jobs."+w.id+".>"))
	}
	if err != nil {
		w.opt.Say("the jobs stay in the queue, and workers go on with them: " + err.Error())
	}
}
