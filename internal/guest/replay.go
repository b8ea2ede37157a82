package guest

import (
	"context"
	"fmt"
	"io"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// Injector sends a frame from a VNIC and tells its fate: the engine, or a
// driver that owns its time.
type Injector interface {
	Inject(ctx context.Context, vnic string, b []byte) (dataplane.Trace, error)
}

var _ Injector = (*dataplane.Engine)(nil)

// Replayed is one frame of a capture file that has been sent.
type Replayed struct {
	Index int   // of the frame in the file, from 0
	At    int64 // its time in the file, Unix nanoseconds
	VNIC  string
	Frame []byte // valid during the call
	Trace dataplane.Trace
}

// ReplayOptions say how a capture file is replayed.
type ReplayOptions struct {
	// Speed 1 keeps the gaps of the file, 2 halves them; 0 leaves none.
	Speed float64
	// Each is called for every frame sent; its error ends the replay.
	Each func(Replayed) error
	// Wait pauses between frames; nil waits in real time.
	Wait func(ctx context.Context, d time.Duration) error
}

// ReplayStats tells what became of the frames of a file.
type ReplayStats struct {
	Sent      int
	Foreign   int // no VNIC has the source MAC
	Truncated int // the file holds less than the whole frame
	Verdicts  map[verdict.Reason]int
}

// Replay reads a capture file (pcap or pcapng) and sends each frame, in the
// order of the file, from the VNIC that vnicOf names for its source MAC (""
// for none). Every frame has met its fate before the next is sent, so that
// the verdicts of a file depend on nothing but the file and the configuration.
func Replay(ctx context.Context, in Injector, vnicOf func(src frame.MAC) string, r io.Reader, opt ReplayOptions) (ReplayStats, error) {
	p := replay{ctx: ctx, in: in, vnicOf: vnicOf, opt: opt, stats: ReplayStats{Verdicts: map[verdict.Reason]int{}}}
	if p.opt.Wait == nil {
		p.opt.Wait = func(ctx context.Context, d time.Duration) error {
			pause(ctx, d)
			return ctx.Err()
		}
	}
	if opt.Speed < 0 {
		return p.stats, fmt.Errorf("replaying: speed %g is negative", opt.Speed)
	}
	if err := tap.ReadFile(r, p.frame); err != nil {
		return p.stats, fmt.Errorf("replaying frame %d: %w", p.index, err)
	}
	return p.stats, nil
}

type replay struct {
	ctx    context.Context
	in     Injector
	vnicOf func(frame.MAC) string
	opt    ReplayOptions
	stats  ReplayStats
	index  int
	last   int64 // time of the frame before, 0: none
}

// frame handles one frame of the file.
func (p *replay) frame(at int64, length int, b []byte) error {
	defer func() { p.index++ }()
	if err := p.ctx.Err(); err != nil {
		return err
	}
	switch {
	case len(b) < length:
		p.stats.Truncated++
		return nil
	case len(b) < frame.EthernetLen:
		p.stats.Foreign++
		return nil
	}
	vnic := p.vnicOf(frame.MACAt(b[6:]))
	if vnic == "" {
		p.stats.Foreign++
		return nil
	}
	if d := at - p.last; p.last != 0 && d > 0 && p.opt.Speed > 0 {
		if err := p.opt.Wait(p.ctx, time.Duration(float64(d)/p.opt.Speed)); err != nil {
			return err
		}
	}
	p.last = at
	t, err := p.in.Inject(p.ctx, vnic, b)
	if err != nil {
		return err
	}
	p.stats.Sent++
	p.stats.Verdicts[t.Reason]++
	if p.opt.Each == nil {
		return nil
	}
	return p.opt.Each(Replayed{Index: p.index, At: at, VNIC: vnic, Frame: b, Trace: t})
}
