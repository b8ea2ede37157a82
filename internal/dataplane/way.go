package dataplane

import (
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Way is what decided where a frame went, beside the rule of its record: of a
// frame that asked no route table and crossed no ACL all is RuleNone.
type Way struct {
	Route  verdict.RuleID // of the table of the sender's subnet
	Onward verdict.RuleID // followed last after that: of a gateway's table, or of a NAT gateway's subnet
	Via    verdict.RuleID // what Route leads through: a gateway, a peering connection, an ENI
	Leaves verdict.RuleID // the internet gateway or gateway endpoint that it left its VPC by
	Enters verdict.RuleID // the internet gateway that it came in by
	ACLOut verdict.RuleID // the ACL entry of the subnet that it left first
	ACLIn  verdict.RuleID // the ACL entry of the subnet that it entered last
}

// WayID numbers a Way for a process's life. A frame carries one, since what
// decided at its sender is not known where its fate is, and a record has it. In
// the top bit it says whether a gateway changed the frame's addresses.
type WayID uint32

const (
	wayTranslated = 1 << 31
	// maxWays bounds the table; what would be further ways is told in part.
	maxWays = 1 << 20
	wayPage = 256
	// wayCache is how many ways a worker finds without the table's lock.
	wayCache = 64
)

// Translated reports whether a gateway changed the addresses on the way.
func (id WayID) Translated() bool { return id&wayTranslated != 0 }

// Number is the way alone, 0: none.
func (id WayID) Number() uint32 { return uint32(id &^ wayTranslated) }

// wayStep is what adds to the way that a frame has come: it names the longer one.
type wayStep struct {
	from uint32 // the way so far
	Way
}

// ways numbers ways from 1. Numbers are not given twice: a record may name one
// long after. Reads take no lock.
type ways struct {
	pages atomic.Pointer[[]*[wayPage]Way]
	mu    sync.Mutex // taken for what no worker has met before
	steps map[wayStep]uint32
	known map[Way]uint32 // the steps differ that lead to one
}

// Way resolves the number of a way used in records; safe for concurrent use.
func (e *Engine) Way(id WayID) Way { return e.ways.way(id.Number()) }

func (t *ways) way(n uint32) Way {
	pages := t.pages.Load()
	if n == 0 || pages == nil || int(n/wayPage) >= len(*pages) {
		return Way{}
	}
	return (*pages)[n/wayPage][n%wayPage]
}

// after returns the number of the way to which a step leads.
func (t *ways) after(s wayStep) uint32 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n, ok := t.steps[s]; ok {
		return n
	}
	y := t.way(s.from)
	y.add(&s.Way)
	n, ok := t.known[y]
	if !ok {
		if n = t.numberLocked(y); n == 0 {
			return s.from
		}
	}
	if t.steps == nil {
		t.steps = map[wayStep]uint32{}
	}
	if len(t.steps) < maxWays {
		t.steps[s] = n
	}
	return n
}

func (t *ways) numberLocked(y Way) uint32 {
	if len(t.known)+1 >= maxWays {
		return 0
	}
	if t.known == nil {
		t.known = map[Way]uint32{}
	}
	n := uint32(len(t.known) + 1)
	var pages []*[wayPage]Way
	if p := t.pages.Load(); p != nil {
		pages = *p
	}
	if int(n/wayPage) == len(pages) {
		pages = append(append([]*[wayPage]Way{}, pages...), new([wayPage]Way))
	}
	// Nobody asks for n before it has been told.
	pages[n/wayPage][n%wayPage] = y
	t.pages.Store(&pages)
	t.known[y] = n
	return n
}

// add goes on from y by what a further look-up found. What the sender's own
// subnet said stays.
func (y *Way) add(s *Way) {
	if y.Route == verdict.RuleNone {
		y.Route, y.Via, y.Onward = s.Route, s.Via, s.Onward
	} else if onward := or(s.Onward, s.Route); onward != verdict.RuleNone {
		y.Onward = onward
	}
	y.Leaves, y.Enters = or(s.Leaves, y.Leaves), or(s.Enters, y.Enters)
	y.ACLOut, y.ACLIn = or(y.ACLOut, s.ACLOut), or(s.ACLIn, y.ACLIn)
}

func or(a, b verdict.RuleID) verdict.RuleID {
	if a != verdict.RuleNone {
		return a
	}
	return b
}

// wayMemo is what a worker remembers of the table.
type wayMemo [wayCache]struct {
	step wayStep
	n    uint32
}

// noted is the last step that a worker has noted in a turn: most frames take the
// step of the one before.
type noted struct {
	hop      *hop
	entry    verdict.RuleID
	from, to uint32
}

// noteWay adds to the way that b has come what h found, and the ACL entry that was
// asked, if one was.
func (w *worker) noteWay(b *frame.Buf, h *hop) {
	entry, n := w.told.Entry, &w.noted
	if n.hop != h || n.entry != entry || n.from != b.Way {
		*n = noted{hop: h, entry: entry, from: b.Way}
		n.to = uint32(w.goOn(WayID(b.Way), Way{Route: h.route, Onward: h.onward, Via: h.via, Leaves: h.egress, Enters: h.enters, ACLOut: entry}))
	}
	b.Way = n.to
}

// goOn returns the way to which a further step leads.
func (w *worker) goOn(from WayID, s Way) WayID {
	if s == (Way{}) {
		return from
	}
	n := from.Number()
	slot := &w.ways[(n*7+uint32(s.Route)*31+uint32(s.Onward)*17+uint32(s.ACLOut)*5+uint32(s.ACLIn)*3+uint32(s.Enters))%wayCache]
	if slot.step.from != n || slot.step.Way != s {
		slot.step = wayStep{n, s}
		slot.n = w.e.ways.after(slot.step)
	}
	return from&wayTranslated | WayID(slot.n)
}
