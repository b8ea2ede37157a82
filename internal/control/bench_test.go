package control_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
)

// noNetwork leaves the cost of control and of the compiler.
type noNetwork struct{}

func (noNetwork) Apply(_ context.Context, d spec.Delta) (spec.Ack, error) {
	return spec.Ack{Generation: d.Generation, At: int64(d.Generation)}, nil
}

// bench serves n ENIs in a /16 and two instances.
func bench(b *testing.B, n int) (*control.Service, *control.Subnet, []*control.Instance) {
	b.Helper()
	s := controltest.Serve(b, nil, nil, func(o *control.Options) {
		o.Plane = plan.Plane{Network: noNetwork{}}
		o.Timing = control.Timing{}.With(control.OpAttach, control.Fixed(time.Hour)).With(control.OpDetach, control.Fixed(time.Hour))
	})
	sub := s.Subnet("10.0.0.0/16")
	instances := s.Running(sub, "m5.xlarge", 2)
	for range n {
		_, err := s.CreateInterface(b.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
		s.Check(err)
	}
	return s.Service, sub, instances
}

func BenchmarkCreateInterface(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s, sub, _ := bench(b, n)
			b.ReportAllocs()
			for b.Loop() {
				eni, err := s.CreateInterface(b.Context(), control.CreateInterfaceInput{Subnet: sub.ID})
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
				got, err := s.Attach(b.Context(), control.AttachInput{Interface: eni.ID, Instance: instances[0].ID, DeviceIndex: 1})
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
func release(b *testing.B, s *control.Service, n *control.NetworkInterface) {
	if _, err := s.Detach(b.Context(), control.DetachInput{Attachment: n.Attachment.ID}); err != nil {
		b.Fatal(err)
	}
	s.End(n)
}

func BenchmarkMove(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s, _, instances := bench(b, n)
			eni := s.State().NetworkInterfaces()[5]
			b.ReportAllocs()
			k := 0
			for b.Loop() {
				_, err := s.Move(b.Context(), control.MoveInput{Interface: eni.ID, Instance: instances[k%2].ID, DeviceIndex: -1})
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
					if _, err := s.ModifyInterface(b.Context(), control.ModifyInterfaceInput{ID: enis[k%len(enis)].ID, Description: &text}); err != nil {
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
