package answers

import (
	"cmp"
	"runtime"
	"slices"
	"sync"

	"enilab/internal/control"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/plan"
	"enilab/internal/predict"
)

// Flow is an entry of the connection table of an interface.
type Flow struct {
	Interface string
	conntrack.FlowInfo
}

// Seen are frames of the last seconds that were refused or lost, alike in their ends.
type Seen struct {
	predict.Connection
	Frames int
	Reason verdict.Reason
	Newest uint64 // cursor of the newest of them
}

// Effect is what a draft would do to one connection, or to frames that are alike.
type Effect struct {
	Source      Station `json:"source" doc:"Who began it"`
	SourcePort  uint16  `json:"sourcePort,omitempty"`
	Destination string  `json:"destination"`
	Port        uint16  `json:"port,omitempty"`
	Protocol    int     `json:"protocol" doc:"IANA number"`
	Frames      uint64  `json:"frames" doc:"Both ways, of a connection since it was admitted; of refused frames those of the last seconds"`
	Connection  bool    `json:"connection" doc:"A connection table knows it"`
	// Of what stops it under the draft or, if it is newly passed, now.
	Reason             string `json:"reason,omitempty" doc:"What stops it under the draft; of what is newly passed, what stops it now; of what is kept, what would stop a new connection"`
	Code               string `json:"code,omitempty"`
	Rule               string `json:"rule,omitempty"`
	NetworkInterfaceID string `json:"networkInterfaceId,omitempty" doc:"Where that is"`
	OfAnswer           bool   `json:"ofAnswer,omitempty" doc:"It is the answer that is stopped"`
	Cursor             uint64 `json:"cursor,omitempty" doc:"Of the newest of its frames on record, for frames/{cursor}/why; absent if none is"`

	c predict.Connection
}

// Of is the connection, or kind of frames, that e is about.
func (e *Effect) Of() Connection { return e.c }

// Effects are what a draft would do.
type Effects struct {
	Revision      uint64   `json:"revision"`
	Connections   int      `json:"connections" doc:"Living ones that were looked at"`
	Frames        int      `json:"frames" doc:"Refused or lost frames of the last seconds that were looked at"`
	NewlyPassed   []Effect `json:"newlyPassed"`
	NewlyRefused  []Effect `json:"newlyRefused"`
	KeptAsTracked []Effect `json:"keptAsTracked" doc:"Go on as connections that are tracked, though the draft would not let them begin"`
	Counts        Counts   `json:"counts" doc:"Of all, of which the lists have the largest"`
}

// Counts are how many connections and kinds of frames are affected.
type Counts struct {
	NewlyPassed   int `json:"newlyPassed"`
	NewlyRefused  int `json:"newlyRefused"`
	KeptAsTracked int `json:"keptAsTracked"`
	Unaffected    int `json:"unaffected"`
}

// WhatIf compares what passes before and after a draft, of which nothing is in force. Each list has at most limit, those with
// the most frames first. Many connections are looked at by several processors.
func WhatIf(draft control.Turn, flows []Flow, seen []Seen, limit int) *Effects {
	w := whatIf{was: network(plan.Of(draft.Before))}
	w.is = w.was.Variant(plan.Of(draft.After), plan.Compile(draft))
	shares := max(1, min(runtime.GOMAXPROCS(0), maxShares, len(flows)/leastShare))
	known := w.connections(flows)
	parts := make([]found, shares)
	var others sync.WaitGroup
	for i, one := range w.share(shares) {
		look := func() {
			one.look(&parts[i], known[i*len(known)/shares:(i+1)*len(known)/shares], seen[i*len(seen)/shares:(i+1)*len(seen)/shares])
		}
		if i == shares-1 {
			look()
		} else {
			others.Go(look)
		}
	}
	others.Wait()
	e := &Effects{Revision: draft.Before.Revision(), Connections: len(known)}
	var passed, refused, kept []affected
	for i := range parts {
		e.Frames += parts[i].frames
		e.Counts.Unaffected += parts[i].unaffected
		passed, refused, kept = append(passed, parts[i].passed...), append(refused, parts[i].refused...), append(kept, parts[i].kept...)
	}
	e.NewlyPassed, e.Counts.NewlyPassed = largest(passed, limit), len(passed)
	e.NewlyRefused, e.Counts.NewlyRefused = largest(refused, limit), len(refused)
	e.KeptAsTracked, e.Counts.KeptAsTracked = largest(kept, limit), len(kept)
	return e
}

const (
	maxShares  = 4
	leastShare = 2000 // connections for which a goroutine more is worth while
)

// affected is one connection, or frames that are alike, that a draft affects.
type affected struct {
	c          *predict.Connection
	frames     uint64
	cursor     uint64
	connection bool
	stop       predict.Stop
}

// largest tells of those with the most frames, at most limit.
func largest(all []affected, limit int) []Effect {
	slices.SortStableFunc(all, func(a, b affected) int { return cmp.Compare(b.frames, a.frames) })
	out := make([]Effect, 0, min(len(all), limit))
	for _, a := range all[:min(len(all), limit)] {
		out = append(out, effect(a))
	}
	return out
}

// found is what has been looked at, or some of it.
type found struct {
	passed, refused, kept []affected
	unaffected, frames    int
}

type whatIf struct {
	was, is          *predict.Network
	old, fresh, kept predict.Memory
}

type known struct {
	predict.Connection
	frames uint64
}

// connections are those of which it is known who began them.
func (w *whatIf) connections(flows []Flow) []known {
	all := make([]known, 0, len(flows))
	for i := range flows {
		if c, ok := connectionOf(w.was, &flows[i]); ok {
			all = append(all, known{c, flows[i].Packets[0] + flows[i].Packets[1]})
		}
	}
	return all
}

// share is w for n callers at a time.
func (w *whatIf) share(n int) []*whatIf {
	if n == 1 {
		return []*whatIf{w}
	}
	all := make([]*whatIf, n)
	for i := range all {
		all[i] = &whatIf{}
		all[i].was, all[i].is = predict.Fork(w.was, w.is)
	}
	return all
}

// look compares some of what there is.
func (w *whatIf) look(to *found, all []known, seen []Seen) {
	for i := range all {
		w.connection(to, &all[i].Connection, all[i].frames)
	}
	for i := range seen {
		s := &seen[i]
		to.frames += s.Frames
		was := w.was.Fresh(&s.Connection, &w.old)
		if was.Passes() || !w.is.Fresh(&s.Connection, &w.fresh).Passes() {
			to.unaffected++
			continue
		}
		to.passed = append(to.passed, affected{&s.Connection, uint64(s.Frames), s.Newest, false, was})
	}
}

// connection compares one that lives.
func (w *whatIf) connection(to *found, c *predict.Connection, frames uint64) {
	was := w.was.Fresh(c, &w.old)
	if was.Passes() && !was.Touched {
		to.unaffected++
		return
	}
	is := w.is.Fresh(c, &w.fresh)
	if was.Passes() && is.Passes() {
		to.unaffected++
		return
	}
	// Would what lives go on?
	w.was.Keep(&w.kept, &w.old, true)
	lived := w.was.Alive(c, &w.kept)
	w.is.Keep(&w.kept, &w.old, true)
	lives := w.is.Alive(c, &w.kept)
	switch {
	case lived.Passes() && !lives.Passes():
		to.refused = append(to.refused, affected{c, frames, 0, true, lives})
	case !lived.Passes() && lives.Passes():
		to.passed = append(to.passed, affected{c, frames, 0, true, lived})
	case lived.Passes() && was.Passes() && !is.Passes():
		to.kept = append(to.kept, affected{c, frames, 0, true, is})
	default:
		to.unaffected++
	}
}

func effect(a affected) Effect {
	c, s := a.c, a.stop
	e := Effect{
		Source:     Station{NetworkInterfaceID: c.From, Address: c.Src.String()},
		SourcePort: c.SrcPort, Destination: c.Dst.String(), Port: c.DstPort, Protocol: int(c.Proto), Frames: a.frames, Connection: a.connection, Cursor: a.cursor,
		Reason: s.Reason.String(), Code: s.Reason.Code(), Rule: s.Rule, NetworkInterfaceID: s.At, OfAnswer: s.Answer, c: *c,
	}
	if c.Proto == frame.ProtoICMP {
		e.SourcePort = 0
	}
	return e
}

// Connection is a connection, or a kind of packets, by who began it.
type Connection = predict.Connection
