// Package cli has the verbs of the command line that ask a living laboratory:
// each is a few calls of the admin API, and what comes of them in words.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	text "enilab/internal/plain"
)

// Verbs are the commands, for kong.
type Verbs struct {
	Ls       lsCmd       `cmd:"" help:"List what there is: instances, enis, subnets and others."`
	Fail     failCmd     `cmd:"" help:"Have an instance fail."`
	Recover  recoverCmd  `cmd:"" help:"End an instance's failure."`
	Move     moveCmd     `cmd:"" help:"Move a network interface to another instance."`
	Why      whyCmd      `cmd:"" help:"Send one packet and say, station by station, why it arrives or does not."`
	Blast    blastCmd    `cmd:"" name:"blast-radius" help:"Say who loses what if something fails, and what policies would do."`
	WhatIf   whatIfCmd   `cmd:"" name:"what-if" help:"Say what a draft of rules, routes and network ACL entries would do to those who talk now."`
	Assert   assertCmd   `cmd:"" help:"Assert that one end must reach another, or must not."`
	Unassert unassertCmd `cmd:"" help:"Take an assertion back."`
	Check    checkCmd    `cmd:"" help:"Say whether what was asserted is so."`
	Wait     waitCmd     `cmd:"" help:"Wait until something is so."`
	Capture  captureCmd  `cmd:"" help:"Write frames as they pass, with the verdict of each, as pcapng."`
	Snapshot snapshotCmd `cmd:"" help:"Keep the laboratory as it is, and go back to it."`
	Reset    resetCmd    `cmd:"" help:"Take everything back to the start."`
}

// Names are the verbs as they are typed.
func Names() []string {
	return []string{"ls", "fail", "recover", "move", "why", "blast-radius", "what-if", "assert", "unassert", "check", "wait", "capture", "snapshot", "reset"}
}

// IsVerb reports whether a command line begins with one of them.
func IsVerb(args []string) bool { return len(args) > 0 && slices.Contains(Names(), args[0]) }

// Exit codes of the verbs, as far as possible those of `enilab run`.
const (
	ExitNo     = 1 // the answer is no: the packet does not arrive, the scenario has failed
	ExitUnsure = 2 // time ran out first
	ExitWrong  = 3 // it could not be asked: no server, no such name, refused
)

// Error ends the process with a code; without Err what there is to say has been
// said.
type Error struct {
	Code int
	Err  error
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Env is what a verb works with besides its flags.
type Env struct {
	Ctx      context.Context
	Stdout   io.Writer
	Terminal bool // Stdout is one
}

// do asks the laboratory that r leads to. Whatever could not be asked ends with
// ExitWrong, unless it says something else.
func (r *Remote) do(e Env, verb func(*session) error) error {
	c, err := r.client()
	if err == nil {
		err = verb(&session{client: c, Env: e, json: r.Output == "json"})
	}
	var known *Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &Error{Code: ExitWrong, Err: err}
}

// session is one verb under way.
type session struct {
	*client
	Env
	json bool
}

// say prints a line for people, and v for programs.
func (s *session) say(v any, format string, args ...any) error {
	if s.json {
		return s.encode(v)
	}
	_, err := fmt.Fprintln(s.Stdout, text.Text(fmt.Sprintf(format, args...)))
	return err
}

func (s *session) encode(v any) error {
	out := json.NewEncoder(s.Stdout)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(v)
}
