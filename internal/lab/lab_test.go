package lab

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPartsEndFromTheTopDown: what a user's part rests on is there until it has
// ended, a part that fails is told, and its error is in that of Close.
func TestPartsEndFromTheTopDown(t *testing.T) {
	db, err := store.Open(t.Context(), store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	now, random := time.Now(), rand.NewChaCha8([32]byte{})
	l, err := Open(t.Context(), Options{
		Store: db, Region: "us-east-1", Account: "123456789012", Timing: control.TimingFast,
		Now:    func() int64 { return now.UnixNano() + int64(time.Since(now)) },
		Random: func(b []byte) { _, _ = random.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	var ended []string
	for _, name := range []string{"first", "second"} {
		l.Go(name, func(ctx context.Context) error {
			<-ctx.Done()
			if _, err := l.Control.CreateVPC(context.Background(), control.CreateVPCInput{CIDR: "10.0.0.0/16"}); err != nil {
				t.Errorf("%s ends, and the control plane is gone: %v", name, err)
			}
			ended = append(ended, name)
			return nil
		})
	}
	broken := errors.New("broken")
	l.Go("third", func(context.Context) error { return broken })
	if err := <-l.Failed(); !errors.Is(err, broken) {
		t.Errorf("told %v", err)
	}
	l.Go("fourth", func(context.Context) error { return broken })
	if err := l.Close(context.Background()); !errors.Is(err, broken) {
		t.Errorf("closing: %v", err)
	}
	if !slices.Equal(ended, []string{"second", "first"}) {
		t.Errorf("they ended in the order %v", ended)
	}
}

// TestCloseGivesUp: a part that does not end is waited for as long as ctx says.
func TestCloseGivesUp(t *testing.T) {
	l := &Lab{errs: make(chan error, parts)}
	release := make(chan struct{})
	l.Go("stubborn", func(context.Context) error { <-release; return nil })
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(errors.New("enough"))
	if err := l.Close(ctx); err == nil {
		t.Error("it closed with a part that runs")
	}
	close(release)
	l.wg.Wait()
}
