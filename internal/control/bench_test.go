package control

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"enilab/internal/dataplane/spec"
)

// noPlane and noStore leave control's own cost.
type noPlane struct{}

func (noPlane) Apply(_ context.Context, d spec.Delta) (spec.Ack, error) {
	return spec.Ack{Generation: d.Generation, At: int64(d.Generation)}, nil
}

// bench serves n ENIs in a /16 and two instances.
func bench(b *testing.B, n int) (*Service, *Subnet, []*Instance) {
	b.Helper()
	rng := rand.NewChaCha8([32]byte{3})
	svc, err := Open(b.Context(), Options{
		Store: newMemStore(), Plane: noPlane{}, Region: "us-east-1", Now: time.Now,
		Random: func(p []byte) { _, _ = rng.Read(p) }, Timing: Timing{}.With(OpAttach, Fixed(time.Hour)).With(OpDetach, Fixed(time.Hour)),
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	b.Cleanup(func() { cancel(); <-done })
	s := &server{Service: svc, t: b}
	sub := s.network("10.0.0.0/16")
	instances := s.running(sub, "m5.xlarge", 2)
	for range n {
		_, err := s.CreateInterface(b.Context(), CreateInterfaceInput{Subnet: sub.ID})
		s.check(err)
	}
	return svc, sub, instances
}

func BenchmarkCreateInterface(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s, sub, _ := bench(b, n)
			b.ReportAllocs()
			for b.Loop() {
				eni, err := s.CreateInterface(b.Context(), CreateInterfaceInput{Subnet: sub.ID})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer() // the subnet must not fill
				_ = s.DeleteInterface(b.Context(), eni.ID)
				b.StartTimer()
			}
		})
	}
}

func BenchmarkAttachDetach(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s, _, instances := bench(b, n)
			eni := s.State().NetworkInterfaces()[5]
			b.ReportAllocs()
			for b.Loop() {
				got, err := s.Attach(b.Context(), AttachInput{Interface: eni.ID, Instance: instances[0].ID, DeviceIndex: 1})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				release(b, s, got)
				b.StartTimer()
			}
		})
	}
}

// release detaches and finishes at once what the timer would do later.
func release(b *testing.B, s *Service, n *NetworkInterface) {
	if _, err := s.Detach(b.Context(), DetachInput{Attachment: n.Attachment.ID}); err != nil {
		b.Fatal(err)
	}
	_ = s.change(b.Context(), func(t *tx) error {
		if n := get[*NetworkInterface](t, TableNetworkInterface, byID, n.ID); n.Attachment != nil {
			t.available(n)
		}
		return nil
	})
}

func BenchmarkMove(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s, _, instances := bench(b, n)
			eni := s.State().NetworkInterfaces()[5]
			b.ReportAllocs()
			k := 0
			for b.Loop() {
				_, err := s.Move(b.Context(), MoveInput{Interface: eni.ID, Instance: instances[k%2].ID, DeviceIndex: -1})
				if err != nil {
					b.Fatal(err)
				}
				k++
			}
		})
	}
}

func BenchmarkParallelDescriptions(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s, _, _ := bench(b, n)
			enis := s.State().NetworkInterfaces()
			b.SetParallelism(4) // 8 callers on two cores
			b.ReportAllocs()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for k := 0; pb.Next(); k++ {
					text := fmt.Sprint("round ", k)
					if _, err := s.ModifyInterface(b.Context(), ModifyInterfaceInput{ID: enis[k%len(enis)].ID, Description: &text}); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	s, _, _ := bench(b, 10_000)
	n := s.State().NetworkInterfaces()[5_000]
	b.ReportAllocs()
	for b.Loop() {
		if s.State().InterfaceByAddr(n.VPC, n.PrimaryAddress()) != n {
			b.Fatal("not found")
		}
	}
}
