package enilabtest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"testing"
	"time"

	"enilab/internal/api/rest"
	"enilab/internal/control"
	"enilab/internal/drill/late"
	"enilab/internal/lab"
	"enilab/internal/scenario"
	"enilab/internal/served"
	"enilab/internal/store/memory"
)

const (
	// patience bounds a wait that has no bound of its own.
	patience = 30 * time.Second
	// closeTime bounds how long a laboratory may take to end.
	closeTime = 10 * time.Second
)

// Lab is a laboratory that runs until its test ends.
type Lab struct {
	// Endpoint is the URL for clients of EC2, STS and FIS, such as
	// http://127.0.0.1:40123, and of the admin API below /api/v1.
	Endpoint string
	// Region, AccessKeyID and SecretAccessKey are what clients sign with.
	Region, AccessKeyID, SecretAccessKey string

	t       testing.TB
	log     *journal
	clock   clock
	lab     *served.Lab
	sc      *scenario.Scenario
	timing  string
	seed    uint64
	names   *scenario.Loaded
	session *scenario.Session
	timers  *late.Watcher
	client  *http.Client
	end     context.CancelFunc // of the listener
	served  chan error         // nil: nothing is served
}

// Start starts a laboratory and returns when it is whole: every instance of the
// scenario runs. It ends when the test and its subtests have ended.
func Start(t testing.TB, opts ...Option) *Lab {
	t.Helper()
	c := config{region: "us-east-1", timing: "fast", seed: 1}
	for _, opt := range opts {
		if err := opt(&c); err != nil {
			t.Fatalf("enilabtest: starting a laboratory: %v", err)
		}
	}
	if c.open == nil && len(c.settings) > 0 {
		t.Fatal("enilabtest: starting a laboratory: Set changes values of a scenario, and there is none")
	}
	l := &Lab{
		Region: c.region, AccessKeyID: "test", SecretAccessKey: "test",
		t: t, log: newJournal(), clock: clock{time.Now()}, timing: c.timing, seed: c.seed,
	}
	for id, secret := range c.keys {
		l.AccessKeyID, l.SecretAccessKey = id, secret
	}
	err := l.open(t.Context(), c)
	t.Cleanup(func() {
		if t.Failed() {
			l.tellEvents()
		}
		if err := l.close(); err != nil {
			t.Errorf("enilabtest: ending the laboratory: %v", err)
		}
		if t.Failed() {
			l.log.tell(t)
		}
	})
	if err != nil {
		t.Fatalf("enilabtest: starting a laboratory: %v", err)
	}
	return l
}

// open starts the parts; close ends those that it has started.
func (l *Lab) open(ctx context.Context, c config) (err error) {
	l.sc = scenario.Nothing("laboratory")
	if c.open != nil {
		if l.sc, err = c.open(ctx, c.settings); err != nil {
			return err
		}
	}
	opt := lab.Options{
		Store: &memory.Store{}, Region: c.region, Now: l.clock.Now, Random: seeded(c.seed), Seed: c.seed,
		Timing: control.TimingFast, Quotas: c.quotas, Log: l.log.Logger,
	}
	if c.timing == "aws" {
		opt.Timing, opt.Leases = control.TimingAWS, true
	}
	opt.Timing, opt.Shape = l.sc.Timing(opt.Timing), l.sc.Shaped()
	if l.lab, err = served.Open(ctx, opt); err != nil {
		l.lab = nil
		return err
	}
	l.names = scenario.NothingLoaded()
	if c.open != nil {
		if l.names, err = l.sc.LoadForGood(ctx, l.lab.Control); err != nil {
			return err
		}
		l.lab.Control.KeepStart(l.lab.Control.State())
	}
	if err := l.serve(c.keys); err != nil {
		return err
	}
	l.timers = late.Watch(l.clock.Now)
	return l.begin(ctx)
}

// begin has records, replies and events count from now on.
func (l *Lab) begin(ctx context.Context) (err error) {
	l.session, err = scenario.Begin(ctx, l.env(), l.sc, l.names)
	return err
}

func (l *Lab) env() scenario.Env {
	return scenario.Env{
		Service: l.lab.Control, Mover: l.lab.Failover, Lab: l.lab.Guests, Totals: l.lab.Engine.Totals,
		Impairments: l.lab.Impairments, Now: l.clock.Now,
		APIFaults: l.lab.Faults, Gate: l.lab.CallBy("scenario"), Seed: l.seed,
		PolicyState: l.lab.PolicyState,
	}
}

// serve puts the APIs on a port of the system's choice.
func (l *Lab) serve(keys map[string]string) error {
	api, err := l.lab.API(rest.Options{
		Clock: l.clock, Version: "enilabtest", Timing: l.timing, Log: l.log.Logger, Loopback: true,
	}, keys)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	l.Endpoint = "http://" + ln.Addr().String()
	// No proxy: the laboratory is here, whatever the environment says.
	l.client = &http.Client{Transport: &http.Transport{}}
	ctx, end := context.WithCancel(context.Background())
	l.end, l.served = end, make(chan error, 1)
	go func() { l.served <- api.Serve(ctx, ln) }()
	return nil
}

// close ends everything, and tells of a part that had failed.
func (l *Lab) close() error {
	var errs []error
	if l.timers != nil {
		l.timers.End()
	}
	if l.served != nil {
		l.client.CloseIdleConnections()
		l.end()
		errs = append(errs, <-l.served)
	}
	if l.lab != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeTime)
		defer cancel()
		errs = append(errs, l.lab.Close(ctx))
	}
	return errors.Join(errs...)
}

// Environ are variables for programs that the test runs: AWS CLI, Terraform and
// whatever is made with an SDK find the laboratory by them.
func (l *Lab) Environ() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + l.Endpoint, "AWS_REGION=" + l.Region, "AWS_DEFAULT_REGION=" + l.Region,
		"AWS_ACCESS_KEY_ID=" + l.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + l.SecretAccessKey, "AWS_SESSION_TOKEN=",
		"AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1,localhost",
	}
}

// HTTPClient is one for the endpoint, without the proxies of the environment.
func (l *Lab) HTTPClient() *http.Client { return l.client }

// fatal fails the test.
func (l *Lab) fatal(doing string, err error) {
	l.t.Helper()
	l.t.Fatalf("enilabtest: %s: %v", doing, err)
}

// clock is Unix nanoseconds that never go back.
type clock struct{ start time.Time }

// Now is the time in Unix nanoseconds.
func (c clock) Now() int64 { return c.start.UnixNano() + int64(time.Since(c.start)) }

// After fires once after d.
func (clock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// seeded is a source of ids, MACs and tokens.
func seeded(seed uint64) func([]byte) {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], seed)
	chacha := rand.NewChaCha8(key)
	return func(b []byte) { _, _ = chacha.Read(b) } // never fails
}

// at is an instant of the laboratory's clock, zero for 0.
func at(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos)
}

// noName says that nothing has a name, and which names there are.
func noName(kind, name string, known map[string]string) error {
	return fmt.Errorf("no %s is named %q; there are: %s", kind, name, sorted(known))
}
