// Package command is `enilab run`: it reads drills, has them run and tells what
// came of them, on the terminal, in files, and by the exit code.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/drill/runner"
	"enilab/internal/plain"
	"enilab/internal/scenario"
)

// Exit codes of the command.
const (
	ExitHeld         = 0
	ExitFailed       = 1
	ExitInconclusive = 2
	ExitWrong        = 3 // the file or the set-up
)

// Code is the exit code of a verdict.
func Code(v drill.Verdict) int {
	switch v {
	case drill.Held:
		return ExitHeld
	case drill.Failed:
		return ExitFailed
	}
	return ExitInconclusive
}

// Options are the command line.
type Options struct {
	Files      []string
	Repeat     int     // 0: as each file says
	Seed       *uint64 // nil: as each file says
	Time       string  // real, virtual
	Timing     string  // fast, aws
	Strategies []string
	Set        []string // KEY=VALUE
	Parallel   int
	JUnit      string // file; "": none
	JSON       string
	Report     string // folder; "": none
	KeepGoing  bool
	Attach     string // the server that carries out the runs, for what is printed; "": this process

	Driver  runner.Driver // of real time
	Virtual runner.Driver // of virtual time
	Version string
	Stdout  io.Writer
	Stderr  io.Writer
	// Terminal says that Stdout is one: progress is drawn in place.
	Terminal bool
	Now      func() time.Time
}

// maxParallel bounds how many laboratories there are at once.
const maxParallel = 256

// Run carries out the command and returns its exit code.
func Run(ctx context.Context, opt Options) int {
	if err := opt.check(); err != nil {
		return opt.wrong(err)
	}
	drills, bad, badFile := opt.read(ctx)
	if badFile != nil {
		opt.wrong(badFile)
		if !opt.KeepGoing {
			return ExitWrong
		}
	}
	out, err := opt.open()
	if err != nil {
		return opt.wrong(err)
	}
	res := &report.Results{Version: opt.Version, Time: opt.Time, Wrong: bad}
	failed := runner.Run(ctx, drills, runner.Options{Parallel: opt.Parallel, KeepGoing: opt.KeepGoing, Watch: out, Now: opt.Now}, res)
	if badFile != nil {
		res.Partial = strings.TrimPrefix(res.Partial+"; not run: "+badFile.Error(), "; ")
	}
	if err := out.close(res); err != nil {
		failed = errors.Join(failed, err)
	}
	if len(drills) > 0 && (failed == nil || ran(res)) {
		out.summary(res)
	}
	switch {
	case failed != nil:
		return opt.wrong(failed)
	case badFile != nil:
		return ExitWrong
	}
	return Code(res.Verdict)
}

// ran reports whether anything was run that could be judged.
func ran(res *report.Results) bool {
	return slices.ContainsFunc(res.Variants, func(v *report.Variant) bool { return v.Runs > 0 })
}

func (o *Options) wrong(err error) int {
	fmt.Fprintln(o.Stderr, plain.Text(fmt.Sprintf("enilab run: %v", err)))
	return ExitWrong
}

func (o *Options) check() error {
	switch {
	case o.Attach != "" && o.Time == "virtual":
		return errors.New("--attach: a server runs in real time; leave --time virtual out, or --attach")
	case len(o.Files) == 0:
		return errors.New("no drill is named: want files, or names of scenarios that are part of the binary")
	case o.Repeat < 0 || o.Repeat > scenario.MaxRuns:
		return fmt.Errorf("--repeat %d: want from 1 to %d", max(o.Repeat, 0), scenario.MaxRuns)
	case o.Attach != "" && o.Parallel > 1:
		return errors.New("--attach: a server carries out one drill at a time; leave --parallel out")
	case o.Parallel < 1 || o.Parallel > maxParallel:
		return fmt.Errorf("--parallel %d: want from 1 to %d", o.Parallel, maxParallel)
	}
	for i, s := range o.Strategies {
		if slices.Contains(o.Strategies[:i], s) {
			return fmt.Errorf("--strategy: %s is listed twice", s)
		}
	}
	written := map[string]string{}
	for _, f := range o.Files {
		written[filepath.Clean(f)] = "a drill"
	}
	for _, out := range []struct{ flag, path string }{{"--json", o.JSON}, {"--junit", o.JUnit}} {
		if out.path == "" {
			continue
		}
		at := filepath.Clean(out.path)
		if is, ok := written[at]; ok {
			return fmt.Errorf("%s %s: that is %s; want a file of its own", out.flag, out.path, is)
		}
		if info, err := os.Stat(at); err != nil || info.Mode().IsRegular() {
			written[at] = "what " + out.flag + " writes"
		}
	}
	for i, f := range o.Files {
		if slices.Contains(o.Files[:i], f) {
			return fmt.Errorf("%s is named twice", f)
		}
	}
	return nil
}

// read reads and rehearses every file, under every strategy, before anything is
// run. The errors of all files are told; the drills of those without one come too.
func (o *Options) read(ctx context.Context) (drills []runner.Drill, bad []report.Wrong, err error) {
	for _, f := range o.Files {
		ds, e := o.readFile(ctx, f)
		if e != nil {
			bad, err = append(bad, report.Wrong{File: f, Error: e.Error()}), errors.Join(err, e)
			continue
		}
		drills = append(drills, ds...)
	}
	return drills, bad, err
}

func (o *Options) readFile(ctx context.Context, name string) (drills []runner.Drill, err error) {
	sc, err := scenario.OpenWith(ctx, name, o.Set)
	if err != nil {
		return nil, err
	}
	if err := sc.CheckDrill(); err != nil {
		return nil, err
	}
	driver := o.Driver
	if o.Time == "virtual" {
		driver = o.Virtual
	}
	return runner.Variants(ctx, sc, runner.Asked{Runs: o.Repeat, Seed: o.Seed, Strategies: o.Strategies}, driver, report.Variant{
		File: name, Timing: o.Timing, Time: o.Time, Set: o.Set, Attach: o.Attach,
	})
}

// open begins what is written. Nothing is run if a file cannot be.
func (o *Options) open() (out *output, err error) {
	out = &output{opt: o, bar: bar{w: o.Stdout, on: o.Terminal}}
	defer func() {
		if err != nil {
			out.abandon()
		}
	}()
	if o.JSON != "" {
		if out.json, err = report.CreateJSON(o.JSON); err != nil {
			return out, err
		}
	}
	if o.JUnit != "" {
		if out.junit, err = os.Create(o.JUnit); err != nil {
			return out, fmt.Errorf("writing %s: %w", o.JUnit, err)
		}
	}
	if o.Report != "" {
		out.folder, err = report.CreateFolder(o.Report)
	}
	return out, err
}
