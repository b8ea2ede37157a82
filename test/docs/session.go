//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience bounds a block, and the start of a server that is compiled first.
const patience = 10 * time.Minute

// marker ends the output of a block; no document prints it.
const marker = "\x1eenilab-block "

var (
	ended = regexp.MustCompile(marker)
	// started is what a server prints when it is whole, and `enilab imds`.
	started = regexp.MustCompile(`^(Ready\.\s*$|metadata of \S+: )`)
)

// prelude makes a shell stop where a reader would: at the first command that
// fails. A curl whose reader has seen enough has not failed.
const prelude = `set -euo pipefail
shopt -s expand_aliases
curl() { local status=0; command curl "$@" || status=$?; [ "$status" = 23 ] || return "$status"; }
`

// process is a shell with everything that it started.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string // of both outputs; closed at their end
	output strings.Builder
}

// begin starts a shell in a folder with a home of its own.
func begin(dir string, env []string, args ...string) (*process, error) {
	p := &process{cmd: exec.Command("bash", args...), lines: make(chan string, 1<<16)}
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	w.Close()
	go func() {
		defer close(p.lines)
		for s := bufio.NewReader(out); ; {
			line, err := s.ReadString('\n')
			if line != "" {
				p.lines <- line
			}
			if err != nil {
				return
			}
		}
	}()
	return p, nil
}

// until reads lines up to one with a mark, and returns what stands behind it.
func (p *process) until(ctx context.Context, mark *regexp.Regexp) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return "", errors.New("the shell has ended")
			}
			if at := mark.FindStringIndex(line); at != nil {
				p.output.WriteString(line[:at[0]])
				return strings.TrimSpace(line[at[1]:]), nil
			}
			p.output.WriteString(line)
		case <-ctx.Done():
			return "", fmt.Errorf("nothing more after %v: %w", patience, ctx.Err())
		}
	}
}

// run has the shell execute a block, and returns what it printed and its exit
// status. With mayFail the shell lives on after a failure.
func (p *process) run(ctx context.Context, script string, mayFail bool) (out string, status int, err error) {
	p.output.Reset()
	command := ". " + script + " </dev/null; printf '" + marker + "%d\\n' $?\n"
	if mayFail {
		command = "set +e; . " + script + " </dev/null; status=$?; set -e; printf '" + marker + "%d\\n' $status\n"
	}
	if _, err := io.WriteString(p.in, command); err != nil {
		return "", 0, fmt.Errorf("the shell has ended: %w", err)
	}
	rest, err := p.until(ctx, ended)
	if err != nil {
		return p.output.String(), 0, err
	}
	status, err = strconv.Atoi(rest)
	return p.output.String(), status, err
}

// end ends the shell and all that it started, gently at first.
func (p *process) end() {
	_ = p.in.Close()
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	gone := make(chan struct{})
	go func() {
		for range p.lines { // until nobody can write any more
		}
		_ = p.cmd.Wait()
		close(gone)
	}()
	select {
	case <-gone:
	case <-time.After(20 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-gone
	}
}

// environment is that of a new user: an empty home, no key, no region; but with
// this machine's Go caches, or each document would compile for minutes.
func environment(home string) ([]string, error) {
	env := []string{
		"HOME=" + home, "TMPDIR=" + filepath.Join(home, "tmp"), "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "USER=reader",
		"CHECKPOINT_DISABLE=1", // Terraform's question for a newer Terraform
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOFLAGS"} {
		out, err := exec.Command("go", "env", name).Output()
		if err != nil {
			return nil, fmt.Errorf("go env %s: %w", name, err)
		}
		env = append(env, name+"="+strings.TrimSpace(string(out)))
	}
	// A Python of pyenv finds itself by the home.
	if old, err := os.UserHomeDir(); err == nil {
		if _, err := os.Stat(filepath.Join(old, ".pyenv")); err == nil {
			env = append(env, "PYENV_ROOT="+filepath.Join(old, ".pyenv"))
		}
	}
	// An answer that is an error ends the block, though the reader's curl says nothing.
	err := os.WriteFile(filepath.Join(home, ".curlrc"), []byte("fail-with-body\n"), 0o600)
	return env, errors.Join(err, os.MkdirAll(filepath.Join(home, "tmp"), 0o700))
}
