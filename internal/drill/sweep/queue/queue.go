// Package queue has a sweep's jobs done by workers on other machines, through a
// work queue of NATS JetStream. A job stays in the queue until its result is
// stored: one whose worker has died is given to another. Results are stored by
// job, so that one that was done twice counts once.
//
// On the server are the streams ENILAB_JOBS and ENILAB_RESULTS and the key-value
// bucket enilab-sweeps, which has each sweep's file.
package queue

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	jobsStream    = "ENILAB_JOBS"
	resultsStream = "ENILAB_RESULTS"
	bucket        = "enilab-sweeps"
	workers       = "enilab-workers" // the consumer of all workers

	// kept is how long results and orders stay, for a sweep that is taken up again.
	kept = 7 * 24 * time.Hour

	// asking bounds one question to the server.
	asking = 5 * time.Second
)

func jobSubject(sweep string, index int) string {
	return fmt.Sprintf("enilab.jobs.%s.%d", sweep, index)
}

func resultSubject(sweep string, index int) string {
	return fmt.Sprintf("enilab.results.%s.%d", sweep, index)
}

// job is a message of the queue.
type job struct {
	Sweep     string        `json:"sweep"` // the order's ID
	Index     int           `json:"index"`
	Redeliver time.Duration `json:"redeliver"` // how long its worker may be silent
}

// kindHeader says what a result is: a part, or why there is none, as text.
const (
	kindHeader = "Enilab-Result"
	kindPart   = "part"
	kindError  = "error"
)

// Options say which server, and how it is dealt with.
type Options struct {
	URL         string // nats://host:4222; several, of one cluster, separated by commas
	Credentials string // file with a JWT and its key; "": none

	// Redeliver is after how much silence of its worker a job is given to another;
	// 0: 30 s. Workers that live say so three times as often.
	Redeliver time.Duration
	// Patience is for how long the server may be away; 0: a minute.
	Patience time.Duration
	// Say is told what a person should know, a line each. It may be called by
	// several goroutines.
	Say func(line string)
}

// Shown is a server's URL for people: without a password.
func Shown(urls string) string {
	list := strings.Split(urls, ",")
	for i, s := range list {
		if u, err := url.Parse(strings.TrimSpace(s)); err == nil {
			list[i] = u.Redacted()
		}
	}
	return strings.Join(list, ",")
}

// conn is a connection to a server with the streams.
type conn struct {
	opt     Options
	nc      *nats.Conn
	js      jetstream.JetStream
	jobs    jetstream.Consumer
	results jetstream.Stream
	orders  jetstream.KeyValue
	gone    chan struct{} // closed when the connection is, for good

	mu    sync.Mutex
	away  *time.Timer // runs while the server is away
	ended bool        // by us
}

func dial(ctx context.Context, opt Options, name string) (*conn, error) {
	if opt.Redeliver == 0 {
		opt.Redeliver = 30 * time.Second
	}
	if opt.Patience == 0 {
		opt.Patience = time.Minute
	}
	if opt.Say == nil {
		opt.Say = func(string) {}
	}
	c := &conn{opt: opt, gone: make(chan struct{})}
	options := []nats.Option{
		nats.Name(name), nats.Timeout(asking), nats.MaxReconnects(-1), nats.ReconnectWait(min(time.Second, opt.Patience/4)),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { c.lost(err) }),
		nats.ReconnectHandler(func(*nats.Conn) { c.back() }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.gone) }),
		nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}), // each call tells its own
	}
	if opt.Credentials != "" {
		options = append(options, nats.UserCredentials(opt.Credentials))
	}
	var err error
	if c.nc, err = nats.Connect(opt.URL, options...); err != nil {
		return nil, fmt.Errorf("no NATS server at %s: %w", Shown(opt.URL), err)
	}
	if c.js, err = jetstream.New(c.nc); err == nil {
		err = c.prepare(ctx)
	}
	if err != nil {
		c.close()
	}
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled) || errors.Is(err, nats.ErrNoResponders):
		return nil, fmt.Errorf("the NATS server at %s has no JetStream: start it with nats-server -js", Shown(opt.URL))
	case err != nil:
		return nil, fmt.Errorf("preparing the streams at %s: %w", Shown(opt.URL), err)
	}
	return c, nil
}

// prepare makes the streams, if they are not there.
func (c *conn) prepare(ctx context.Context) (err error) {
	ctx, stop := context.WithTimeout(ctx, 2*asking)
	defer stop()
	jobs, err := c.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: jobsStream, Subjects: []string{"enilab.jobs.>"}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
		Description: "Jobs of enilab sweep, for enilab worker",
	})
	if err != nil {
		return err
	}
	c.jobs, err = jobs.CreateOrUpdateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: workers, AckPolicy: jetstream.AckExplicitPolicy, AckWait: c.opt.Redeliver, MaxAckPending: -1,
	})
	if err != nil {
		return err
	}
	c.results, err = c.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: resultsStream, Subjects: []string{"enilab.results.>"}, Storage: jetstream.FileStorage, MaxAge: kept,
		Description: "Results of enilab worker, by job",
	})
	if err != nil {
		return err
	}
	c.orders, err = c.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
		Bucket: bucket, Storage: jetstream.FileStorage, TTL: kept, Description: "What the jobs of enilab sweep are of",
	})
	return err
}

func (c *conn) lost(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.away != nil {
		return
	}
	why := ""
	if err != nil {
		why = " (" + err.Error() + ")"
	}
	c.opt.Say(fmt.Sprintf("the NATS server at %s is away%s; trying again for %s", Shown(c.opt.URL), why, c.opt.Patience))
	c.away = time.AfterFunc(c.opt.Patience, c.nc.Close)
}

func (c *conn) back() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away != nil {
		c.away.Stop()
		c.away = nil
		c.opt.Say("the NATS server is back")
	}
}

// close ends the connection.
func (c *conn) close() {
	c.mu.Lock()
	c.ended = true
	if c.away != nil {
		c.away.Stop()
	}
	c.mu.Unlock()
	c.nc.Close()
	<-c.gone
}

// errAway says that the server was away for too long.
func (c *conn) errAway() error {
	return fmt.Errorf("the NATS server at %s was away for %s: what was done is kept there; the same command goes on with it", Shown(c.opt.URL), c.opt.Patience)
}

// insist asks until the server has answered. The error is one that it has
// answered with and that final reports, or ctx's, or that the server is away for
// good.
func (c *conn) insist(ctx context.Context, final func(error) bool, ask func(context.Context) error) error {
	for {
		one, stop := context.WithTimeout(ctx, asking)
		err := ask(one)
		stop()
		if err == nil || final != nil && final(err) {
			return err
		}
		var refused *jetstream.APIError
		if errors.As(err, &refused) && refused.Code < 500 {
			return err // asking again would not help
		}
		if err := c.pause(ctx, min(time.Second, c.opt.Patience/4)); err != nil {
			return err
		}
	}
}

// pause waits, unless the connection or ctx ends.
func (c *conn) pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.gone:
		return c.errAway()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// publishOnce stores a message under a subject that has none; that there is one
// already is no error.
func (c *conn) publishOnce(ctx context.Context, m *nats.Msg) error {
	err := c.insist(ctx, isThere, func(ctx context.Context) error {
		_, err := c.js.PublishMsg(ctx, m, onlyOne)
		return err
	})
	if isThere(err) {
		return nil
	}
	return err
}

// onlyOne has the server refuse a second message of a subject; isThere recognises
// the refusal.
var onlyOne = jetstream.WithExpectLastSequencePerSubject(0)

func isThere(err error) bool {
	var refused *jetstream.APIError
	return errors.As(err, &refused) &&
		(refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || refused.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}
