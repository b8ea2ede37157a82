package dataplane

import (
	"slices"
	"testing"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// endsAt is at which steps the scenarios of everyReason end a frame for a reason.
// Reasons that guests are told at once, without a record, are at none.
var endsAt = map[verdict.Reason][]verdict.Step{
	verdict.EgressDenied:         {verdict.StepGroupsOut},
	verdict.IngressDenied:        {verdict.StepGroupsIn},
	verdict.SpoofedMAC:           {verdict.StepSender},
	verdict.SpoofedIP:            {verdict.StepSender},
	verdict.EgressACLDenied:      {verdict.StepACLOut},
	verdict.IngressACLDenied:     {verdict.StepACLIn},
	verdict.NotPublic:            {verdict.StepRoute},
	verdict.NotOwnAddress:        {verdict.StepReceiver},
	verdict.NoMapping:            {verdict.StepRoute},
	verdict.UnknownMAC:           {verdict.StepRoute},
	verdict.NoRoute:              {verdict.StepRoute},
	verdict.Blackhole:            {verdict.StepRoute},
	verdict.NoPublicAddress:      {verdict.StepRoute},
	verdict.NoPublicHost:         {verdict.StepGateway},
	verdict.TooManyHops:          {verdict.StepRoute},
	verdict.TooBig:               {verdict.StepGateway},
	verdict.NATNoConnection:      {verdict.StepNAT},
	verdict.NATUnsupported:       {verdict.StepNAT},
	verdict.NATPortsExhausted:    {verdict.StepNAT},
	verdict.Detached:             {verdict.StepSend, verdict.StepGuest},
	verdict.InstanceStopped:      {verdict.StepGuest},
	verdict.LinkDown:             {verdict.StepGuest},
	verdict.GuestFrozen:          {verdict.StepGuest},
	verdict.ARPUnanswered:        {verdict.StepService},
	verdict.Broadcast:            {verdict.StepSender},
	verdict.UnsupportedEtherType: {verdict.StepSender},
	verdict.Tagged:               {verdict.StepSender},
	verdict.Malformed:            {verdict.StepSender, verdict.StepWireIn},
	verdict.Oversize:             {verdict.StepSender},
	verdict.RxQueueFull:          {verdict.StepGuest},
	verdict.WorkerQueueFull:      {verdict.StepHandOver},
	verdict.ConntrackFull:        {verdict.StepGroupsOut},
	verdict.BandwidthOut:         {verdict.StepSender},
	verdict.BandwidthIn:          {verdict.StepGuest},
	verdict.RxFlushed:            {verdict.StepDelivery},
	verdict.Removed:              {verdict.StepReceiver},
	verdict.ImpairedLoss:         {verdict.StepWireOut},
	verdict.Partitioned:          {verdict.StepWireIn},
	verdict.RateQueueFull:        {verdict.StepWireOut},
	verdict.DelayQueueFull:       {verdict.StepWireIn},
	verdict.ARPAnswered:          {verdict.StepService},
	verdict.ARPGratuitous:        {verdict.StepService},
	verdict.Fragmented:           {verdict.StepGateway},
}

// TestEveryStep: a reason says why a frame ended and a step where; records and
// captures say both, and the tap point is the step's. Every step ends some frame.
func TestEveryStep(t *testing.T) {
	got := map[verdict.Reason][]verdict.Step{}
	all := map[verdict.Step]bool{verdict.StepNone: true}
	for _, s := range everyReason {
		l := newLab(t, Options{Workers: 2, TxQueue: 4, RxQueue: 3, Inbox: 2, SmallBuffers: 6, LargeBuffers: 1, Held: 1})
		a, b, c, d, m := eni(1, 10), eni(1, 11), eni(2, 12), eni(1, 13, "closed"), eni(1, 14, "mute")
		l.add(a, b, c, d, m)
		var seen notes
		stop := l.Observe(&seen)
		tp := tap.New(tap.Config{Points: verdict.AllPoints, Workers: 2})
		l.AddTap(tp, nil)
		s.run(l, a, b, c, d, m)
		l.Engine.collect(l.now + 10*binWidth)
		stop()
		l.RemoveTap(tp)
		captured := map[verdict.Step]bool{}
		tp.Read(func(p tap.Packet) {
			if p.Reason != verdict.Delivered {
				captured[p.Step] = true
				if p.Point != p.Step.Point() {
					t.Errorf("%s: a frame that ended at %s was captured at %s", s.reason, p.Step, p.Point)
				}
			} else if p.Step != verdict.StepNone {
				t.Errorf("%s: a frame that went on at %s has the step %s", s.reason, p.Point, p.Step)
			}
		})
		for _, r := range seen.records {
			all[r.Step] = true
			if r.Reason != s.reason {
				continue
			}
			// Removed is at nobody; before a NAT gateway's ports are used up the tap is full.
			if !captured[r.Step] && r.Reason != verdict.Removed && r.Reason != verdict.NATPortsExhausted {
				t.Errorf("%s: ended at %s, which no capture says", s.reason, r.Step)
			}
			if !slices.Contains(got[r.Reason], r.Step) {
				got[r.Reason] = append(got[r.Reason], r.Step)
			}
		}
	}
	for i := range verdict.NumReasons {
		r := verdict.Reason(i)
		slices.Sort(got[r])
		if r != verdict.Delivered && !slices.Equal(got[r], endsAt[r]) {
			t.Errorf("%s ended frames at %v, want %v", r, got[r], endsAt[r])
		}
	}
	for i := range verdict.NumSteps {
		if s := verdict.Step(i); !all[s] {
			t.Errorf("no frame ends at %s", s)
		}
	}
}
