package failover

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
)

// GuestProber sends probes from the guests, like any process in them, and
// tells a probe that a security group rejected from one that got no answer by
// the verdicts of the probe's own frames.
type GuestProber struct {
	lab    *guest.Lab
	engine *dataplane.Engine
	now    func() int64

	mu   sync.Mutex
	taps map[probeTapKey]*probeTap // guarded by mu
}

var _ Prober = (*GuestProber)(nil)

// NewGuestProber returns a prober on the given laboratory. now is the engine's clock.
func NewGuestProber(lab *guest.Lab, engine *dataplane.Engine, now func() int64) *GuestProber {
	return &GuestProber{lab: lab, engine: engine, now: now, taps: map[probeTapKey]*probeTap{}}
}

// probeTapSlots holds the frames of one probe and its retransmissions.
const probeTapSlots = 256

// probeTapKey: a policy that considers failing back probes two ENIs in turn.
type probeTapKey struct{ policy, to string }

// probeTap watches the frames of probes, at the prober and at what it probes.
type probeTap struct {
	tap    *tap.Tap
	from   string // the prober's ENI
	filter string
}

// frames returns the filter for a probe's own frames: other traffic of the two
// ends, which a group may well reject, says nothing of the probe.
func frames(t Target) string {
	what := "icmp and (icmp[0] == 8 or icmp[0] == 0)"
	if t.Probe.Type != control.ProbeICMP {
		what = fmt.Sprintf("tcp port %d", t.Probe.Port)
	}
	if t.From.Internet { // behind its gateway the probed address is a private one
		return fmt.Sprintf("%s and host %s", what, t.From.Addr)
	}
	return fmt.Sprintf("%s and host %s and host %s", what, t.From.Addr, t.ToAddr)
}

// Probe sends one probe and waits for its answer until ctx ends.
func (g *GuestProber) Probe(ctx context.Context, t Target) Outcome {
	host := g.lab.Host(t.From.Host)
	if host == nil {
		return Outcome{Result: ProberDown, At: g.now(), Detail: "the guest of " + t.From.Host + " has not booted"}
	}
	if f := host.Fault(); f != spec.FaultNone {
		// The record says it recovered, the guest has yet to: what it sends now is
		// lost, a neighbor request too, and then nothing leaves it for a second.
		return Outcome{Result: ProberDown, At: g.now(), Detail: "the guest of " + t.From.Host + " has not recovered yet"}
	}
	pt, err := g.watch(t)
	if err != nil {
		return Outcome{Result: ProberDown, At: g.now(), Detail: err.Error()}
	}
	pt.Read(func(tap.Packet) {}) // what the last probe left
	start := g.now()
	err = send(ctx, host, t)
	at := g.now()
	return g.judge(t, pt, start, at, err)
}

// judge says what a probe has found that began and ended at these instants.
func (g *GuestProber) judge(t Target, pt *tap.Tap, start, at int64, err error) Outcome {
	if err == nil {
		return Outcome{Result: Answered, At: at, RTT: time.Duration(at - start)}
	}
	o, seen := Outcome{Result: Missed, At: at, Detail: reason(err)}, g.trail(pt, t)
	o.Seen = seen.fate
	switch {
	case o.Seen.Reason.Verdict() == verdict.Reject:
		o.Result, o.Detail = Blocked, o.Seen.String()
	case o.Seen.Reason != verdict.Delivered:
		o.Detail += "; a frame of it ended: " + o.Seen.String()
	case seen.answered:
		o.Detail += "; the answer came too late or not whole"
	case seen.delivered:
		o.Detail += "; the guest took the request and sent nothing"
	case !seen.sent:
		// Silence of the prober's own guest, which waits for a neighbor or for the
		// processor, says nothing of the probed one.
		o.Result, o.Detail = ProberDown, o.Detail+"; no frame of it left "+t.From.ID
	}
	return o
}

// trail is what the taps saw of one probe.
type trail struct {
	fate      Fate
	sent      bool // the prober's guest sent a frame of it
	delivered bool // the probed guest was given one
	answered  bool // and sent one
}

func (f Fate) String() string {
	return fmt.Sprintf("%s at %s of %s: %s", f.Reason, f.Point, f.NetworkInterface, f.Reason.Text())
}

// reason words why a probe was not answered.
func reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer within the timeout"
	}
	return err.Error()
}

func send(ctx context.Context, h *guest.Host, t Target) error {
	from := t.From.Addr
	switch t.Probe.Type {
	case control.ProbeICMP:
		_, err := h.Ping(ctx, from, t.ToAddr, 0, t.Sequence, nil)
		return err
	case control.ProbeTCP, control.ProbeHTTP:
		c, err := h.DialTCP(ctx, from, netip.AddrPortFrom(t.ToAddr, uint16(t.Probe.Port)))
		if err != nil {
			return err
		}
		defer c.Close()
		if t.Probe.Type == control.ProbeTCP {
			return nil
		}
		return get(ctx, c, t)
	}
	return fmt.Errorf("unknown probe type %q", t.Probe.Type)
}

// get asks for the probe's path; a status below 400 is an answer.
func get(ctx context.Context, c net.Conn, t Target) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(deadline); err != nil {
			return fmt.Errorf("setting the probe's deadline: %w", err)
		}
	}
	host := net.JoinHostPort(t.ToAddr.String(), strconv.Itoa(t.Probe.Port))
	if _, err := fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: enilab-probe\r\nConnection: close\r\n\r\n", t.Probe.Path, host); err != nil {
		return fmt.Errorf("sending the request: %w", err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return fmt.Errorf("reading the response: %w", err)
	}
	defer r.Body.Close()
	if r.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the server answered %s", r.Status)
	}
	return nil
}

// watch returns the tap on the probe's frames, made anew when the probe's ends
// have changed.
func (g *GuestProber) watch(t Target) (*tap.Tap, error) {
	filter, key := frames(t), probeTapKey{t.Policy, t.To.ID}
	g.mu.Lock()
	defer g.mu.Unlock()
	old := g.taps[key]
	if old != nil && old.filter == filter && old.from == t.From.ID {
		return old.tap, nil
	}
	f, err := tap.CompileFilter(filter)
	if err != nil {
		return nil, fmt.Errorf("watching the probe's frames: %w", err)
	}
	g.forgetLocked(key)
	pt := &probeTap{from: t.From.ID, filter: filter, tap: tap.New(tap.Config{
		Filter: f, Points: verdict.AllPoints, Snaplen: 64, Slots: probeTapSlots, Workers: g.engine.Workers(),
	})}
	g.engine.AddTap(pt.tap, []string{t.From.ID, t.To.ID})
	g.taps[key] = pt
	return pt.tap, nil
}

// trail reads what became of the frames of the probe just sent; of several that
// were dropped, one that was rejected counts most.
func (g *GuestProber) trail(pt *tap.Tap, t Target) (seen trail) {
	pt.Read(func(p tap.Packet) {
		id, _ := g.engine.VNICName(p.VNIC)
		switch f := seen.fate.Reason; {
		case p.Verdict == verdict.Reject && f.Verdict() != verdict.Reject,
			p.Verdict == verdict.Lost && f == verdict.Delivered:
			seen.fate = Fate{Reason: p.Reason, Point: p.Point, NetworkInterface: id}
		case id == t.To.ID && p.Point == verdict.GuestRX:
			seen.delivered = true
		case id == t.To.ID && p.Point == verdict.GuestTX:
			seen.answered = true
		case id == t.From.ID && p.Point == verdict.GuestTX:
			seen.sent = true
		}
	})
	return seen
}

// Forget removes the taps on a policy's probes.
func (g *GuestProber) Forget(policy string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for key := range g.taps {
		if key.policy == policy {
			g.forgetLocked(key)
		}
	}
}

func (g *GuestProber) forgetLocked(key probeTapKey) {
	if pt := g.taps[key]; pt != nil {
		g.engine.RemoveTap(pt.tap)
		pt.tap.Release()
		delete(g.taps, key)
	}
}
