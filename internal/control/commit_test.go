package control_test

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
)

// gate lets nobody pass until it is opened.
type gate struct{ entered, open chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}, 100), make(chan struct{})} }

func (g *gate) pass() {
	g.entered <- struct{}{}
	<-g.open
}

// together starts n commands while another holds the store, so that they share
// the next commit, and returns their errors.
func together(t *testing.T, s *controltest.Lab, n int, f func(k int) error) []error {
	g := newGate()
	held := false
	s.Store.FailCommit = func() error {
		if !held {
			held = true
			g.pass()
		}
		return nil
	}
	errs := make([]error, n)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.SetTags(context.Background(), s.State().VPCs()[0].ID, control.Tags{"round": time.Now().String()}, nil); err != nil {
			t.Error(err)
		}
	})
	<-g.entered
	for k := range n {
		wg.Go(func() { errs[k] = f(k) })
		synctest.Wait() // in order
	}
	close(g.open)
	wg.Wait()
	return errs
}

func TestCommandsShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		errs := together(t, s, 20, func(int) error {
			_, err := s.CreateInterface(context.Background(), control.CreateInterfaceInput{Subnet: sub.ID})
			return err
		})
		if slices.ContainsFunc(errs, func(err error) bool { return err != nil }) {
			t.Error(errs)
		}
		if got := s.Store.Batches(); got[len(got)-1] != 20 {
			t.Errorf("the batches held %v commits, want 20 in the last", got)
		}
	})
}

func TestOneBadWriteFailsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		broken := errors.New("broken row")
		s.Store.FailWrite = func(c control.Commit) error {
			for _, ch := range c.Changes {
				if n, ok := ch.After.(*control.NetworkInterface); ok && n.Description == "bad" {
					return broken
				}
			}
			return nil
		}
		errs := together(t, s, 3, func(k int) error {
			_, err := s.CreateInterface(context.Background(), control.CreateInterfaceInput{Subnet: sub.ID, Description: []string{"a", "bad", "c"}[k]})
			return err
		})
		if errs[0] != nil || code(errs[1]) != "InternalError" || !errors.Is(errs[1], broken) || errs[2] != nil {
			t.Errorf("outcome %v", errs)
		}
		if got := len(s.State().NetworkInterfaces()); got != 2 {
			t.Errorf("%d ENIs, want 2", got)
		}
	})
}

// Nothing is published, answered or applied before the commit, and a commit
// that fails takes all of its commands with it, those refused included.
func TestFailedCommitLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		before := s.State()
		full := errors.New("disk full")
		g := newGate()
		s.Store.FailCommit = func() error { g.pass(); return full }
		notices, cancel := s.Watch(10)
		defer cancel()

		answered := make(chan error, 2)
		go func() {
			_, err := s.CreateInterface(context.Background(), control.CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "10.0.0.9"})
			answered <- err
		}()
		<-g.entered
		synctest.Wait()
		if s.State() != before || len(answered) != 0 || len(notices) != 0 {
			t.Error("published or answered before the commit")
		}
		close(g.open)
		if err := <-answered; !errors.Is(err, full) || code(err) != "InternalError" {
			t.Errorf("answered %v", err)
		}
		if s.State() != before {
			t.Error("the State changed")
		}
		s.Store.FailCommit = nil
		n, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, PrivateIP: "10.0.0.9"})
		s.Check(err)
		if got := s.State(); got.Revision() != before.Revision()+1 || got.NetworkInterface(n.ID) == nil {
			t.Errorf("then revision %d after %d", got.Revision(), before.Revision())
		}
	})
}

// The log is written before the State is published; nobody reads of a change
// that the State does not have yet.
func TestEventsWaitForTheirState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		s.Subnet("10.0.0.0/24")
		before, _, err := s.Events(t.Context(), 0, 1000)
		s.Check(err)
		last := before[len(before)-1].Seq
		s.Store.Log(control.Event{Seq: last + 1}, control.Event{Seq: last + 2}) // stored, not published
		for _, after := range []uint64{0, last, last + 1} {
			got, _, err := s.Events(t.Context(), after, 1000)
			if s.Check(err); len(got) > 0 && got[len(got)-1].Seq > last || after == 0 && len(got) != len(before) {
				t.Errorf("after %d: %d events, of the State are %d", after, len(got), len(before))
			}
		}
	})
}

// A slow data plane holds back answers, not commits.
func TestApplyDoesNotHoldUpCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		g := newGate()
		s.Network.Before = func(context.Context, spec.Delta) error { g.pass(); return nil }
		answered := make(chan *control.NetworkInterface, 3)
		for range 3 {
			go func() {
				n, err := s.CreateInterface(context.Background(), control.CreateInterfaceInput{Subnet: sub.ID})
				if err != nil {
					t.Error(err)
				}
				answered <- n
			}()
			synctest.Wait()
		}
		if got := len(s.State().NetworkInterfaces()); got != 3 || len(answered) != 0 {
			t.Errorf("%d committed, %d answered; want 3 and 0", got, len(answered))
		}
		close(g.open)
		for range 3 {
			<-answered
		}
	})
}

// What the data plane failed to take comes with the next change.
func TestPlaneCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop() // compares the plane with the State
		sub := s.Subnet("10.0.0.0/24")
		broken := errors.New("no worker answers")
		s.Network.Before = func(context.Context, spec.Delta) error { return broken }
		_, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, Description: "first"})
		if !errors.Is(err, broken) {
			t.Fatalf("answered %v", err)
		}
		n := s.State().NetworkInterfaces()[0]
		if err := s.DeleteInterface(t.Context(), n.ID); err != nil {
			t.Errorf("deleting what the data plane never saw: %v", err)
		}
		_, err = s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, Description: "second"})
		if !errors.Is(err, broken) {
			t.Fatalf("answered %v", err)
		}
		_, err = s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, Description: "another"})
		if !errors.Is(err, broken) {
			t.Fatalf("answered %v", err)
		}
		s.Network.Before = nil
		_, err = s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID, Description: "third"})
		s.Check(err)
		if got := s.Network.Applied()[len(s.Network.Applied())-1]; len(got.VNICs) != 3 {
			t.Errorf("the data plane got %+v", got)
		}
	})
}

// The end of a transition is no caller's command: nobody would repeat it.
func TestFinishIsRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		failures := 2
		s.Store.FailWrite = func(c control.Commit) error {
			if c.Events[0].Type == "instance.running" && failures > 0 {
				failures--
				return errors.New("try again")
			}
			return nil
		}
		begin := time.Now()
		s.Running(sub, "", 1)
		if took := time.Since(begin); took < 2*control.RetryDelay || failures != 0 {
			t.Errorf("it ran after %v", took)
		}
	})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		sub := s.Subnet("10.0.0.0/24")
		// A command taken before the end is answered.
		g := newGate()
		s.Store.FailCommit = func() error { g.pass(); return nil }
		answered := make(chan error, 1)
		go func() {
			_, err := s.CreateInterface(context.Background(), control.CreateInterfaceInput{Subnet: sub.ID})
			answered <- err
		}()
		<-g.entered
		notices, _ := s.Watch(10)
		go close(g.open)
		s.Stop()
		if err := <-answered; err != nil {
			t.Errorf("taken, but answered %v", err)
		}
		if _, err := s.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: sub.ID}); code(err) != "Unavailable" {
			t.Errorf("after the end: %v", err)
		}
		for range notices { // closed
		}
		late, cancel := s.Watch(1)
		cancel()
		if _, open := <-late; open {
			t.Error("a watch of what has ended is open")
		}
		if err := s.Run(t.Context()); err == nil {
			t.Error("ran twice")
		}
	})
}

// A data plane that hangs delays the end by control.DrainTime, however much waits.
func TestShutdownOfAHungPlane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc, err := control.Open(t.Context(), control.Options{
			Store: controltest.NewStore(), Region: "us-east-1", Now: time.Now, Random: func(b []byte) { _, _ = rand.Read(b) },
			Plane: (&controltest.Network{Before: func(ctx context.Context, _ spec.Delta) error { <-ctx.Done(); return ctx.Err() }}).Plane(),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- svc.Run(ctx) }()
		var wg sync.WaitGroup
		for range 3 * control.ApplyLength {
			wg.Go(func() {
				if _, err := svc.CreateVPC(context.Background(), control.CreateVPCInput{CIDR: "10.0.0.0/16"}); err == nil {
					t.Error("answered as if it were in force")
				}
			})
			synctest.Wait() // one batch each
		}
		begin := time.Now()
		cancel()
		if err := <-done; err != nil || time.Since(begin) != control.DrainTime {
			t.Errorf("ended with %v after %v", err, time.Since(begin))
		}
		wg.Wait()
	})
}

func TestCanceledCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := controltest.Serve(t, nil, nil)
		defer s.Stop()
		sub := s.Subnet("10.0.0.0/24")
		var cancel func()
		errs := together(t, s, 1, func(int) error {
			ctx, stop := context.WithCancel(context.Background())
			cancel = stop
			go cancel()
			_, err := s.CreateInterface(ctx, control.CreateInterfaceInput{Subnet: sub.ID})
			return err
		})
		if code(errs[0]) != "RequestCanceled" || !errors.Is(errs[0], context.Canceled) {
			t.Errorf("answered %v", errs[0])
		}
		synctest.Wait()
		if got := len(s.State().NetworkInterfaces()); got != 0 {
			t.Errorf("a command canceled in the queue took effect")
		}
	})
}
