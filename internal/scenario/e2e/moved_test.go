package e2e

import (
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
)

// TestAMovedAddressAndItsNeighbor: a client in the subnet of a secondary address
// that moves is told by the network, if that is switched on, and sends to the
// former ENI else. Either way the record says what it saw.
func TestAMovedAddressAndItsNeighbor(t *testing.T) {
	l := newLab(t, t.TempDir())
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	vpc, err := l.svc.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	ok(err)
	subnet, err := l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: "10.0.1.0/24"})
	ok(err)
	const moving = "10.0.1.50"
	var enis, hosts []string
	for range 2 {
		i, err := l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnet.ID})
		ok(err)
		enis, hosts = append(enis, l.svc.State().InterfacesOf(i.ID)[0].ID), append(hosts, i.ID)
	}
	assign := func(to int, announce *bool) {
		t.Helper()
		_, _, err := l.svc.AssignAddresses(l.ctx, control.AssignAddressesInput{
			ID: enis[to], IPs: []string{moving}, AllowReassignment: true, Announce: announce,
		})
		ok(err)
	}
	assign(0, nil)
	target := l.svc.State().NetworkInterface(enis[0]).Addresses[1].Addr
	_, err = l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnet.ID, Workloads: []dataplane.WorkloadSpec{
		{Name: "requests", Kind: dataplane.WorkloadUDPEcho, Target: target, Rate: 200},
	}})
	ok(err)
	answered := func(since int64, host string) func() bool {
		return func() bool {
			return slices.ContainsFunc(l.guests.Flows(), func(f guest.Flow) bool {
				got, _ := l.guests.Samples(f, since)
				return slices.ContainsFunc(got, func(s guest.Sample) bool { return s.Responder == host })
			})
		}
	}
	l.poll("the first instance answers", answered(0, hosts[0]))

	_, err = l.svc.ChangeTiming(l.ctx, func(t control.Timing) (control.Timing, error) { t.AnnounceMoves = true; return t, nil })
	ok(err)
	assign(1, nil)
	l.until("the announced move is measured", func(s *control.State) bool {
		all := s.Failovers()
		return len(all) == 1 && all[0].State == control.FailoverCompleted
	})
	f := l.svc.State().Failovers()[0]
	if f.Moved.String() != moving || f.From != hosts[0] || f.To != hosts[1] || f.NetworkInterface != enis[1] {
		t.Errorf("the record is of %s from %s to %s", f.Moved, f.From, f.To)
	}
	if len(f.Traffic) != 1 || f.Traffic[0].LastReplyFrom != hosts[0] || f.Traffic[0].FirstReplyFrom != hosts[1] || f.Traffic[0].Incomplete != "" {
		t.Errorf("the client saw %+v", f.Traffic)
	}
	results := map[string]string{}
	for _, c := range f.Checks {
		results[c.Name] = c.Result
	}
	if results["ip"] != "same" || results["mac"] != "changed" || results["groups"] != "same" {
		t.Errorf("checks %+v", f.Checks)
	}

	refused := func() uint64 { return l.engine.Totals().Dropped[verdict.NotOwnAddress] }
	before, no := refused(), false
	assign(0, &no)
	l.poll("frames of the client are refused by the former ENI", func() bool { return refused() >= before+50 })
	l.until("the move that nobody announced is being measured", func(s *control.State) bool { return len(s.Failovers()) == 2 })
	newest := slices.MaxFunc(l.svc.State().Failovers(), func(a, b *control.Failover) int { return int(a.Control.AttachedAt - b.Control.AttachedAt) })
	if newest.State != control.FailoverRunning || answered(newest.Control.AttachedAt, hosts[0])() {
		t.Errorf("the record is %s though the client still sends to the former ENI", newest.State)
	}
	// Somebody tells it after all.
	yes := true
	assign(1, &yes)
	assign(0, &yes)
	l.poll("the first instance answers again", answered(newest.Control.AttachedAt, hosts[0]))
}

// poll waits for what guests bring about.
func (l *lab) poll(what string, ok func() bool) {
	l.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-l.ctx.Done():
			l.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}
