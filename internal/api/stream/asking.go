package stream

import (
	"enilab/internal/dataplane"
	"enilab/internal/filter"
)

// Tally is how many of the records kept pass a filter, and each of its conditions
// by itself.
type Tally struct {
	Records, Matched uint64
	Terms            []uint64 // by the place of the condition in the query
}

// Tally counts over all records that are kept.
func (h *Hub) Tally(q *filter.Query) Tally {
	t := Tally{Terms: make([]uint64, len(q.Terms))}
	p := filter.Compile(q, h.world())
	oldest, next := h.history.span()
	t.Records = h.look(oldest, next, func(cursor uint64, r *dataplane.Record) {
		if p.Count(r, cursor, t.Terms) {
			t.Matched++
		}
	})
	return t
}

// completedFrom records are looked at for completions, the newest.
const completedFrom = 20_000

// Complete returns what could stand at a place of a filter, by how many of the newest
// records have it, and how many were looked at.
func (h *Hub) Complete(p filter.Place) (best []filter.Completion, records uint64) {
	c := filter.NewCensus(p, h.world())
	oldest, next := h.history.span()
	records = h.look(max(oldest, back(next, completedFrom)), next, func(_ uint64, r *dataplane.Record) { c.Add(r) })
	return c.Best(), records
}

func (h *Hub) world() *world { return &world{source: h.opt.Source, roster: &h.roster} }

// look visits records a piece at a time, so that nobody waits for all of them.
func (h *Hub) look(from, upto uint64, f func(cursor uint64, r *dataplane.Record)) (seen uint64) {
	for from < upto {
		h.roster.mu.RLock()
		n, to, _ := h.history.visit(from, min(chunk, upto-from), f)
		h.roster.mu.RUnlock()
		if n == 0 {
			break
		}
		seen, from = seen+n, to
	}
	return seen
}
