package control

import (
	"context"
	"slices"
	"time"

	"enilab/internal/control/rows"
)

// EventReset is the type of the event that Reset leaves. What earlier events
// tell is of a laboratory that is no more.
const EventReset = "laboratory.reset"

// KeepStart makes st what Reset goes back to: a State of s, or one that another
// Service has built and nobody has seen yet. Without it Reset goes back to
// nothing.
func (s *Service) KeepStart(st *State) { s.start.Store(st.in("")) }

// HasStart reports whether there is a start besides nothing.
func (s *Service) HasStart() bool { return s.start.Load() != nil }

// Reset takes everything back to the start, in every region, in one commit and
// one Delta: resources, policies, records, client tokens and ended attachments.
// What was there at the start has the ids it had then; the guests boot anew, and
// timings are the preset's. The numbers that only rise, and the event log, go
// on: an EventReset says where. The revision that it made is returned with an
// error too if it is stored but not in force.
func (s *Service) Reset(ctx context.Context) (revision uint64, err error) {
	return s.goBack(ctx, s.start.Load, (*tx).reset)
}

// goBack puts what to returns, nil being nothing, in the place of the newest
// State, and has run make it follow on that.
func (s *Service) goBack(ctx context.Context, to func() *State, run func(*tx)) (revision uint64, err error) {
	c, err := s.submit(&command{
		ctx: ctx, view: &Service{core: s.core, region: s.opt.Region}, back: to,
		run: func(t *tx) error { run(t); return nil }, done: make(chan struct{}),
	})
	if c != nil {
		revision = c.revision
	}
	return revision, err
}

// beginBack begins a command that puts another State in the place of state.
func (s *Service) beginBack(view *Service, to, state *State, now time.Time) *tx {
	db := newDB()
	if to != nil {
		db = to.db
	}
	t := view.begin(db, state, now)
	t.was, t.timing, t.quotas = state, s.opt.Timing, s.opt.Quotas
	return t
}

// reset makes of the start's rows what can follow on t.was.
func (t *tx) reset() {
	t.follow()
	for _, f := range list[*Failover](t, TableFailover, byID) {
		// Of while the start was built: whoever measured it has stopped.
		t.remove(TableFailover, f)
	}
	t.emit(EventReset, laboratory)
}

// laboratory is the resource of events that are of all there is.
const laboratory = "laboratory"

// follow makes of the rows of another time what can follow on t.was: guests boot
// anew, and no reference names two things.
func (t *tx) follow() {
	for _, i := range list[*Instance](t, TableInstance, byID) {
		c := *i
		if now := firstIn[*Instance](t.was.db, string(TableInstance), byID, i.ID); now != nil {
			c.Boot = max(c.Boot, now.Boot)
		}
		// Else the guest would go on as if nothing had happened.
		c.Boot++
		t.put(TableInstance, &c)
	}
	for _, h := range list[*InternetHost](t, TableInternetHost, byID) {
		now := firstIn[*InternetHost](t.was.db, string(TableInternetHost), byID, h.ID)
		t.put(TableInternetHost, h.boots(now))
	}
	for _, g := range list[*SecurityGroup](t, TableSecurityGroup, byID) {
		t.renumber(g)
	}
}

// renumber gives a group and its rules the references that they have now, or
// new ones: an old one that was given to another meanwhile, or comes from
// another Service, would name two things.
func (t *tx) renumber(g *SecurityGroup) {
	c := *g
	c.Rules = slices.Clone(g.Rules)
	refs := map[string]uint32{}
	now := firstIn[*SecurityGroup](t.was.db, string(TableSecurityGroup), byID, g.ID)
	if now != nil {
		c.Ref = now.Ref
		for _, r := range now.Rules {
			refs[r.ID] = r.Ref
		}
	} else {
		c.Ref = t.next.group
		t.next.group++
	}
	same := c.Ref == g.Ref
	for k := range c.Rules {
		r := &c.Rules[k]
		was := r.Ref
		if ref, ok := refs[r.ID]; ok {
			r.Ref = ref
		} else {
			r.Ref = t.next.rule
			t.next.rule++
		}
		same = same && r.Ref == was
	}
	if !same {
		t.put(TableSecurityGroup, &c)
	}
}

// differences are the changes from t.was to what t holds.
func (t *tx) differences() (out []rows.Change) {
	before := t.was.db
	for table := range tableOrder {
		is := map[string]any{}
		for _, row := range list[Row](t, table, byID) {
			is[rowID(row)] = row
		}
		for _, row := range allIn[Row](before, string(table), byID) {
			id := rowID(row)
			out = append(out, rows.Change{Table: string(table), Before: row, After: is[id]})
			delete(is, id)
		}
		for _, row := range is {
			out = append(out, rows.Change{Table: string(table), After: row})
		}
	}
	return out
}
