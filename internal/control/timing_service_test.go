package control_test

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
)

// A restart goes on with the deadline that was drawn before it, whatever its
// own timing is.
func TestRestartKeepsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := controltest.NewStore()
		s := controltest.Serve(t, store, nil, func(o *control.Options) { o.Timing = control.TimingAWS })
		sub := s.Subnet("10.0.0.0/24")
		i, err := s.RunInstance(t.Context(), control.RunInstanceInput{Subnet: sub.ID})
		s.Check(err)
		time.Sleep(i.StateUntil.Sub(i.StateAt) / 2)
		s.Stop()
		again := controltest.Serve(t, store, nil, func(o *control.Options) { o.Timing = control.TimingFast })
		notices, cancel := again.Watch(10)
		defer cancel()
		e := again.Await(notices, "instance.running")
		if late := e.At.Sub(i.StateUntil); late < 0 || late > time.Millisecond {
			t.Errorf("it ran %v after the instant that was drawn", late)
		}
	})
}

// A change is for what begins after it, comes to those who watch, and is gone
// with the process.
func TestChangeTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := controltest.NewStore()
		s := controltest.Serve(t, store, nil, func(o *control.Options) { o.Timing = control.TimingFast })
		sub := s.Subnet("10.0.0.0/24")
		notices, cancel := s.Watch(100)
		defer cancel()
		got, err := s.ChangeTiming(t.Context(), func(now control.Timing) (control.Timing, error) {
			now.StaleAfterForce = true
			return now.With(control.OpLaunch, control.Fixed(time.Hour)), nil
		})
		s.Check(err)
		if !got.StaleAfterForce || got.Spans[control.OpLaunch] != control.Fixed(time.Hour) || !reflect.DeepEqual(s.State().Timing(), got) {
			t.Errorf("the timing is %+v", got)
		}
		if e := s.Await(notices, "timing.changed"); e.Resource != "launch" || e.Detail["median"] != "1h0m0s" {
			t.Errorf("told %+v", e)
		}
		slow, err := s.RunInstance(t.Context(), control.RunInstanceInput{Subnet: sub.ID})
		s.Check(err)
		_, err = s.ChangeTiming(t.Context(), func(control.Timing) (control.Timing, error) { return s.Preset(), nil })
		s.Check(err)
		quick, err := s.RunInstance(t.Context(), control.RunInstanceInput{Subnet: sub.ID})
		s.Check(err)
		if slow.StateUntil.Sub(slow.StateAt) != time.Hour || quick.StateUntil.Sub(quick.StateAt) != 20*time.Millisecond {
			t.Errorf("launched until %v, %v", slow.StateUntil, quick.StateUntil)
		}
		revision := s.State().Revision()
		_, err = s.ChangeTiming(t.Context(), func(now control.Timing) (control.Timing, error) { return now, nil })
		s.Check(err)
		_, err = s.ChangeTiming(t.Context(), func(now control.Timing) (control.Timing, error) {
			return now.With(control.OpStop, control.Fixed(-1)), nil
		})
		if code(err) != "InvalidParameterValue" || s.State().Revision() != revision {
			t.Errorf("a bad timing was answered with %v, at revision %d after %d", err, s.State().Revision(), revision)
		}
	})
}

func TestNote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		notices, cancel := s.Watch(10)
		defer cancel()
		s.Check(s.Note(t.Context(), "api-fault.injected", "af-1", "operation", "AttachNetworkInterface", "empty", ""))
		e := s.Await(notices, "api-fault.injected")
		log, _, err := s.Events(t.Context(), 0, 10)
		s.Check(err)
		if len(e.Detail) != 1 || len(log) != 1 || !reflect.DeepEqual(log[0], e) {
			t.Errorf("noted %+v, logged %+v", e, log)
		}
	})
}
