package answers_test

import (
	"context"
	"fmt"
	"testing"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/plan"
)

// noNetwork leaves the cost of control.
type noNetwork struct{}

func (noNetwork) Apply(_ context.Context, d spec.Delta) (spec.Ack, error) {
	return spec.Ack{Generation: d.Generation, At: int64(d.Generation)}, nil
}

// enis are n of them in two subnets, each of an instance of its own.
func enis(b *testing.B, n int) *control.State {
	_, s := laboratory(b, n)
	return s
}

// laboratory is enis with the Service that has them.
func laboratory(b *testing.B, n int) (*control.Service, *control.State) {
	b.Helper()
	s := controltest.Serve(b, nil, nil, func(o *control.Options) { o.Plane = plan.Plane{Network: noNetwork{}} })
	v := controltest.Must(s.CreateVPC(b.Context(), control.CreateVPCInput{CIDR: "10.0.0.0/16"}))
	var subnets []string
	for i := range 2 {
		sub := controltest.Must(s.CreateSubnet(b.Context(), control.CreateSubnetInput{VPC: v.ID, CIDR: fmt.Sprintf("10.0.%d.0/17", 128*i)}))
		subnets = append(subnets, sub.ID)
	}
	for i := range n {
		_ = controltest.Must(s.RunInstance(b.Context(), control.RunInstanceInput{Subnet: subnets[i%2], Type: "t3.micro"}))
	}
	return s.Service, s.State()
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

// A draft against 100,000 connections of 10,000 ENIs: one that refuses a tenth of
// them at a network ACL, and one that lets no new one begin.
func BenchmarkWhatIf(b *testing.B) {
	const n, flows = 10_000, 100_000
	svc, s := laboratory(b, n)
	all := s.NetworkInterfaces()
	known := make([]answers.Flow, flows)
	for i := range known {
		from, to := all[i%n], all[(i*7+1)%n]
		known[i] = answers.Flow{Interface: from.ID, FlowInfo: conntrack.FlowInfo{
			Local: ip4(from).Addr(), Remote: ip4(to).Addr(), LocalPort: uint16(32768 + i/n), RemotePort: uint16(1000 + i%10), Proto: 6, Tracked: true,
			State: conntrack.TCPEstablished, AdmittedBy: conntrack.Egress,
		}}
	}
	group := s.SecurityGroup(all[0].Groups[0])
	acl := s.NetworkACLOf(all[0].Subnet)
	port := 1003
	for _, c := range []struct {
		name string
		do   func(*control.Service) error
	}{
		{"acl", func(d *control.Service) error {
			return d.CreateNetworkACLEntry(b.Context(), control.NetworkACLEntryInput{ACL: acl.ID, Number: 1, Action: "deny", Protocol: "tcp", CIDR: "0.0.0.0/0", FromPort: &port, ToPort: &port})
		}},
		{"group", func(d *control.Service) error {
			return d.RevokeRules(b.Context(), group.ID, []string{group.Rules[0].ID, group.Rules[1].ID})
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			d := svc.Draft()
			if err := c.do(d); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				e := answers.WhatIf(d.Drafted(), known, nil, 100)
				if e.Counts.NewlyRefused+e.Counts.KeptAsTracked < flows/20 {
					b.Fatalf("%+v", e.Counts)
				}
			}
		})
	}
}

func ip4(n *control.NetworkInterface) frame.IPv4 {
	ip, _ := frame.IPv4From(n.PrimaryAddress())
	return ip
}
