package control_test

import (
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
)

// Metadata shows the truth of exactly its lag ago, each instance its own.
func TestMetadataLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		i := s.Running(s.Subnet("10.0.0.0/24"), "t3.small", 2)
		slow, quick := i[0].ID, i[1].ID
		step := func(v string) {
			t.Helper()
			s.Check(s.SetTags(t.Context(), slow, control.Tags{"v": v}, nil))
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
		if states, _ := s.Remembered(); states != 0 {
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
		store := controltest.NewStore()
		s := controltest.Serve(t, store, nil)
		sub := s.Subnet("10.0.0.0/24")
		i := s.Running(sub, "t3.small", 1)[0]
		_, err := s.SetMetadataLag(t.Context(), i.ID, time.Minute)
		s.Check(err)
		s.Stop()

		s = controltest.Serve(t, store, nil)
		defer s.Stop()
		s.Check(s.SetTags(t.Context(), i.ID, control.Tags{"v": "new"}, nil))
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
		s.Check(err)
		s.Await(notices, "instance.terminated")
		s.Check(s.SetTags(t.Context(), sub.ID, control.Tags{"v": "1"}, nil))
		if states, lags := s.Remembered(); lags != 0 || states != 0 {
			t.Errorf("%d lags and %d States are remembered of an instance that has ended", lags, states)
		}
	})
}
