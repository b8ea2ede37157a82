package control

import "testing"

// A watcher that does not read is told so once and hears again of what comes
// after it has caught up.
func TestSlowWatcher(t *testing.T) {
	var w watchers
	ch, cancel := w.add(2)
	defer cancel()
	send := func(revisions ...uint64) {
		for _, r := range revisions {
			w.notify(Notice{Commit: Commit{Revision: r}})
		}
	}
	expect := func(lost bool, revision uint64) {
		t.Helper()
		if n := <-ch; n.Lost != lost || n.Commit.Revision != revision {
			t.Errorf("got %+v, want lost %t, revision %d", n, lost, revision)
		}
	}
	send(1, 2, 3, 4, 5)
	expect(false, 1)
	send(6) // Lost is still waiting: what it reads after Lost holds this
	expect(false, 2)
	send(6) // and this: Lost is all that waits, and not received
	expect(true, 0)
	send(7)
	expect(false, 7)
	send(8, 9, 10)
	expect(false, 8)
	expect(false, 9)
	expect(true, 0)
	if len(ch) != 0 {
		t.Errorf("%d notices more", len(ch))
	}
}
