package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2"
	"enilab/internal/api/imds"
	"enilab/internal/api/imds/inplane"
	"enilab/internal/api/rest"
	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane"
	"enilab/internal/guest"
	"enilab/internal/scenario"
	"enilab/internal/services"
	"enilab/internal/store"
	"enilab/web"
)

type serveCmd struct {
	Listen    string   `default:"127.0.0.1:4566" help:"Address to listen on. Beyond loopback, page and API ask for a token."`
	Data      string   `default:".enilab" placeholder:"DIR" help:"Data directory; made if it does not exist."`
	Fresh     bool     `help:"Begin with an empty laboratory, deleting what the data directory holds."`
	Scenario  string   `default:"none" placeholder:"none|demo|FILE" help:"What an empty laboratory is filled with."`
	Region    string   `default:"us-east-1" help:"AWS region to be."`
	Timing    string   `default:"fast" enum:"fast,aws" help:"How long transitional states last: fast (20 ms) or aws (as AWS takes)."`
	Announce  bool     `name:"announce-moves" help:"Have the network tell the guests of a subnet when a secondary address has changed its network interface; on AWS this is disputed."`
	Quotas    string   `default:"none" enum:"none,aws" help:"Quotas of the account: none, or those of a new AWS account (5 VPCs, 5 Elastic IPs, ...)."`
	Shape     bool     `help:"Bound what each instance sends and receives by its type's bandwidth; else by the machine's speed only."`
	Sync      string   `default:"normal" enum:"normal,full" help:"What acknowledged writes survive: normal (kill -9) or full (power loss too)."`
	Seed      uint64   `help:"Seed of ids, MACs and hashes, for runs that can be repeated; 0 draws one."`
	Token     string   `help:"Token asked for beyond loopback; drawn and printed unless given."`
	AllowHost []string `placeholder:"NAME" help:"Further host name to answer to."`
	AccessKey []string `sep:"none" placeholder:"ID=SECRET|any" help:"Key that EC2 requests must be signed with, also beyond loopback; without one any key does, on loopback only. any: any key does beyond loopback too, for everybody who can reach the port."`
	WebDir    string   `placeholder:"DIR" help:"Build the page from this folder on every change, for its development; in builds with the tag webdev."`
	LogLevel  string   `default:"info" enum:"debug,info,warn,error" help:"Least severity that is logged to standard error."`

	DNSUpstream string `name:"dns-upstream" placeholder:"HOST:PORT" help:"Resolver that guests' questions for names outside go to; without one there are none."`
	AcceptLoss  bool   `help:"Go on with an older laboratory where the database has lost its newest changes."`
}

const (
	// drainTime bounds what ending may take in all.
	drainTime = 5 * time.Second
	// labTime is what the API leaves of it for the parts behind.
	labTime = drainTime - rest.StopTime
)

// Run runs the laboratory until the context ends.
func (s *serveCmd) Run(e env) error {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		return fmt.Errorf("--log-level: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	keys, err := parseAccessKeys(s.AccessKey)
	if err != nil {
		return err
	}
	if control.RegionByName(s.Region) == nil {
		return fmt.Errorf("--region %s: there is no such region; want one such as us-east-1", s.Region)
	}
	if err := checkUpstream(s.DNSUpstream); err != nil {
		return err
	}
	page, err := s.page()
	if err != nil {
		return err
	}
	// Before anything is touched: a second server must find everything as it was.
	ln, err := listen(s.Listen)
	if err != nil {
		return err
	}
	defer ln.Close()
	f := s.front(ln, e.stdout, log)
	defer f.close()
	var fill *scenario.Scenario
	if s.Scenario != "none" {
		f.waitFor("the scenario to be checked")
		if fill, err = scenario.Open(e.ctx, s.Scenario); err != nil {
			return unlessStopped(e.ctx, err)
		}
	}
	l, err := s.open(e.ctx, log, f)
	if err != nil {
		return unlessStopped(e.ctx, err)
	}
	return errors.Join(s.serve(e.ctx, l, f, keys, page, fill), l.close())
}

// unlessStopped is err, but for a start that a signal has cut short: ending it
// was asked for and is no failure.
func unlessStopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// lab is everything behind the API, running.
type lab struct {
	clock    clock
	store    *store.Store
	engine   *dataplane.Engine
	guests   *guest.Lab
	control  *control.Service
	failover *failover.Controller
	metadata *imds.Service
	log      *slog.Logger
	seed     uint64 // of hashes and of faults that hit a share

	stops []func() // in the order in which things end
	wg    sync.WaitGroup
	errs  chan error // of the parts, each at most once
}

// open starts the parts from the bottom up: store, data plane and guests,
// control plane, failover.
func (s *serveCmd) open(ctx context.Context, log *slog.Logger, f *front) (*lab, error) {
	f.waitFor("the database to be opened")
	st, err := s.openStore(ctx, log)
	if err != nil {
		return nil, err
	}
	if s.Fresh {
		if err := os.RemoveAll(s.captures()); err != nil {
			return nil, errors.Join(fmt.Errorf("removing captures: %w", err), st.Close())
		}
	}
	// What a start is refused for has been looked at; what follows can take long.
	f.announce()
	f.waitFor("what is stored to run again")
	l := &lab{clock: newClock(), store: st, log: log, errs: make(chan error, 8)}
	random, seed := s.random()
	l.seed = seed
	l.engine = dataplane.New(dataplane.Options{Now: l.clock.Now, Seed: seed, Shape: s.Shape})
	l.run("health", l.watchHealth)
	l.run("data plane", func(ctx context.Context) error {
		l.engine.Start(ctx)
		l.engine.Wait()
		return nil
	})
	l.guests = guest.NewLab(guest.Options{Engine: l.engine, Now: l.clock.Now, Seed: seed, DHCP: s.Timing == "aws"})
	l.run("guests", l.guests.Run)
	// Before the guests that are stored boot: what they ask waits for an answer.
	wire, err := services.New(services.Options{
		Engine: l.engine, State: func() *control.State { return l.control.State() }, Now: l.clock.Time, Upstream: s.DNSUpstream,
	})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	timing := control.TimingFast
	if s.Timing == "aws" {
		timing = control.TimingAWS
	}
	timing.AnnounceMoves = s.Announce
	l.control, err = control.Open(ctx, control.Options{
		Store: st, Plane: &guest.Plane{Engine: l.engine, Lab: l.guests}, Region: s.Region,
		Now: l.clock.Time, Random: random, Timing: timing, Quotas: s.quotas(), Log: log,
	})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.run("control plane", l.control.Run)
	l.metadata = imds.New(l.control, imds.Options{Now: l.clock.Time, Account: ec2.DefaultAccount})
	inside, err := inplane.New(inplane.Options{Engine: l.engine, Answer: l.metadata.Answer})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.run("metadata", inside.Run)
	l.run("network services", wire.Run)
	l.failover, err = failover.New(failover.Options{
		Service: l.control, Clients: l.guests, Now: l.clock.Now, Log: log,
		Prober: failover.NewGuestProber(l.guests, l.engine, l.clock.Now),
	})
	if err != nil {
		return nil, errors.Join(err, l.close())
	}
	l.run("failover", l.failover.Run)
	return l, nil
}

func (s *serveCmd) quotas() control.Quotas {
	if s.Quotas == "aws" {
		return control.QuotasAWS
	}
	return nil
}

// openStore opens the database, a new one in place of one that is half a scenario.
func (s *serveCmd) openStore(ctx context.Context, log *slog.Logger) (*store.Store, error) {
	opt := store.Options{Dir: s.Data, Sync: store.Sync(s.Sync), Fresh: s.Fresh, AcceptLoss: s.AcceptLoss}
	st, err := store.Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	if lost := st.Lost(); lost != nil {
		log.Warn("the laboratory is older than it was", "error", lost)
	}
	if !st.Unfinished() {
		return st, nil
	}
	log.Warn("an earlier start was interrupted while it loaded a scenario: beginning anew", "data", s.Data)
	if err := st.Close(); err != nil {
		return nil, err
	}
	opt.Fresh = true
	return store.Open(ctx, opt)
}

// noteTime bounds what an event without a change may wait for its commit.
const noteTime = 5 * time.Second

func (l *lab) note(typ, id string, kv ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), noteTime)
	defer cancel()
	return l.control.Note(ctx, typ, id, kv...)
}

// run starts a part. close ends the parts in the opposite order.
func (l *lab) run(name string, f func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	l.wg.Go(func() {
		defer close(done)
		if err := f(ctx); err != nil {
			l.errs <- fmt.Errorf("%s: %w", name, err)
		}
	})
	l.stops = append(l.stops, func() { cancel(); <-done })
}

// close ends the parts from the top down, and the store last.
func (l *lab) close() error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := len(l.stops) - 1; i >= 0; i-- {
			l.stops[i]()
		}
		l.wg.Wait()
	}()
	var errs []error
	select {
	case <-ended:
	case <-time.After(labTime):
		errs = append(errs, fmt.Errorf("the laboratory did not end within %v", labTime))
	}
	for {
		select {
		case err := <-l.errs:
			errs = append(errs, err)
			continue
		default:
		}
		break
	}
	return errors.Join(append(errs, l.store.Close())...)
}

// serve fills the laboratory and then answers requests until ctx ends.
func (s *serveCmd) serve(ctx context.Context, l *lab, f *front, keys accessKeys, page rest.Assets, fill *scenario.Scenario) error {
	faults := apifault.New(apifault.Options{Now: l.clock.Time, Seed: l.seed, Note: l.note, Log: l.log})
	aws, err := ec2.New(ec2.Options{Control: l.control, Faults: faults, Keys: keys.secrets, Now: l.clock.Time})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	begun := &beginning{cmd: s, lab: l, scenario: fill, ctx: ctx}
	srv, err := rest.New(rest.Options{
		Control: l.control, Engine: l.engine, Moves: l.failover, Guests: l.guests, PolicyStatus: l.policyStatus,
		Assets: page, Clock: l.clock, Version: version, Region: s.Region, Timing: s.Timing,
		APIFaults: faults, Log: l.log, Loopback: f.loopback, Token: f.token, AllowHosts: s.AllowHost, CaptureDir: s.captures(),
		Signed: len(keys.secrets) > 0, AnyKey: keys.any, Reset: begun.reset,
		Mount:  func(app *fiber.App) { l.metadata.Register(app); aws.Register(app) },
		Refuse: aws.Refuse, Ready: l.health,
	})
	if err != nil {
		return err
	}
	f.waitForCount("the scenario to be built", func() int { return len(l.control.State().NetworkInterfaces()) })
	loaded, err := s.fill(ctx, l, fill)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if loaded != nil {
		l.control.KeepStart(l.control.State())
	}
	ln, err := f.hand()
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln) }()
	f.ready()
	// Starting leaves several times more behind than the laboratory holds, which
	// the collector would not look at before that doubled.
	debug.FreeOSMemory()
	begun.play(loaded)
	select {
	case err = <-served:
	case err = <-l.errs: // a part has failed: what is left could only mislead
		stop()
		err = errors.Join(err, <-served)
	}
	stop()
	begun.end()
	return err
}

// play carries out a scenario's steps while the laboratory is served. A step
// that fails ends the play, not the laboratory: somebody may want to look.
func (l *lab) play(ctx context.Context, sc *scenario.Scenario, loaded *scenario.Loaded) {
	_, err := scenario.Run(ctx, scenario.Env{
		Service: l.control, Mover: l.failover, Lab: l.guests, Totals: l.engine.Totals, Now: l.clock.Now,
		Progress: func(r scenario.StepResult) {
			if r.Err == nil {
				l.log.Info("step done", "scenario", sc.Name, "line", r.Line, "step", r.Text)
			}
		},
	}, sc, loaded)
	if err != nil && ctx.Err() == nil {
		l.log.Error("a step failed", "error", err)
	}
}

// fill loads the scenario into an empty laboratory; another goes on where it
// was, and nil is returned.
func (s *serveCmd) fill(ctx context.Context, l *lab, sc *scenario.Scenario) (*scenario.Loaded, error) {
	if sc == nil {
		return nil, nil
	}
	if scenario.Empty(l.control.State()) {
		// A process that is killed half-way takes nothing back.
		if err := l.store.MarkUnfinished(ctx); err != nil {
			return nil, err
		}
	}
	loaded, err := sc.LoadForGood(ctx, l.control)
	if err == nil {
		err = l.store.MarkWhole(ctx)
	}
	if errors.Is(err, scenario.ErrNotEmpty) {
		l.log.Info("the laboratory goes on where it was: the scenario is for an empty one", "scenario", s.Scenario, "data", s.Data)
		return nil, nil
	}
	return loaded, err
}

func (s *serveCmd) captures() string { return filepath.Join(s.Data, "captures") }

func (s *serveCmd) page() (rest.Assets, error) {
	source := web.Embedded()
	if s.WebDir != "" {
		var err error
		if source, err = web.Dev(s.WebDir); err != nil {
			return nil, fmt.Errorf("--web-dir: %w", err)
		}
	}
	return func(path string) (rest.Asset, bool) {
		a, ok := source.Lookup("/" + path)
		return rest.Asset{Body: a.Body, Gzip: a.Gzip, ContentType: a.ContentType, ETag: a.ETag}, ok
	}, nil
}

func listen(address string) (*net.TCPListener, error) {
	ln, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use: is another enilab running? Choose another address with --listen", address)
	}
	if err != nil {
		return nil, fmt.Errorf("--listen %s: %w", address, err)
	}
	return ln.(*net.TCPListener), nil // which "tcp" makes
}

func isLoopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}
