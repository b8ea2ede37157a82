package control

import (
	"cmp"
	"context"

	"enilab/internal/dataplane/spec"
)

// applyLoop puts commits into force in the order of their revisions and then
// answers the commands.
func (s *Service) applyLoop(ctx context.Context, steps <-chan []step) {
	for batch := range steps {
		for _, st := range batch {
			s.apply(ctx, st)
			close(st.done)
		}
	}
}

// apply puts one step into force. A step without changes rests on what it
// found done, which may still be owed to the data plane: it then tries again.
func (s *Service) apply(ctx context.Context, st step) {
	changes := st.commit.Changes
	if len(s.owed) > 0 {
		changes = merge(s.owed, changes)
	}
	if st.after != nil {
		s.newest = st.after
	} else if len(changes) == 0 {
		return
	}
	moved := s.left.observe(st.commit.Changes)
	if st.back != nil {
		// Every guest boots anew, and knows nobody.
		s.left, s.untold, moved = departures{}, nil, nil
	}
	if st.announce {
		s.untold = append(s.untold, moved...)
	}
	ack, err := s.put(ctx, Turn{Before: s.inForce, After: s.newest, Changes: changes, Announce: s.untold})
	if err != nil {
		// What is stored cannot be taken back. The next step brings it along.
		s.owed = changes
		st.err = internal("the change is stored, but the data plane has not taken it yet", owedError{err})
	} else {
		ack.At = cmp.Or(ack.At, st.at.UnixNano())
		st.ack = ack
	}
	told := s.untold
	if st.err == nil {
		s.inForce, s.owed, s.untold = s.newest, nil, nil
	}
	if st.after != nil {
		s.subs.notify(Notice{Commit: st.commit, Ack: st.ack, Announced: told})
	}
}

// owedError is why the data plane has not taken what is stored.
type owedError struct{ error }

func (e owedError) Unwrap() error { return e.error }

// put has the Plane follow t. An error means that nothing of t is in force: to
// take a guest's mishap for that would lose track of what the network has, and
// nothing would ever take it away again.
func (s *Service) put(ctx context.Context, t Turn) (spec.Ack, error) {
	ack, err := s.opt.Plane.Follow(ctx, t)
	if err != nil && ack.Generation == t.After.revision {
		s.opt.Log.Error("the network has switched, but a guest has not followed", "generation", ack.Generation, "error", err)
		err = nil
	}
	if err != nil {
		return spec.Ack{}, err
	}
	return ack, nil
}

// merge joins the changes of two successive commits, one a row.
func merge(older, newer []Change) []Change {
	type row struct {
		table Table
		id    string
	}
	merged := make([]Change, 0, len(older)+len(newer))
	at := make(map[row]int)
	for _, c := range append(append(merged[:0:0], older...), newer...) {
		r := row{c.Table, c.ID}
		if i, ok := at[r]; ok {
			merged[i].After = c.After
			continue
		}
		at[r] = len(merged)
		merged = append(merged, c)
	}
	return merged
}
