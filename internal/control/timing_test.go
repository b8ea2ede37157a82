package control

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestDraw(t *testing.T) {
	rng := rand.NewChaCha8([32]byte{7})
	random := func(b []byte) { _, _ = rng.Read(b) }
	span := Span{2 * time.Second, 5 * time.Second, 30 * time.Second}
	const n = 4000
	all := make([]time.Duration, n)
	for k := range all {
		if all[k] = span.draw(random); all[k] < span.Min || all[k] > span.Max {
			t.Fatalf("drew %v of %v", all[k], span)
		}
	}
	slices.Sort(all)
	for _, c := range []struct {
		part float64
		want time.Duration
	}{{0.01, 2060 * time.Millisecond}, {0.25, 3500 * time.Millisecond}, {0.5, 5 * time.Second}, {0.75, 17500 * time.Millisecond}, {0.99, 29500 * time.Millisecond}} {
		if got := all[int(c.part*n)]; (got - c.want).Abs() > span.Max/15 {
			t.Errorf("the quantile %.2f is %v, want about %v", c.part, got, c.want)
		}
	}
	if got := Fixed(3).draw(func([]byte) { t.Error("a fixed span took a chance") }); got != 3 {
		t.Errorf("fixed at %v", got)
	}
}

// What a transition draws is stored with the state that it begins, and a seed
// repeats it.
func TestDurationsAreDrawnByTheTransition(t *testing.T) {
	play := func() (ends []time.Duration) {
		s := newSite(t)
		s.timing = TimingAWS
		note := func(from, until time.Time, op Operation) {
			span, d := TimingAWS.Spans[op], until.Sub(from)
			if d < span.Min || d > span.Max {
				t.Errorf("%s lasts %v of %v", op, d, span)
			}
			ends = append(ends, d)
		}
		i := must(s.lab, func(t *tx) (*Instance, error) { return t.runInstance(RunInstanceInput{Subnet: s.a.ID}) })
		note(i.StateAt, i.StateUntil, OpLaunch)
		if p := s.primary(i).Attachment; !p.StateUntil.IsZero() {
			t.Errorf("the primary ENI does not wait for its instance: %+v", p)
		}
		s.settle()
		if i = s.state.Instance(i.ID); i.State != InstanceRunning || !i.StateUntil.IsZero() {
			t.Errorf("running until %v", i.StateUntil)
		}
		n := s.attach(s.eni(s.a, ""), i, 1)
		note(n.Attachment.StateAt, n.Attachment.StateUntil, OpAttach)
		// Whatever the timing is meanwhile: what is under way goes on.
		s.timing = TimingFast
		s.now = n.Attachment.StateUntil.Add(-2 * time.Millisecond)
		s.ok(func(t *tx) error { return t.finish(TableNetworkInterface, n.ID) })
		if got := s.state.NetworkInterface(n.ID).Attachment; got.State != Attaching {
			t.Errorf("%s before its time", got.State)
		}
		s.ok(func(t *tx) error { return t.finish(TableNetworkInterface, n.ID) })
		if got := s.state.NetworkInterface(n.ID).Attachment; got.State != Attached || !got.StateUntil.IsZero() {
			t.Errorf("%s until %v at its time", got.State, got.StateUntil)
		}
		s.timing = TimingAWS
		n = must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: n.Attachment.ID}) })
		note(n.Attachment.StateAt, n.Attachment.StateUntil, OpDetach)
		i = s.instanceDo(stop, i)
		note(i.StateAt, i.StateUntil, OpStop)
		s.now = i.StateUntil
		s.settle()
		i = s.instanceDo((*tx).startInstance, i)
		note(i.StateAt, i.StateUntil, OpStart)
		i = s.instanceDo((*tx).terminateInstance, i)
		note(i.StateAt, i.StateUntil, OpTerminate)
		return ends
	}
	first, second := play(), play()
	if !slices.Equal(first, second) {
		t.Errorf("a seed gave %v and %v", first, second)
	}
	if slices.Equal(first, make([]time.Duration, len(first))) {
		t.Error("nothing was drawn")
	}
}

// The metadata waits for an interface that comes to a running instance: a
// stopped one finds it when it starts, and what is detached has none.
func TestMetadataOfAnAttachmentIsDrawn(t *testing.T) {
	s := newSite(t)
	span := Span{time.Second, 2 * time.Second, 10 * time.Second}
	s.timing = Timing{}.With(OpMetadata, span)
	i := s.run(s.a, "")
	if p := s.primary(i); !p.MetadataFrom.IsZero() {
		t.Errorf("a launch waits for the metadata until %v", p.MetadataFrom)
	}
	n := s.attach(s.eni(s.a, ""), i, 1)
	if d := n.MetadataFrom.Sub(n.Attachment.AttachTime); d < span.Min || d > span.Max {
		t.Errorf("drew %v of %v", d, span)
	}
	must(s.lab, func(t *tx) (*NetworkInterface, error) { return t.detach(DetachInput{Attachment: n.Attachment.ID}) })
	s.settle()
	if n = s.state.NetworkInterface(n.ID); n.Attachment != nil || !n.MetadataFrom.IsZero() {
		t.Errorf("detached, with metadata from %v", n.MetadataFrom)
	}
	s.instanceDo(stop, i)
	s.settle()
	if n = s.attach(n, s.state.Instance(i.ID), 1); !n.MetadataFrom.IsZero() {
		t.Errorf("a stopped instance waits for the metadata until %v", n.MetadataFrom)
	}
}

func TestTimingCheck(t *testing.T) {
	for _, c := range []struct {
		name string
		t    Timing
		want string
	}{
		{"fast", TimingFast, ""},
		{"aws", TimingAWS, ""},
		{"none", Timing{}, ""},
		{"unknown operation", Timing{}.With("explode", Fixed(0)), "There is no operation 'explode' that takes time; there are [attach detach launch start stop terminate create-nat-gateway delete-nat-gateway associate-cidr-block disassociate-cidr-block request-peering metadata " +
			"create-volume attach-volume detach-volume delete-volume modify-volume create-snapshot create-image create-vpc-endpoint delete-vpc-endpoint " +
			"create-transit-gateway modify-transit-gateway delete-transit-gateway attach-transit-gateway detach-transit-gateway change-transit-gateway-route-table]."},
		{"negative", Timing{}.With(OpStop, Fixed(-1)), "A duration has 0 <= minimum <= median <= maximum <= 24h0m0s; this one has -1ns, -1ns, -1ns."},
		{"out of order", Timing{}.With(OpStop, Span{3, 2, 4}), "A duration has 0 <= minimum <= median <= maximum <= 24h0m0s; this one has 3ns, 2ns, 4ns."},
		{"too long", Timing{}.With(OpStop, Fixed(25*time.Hour)), "A duration has 0 <= minimum <= median <= maximum <= 24h0m0s; this one has 25h0m0s, 25h0m0s, 25h0m0s."},
		{"ended", Timing{EndedAttachments: -1}, "Ended attachments can be kept for 0 to 24h0m0s, not for -1ns."},
	} {
		got := ""
		if err := c.t.Check(); err != nil {
			got = err.(*Error).Message
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if fast := TimingFast.With(OpStop, Fixed(time.Hour)); TimingFast.Spans[OpStop] != Fixed(20*time.Millisecond) || fast.Spans[OpStop].Max != time.Hour {
		t.Error("With changed what it was called on")
	}
}
