package answers

import (
	"cmp"
	"slices"

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
}

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
// the most frames first.
func WhatIf(draft control.Turn, flows []Flow, seen []Seen, limit int) *Effects {
	w := whatIf{was: predict.New(plan.Of(draft.Before))}
	w.was.Appliances = true
	w.is = w.was.Variant(plan.Of(draft.After), plan.Compile(draft))
	e := &Effects{Revision: draft.Before.Revision()}
	for i := range flows {
		f := &flows[i]
		c, ok := connectionOf(w.was, f)
		if !ok {
			continue
		}
		e.Connections++
		w.connection(e, &c, f.Packets[0]+f.Packets[1])
	}
	for i := range seen {
		s := &seen[i]
		e.Frames += s.Frames
		was := w.was.Fresh(&s.Connection, &w.old)
		if was.Passes() || !w.is.Fresh(&s.Connection, &w.fresh).Passes() {
			e.Counts.Unaffected++
			continue
		}
		e.NewlyPassed = append(e.NewlyPassed, effect(&s.Connection, uint64(s.Frames), false, was))
	}
	for list, n := range map[*[]Effect]*int{&e.NewlyPassed: &e.Counts.NewlyPassed, &e.NewlyRefused: &e.Counts.NewlyRefused, &e.KeptAsTracked: &e.Counts.KeptAsTracked} {
		*n = len(*list)
		slices.SortStableFunc(*list, func(a, b Effect) int { return cmp.Compare(b.Frames, a.Frames) })
		if *list = (*list)[:min(len(*list), limit)]; *list == nil {
			*list = []Effect{}
		}
	}
	return e
}

type whatIf struct {
	was, is          *predict.Network
	old, fresh, kept predict.Memory
}

// connection compares one that lives.
func (w *whatIf) connection(e *Effects, c *predict.Connection, frames uint64) {
	was := w.was.Fresh(c, &w.old)
	if was.Passes() && !was.Touched {
		e.Counts.Unaffected++
		return
	}
	is := w.is.Fresh(c, &w.fresh)
	if was.Passes() && is.Passes() {
		e.Counts.Unaffected++
		return
	}
	// Would what lives go on?
	w.was.Keep(&w.kept, &w.old, true)
	lived := w.was.Alive(c, &w.kept)
	w.is.Keep(&w.kept, &w.old, true)
	lives := w.is.Alive(c, &w.kept)
	switch {
	case lived.Passes() && !lives.Passes():
		e.NewlyRefused = append(e.NewlyRefused, effect(c, frames, true, lives))
	case !lived.Passes() && lives.Passes():
		e.NewlyPassed = append(e.NewlyPassed, effect(c, frames, true, lived))
	case lived.Passes() && was.Passes() && !is.Passes():
		e.KeptAsTracked = append(e.KeptAsTracked, effect(c, frames, true, is))
	default:
		e.Counts.Unaffected++
	}
}

func effect(c *predict.Connection, frames uint64, connection bool, s predict.Stop) Effect {
	e := Effect{
		Source:     Station{NetworkInterfaceID: c.From, Address: c.Src.String()},
		SourcePort: c.SrcPort, Destination: c.Dst.String(), Port: c.DstPort, Protocol: int(c.Proto), Frames: frames, Connection: connection,
		Reason: s.Reason.String(), Code: s.Reason.Code(), Rule: s.Rule, NetworkInterfaceID: s.At, OfAnswer: s.Answer,
	}
	if c.Proto == frame.ProtoICMP {
		e.SourcePort = 0
	}
	return e
}

// Connection is a connection, or a kind of packets, by who began it.
type Connection = predict.Connection
