package e2e

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
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
	_, err = l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnet.ID, Workloads: []spec.Workload{
		{Name: "requests", Kind: spec.WorkloadUDPEcho, Target: target, Rate: 200},
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
	if got := results(f); got["ip"] != "same" || got["mac"] != "changed" || got["groups"] != "same" {
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

// TestAMovedElasticIP: a client on the internet goes on with the instance that an
// Elastic IP came to.
func TestAMovedElasticIP(t *testing.T) {
	l := newLab(t, t.TempDir())
	_, loaded := l.load("internet")
	l.answered(loaded.InternetHosts["customer"], "requests")
	one, two := loaded.Instances["web-1"], loaded.Instances["web-2"]
	s := l.svc.State()
	var eip *control.Address
	for _, a := range s.Addresses() {
		if n := s.NetworkInterface(a.NetworkInterface); n != nil && n.Attachment != nil && n.Attachment.Instance == one {
			eip = a
		}
	}
	from, to := eip.NetworkInterface, s.InterfacesOf(two)[0].ID
	if _, err := l.svc.AssociateAddress(l.ctx, eip.AllocationID, to, "", true); err != nil {
		t.Fatal(err)
	}
	f := l.recorded(eip.PublicIP.String())
	if f.Moved.Allocation != eip.AllocationID || f.Moved.From != from || f.Moved.To != to || f.From != one || f.To != two {
		t.Errorf("the record is of %s, %+v from %s to %s", f.Moved, f.Moved, f.From, f.To)
	}
	for _, r := range f.Traffic {
		if r.Client != loaded.InternetHosts["customer"] || r.Target != eip.PublicIP || r.FirstReplyAt == 0 || r.Kind != "ping" && r.FirstReplyFrom != two {
			t.Errorf("a client saw %+v", r)
		}
	}
	if got := results(f); len(f.Traffic) != 3 || got["eip"] != "same" || got["ip"] != "changed" {
		t.Errorf("%d clients, checks %+v", len(f.Traffic), f.Checks)
	}
}

// TestAReplacedRoute: a client's way to another subnet leads over one appliance,
// then over another.
func TestAReplacedRoute(t *testing.T) {
	l := newLab(t, t.TempDir())
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	vpc, err := l.svc.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "10.0.0.0/16"})
	ok(err)
	subnets := map[string]*control.Subnet{}
	for _, cidr := range []string{"10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"} {
		subnets[cidr], err = l.svc.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: cidr, Zone: "us-east-1a"})
		ok(err)
	}
	run := func(cidr string, ws ...spec.Workload) *control.NetworkInterface {
		i, err := l.svc.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnets[cidr].ID, Workloads: ws})
		ok(err)
		return l.svc.State().InterfacesOf(i.ID)[0]
	}
	off := false
	var boxes []*control.NetworkInterface
	for range 2 {
		n := run("10.0.2.0/24")
		_, err := l.svc.ModifyInterface(l.ctx, control.ModifyInterfaceInput{ID: n.ID, SourceDestCheck: &off})
		ok(err)
		boxes = append(boxes, n)
	}
	server := run("10.0.3.0/24")
	// The default group admits its own members only, by what they send themselves.
	_, err = l.svc.AuthorizeRules(l.ctx, server.Groups[0], false, []control.RuleInput{{Protocol: "-1", CIDR: "10.0.0.0/16"}})
	ok(err)
	table, err := l.svc.CreateRouteTable(l.ctx, vpc.ID, nil)
	ok(err)
	_, err = l.svc.AssociateRouteTable(l.ctx, control.AssociateRouteTableInput{Table: table.ID, Subnet: subnets["10.0.1.0/24"].ID})
	ok(err)
	route := control.RouteInput{Table: table.ID, DestinationInput: control.DestinationInput{CIDR: "10.0.3.0/24"}, Interface: boxes[0].ID}
	ok(l.svc.CreateRoute(l.ctx, route))
	overlay := control.RouteInput{Table: table.ID, DestinationInput: control.DestinationInput{CIDR: "172.31.255.1/32"}, Interface: boxes[0].ID}
	ok(l.svc.CreateRoute(l.ctx, overlay))
	client := run("10.0.1.0/24",
		spec.Workload{Name: "requests", Kind: spec.WorkloadUDPEcho, Target: server.PrimaryAddress(), Rate: 100},
		spec.Workload{Name: "overlay", Kind: spec.WorkloadUDPEcho, Target: netip.MustParseAddr("172.31.255.1"), Rate: 100})
	l.answered(client.Attachment.Instance, "requests")
	l.answered(client.Attachment.Instance, "overlay")
	route.Interface = boxes[1].ID
	ok(l.svc.ReplaceRoute(l.ctx, route))
	f := l.recorded("10.0.3.0/24 in " + table.ID)
	if f.Moved.RouteTable != table.ID || f.Moved.Destination != "10.0.3.0/24" || f.NetworkInterface != boxes[1].ID || f.Moved.From != boxes[0].ID {
		t.Errorf("the record is of %+v", f.Moved)
	}
	if len(f.Traffic) != 1 || f.Traffic[0].FirstReplyFrom != server.Attachment.Instance || f.Traffic[0].Incomplete != "" {
		t.Errorf("the client saw %+v", f.Traffic)
	}
	if got := results(f); got["destination"] != "same" || got["source-dest-check"] != "same" {
		t.Errorf("checks %+v", f.Checks)
	}

	// An address of no subnet, which the instance has that the route leads to.
	overlay.Interface = boxes[1].ID
	ok(l.svc.ReplaceRoute(l.ctx, overlay))
	f = l.recorded("172.31.255.1/32 in " + table.ID)
	if len(f.Traffic) != 1 || f.Traffic[0].LastReplyFrom != boxes[0].Attachment.Instance ||
		f.Traffic[0].FirstReplyFrom != boxes[1].Attachment.Instance || f.Traffic[0].Incomplete != "" {
		t.Errorf("the client of the overlay address saw %+v", f.Traffic)
	}
}

// recorded waits for the complete record of what moved.
func (l *lab) recorded(moved string) (rec *control.Failover) {
	l.t.Helper()
	l.until("a complete record of "+moved, func(s *control.State) bool {
		for _, f := range s.Failovers() {
			if f.Moved.String() == moved && f.State == control.FailoverCompleted {
				rec = f
			}
		}
		return rec != nil
	})
	return rec
}

func results(f *control.Failover) map[string]string {
	by := map[string]string{}
	for _, c := range f.Checks {
		by[c.Name] = c.Result
	}
	return by
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
