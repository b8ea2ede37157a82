package apifault

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type plan struct {
	*Set
	notes []string
	held  chan time.Duration
	fire  chan time.Time
}

func newSet() *plan {
	p := &plan{held: make(chan time.Duration, 1), fire: make(chan time.Time)}
	p.Set = New(Options{
		Now: func() time.Time { return time.Unix(1_800_000_000, 0) }, Seed: 7, Log: slog.New(slog.DiscardHandler),
		After: func(d time.Duration) <-chan time.Time { p.held <- d; return p.fire },
		Note: func(typ, id string, kv ...string) error {
			p.notes = append(p.notes, strings.Join(append([]string{typ, id}, kv...), " "))
			return nil
		},
	})
	p.Declare(EC2, []string{"AttachNetworkInterface", "DescribeVpcs"}, func(string) int { return 400 })
	return p
}

func (p *plan) add(t *testing.T, f Fault) Fault {
	t.Helper()
	got, err := p.Add(f)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func code(err error) string {
	if a, ok := errors.AsType[*Answer](err); ok {
		return fmt.Sprintf("%s %d", a.Code, a.Status)
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestRefusals(t *testing.T) {
	p := newSet()
	for _, c := range []struct {
		name, field string
		f           Fault
	}{
		{"no kind", "kind", Fault{API: EC2, Operation: Every}},
		{"no such side", "when", Fault{API: EC2, Operation: Every, Kind: Throttle, When: "during"}},
		{"no such API", "api", Fault{API: "s3", Operation: Every, Kind: Throttle}},
		{"an API that has declared nothing", "api", Fault{API: Admin, Operation: Every, Kind: Throttle}},
		{"no such operation", "operation", Fault{API: EC2, Operation: "Attach", Kind: Throttle}},
		{"fail without a code", "code", Fault{API: EC2, Operation: Every, Kind: Fail}},
		{"a code that is none", "code", Fault{API: EC2, Operation: Every, Kind: Fail, Code: "a<b"}},
		{"a status of success", "status", Fault{API: EC2, Operation: Every, Kind: Fail, Code: "X", Status: 200}},
		{"a message too long", "message", Fault{API: EC2, Operation: Every, Kind: Fail, Code: "X", Message: strings.Repeat("x", 1025)}},
		{"throttle with a code", "code", Fault{API: EC2, Operation: Every, Kind: Throttle, Code: "X"}},
		{"hang for no time", "hangMs", Fault{API: EC2, Operation: Every, Kind: Hang}},
		{"hang for too long", "hangMs", Fault{API: EC2, Operation: Every, Kind: Hang, Hang: MaxHang + 1}},
		{"hang with a code", "code", Fault{API: EC2, Operation: Every, Kind: Hang, Hang: 1, Code: "X"}},
		{"fail that hangs", "hangMs", Fault{API: EC2, Operation: Every, Kind: Fail, Code: "X", Hang: 1}},
		{"a share above one", "share", Fault{API: EC2, Operation: Every, Kind: Throttle, Share: 1.5}},
		{"a share below nothing", "share", Fault{API: EC2, Operation: Every, Kind: Throttle, Share: -1}},
		{"less than no calls", "calls", Fault{API: EC2, Operation: Every, Kind: Throttle, Calls: -1}},
		{"a seed too large", "seed", Fault{API: EC2, Operation: Every, Kind: Throttle, Seed: MaxSeed + 1}},
	} {
		_, err := p.Add(c.f)
		if e, ok := errors.AsType[*control.Error](err); !ok || e.Field != c.field || e.Code != "InvalidParameterValue" {
			t.Errorf("%s: %v, want a refusal of %s", c.name, err, c.field)
		}
	}
	if len(p.List()) != 0 || len(p.notes) != 0 {
		t.Errorf("refusals left %v, %q", p.List(), p.notes)
	}
}

func TestNextCallsOnly(t *testing.T) {
	p := newSet()
	f := p.add(t, Fault{API: EC2, Operation: "AttachNetworkInterface", Kind: Fail, Code: "InternalError", Message: "An internal error has occurred", Calls: 2})
	if f.Status != 400 || f.When != Before || f.Share != 1 || f.Seed != 7 {
		t.Errorf("completed to %+v", f)
	}
	if p.Begin(EC2, "DescribeVpcs", "", "r0") != nil {
		t.Error("another operation was hit")
	}
	for k, want := range []string{"InternalError 400", "InternalError 400", ""} {
		if got := code(p.Begin(EC2, "AttachNetworkInterface", "", "r").Inject(t.Context(), Before)); got != want {
			t.Errorf("call %d: %q, want %q", k+1, got, want)
		}
	}
	if got := p.List()[0]; !got.Spent() || got.Seen != 2 || got.Injected != 2 {
		t.Errorf("it is %+v", got)
	}
	if p.live.Load() != 0 {
		t.Error("a spent fault costs every call")
	}
	want := "api-fault.injected af-1 api ec2 operation AttachNetworkInterface requestId r kind fail when before code InternalError held "
	if len(p.notes) != 3 || p.notes[1] != want {
		t.Errorf("noted %q, want %q", p.notes, want)
	}
	if !p.Remove("af-1") || p.Remove("af-1") || p.live.Load() != 0 {
		t.Error("not removed once")
	}
}

// A share hits the same calls in every run of its seed, others with another.
func TestShareIsOfSeedAndOrdinal(t *testing.T) {
	run := func(seed uint64, share float64) (hit []int) {
		p := newSet()
		p.add(t, Fault{API: EC2, Operation: Every, Kind: Throttle, Share: share, Seed: seed})
		for k := range 1000 {
			if p.Begin(EC2, "DescribeVpcs", "", "") != nil {
				hit = append(hit, k)
			}
		}
		return hit
	}
	a := run(1, 0.3)
	if len(a) < 250 || len(a) > 350 {
		t.Errorf("%d of 1000 calls are hit, want about 300", len(a))
	}
	if !slices.Equal(a, run(1, 0.3)) || slices.Equal(a, run(2, 0.3)) {
		t.Error("what is hit does not follow the seed")
	}
	if got := len(run(3, 1)); got != 1000 {
		t.Errorf("%d of 1000 are hit with a share of 1", got)
	}
}

// A call can be held first and fail then, on either side of the effect; what
// answers keeps later faults from it.
func TestFaultsAdd(t *testing.T) {
	p := newSet()
	p.add(t, Fault{API: EC2, Operation: Every, Kind: Hang, Hang: time.Second})
	p.add(t, Fault{API: EC2, Operation: "DescribeVpcs", Kind: Fail, Code: "Unavailable", Status: 503, When: After})
	p.add(t, Fault{API: EC2, Operation: "DescribeVpcs", Kind: Throttle, When: After})
	call := p.Begin(EC2, "DescribeVpcs", "", "r")
	if !call.Hangs() {
		t.Error("it does not hang")
	}
	done := make(chan string)
	go func() { done <- code(call.Inject(context.Background(), Before)) }()
	if d := <-p.held; d != time.Second {
		t.Errorf("held for %v", d)
	}
	p.fire <- time.Time{}
	if got := <-done; got != "" {
		t.Errorf("after the hang %s", got)
	}
	if got := code(call.Inject(t.Context(), After)); got != "Unavailable 503" {
		t.Errorf("answered with %s", got)
	}
	if last := p.List()[2]; last.Seen != 0 {
		t.Errorf("the third fault saw %d calls", last.Seen)
	}
	p.add(t, Fault{API: EC2, Operation: "DescribeVpcs", Kind: Throttle})
	if got := p.Begin(EC2, "DescribeVpcs", "", "r"); len(got.hits) != 2 || got.hits[1].Kind != Throttle {
		t.Errorf("a call that is refused before meets %+v", got.hits)
	}
}

func TestHangEndsWithItsContext(t *testing.T) {
	p := newSet()
	p.add(t, Fault{API: EC2, Operation: Every, Kind: Hang, Hang: time.Minute})
	ctx, cancel := context.WithCancelCause(t.Context())
	done := make(chan error)
	go func() { done <- p.Begin(EC2, "DescribeVpcs", "", "r").Inject(ctx, Before) }()
	<-p.held
	cancel(errors.New("the client has closed the connection"))
	if got := code(<-done); got != "Unavailable 503" {
		t.Errorf("it ended with %s", got)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	p := newSet()
	for range MaxFaults {
		p.add(t, Fault{API: EC2, Operation: "DescribeVpcs", Kind: Throttle, Calls: 1})
	}
	_, err := p.Add(Fault{API: EC2, Operation: Every, Kind: Throttle})
	if e, ok := errors.AsType[*control.Error](err); !ok || e.Code != "APIFaultLimitExceeded" {
		t.Errorf("one too many: %v", err)
	}
	for range 3 {
		p.Begin(EC2, "DescribeVpcs", "", "")
	}
	// Spent ones make room, and are shown until there are too many of them.
	for range 3 * MaxFaults {
		p.add(t, Fault{API: EC2, Operation: "DescribeVpcs", Kind: Throttle, Calls: 1})
		p.Begin(EC2, "DescribeVpcs", "", "")
	}
	if got := len(p.List()); got > 2*MaxFaults {
		t.Errorf("%d are kept", got)
	}
	p.Clear()
	if len(p.List()) != 0 || p.live.Load() != 0 {
		t.Errorf("cleared to %d, %d live", len(p.List()), p.live.Load())
	}
}

func TestNoSetHasNoFaults(t *testing.T) {
	var none *Set
	none.Declare(EC2, nil, nil)
	call := none.Begin(EC2, "DescribeVpcs", "", "")
	if call.Hangs() || call.Inject(t.Context(), Before) != nil {
		t.Error("a fault out of nowhere")
	}
}
