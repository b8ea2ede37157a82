package failover

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"enilab/internal/control"
)

// A person's move waits for a policy's that is done and only has to be recorded, and
// is refused while that has not taken effect.
func TestAMoveBesideAPolicys(t *testing.T) {
	for _, effect := range []bool{false, true} {
		name := "before its effect"
		if effect {
			name = "after its effect"
		}
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t)
				held, release := make(chan struct{}), make(chan struct{})
				l.ctl.opt.Gate = func(ctx context.Context, operation string, call func(context.Context) error) error {
					if operation != "AttachNetworkInterface" {
						return call(ctx)
					}
					var err error
					if effect {
						err = call(ctx)
					}
					close(held)
					<-release
					if !effect {
						err = call(ctx)
					}
					return err
				}
				l.policy(false)
				must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultFreeze))(t)
				for range 3 {
					l.probed(Missed)
				}
				<-held
				moved := make(chan error, 1)
				go func() {
					_, _, err := l.ctl.Move(l.ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.client.ID, DeviceIndex: -1})
					moved <- err
				}()
				synctest.Wait()
				select {
				case err := <-moved:
					var refusal *control.Error
					if effect || !errors.As(err, &refusal) || refusal.Code != "IncorrectState" {
						t.Errorf("beside the policy's move: %v", err)
					}
					close(release)
				default:
					if !effect {
						t.Error("it waits for a move that is under way")
					}
					close(release)
					if err := <-moved; err != nil {
						t.Fatal(err)
					}
				}
				want := []string{l.ec2[1].ID}
				if effect {
					want = []string{l.client.ID, l.ec2[1].ID}
				}
				l.until("each move is recorded", func(s *control.State) bool { return len(s.Failovers()) == len(want) })
				for k, f := range l.svc.State().Failovers() {
					if f.To != want[k] {
						t.Errorf("record %d is of a move to %s, want %s", k, f.To, want[k])
					}
				}
			})
		})
	}
}

// Who waits for a move to be recorded goes when its caller does, and does not keep a
// Reset waiting.
func TestWhoWaitsToMove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		own, err := l.ctl.take(l.ctx, l.eth1.ID, l.ec2[1].ID)
		if err != nil {
			t.Fatal(err)
		}
		own.done.Store(true)
		ctx, cancel := context.WithCancel(l.ctx)
		moved := make(chan error, 1)
		go func() {
			_, _, err := l.ctl.Move(ctx, control.MoveInput{Interface: l.eth1.ID, Instance: l.client.ID, DeviceIndex: -1})
			moved <- err
		}()
		synctest.Wait()
		l.ctl.life.RUnlock()
		if !l.ctl.life.TryLock() {
			t.Fatal("who waits keeps everything from going back to the start")
		}
		l.ctl.life.Unlock()
		cancel()
		if err := <-moved; !errors.Is(err, context.Canceled) {
			t.Errorf("the caller has gone: %v", err)
		}
		l.ctl.leave(l.eth1.ID, own)
	})
}
