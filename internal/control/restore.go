package control

import "context"

// RestoredState is the State that a Store has loaded, of another time or of
// another laboratory, for KeepStart. Nobody else may have seen it.
func RestoredState(c Commit) *State { return restore(c) }

// Restore takes everything to what a Store has loaded of another time, in every
// region, in one commit and one Delta. As after Reset, guests boot anew, timings
// are the preset's, the numbers that only rise and the event log go on, and an
// EventReset says where, with from as its "snapshot". Unlike it, records of moves
// and client tokens are those of that time. What was under way then goes on: its
// instants have passed.
func (s *Service) Restore(ctx context.Context, c Commit, from string) (revision uint64, err error) {
	to := restore(c)
	return s.goBack(ctx, func() *State { return to }, func(t *tx) { t.restored(from) })
}

// restored makes of the rows of another time what can follow on t.was.
func (t *tx) restored(from string) {
	t.follow()
	for _, f := range list[*Failover](t, TableFailover, byID) {
		if f.State != FailoverRunning {
			continue
		}
		c := *f
		c.State, c.Error, c.EndedAt = FailoverFailed, "the snapshot that was restored is of before its measurement ended", t.now.UnixNano()
		t.put(TableFailover, &c)
	}
	t.emit(EventReset, laboratory, "snapshot", from)
}
