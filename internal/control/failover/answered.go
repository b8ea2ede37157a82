package failover

import (
	"cmp"
	"net/netip"
	"slices"

	"enilab/internal/control"
	"enilab/internal/guest"
)

// witnesses collect whose replies reached the clients of a move, and when. The
// zero value has seen none.
type witnesses []control.Answered

// add takes the samples of one client of an address, but for those to skip.
func (w *witnesses) add(target netip.Addr, samples []guest.Sample, skip func(guest.Sample) bool) {
	for _, s := range samples {
		if s.RepliedAt == 0 || s.Responder == "" || skip(s) {
			continue
		}
		k := slices.IndexFunc(*w, func(a control.Answered) bool { return a.Instance == s.Responder && a.Target == target })
		if k < 0 {
			*w = append(*w, control.Answered{Instance: s.Responder, Target: target, First: s.RepliedAt, Last: s.RepliedAt, Replies: 1})
			continue
		}
		a := &(*w)[k]
		a.First, a.Last, a.Replies = min(a.First, s.RepliedAt), max(a.Last, s.RepliedAt), a.Replies+1
	}
}

// answered returns what was seen, in the order of the first replies.
func (w witnesses) answered() []control.Answered {
	all := slices.Clone(w)
	slices.SortFunc(all, func(a, b control.Answered) int {
		return cmp.Or(cmp.Compare(a.First, b.First), cmp.Compare(a.Instance, b.Instance), a.Target.Compare(b.Target))
	})
	return all
}

// both returns how long the former and the new owner both answered for one
// address, the longest of several: from the first reply of the new one to the last
// of the former.
func (w witnesses) both(from, to string) (longest int64) {
	for _, old := range w {
		for _, now := range w {
			if old.Instance == from && now.Instance == to && from != to && old.Target == now.Target {
				longest = max(longest, min(old.Last, now.Last)-max(old.First, now.First))
			}
		}
	}
	return longest
}

// stillAnswers reports whether the former owner has been heard of within the
// time that makes losses final: the end of that is part of the record.
func stillAnswers(f control.Failover, now int64) bool {
	return slices.ContainsFunc(f.Answered, func(a control.Answered) bool {
		return a.Instance == f.From && f.From != f.To && a.Last > f.Control.AttachedAt && now-a.Last < settle
	})
}
