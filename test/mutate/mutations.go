package main

// mutation is one mistake in the product, of a kind that is easily made.
type mutation struct {
	name string // what is wrong
	file string // where, from the root of the source
	was  string // what stands there, once
	is   string // what is in its place: the mistake where on stands, and else the same
}

// on stands in a mutation for being the one that is made.
const on = "MUTATED"

// mutations are those that the simulation must find. Of one file each is applied to
// what those before it have left.
var mutations = []mutation{
	{"a skipped drain: frames on their way arrive under an old configuration", "internal/dataplane/apply.go",
		"	if everybody {\n		p.drain()", "	if everybody && !MUTATED {\n		p.drain()"},
	{"a deleted flush: connections stay when an interface leaves its instance, or that stops", "internal/dataplane/install.go",
		"		v.flows = nil\n	}\n	if next == nil {", "		if !MUTATED {\n			v.flows = nil\n		}\n	}\n	if next == nil {"},
	{"a deleted flush: connections stay when an instance stops", "internal/dataplane/install.go",
		"|| next.fate == verdict.InstanceStopped", "|| next.fate == verdict.InstanceStopped && !MUTATED"},
	{"a deleted flush: what waits for a guest is lost uncounted when its interface leaves", "internal/dataplane/install.go",
		"	w.flush(v, p)\n	close(p.closed)\n", "	if !MUTATED {\n		w.flush(v, p)\n	}\n	close(p.closed)\n"},
	{"addresses are not mapped anew when an interface gets others", "internal/dataplane/apply.go",
		"!slices.Equal(old.spec.Addrs, spec.Addrs) {\n			remap", "!slices.Equal(old.spec.Addrs, spec.Addrs) && !MUTATED {\n			remap"},
	{"public addresses are not mapped anew when an Elastic IP moves", "internal/dataplane/apply.go",
		"!slices.Equal(o.public, ep.public) ||", "!slices.Equal(o.public, ep.public) && !MUTATED ||"},
	{"frames held by an impairment are counted as held when their sender has left", "internal/dataplane/delay.go",
		"	w.e.holding.Add(int64(-dropped))\n	if on.held = stay;", "	if !MUTATED {\n		w.e.holding.Add(int64(-dropped))\n	}\n	if on.held = stay;"},
	{"a change is acknowledged although the store has not taken it", "internal/control/commit.go",
		"if err := batch.Commit(); err != nil {", "if err := batch.Commit(); err != nil && !MUTATED {"},
	{"a transition under way is forgotten at a restart", "internal/control/service.go",
		"	s.due.note(loaded.Changes)\n", "	if !MUTATED {\n		s.due.note(loaded.Changes)\n	}\n"},
	{"the end of a transition that the store refused is not tried again", "internal/control/commit.go",
		`if c.due.id != "" {`, `if c.due.id != "" && !MUTATED {`},
	{"what the data plane refused is not told it again", "internal/control/apply.go",
		"		s.owed = changes\n", "		if !MUTATED {\n			s.owed = changes\n		}\n"},
	{"a deletion is not stored", "internal/store/memory/memory.go",
		"			delete(s.rows, row{c.Table, c.ID})\n", "			if !MUTATED {\n				delete(s.rows, row{c.Table, c.ID})\n			}\n"},
	{"a commit of SQLite is acknowledged without its counters", "internal/store/batch.go",
		"	err := b.finish()\n", "	var err error\n	if !MUTATED {\n		err = b.finish()\n	}\n"},
	{"an off-by-one in the probe: one miss more than asked for", "internal/control/failover/detector.go",
		"	return d.misses >= need\n", "	if MUTATED {\n		return d.misses > need\n	}\n	return d.misses >= need\n"},
	{"an off-by-one in the probe: one miss less than asked for", "internal/control/failover/detector.go",
		"	return d.misses >= need\n", "	if MUTATED {\n		return d.misses >= need-1\n	}\n	return d.misses >= need\n"},
	{"misses count although there were answers between them", "internal/control/failover/detector.go",
		"	case Answered:\n		*d = detector{}\n", "	case Answered:\n		if !MUTATED {\n			*d = detector{}\n		}\n"},
	{"a policy does not wait for its fence", "internal/control/failover/strategy.go",
		"i.State != control.InstanceStopped && i.State != control.InstanceTerminated",
		"i.State != control.InstanceStopped && i.State != control.InstanceTerminated && !(MUTATED && i.State != control.InstanceRunning)"},
	{"a broken instance is chosen as standby", "internal/control/failover/candidates.go",
		"	case i.Fault != control.FaultNone:\n		return UnfitFault", "	case i.Fault != control.FaultNone && !MUTATED:\n		return UnfitFault"},
	{"a record of before a restart runs for ever", "internal/control/failover/controller.go",
		"	c.closeInterrupted(ctx)\n", "	if !MUTATED {\n		c.closeInterrupted(ctx)\n	}\n"},
	{"the end of a record that the store refused is not tried again", "internal/control/failover/controller.go",
		"	if c.put(ctx, f) == nil {\n		c.insist(ctx, f)", "	if c.put(ctx, f) == nil && !MUTATED {\n		c.insist(ctx, f)"},
}
