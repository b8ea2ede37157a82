// Command enilab is an AWS VPC on a laptop, with packets in it. This package
// only wires the parts together; everything it calls is a package of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"
	"github.com/willabides/kongplete"

	"enilab/internal/cli"
	"enilab/internal/drill/command"
	"enilab/internal/plain"
	"enilab/internal/scenario"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	code := exitCode(0)
	if errors.As(err, &code) {
		os.Exit(int(code))
	}
	var verb *cli.Error
	if errors.As(err, &verb) {
		if code, err = exitCode(verb.Code), verb.Err; err == nil {
			os.Exit(int(code))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "enilab: "+plain.Text(err.Error())) // with names that others gave
		os.Exit(max(1, int(code)))
	}
}

// commands is the whole command line.
type commands struct {
	Serve  serveCmd  `cmd:"" default:"withargs" help:"Run the laboratory (the default)."`
	Run    runCmd    `cmd:"" help:"Run drills, and say by the exit code what came of them: 0 held, 1 failed, 2 inconclusive, 3 the file or the set-up is wrong."`
	Sweep  sweepCmd  `cmd:"" help:"Run a drill in virtual time under very many seeds, on the cores of this machine or by workers, with the exit codes of run."`
	Worker workerCmd `cmd:"" help:"Do the jobs of sweeps, out of a queue of NATS."`
	cli.Verbs

	IMDS    imdsCmd    `cmd:"" name:"imds" help:"Serve one instance's metadata on an address of its own."`
	Health  healthCmd  `cmd:"" help:"Ask a laboratory whether it is ready, and fail if it is not."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Completion cli.CompletionCmd `cmd:"" help:"Print what makes a shell complete: bash, zsh or fish."`
}

// env is what commands get besides their flags.
type env struct {
	ctx    context.Context
	stdout io.Writer
}

// errExit carries the exit that a --help asked for out of kong.
var errExit = errors.New("exit")

// run executes one command line; it returns when the command has ended.
func run(ctx context.Context, args []string, stdout io.Writer) (err error) {
	defer func() {
		if r := recover(); r != nil {
			if e, ok := r.(error); !ok || !errors.Is(e, errExit) {
				panic(r)
			}
			err = nil
		}
	}()
	var c commands
	parser, err := kong.New(&c,
		kong.Name("enilab"),
		kong.Description("An AWS VPC on your laptop, with packets in it. The verbs ("+strings.Join(cli.Names(), ", ")+") ask a living laboratory; "+
			"they end with 0 when it is done or so, 1 when it is not so, 2 when time ran out, 3 when it could not be asked."),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { panic(errExit) }),
		kong.DefaultEnvars("ENILAB"),
		kong.Vars{"scenarios": strings.Join(scenario.Names(), ", "), "kinds": cli.KindNames()},
	)
	if err != nil {
		return fmt.Errorf("building the command line: %w", err)
	}
	// A shell that completes has run this with the line in COMP_LINE.
	kongplete.Complete(parser, cli.Predictors()...)
	k, err := parser.Parse(args)
	if err != nil {
		err = fmt.Errorf("%w (see enilab --help)", err)
		if cli.IsVerb(args) {
			return &cli.Error{Code: cli.ExitWrong, Err: err}
		}
		if len(args) > 0 && slices.Contains([]string{"run", "sweep", "worker"}, args[0]) {
			fmt.Fprintln(os.Stderr, "enilab: "+err.Error())
			return exitCode(command.ExitWrong)
		}
		return err
	}
	f, isFile := stdout.(*os.File)
	return k.Run(env{ctx: ctx, stdout: stdout}, cli.Env{Ctx: ctx, Stdout: stdout, Terminal: isFile && isatty.IsTerminal(f.Fd())})
}

type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run(e env) error {
	_, err := fmt.Fprintln(e.stdout, "enilab "+version)
	return err
}
