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
	"syscall"
	"time"

	"enilab/internal/api/calls"
	"enilab/internal/api/rest"
	"enilab/internal/cli"
	"enilab/internal/control"
	"enilab/internal/drill/command"
	"enilab/internal/lab"
	"enilab/internal/scenario"
	"enilab/internal/served"
	"enilab/internal/snapshot"
	"enilab/internal/store"
	"enilab/web"
)

type serveCmd struct {
	Listen    string   `default:"127.0.0.1:4566" help:"Address to listen on. Beyond loopback, page and API ask for a token."`
	Data      string   `default:".enilab" placeholder:"DIR" help:"Data directory; made if it does not exist."`
	Fresh     bool     `help:"Begin with an empty laboratory, deleting what the data directory holds, but for snapshots and results of drills."`
	Scenario  string   `default:"none" placeholder:"none|NAME|FILE" help:"What an empty laboratory is filled with: nothing, a scenario of the binary (${scenarios}) or a file."`
	From      string   `placeholder:"FILE" help:"Begin an empty laboratory as a copy of this snapshot (enilab snapshot save), instead of with a scenario."`
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

	UntilDone   bool   `help:"End once the scenario's steps are done, with the exit code of enilab run: 0 held, 1 failed, 2 inconclusive, 3 the set-up is wrong."`
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
	if s.UntilDone && s.Scenario == "none" {
		fmt.Fprintln(os.Stderr, "enilab: --until-done: there is no scenario whose end could be waited for (see --scenario)")
		return exitCode(command.ExitWrong)
	}
	if s.From != "" && s.Scenario != "none" {
		return errors.New("--from and --scenario both say what an empty laboratory begins with: leave one out")
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
			err = unlessStopped(e.ctx, err)
			if err != nil && s.UntilDone {
				fmt.Fprintln(os.Stderr, "enilab: "+err.Error())
				return exitCode(command.ExitWrong)
			}
			return err
		}
	}
	l, err := s.open(e.ctx, log, f, fill)
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

// server is the laboratory and what the process has beside it.
type server struct {
	*served.Lab
	clock clock
	store *store.Store
	log   *slog.Logger
	seed  uint64 // of hashes and of faults that hit a share

	snapshots *snapshot.Set
}

// open starts the laboratory on the database, as its scenario wants it; nil: it has none.
func (s *serveCmd) open(ctx context.Context, log *slog.Logger, f *front, sc *scenario.Scenario) (*server, error) {
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
	l := &server{clock: newClock(), store: st, log: log}
	if l.snapshots, err = snapshot.Open(filepath.Join(s.Data, "snapshots"), st, l.clock.Time); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	opt := lab.Options{
		Store: st, Region: s.Region, Now: l.clock.Now, Timing: control.TimingFast, Quotas: s.quotas(),
		Shape: s.Shape, DNSUpstream: s.DNSUpstream, Log: log,
	}
	if s.Timing == "aws" {
		opt.Timing, opt.Leases = control.TimingAWS, true
	}
	opt.Timing.AnnounceMoves = s.Announce
	if sc != nil {
		opt.Timing, opt.Shape = sc.Timing(opt.Timing), opt.Shape || sc.Shaped()
	}
	opt.Random, opt.Seed = s.random()
	l.seed = opt.Seed
	if l.Lab, err = served.Open(ctx, opt); err != nil {
		return nil, errors.Join(err, st.Close())
	}
	l.Go("health", l.watchHealth)
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
	opt := store.Options{Dir: s.Data, Sync: store.Sync(s.Sync), Fresh: s.Fresh, AcceptLoss: s.AcceptLoss, From: s.From}
	st, err := store.Open(ctx, opt)
	if err != nil {
		return nil, err
	}
	if lost := st.Lost(); lost != nil {
		log.Warn("the laboratory is older than it was", "error", lost)
	}
	if s.From != "" && !st.Copied() {
		log.Info("the laboratory goes on where it was: the snapshot is for an empty one", "snapshot", s.From, "data", s.Data)
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

// close ends the laboratory, and the store last.
func (l *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), labTime)
	defer cancel()
	return errors.Join(l.Close(ctx), l.store.Close())
}

// serve fills the laboratory and then answers requests until ctx ends.
func (s *serveCmd) serve(ctx context.Context, l *server, f *front, keys accessKeys, page rest.Assets, fill *scenario.Scenario) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	begun := newBeginning(ctx, s, l, fill)
	rehearsed := &rehearsals{begun: begun}
	tried := l.trials(filepath.Join(s.Data, "trials"), rehearsed)
	defer tried.Close()
	others := &scenarios{begun: begun}
	noted := &calls.Log{}
	srv, err := l.API(rest.Options{
		Assets: page, Clock: l.clock, Version: version, Timing: s.Timing,
		Log: l.log, Loopback: f.loopback, Token: f.token, AllowHosts: s.AllowHost, CaptureDir: s.captures(),
		AnyKey: keys.any, Reset: begun.reset, Snapshots: l.snapshots, Restore: begun.restore, Ready: l.health, Scenario: begun.playing.Status,
		Rehearsals: rehearsed, Trials: tried, Scenarios: others, Calls: noted,
		Exercises: &exercises{scenarios: others, calls: noted, trials: tried},
	}, keys.secrets)
	if err != nil {
		return err
	}
	loaded, err := s.fill(ctx, l, f, fill)
	if err != nil {
		return unlessStopped(ctx, err)
	}
	if loaded != nil || l.store.Copied() {
		l.Control.KeepStart(l.Control.State())
	} else if s.UntilDone {
		fmt.Fprintf(os.Stderr, "enilab: --until-done: %s holds a laboratory already, in which no scenario begins (see --fresh)\n", s.Data)
		return exitCode(command.ExitWrong)
	}
	ln, err := f.hand()
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ctx, ln) }()
	forget, err := cli.Leave(s.Data, cli.Server{URL: urls(f.addr, "", nil)[0], Token: f.asked()})
	if err != nil {
		// Whoever asks can still say where it is.
		l.log.Warn("the verbs of the command line will not find the server by themselves", "error", err)
	} else {
		defer func() {
			if err := forget(); err != nil {
				l.log.Warn("removing word of where the server was", "error", err)
			}
		}()
	}
	f.ready()
	// Starting leaves several times more behind than the laboratory holds, which
	// the collector would not look at before that doubled.
	debug.FreeOSMemory()
	if err := letGo(); err != nil {
		l.log.Debug("what only the start needed stays in memory", "error", err)
	}
	begun.play(loaded)
	select {
	case err = <-served:
	case <-begun.over:
		stop()
		err = <-served
	case err = <-l.Failed(): // a part has failed: what is left could only mislead
		stop()
		err = errors.Join(err, <-served)
	}
	stop()
	begun.end()
	if code := begun.code; s.UntilDone && err == nil && code != command.ExitHeld {
		return code
	}
	return err
}

// fill loads the scenario into an empty laboratory; another goes on where it
// was, and nil is returned.
func (s *serveCmd) fill(ctx context.Context, l *server, f *front, sc *scenario.Scenario) (*scenario.Loaded, error) {
	if sc == nil {
		return nil, nil
	}
	told := func(until string) {
		what := "the scenario to be built"
		if until != "" {
			what += ": until " + until
		}
		f.waitForCount(what, func() int { return len(l.Control.State().NetworkInterfaces()) })
	}
	told("")
	if scenario.Empty(l.Control.State()) {
		// A process that is killed half-way takes nothing back.
		if err := l.store.MarkUnfinished(ctx); err != nil {
			return nil, err
		}
	}
	loaded, err := sc.LoadTold(ctx, l.Control, told)
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
