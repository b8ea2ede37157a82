package answers_test

import (
	"context"
	"fmt"
	"testing"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
)

// noNetwork leaves the cost of control.
type noNetwork struct{}

func (noNetwork) Apply(_ context.Context, d spec.Delta) (spec.Ack, error) {
	return spec.Ack{Generation: d.Generation, At: int64(d.Generation)}, nil
}

// enis are n of them in two subnets, detached.
func enis(b *testing.B, n int) *control.State {
	s := controltest.Serve(b, nil, nil, func(o *control.Options) { o.Plane = plan.Plane{Network: noNetwork{}} })
	v := controltest.Must(s.CreateVPC(b.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"}))
	var subnets []string
	for i := range 2 {
		sub := controltest.Must(s.CreateSubnet(b.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: fmt.Sprintf("10.0.%d.0/17", 128*i)}))
		subnets = append(subnets, sub.ID)
	}
	for i := range n {
		_ = controltest.Must(s.CreateInterface(b.Context(), control.CreateInterfaceInput{Subnet: subnets[i%2]}))
	}
	return s.State()
}

// An answer in a State that nobody has asked before.
func BenchmarkReach(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("enis=%d", n), func(b *testing.B) {
			s := enis(b, n)
			all := s.NetworkInterfaces()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := answers.Reach(s, answers.Question{From: all[i%n].ID, To: all[(i+1)%n].ID, Port: 443}); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}
