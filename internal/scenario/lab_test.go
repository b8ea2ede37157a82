package scenario

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

// newService runs a control plane whose store keeps nothing.
func newService(t testing.TB, region string) *control.Service {
	t.Helper()
	random := rand.NewChaCha8([32]byte{1})
	svc, err := control.Open(t.Context(), control.Options{
		Store: nowhere{}, Plane: nowhere{}, Region: region, Now: time.Now,
		Random: func(b []byte) { _, _ = random.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- svc.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return svc
}

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func mustOpen(t testing.TB, name string) *Scenario {
	t.Helper()
	sc, err := Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}
