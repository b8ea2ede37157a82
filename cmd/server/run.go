package main

import (
	"fmt"
	"os"
	"time"

	"github.com/mattn/go-isatty"

	"enilab/internal/drill/attached"
	"enilab/internal/drill/command"
	"enilab/internal/drill/live"
	"enilab/internal/drill/runner"
	"enilab/internal/drill/simulated"
)

type runCmd struct {
	Files     []string `arg:"" name:"file" help:"Drill: a file, or a scenario of the binary (${scenarios})."`
	Repeat    *int     `placeholder:"N" help:"How often each is run; else as the file says."`
	Seed      *uint64  `placeholder:"S" help:"Seed of the first run, the next ones have the next numbers; else as the file says."`
	Time      string   `default:"real" enum:"real,virtual" help:"Clock: real or virtual."`
	Strategy  []string `placeholder:"S" help:"Strategies of the failover policies, the drill once for each; else as the file says."`
	Timing    string   `default:"fast" enum:"fast,aws" help:"How long transitional states last: fast (20 ms) or aws (as AWS takes)."`
	Set       []string `sep:"none" placeholder:"KEY=VALUE" help:"Change a value of the files, such as policies[0].probe.misses=5."`
	Parallel  int      `default:"1" placeholder:"P" help:"How many runs at once."`
	JUnit     string   `name:"junit" placeholder:"FILE" help:"Write JUnit XML."`
	JSON      string   `name:"json" placeholder:"FILE" help:"Write everything as JSON, a line for each run."`
	Report    string   `placeholder:"DIR" help:"Write a folder with index.html, results.json and captures of the first, the median and the worst run."`
	KeepGoing bool     `help:"Go on after a run that failed, and with the other files if one is wrong."`
	Attach    *string  `placeholder:"URL" help:"Have a server that runs carry out the drills, in its laboratory, which must be empty."`
	Force     bool     `help:"With --attach: also in a laboratory that is not empty. What is in it is lost."`
	Token     string   `help:"Token of the server, asked for beyond loopback; it may be in the URL too."`
}

// exitCode ends the process with that code, and without a word.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// Run runs the drills.
func (r *runCmd) Run(e env) error {
	f, isFile := e.stdout.(*os.File)
	var driver runner.Driver = live.Driver{}
	repeat, attach := 0, ""
	if r.Repeat != nil {
		if repeat = *r.Repeat; repeat == 0 {
			repeat = -1 // none is none of the file's either
		}
	}
	if r.Attach != nil {
		attach = *r.Attach
		var err error
		if driver, err = attached.New(attach, r.Token, r.Set, r.Force); err != nil {
			fmt.Fprintln(os.Stderr, "enilab run: "+err.Error())
			return exitCode(command.ExitWrong)
		}
	} else if r.Force {
		fmt.Fprintln(os.Stderr, "enilab run: --force is for --attach")
		return exitCode(command.ExitWrong)
	}
	code := command.Run(e.ctx, command.Options{
		Files: r.Files, Repeat: repeat, Seed: r.Seed, Time: r.Time, Timing: r.Timing, Strategies: r.Strategy, Set: r.Set,
		Parallel: r.Parallel, JUnit: r.JUnit, JSON: r.JSON, Report: r.Report, KeepGoing: r.KeepGoing,
		Attach: attached.Shown(attach), Driver: driver, Virtual: simulated.Driver{}, Version: version, Stdout: e.stdout, Stderr: os.Stderr,
		Terminal: isFile && isatty.IsTerminal(f.Fd()), Now: time.Now,
	})
	if code != command.ExitHeld {
		return exitCode(code)
	}
	return nil
}
