package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"enilab/internal/drill/report"
	"enilab/internal/drill/runner"
	"enilab/internal/drill/sweep"
	"enilab/internal/outfile"
	"enilab/internal/plain"
	"enilab/internal/scenario"
)

// SweepOptions are the command line of enilab sweep.
type SweepOptions struct {
	File       string
	Seeds      string // FIRST..LAST
	Strategies []string
	Timing     string // fast, aws
	Set        []string
	JobSeeds   int
	Parallel   int    // jobs at once in this process
	JSON       string // file; "": none
	JUnit      string
	State      string // file in which what is done is kept; "": nowhere

	// Queue has the jobs done by others; nil: this process does them.
	Queue func(ctx context.Context, s *sweep.Sweep, sum *sweep.Sum, added func() error) error

	Driver  runner.Driver // of virtual time
	Version string
	Build   string // names the build: only the same one gives the same runs
	Stdout  io.Writer
	Stderr  io.Writer
	// Terminal says that Stdout is one.
	Terminal bool
	Now      func() time.Time
}

// saving is how often what is done is written to the state's file.
const saving = 10 * time.Second

// Sweep carries out the command and returns its exit code.
func Sweep(ctx context.Context, opt SweepOptions) int {
	s, err := opt.prepare(ctx)
	if err != nil {
		return opt.wrong(err)
	}
	sum := s.NewSum()
	if opt.State != "" {
		if sum, err = s.Resume(opt.State); err != nil {
			return opt.wrong(err)
		}
	}
	out, err := opt.open()
	if err != nil {
		return opt.wrong(err)
	}
	b := bar{w: opt.Stdout, on: opt.Terminal}
	b.line(fmt.Sprintf("%s: seeds %d to %d, %d runs in %d jobs, timing %s, virtual time", opt.File, s.From, s.To, s.Runs(), s.Jobs(), s.Timing))
	if n := sum.Done(); n > 0 {
		b.line(fmt.Sprintf("  %d jobs were done before", n))
	}
	began, before := opt.Now(), sum.Runs()
	failed := opt.carryOut(ctx, s, sum, &b)
	took := opt.Now().Sub(began)

	partial := ""
	if !sum.Whole() {
		partial, _, _ = strings.Cut(failed.Error(), "\n")
		if ctx.Err() != nil {
			partial, failed = fmt.Sprintf("interrupted (%v)", context.Cause(ctx)), nil
		}
	}
	res := sum.Results(opt.Version, partial)
	b.clear()
	for _, v := range res.Variants {
		if sum.Runs() == 0 && failed != nil {
			break // the error says it all
		}
		b.line(title(v.Variant) + ":")
		b.variant(v.Variant)
		b.listed("failed", v.FailedRuns)
		b.listed("inconclusive", v.InconclusiveRuns)
		if v.WorstRun != nil && v.Metrics["outage"].Known > 0 {
			b.line("  worst: " + v.WorstRun.Command)
		}
	}
	if err := report.WriteComparison(b.w, res.Report()); err != nil {
		failed = errors.Join(failed, err)
	}
	if runs := sum.Runs() - before; runs > 0 && took > 0 {
		b.line(fmt.Sprintf("%d runs in %s: %.0f a minute", runs, took.Round(time.Millisecond), float64(runs)/took.Minutes()))
	}
	if partial != "" && (sum.Runs() > 0 || failed == nil) {
		b.line(fmt.Sprintf("partial, %d of %d runs: %s%s", sum.Runs(), s.Runs(), partial, opt.goesOn()))
	}
	if sum.Runs() > 0 || failed == nil {
		b.line(string(res.Verdict))
	}
	if err := errors.Join(failed, out.close(res, began, took)); err != nil {
		return opt.wrong(err)
	}
	return Code(res.Verdict)
}

func (o *SweepOptions) wrong(err error) int {
	fmt.Fprintln(o.Stderr, plain.Text(fmt.Sprintf("enilab sweep: %v", err)))
	return ExitWrong
}

// goesOn says how a sweep that was broken off goes on.
func (o *SweepOptions) goesOn() string {
	switch {
	case o.Queue != nil:
		return "; what is done is kept on the NATS server: the same command goes on with it"
	case o.State != "":
		return "; what is done is in " + o.State + ": the same command goes on with it"
	}
	return "; with --state FILE the same command would go on with what is done"
}

// prepare checks everything before the first run.
func (o *SweepOptions) prepare(ctx context.Context) (*sweep.Sweep, error) {
	from, to, err := sweep.ParseSeeds(o.Seeds)
	switch {
	case err != nil:
		return nil, err
	case o.Queue != nil && o.State != "":
		return nil, errors.New("--state: with --nats what is done is kept on the server; leave --state out")
	case o.Parallel < 1 || o.Parallel > maxParallel:
		return nil, fmt.Errorf("--parallel %d: want from 1 to %d", o.Parallel, maxParallel)
	}
	for i, s := range o.Strategies {
		if slices.Contains(o.Strategies[:i], s) {
			return nil, fmt.Errorf("--strategies: %s is listed twice", s)
		}
	}
	written := (&Options{Files: []string{o.File}, JSON: o.JSON, JUnit: o.JUnit, Parallel: 1}).check()
	if written != nil {
		return nil, written
	}
	text, err := scenario.Read(o.File)
	if err != nil {
		return nil, err
	}
	return sweep.Prepare(ctx, sweep.Order{
		Build: o.Build, File: o.File, Text: text, Set: o.Set, Timing: o.Timing, Strategy: o.Strategies, From: from, To: to, JobSeeds: o.JobSeeds,
	})
}

// carryOut has the jobs done that are not, and keeps what is done.
func (o *SweepOptions) carryOut(ctx context.Context, s *sweep.Sweep, sum *sweep.Sum, b *bar) error {
	saved := o.Now()
	added := func() error {
		b.draw(sum.Runs(), s.Runs(), "")
		if o.State == "" || o.Now().Sub(saved) < saving {
			return nil
		}
		saved = o.Now()
		return sum.Save(o.State)
	}
	if o.State != "" { // nothing is run if it cannot be written
		if err := sum.Save(o.State); err != nil {
			return err
		}
	}
	var err error
	if o.Queue != nil {
		err = o.Queue(ctx, s, sum, added)
	} else {
		err = sweep.Local(ctx, sum, o.Driver, o.Parallel, added)
	}
	if o.State != "" {
		err = errors.Join(err, sum.Save(o.State))
	}
	return err
}

// sweepFiles are the files that were asked for. They are begun before the first
// run, so that nothing is run if one cannot be written.
type sweepFiles struct{ json, junit *outfile.File }

func (o *SweepOptions) open() (out sweepFiles, err error) {
	for _, f := range []struct {
		path string
		into **outfile.File
	}{{o.JSON, &out.json}, {o.JUnit, &out.junit}} {
		if f.path == "" || err != nil {
			continue
		}
		if *f.into, err = outfile.Create(f.path, 0o644); err != nil {
			err = fmt.Errorf("writing %s: %w", f.path, err)
			*f.into = nil
		}
	}
	if err != nil && out.json != nil {
		err = errors.Join(err, out.json.Remove())
	}
	return out, err
}

// close writes the files.
func (f sweepFiles) close(res *sweep.Results, began time.Time, took time.Duration) (err error) {
	write := func(to *outfile.File, what func(io.Writer) error) {
		if to == nil {
			return
		}
		e := what(to)
		if e == nil {
			e = to.Commit()
		} else {
			e = errors.Join(e, to.Remove())
		}
		if e != nil {
			err = errors.Join(err, fmt.Errorf("writing %s: %w", strings.TrimSuffix(to.Name(), outfile.Suffix), e))
		}
	}
	write(f.json, res.WriteJSON)
	for _, v := range res.Variants { // all at once; the JSON has no times of the machine
		v.StartedAt, v.EndedAt = began.UnixNano(), began.Add(took).UnixNano()
	}
	write(f.junit, func(w io.Writer) error { return report.WriteJUnit(w, res.Report()) })
	return err
}

// listed tells the first runs of some, each with the command that repeats it.
func (b *bar) listed(what string, l sweep.Listed) {
	for i, r := range l.First {
		if i == maxTold {
			b.line(fmt.Sprintf("  and %d further runs", l.Count-maxTold))
			break
		}
		b.line(fmt.Sprintf("  seed %d %s; again: %s", r.Seed, what, r.Command))
	}
}

// clear takes the bar away.
func (b *bar) clear() {
	if b.shown {
		fmt.Fprint(b.w, clear)
		b.shown = false
	}
}
