package control

import (
	"testing"
	"testing/synctest"
	"time"
)

// Metadata shows the truth of exactly its lag ago, each instance its own.
func TestMetadataLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := serve(t, newMemStore(), newModelPlane())
		defer s.stop()
		i := s.running(s.network("10.0.0.0/24"), "t3.small", 2)
		slow, quick := i[0].ID, i[1].ID
		step := func(v string) {
			t.Helper()
			s.check(s.SetTags(t.Context(), slow, Tags{"v": v}, nil))
		}
		shows := func(instance, want string) {
			t.Helper()
			if got := s.MetadataState(instance).Instance(slow).Tags["v"]; got != want {
				t.Errorf("metadata of %s shows %q, want %q", instance, got, want)
			}
		}
		lag := func(instance string, d time.Duration) {
			t.Helper()
			if n, err := s.SetMetadataLag(t.Context(), instance, d); err != nil || n.MetadataLag != d {
				t.Fatalf("lag %v: %+v, %v", d, n, err)
			}
		}
		step("0")
		shows(slow, "0")
		if s.past.past != nil {
			t.Error("something is remembered though nothing lags")
		}
		lag(slow, 10*time.Second)
		lag(quick, 2*time.Second)
		shows(slow, "0")
		time.Sleep(time.Second)
		step("1")
		time.Sleep(2 * time.Second)
		step("3")
		shows(slow, "0")
		shows(quick, "1")
		time.Sleep(8*time.Second - time.Millisecond)
		shows(slow, "0")
		time.Sleep(time.Millisecond + time.Microsecond)
		shows(slow, "1")
		shows(quick, "3")
		time.Sleep(2*time.Second - 2*time.Microsecond)
		shows(slow, "1")
		time.Sleep(2 * time.Microsecond)
		shows(slow, "3")

		step("13")
		shows(slow, "3")
		lag(slow, time.Second) // shorter: the truth of a second ago is known
		shows(slow, "3")
		time.Sleep(time.Second + time.Microsecond)
		shows(slow, "13")
		step("14")
		lag(slow, 0)
		shows(slow, "14")
		if s.MetadataState("i-00000000000000000") != s.State() {
			t.Error("metadata of nobody is not the newest State")
		}
	})
}

// What a lag needs is forgotten when its instance ends, and comes back with it
// after a restart.
func TestMetadataLagEndsWithItsInstance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newMemStore()
		s := serve(t, store, newModelPlane())
		sub := s.network("10.0.0.0/24")
		i := s.running(sub, "t3.small", 1)[0]
		_, err := s.SetMetadataLag(t.Context(), i.ID, time.Minute)
		s.check(err)
		s.stop()

		s = serve(t, store, newModelPlane())
		defer s.stop()
		s.check(s.SetTags(t.Context(), i.ID, Tags{"v": "new"}, nil))
		if tags := s.MetadataState(i.ID).Instance(i.ID).Tags; tags["v"] != "" {
			t.Errorf("after a restart metadata does not lag: it shows %v", tags)
		}
		time.Sleep(time.Minute + time.Microsecond)
		if tags := s.MetadataState(i.ID).Instance(i.ID).Tags; tags["v"] != "new" {
			t.Errorf("a minute later metadata shows %v", tags)
		}
		notices, cancel := s.Watch(100)
		defer cancel()
		_, err = s.TerminateInstance(t.Context(), i.ID)
		s.check(err)
		s.await(notices, "instance.terminated")
		s.check(s.SetTags(t.Context(), sub.ID, Tags{"v": "1"}, nil))
		if len(s.past.lags) != 0 || len(s.past.past) != 0 {
			t.Errorf("%d lags and %d States are remembered of an instance that has ended", len(s.past.lags), len(s.past.past))
		}
	})
}

// However many commits fall into a lag, few States are kept, and what is shown
// is newer than it should be by little.
func TestHistoryIsBounded(t *testing.T) {
	const lag, commits = time.Hour, 20_000
	h := history{}
	h.note([]Change{{Table: TableInstance, ID: "i-1", After: &Instance{ID: "i-1", InstanceSettings: InstanceSettings{MetadataLag: lag}}}})
	start := time.Unix(1_800_000_000, 0)
	var states [commits]*State
	for k := range states {
		states[k] = &State{revision: uint64(k)}
		h.supersede(states[k], start.Add(time.Duration(k+1)*time.Second))
	}
	if len(h.past) > maxPast {
		t.Fatalf("%d States are kept, want at most %d", len(h.past), maxPast)
	}
	end := start.Add(commits * time.Second)
	for ago := time.Duration(0); ago <= lag; ago += 7 * time.Second {
		exact := commits - uint64(ago/time.Second)
		got := uint64(commits) // the newest
		if past := h.at(end.Add(-ago)); past != nil {
			got = past.revision
		}
		if got < exact || got-exact > 2*uint64(lag/time.Second)/maxPast {
			t.Errorf("%v ago was revision %d, shown is %d", ago, exact, got)
		}
	}
}

func TestMetadataLagRefusals(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	for _, c := range []struct {
		id         string
		lag        time.Duration
		code, text string
	}{
		{i.ID, -1, "InvalidParameterValue", "Metadata cannot lag by -1ns, want 0 to 1h0m0s."},
		{i.ID, time.Hour + 1, "InvalidParameterValue", "Metadata cannot lag by 1h0m0.000000001s, want 0 to 1h0m0s."},
		{"i-00000000000000000", 1, "InvalidInstanceID.NotFound", "The instance ID 'i-00000000000000000' does not exist"},
	} {
		refused(s.lab, c.code, c.text, func(t *tx) (*Instance, error) { return t.setMetadataLag(c.id, c.lag) })
	}
	must(s.lab, func(t *tx) (*Instance, error) { return t.setMetadataLag(i.ID, time.Hour) })
	if e := s.last().Events; len(e) != 1 || e[0].Type != "instance.metadata-lag-changed" || e[0].Resource != i.ID || e[0].Detail["lag"] != "1h0m0s" {
		t.Errorf("told as %+v", e)
	}
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	refused(s.lab, "IncorrectInstanceState", "The instance '"+i.ID+"' is shutting-down and has no metadata any more.",
		func(t *tx) (*Instance, error) { return t.setMetadataLag(i.ID, 0) })
}
