package control

import (
	"math/rand/v2"
	"slices"
)

// Draft is the view of a Service whose commands change only what the view itself
// sees: each is refused as it would be now, behind those before it, and nothing of
// them is stored or in force. It is for one caller at a time.
func (s *Service) Draft() *Service {
	c := *s
	state := s.state.Load()
	c.draft = &draft{from: state, state: state, chance: rand.NewChaCha8([32]byte{})}
	return &c
}

// draft is what the commands of a Draft have made so far.
type draft struct {
	from, state *State
	changes     []Change // of each row that differs
	// The Service's own sequence is for what happens.
	chance *rand.ChaCha8
}

// Drafted is from what the Draft was begun with to what it has come to.
func (s *Service) Drafted() Turn {
	d := s.draft
	// What was made and is gone again is no change.
	changes := slices.DeleteFunc(slices.Clone(d.changes), func(c Change) bool { return c.Before == nil && c.After == nil })
	return Turn{Before: d.from, After: d.state, Changes: changes}
}

func (s *Service) doDraft(f func(*tx) error) error {
	d := s.draft
	t := s.begin(d.state.db, d.state, s.opt.Now().UTC().Round(0))
	t.random = func(b []byte) { _, _ = d.chance.Read(b) }
	if err := f(t); err != nil {
		return err
	}
	for _, c := range t.commit(d.state.revision).Changes {
		i := slices.IndexFunc(d.changes, func(o Change) bool { return o.Table == c.Table && o.ID == c.ID })
		if i < 0 {
			d.changes = append(d.changes, c)
			continue
		}
		d.changes[i].After = c.After
	}
	d.state = &State{db: t.Txn.Version(), revision: d.state.revision, next: t.next, timing: t.timing, quotas: t.quotas}
	return nil
}
