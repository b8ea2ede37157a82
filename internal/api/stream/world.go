package stream

import (
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/filter"
)

// world resolves names for one Program. The roster's lock is held while records
// are evaluated, many under one.
type world struct {
	source Source
	roster *roster
	lives  []*life // by VNIC; nil: not met yet
}

var _ filter.World = (*world)(nil)

func (w *world) Facts(vnic uint32, at int64) *filter.Facts {
	if l := w.life(vnic); l != nil {
		return l.at(at)
	}
	return nil
}

func (w *world) life(vnic uint32) *life {
	const tooFar = 1 << 24 // no engine has so many; a number that is none
	if vnic >= tooFar {
		return nil
	}
	if int(vnic) >= len(w.lives) {
		w.lives = append(w.lives, make([]*life, int(vnic)+1-len(w.lives)+len(w.lives)/2)...)
	}
	if w.lives[vnic] == nil {
		// One that the control plane has not told of yet is looked up again.
		id, _ := w.source.VNICName(vnic)
		w.lives[vnic] = w.roster.of[id]
	}
	return w.lives[vnic]
}

func (w *world) RuleName(id verdict.RuleID) string { return w.source.RuleName(id) }

func (w *world) Way(id dataplane.WayID) dataplane.Way { return w.source.Way(id) }
