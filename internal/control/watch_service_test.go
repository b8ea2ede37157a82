package control_test

import (
	"testing"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
)

func TestWatchInOrder(t *testing.T) {
	s := controltest.Serve(t, nil, nil)
	notices, cancel := s.Watch(100)
	sub := s.Subnet("10.0.0.0/24")
	for range 10 {
		_, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
		s.Check(err)
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
