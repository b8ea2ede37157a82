package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/mattn/go-isatty"

	"enilab/internal/drill/command"
	"enilab/internal/drill/simulated"
	"enilab/internal/drill/sweep"
	"enilab/internal/drill/sweep/queue"
)

// natsFlags say which queue.
type natsFlags struct {
	NATS      string        `name:"nats" placeholder:"URL" help:"Server of NATS with JetStream, such as nats://127.0.0.1:4222; several of one cluster separated by commas."`
	NATSCreds string        `name:"nats-creds" placeholder:"FILE" type:"path" help:"Credentials file for it."`
	Patience  time.Duration `default:"1m" help:"For how long that server may be away."`
}

func (f natsFlags) check(verb string) error {
	if f.Patience <= 0 {
		return wrongLine(verb, fmt.Errorf("--patience %s: want a time above nothing", f.Patience))
	}
	return nil
}

func (f natsFlags) options(verb string) queue.Options {
	return queue.Options{
		URL: f.NATS, Credentials: f.NATSCreds, Patience: f.Patience,
		Say: func(line string) { fmt.Fprintln(os.Stderr, "enilab "+verb+": "+line) },
	}
}

func wrongLine(verb string, err error) error {
	fmt.Fprintln(os.Stderr, "enilab "+verb+": "+err.Error())
	return exitCode(command.ExitWrong)
}

type sweepCmd struct {
	File       string   `arg:"" help:"Drill: a file, or a scenario of the binary (${scenarios})."`
	Seeds      string   `required:"" placeholder:"FIRST..LAST" help:"Seeds, such as 1..1000000; the drill is run once under each."`
	Strategies []string `aliases:"strategy" placeholder:"S" help:"Strategies of the failover policies, all seeds for each; else as the file says."`
	Timing     string   `default:"fast" enum:"fast,aws" help:"How long transitional states last: fast (20 ms) or aws (as AWS takes)."`
	Set        []string `sep:"none" placeholder:"KEY=VALUE" help:"Change a value of the file, such as policies[0].probe.misses=5."`
	JobSeeds   int      `default:"100" placeholder:"N" help:"Seeds of one job: what is lost when a worker dies, or when the sweep is broken off."`
	Parallel   int      `default:"0" placeholder:"P" help:"Jobs at once in this process; 0: as many as it has processors."`
	State      string   `placeholder:"FILE" help:"Keep what is done in a file; if it is there, go on with it."`
	JSON       string   `name:"json" placeholder:"FILE" help:"Write the results as JSON."`
	JUnit      string   `name:"junit" placeholder:"FILE" help:"Write JUnit XML."`

	natsFlags
	Redeliver time.Duration `default:"30s" help:"With --nats: after how much silence of its worker a job is given to another."`
}

// Run sweeps.
func (c *sweepCmd) Run(e env) error {
	const verb = "sweep"
	collectLess()
	f, isFile := e.stdout.(*os.File)
	opt := command.SweepOptions{
		File: c.File, Seeds: c.Seeds, Strategies: c.Strategies, Timing: c.Timing, Set: c.Set, JobSeeds: c.JobSeeds, Parallel: parallel(c.Parallel),
		JSON: c.JSON, JUnit: c.JUnit, State: c.State, Driver: simulated.Driver{}, Version: version, Stdout: e.stdout, Stderr: os.Stderr,
		Terminal: isFile && isatty.IsTerminal(f.Fd()), Now: time.Now,
	}
	var err error
	if opt.Build, err = build(); err != nil {
		return wrongLine(verb, err)
	}
	if c.NATS != "" {
		if err := c.check(verb); err != nil {
			return err
		}
		if c.Redeliver < time.Second {
			return wrongLine(verb, fmt.Errorf("--redeliver %s: want 1s or more", c.Redeliver))
		}
		q := c.options(verb)
		q.Redeliver = c.Redeliver
		opt.Queue = func(ctx context.Context, s *sweep.Sweep, sum *sweep.Sum, added func() error) error {
			return queue.Sweep(ctx, q, s, sum, added)
		}
	}
	if code := command.Sweep(e.ctx, opt); code != command.ExitHeld {
		return exitCode(code)
	}
	return nil
}

type workerCmd struct {
	natsFlags
	Parallel int           `default:"0" placeholder:"P" help:"Jobs at once; 0: as many as there are processors."`
	Idle     time.Duration `default:"0s" help:"End after so long without a job; 0s: never."`
}

// Run works.
func (c *workerCmd) Run(e env) error {
	const verb = "worker"
	collectLess()
	if c.NATS == "" {
		return wrongLine(verb, fmt.Errorf("--nats is missing: want the server of NATS that has the queue, such as nats://127.0.0.1:4222"))
	}
	if err := c.check(verb); err != nil {
		return err
	}
	opt := queue.WorkOptions{Options: c.options(verb), Driver: simulated.Driver{}, Parallel: parallel(c.Parallel), Idle: c.Idle}
	if opt.Parallel < 1 || c.Idle < 0 {
		return wrongLine(verb, fmt.Errorf("--parallel %d, --idle %s: want neither below nothing", c.Parallel, c.Idle))
	}
	var err error
	if opt.Build, err = build(); err != nil {
		return wrongLine(verb, err)
	}
	done, err := queue.Work(e.ctx, opt)
	opt.Say(fmt.Sprintf("%d jobs done", done))
	if err != nil {
		return wrongLine(verb, err)
	}
	return nil
}

func parallel(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// collectLess has memory collected less often: each run's laboratory is garbage when
// it ends, and what lives on is little. It saves a tenth of a run's time or more.
func collectLess() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}

// build names this build among all: by its version, and where that says nothing by
// the binary itself. Only the same build is sure to give the same runs.
func build() (string, error) {
	if version != "dev" {
		return version, nil
	}
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("finding this binary: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading this binary: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("reading this binary: %w", err)
	}
	return version + " " + hex.EncodeToString(sum.Sum(nil)[:6]), nil
}
