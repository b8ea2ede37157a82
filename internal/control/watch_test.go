package control

import "testing"

func TestWatchInOrder(t *testing.T) {
	s := serve(t, newMemStore(), newModelPlane())
	notices, cancel := s.Watch(100)
	sub := s.network("10.0.0.0/24")
	for range 10 {
		_, err := s.CreateInterface(t.Context(), CreateInterfaceInput{Subnet: sub.ID})
		s.check(err)
	}
	cancel()
	cancel() // harmless
	want, seq := uint64(1), uint64(0)
	for n := range notices {
		if n.Lost || n.Commit.Revision != want || n.Ack.Generation != want {
			t.Errorf("got %d (ack %d), want revision %d", n.Commit.Revision, n.Ack.Generation, want)
		}
		for _, e := range n.Commit.Events {
			if seq++; e.Seq != seq {
				t.Errorf("event %d, want %d", e.Seq, seq)
			}
		}
		want++
	}
	if want != 13 {
		t.Errorf("%d commits seen, want 12", want-1)
	}
	evs, oldest, err := s.Events(t.Context(), 2, 3)
	if err != nil || oldest != 1 || len(evs) != 3 || evs[0].Seq != 3 {
		t.Errorf("the log gives %v, %d, %v", evs, oldest, err)
	}
}

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
