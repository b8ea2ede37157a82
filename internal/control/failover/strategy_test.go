package failover

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"enilab/internal/control"
)

// address gives EC2-1's primary interface a secondary address and guards that.
func (l *lab) address(change func(*control.FailoverPolicy)) (p *control.FailoverPolicy, one, two *control.NetworkInterface) {
	l.Helper()
	const moving = "192.168.0.99"
	s := l.svc.State()
	one, two = s.InterfacesOf(l.ec2[0].ID)[0], s.InterfacesOf(l.ec2[1].ID)[0]
	if _, _, err := l.svc.AssignAddresses(l.ctx, control.AssignAddressesInput{ID: one.ID, IPs: []string{moving}}); err != nil {
		l.Fatal(err)
	}
	in := control.FailoverPolicy{
		NetworkInterface: one.ID, Standbys: []string{l.ec2[1].ID}, Enabled: true,
		Terms: control.Terms{Strategy: control.StrategyAddress, Addresses: []netip.Addr{netip.MustParseAddr(moving)}},
		Probe: control.Probe{Type: control.ProbeICMP, From: l.probe, Interval: 200 * time.Millisecond, Timeout: patience, Misses: 3},
	}
	if change != nil {
		change(&in)
	}
	return must(l.svc.PutPolicy(l.ctx, in))(l), one, two
}

// holds says which of the two interfaces has the moving address.
func (l *lab) holds(p *control.FailoverPolicy, n *control.NetworkInterface) bool {
	h := l.svc.State().Holder(p)
	return h != nil && h.ID == n.ID
}

// A take-over whose calls are throttled goes on at the next intervals, and its
// record has every call.
func TestAThrottledTakeOverIsTriedAgain(t *testing.T) {
	l := newLab(t)
	var refused atomic.Int32
	l.ctl.opt.Gate = func(ctx context.Context, operation string, call func(context.Context) error) error {
		if operation == "AssignPrivateIpAddresses" && refused.Add(1) <= 2 {
			return errors.New("RequestLimitExceeded: Request limit exceeded.")
		}
		return call(ctx)
	}
	p, one, two := l.address(nil)
	must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultFreeze))(t)
	for range 5 { // three that are missed, and two more after refusals
		l.probed(Missed)
	}
	l.until("the address has moved", func(*control.State) bool { return l.holds(p, two) })
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	f := l.completed()
	if f.Policy != p.ID || f.From != l.ec2[0].ID || f.To != l.ec2[1].ID || f.Moved.From != one.ID || f.Kind != control.KindFailover {
		t.Errorf("the record is %+v", f)
	}
	if len(f.Calls) != 3 || f.Calls[0].Error == "" || f.Calls[1].Error == "" || f.Calls[2].Error != "" || f.Calls[2].End == 0 {
		t.Errorf("calls %+v, want two refused ones and one that was carried out", f.Calls)
	}
}

// Within the hold-down nothing moves, however often the new owner fails; after it
// the former owner is the standby.
func TestAFlappingInstanceIsHeldDown(t *testing.T) {
	l := newLab(t)
	const hold = 24 * time.Hour // more than waiting for the measurement lets pass
	p, one, two := l.address(func(p *control.FailoverPolicy) { p.HoldDown = hold })
	must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultFreeze))(t)
	for range 3 {
		l.probed(Missed)
	}
	l.until("the address has moved", func(*control.State) bool { return l.holds(p, two) })
	l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
	l.recovered(l.ec2[0].ID, l.ec2[1].ID, l.newest().Control.AttachedAt)
	l.completed()
	must(l.svc.RecoverInstance(l.ctx, l.ec2[0].ID))(t)
	for range 5 {
		l.probed(Missed)
	}
	l.probed(Blocked) // taken only after the fifth has been judged
	if st, _ := l.ctl.PolicyStatus(p.ID); st.State != Holding || !l.holds(p, two) {
		t.Errorf("state %s (%s) within the hold-down", st.State, st.Detail)
	}
	// Taken only after the blocked one has been judged: else the clock's jump could
	// overtake that, and the address would move before the next probe.
	hand(l, "the tick", l.ticks, time.Time{})
	l.now.Add(int64(hold))
	hand(l, "the outcome", l.probes, Outcome{Result: Missed})
	l.until("the former owner has it", func(*control.State) bool { return l.holds(p, one) })
}

// A fence that fails keeps the address where it is, unless it is optional.
func TestAFenceThatFails(t *testing.T) {
	for _, optional := range []bool{false, true} {
		l := newLab(t)
		l.ctl.opt.Gate = func(ctx context.Context, operation string, call func(context.Context) error) error {
			if operation == "StopInstances" {
				return errors.New("InternalError: an injected one")
			}
			return call(ctx)
		}
		p, one, two := l.address(func(p *control.FailoverPolicy) { p.Fence, p.FenceOptional = control.FenceStop, optional })
		must(l.svc.FailInstance(l.ctx, l.ec2[0].ID, control.FaultFreeze))(t)
		for range 3 {
			l.probed(Missed)
		}
		if !optional {
			l.probed(Blocked)
			l.probed(Missed)
			hand(l, "a tick after it", l.ticks, time.Time{})
			if st, _ := l.ctl.PolicyStatus(p.ID); st.State != Fencing || !l.holds(p, one) {
				t.Errorf("state %s (%s): want it to wait for the fence", st.State, st.Detail)
			}
			continue
		}
		l.until("the address has moved", func(*control.State) bool { return l.holds(p, two) })
		l.until("a record runs", func(s *control.State) bool { return len(s.Failovers()) == 1 })
		if f := l.newest(); f.Fencing == nil || f.Fencing.Error == "" || len(f.Notes) == 0 {
			t.Errorf("fencing %+v, notes %q: want the failure said", f.Fencing, f.Notes)
		}
	}
}

// What a policy of another zone cannot do is refused with the reason.
func TestStrategiesAndZones(t *testing.T) {
	l := newLab(t)
	n := l.svc.State().InterfacesOf(l.ec2[0].ID)[0]
	eip := must(l.svc.AllocateAddress(l.ctx, nil))(t)
	must(l.svc.AssociateAddress(l.ctx, eip.AllocationID, n.ID, "", false))(t)
	if _, _, err := l.svc.AssignAddresses(l.ctx, control.AssignAddressesInput{ID: n.ID, IPs: []string{"192.168.0.98"}}); err != nil {
		t.Fatal(err)
	}
	put := func(terms control.Terms, eni string) error {
		_, err := l.svc.PutPolicy(l.ctx, control.FailoverPolicy{
			NetworkInterface: eni, Standbys: []string{l.ec2[2].ID}, Enabled: true, Terms: terms,
			Probe: control.Probe{Type: control.ProbeICMP, From: l.probe},
		})
		return err
	}
	for what, err := range map[string]error{
		"eni":     put(control.Terms{}, l.eth1.ID),
		"address": put(control.Terms{Strategy: control.StrategyAddress, Addresses: []netip.Addr{netip.MustParseAddr("192.168.0.98")}}, n.ID),
	} {
		var refusal *control.Error
		if !errors.As(err, &refusal) || refusal.Field != "standbys" {
			t.Errorf("%s into another zone: %v, want a refusal", what, err)
		}
	}
	if err := put(control.Terms{Strategy: control.StrategyEIP, Allocation: eip.AllocationID}, n.ID); err != nil {
		t.Errorf("eip into another zone: %v", err)
	}
}
