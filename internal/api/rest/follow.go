package rest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
)

const (
	// guestPatience is how long a guest has to send on what it has got: stacks take
	// well under a millisecond, a first question for the router's MAC a few.
	guestPatience = time.Second
	// maxGuests that send one frame on, one after the other.
	maxGuests = 8
)

var passNames = map[dataplane.Pass]string{
	dataplane.Forwarded: "forwarded", dataplane.Translated: "translated", dataplane.AnsweredICMP: "icmp-error",
}

// put sends a frame as the guest of an interface. It returns what is shown of it,
// and the trace with which it ended: the frame's own, or with follow that of what
// the last guest on the way has sent on.
func (s *Server) put(ctx context.Context, id string, raw []byte, follow bool) (Injection, dataplane.Trace, error) {
	if !follow {
		trace, err := s.opt.Engine.Inject(ctx, id, raw)
		if err != nil {
			return Injection{}, trace, err
		}
		return injectionView(trace, raw), trace, nil
	}
	pursuit, trace, err := s.opt.Engine.Follow(ctx, id, raw)
	if err != nil {
		return Injection{}, trace, err
	}
	defer pursuit.Close()
	out := injectionView(trace, raw)
	for {
		switch {
		case trace.Passed == dataplane.AnsweredICMP:
			out.Ended = "answered"
		case trace.Arrived == nil:
			out.Ended = "undelivered"
		case !pursuit.Expects():
			out.Ended = "arrived"
		case len(out.Followed) == maxGuests:
			out.Ended = "bound"
		}
		if out.Ended != "" {
			return out, trace, nil
		}
		enough, cancel := context.WithTimeout(ctx, guestPatience)
		next, passed, err := pursuit.Next(ctx, enough.Done())
		cancel()
		if err != nil {
			return out, trace, err
		}
		if !passed {
			out.Ended = "silent"
			if s.addressee(trace) {
				out.Ended = "arrived"
			}
			return out, trace, ctx.Err()
		}
		trace = next
		out.Followed = append(out.Followed, injectionView(next, next.Sent))
	}
}

// addressee reports whether whoever has got a frame is whom it is for, and need not
// have sent it on.
func (s *Server) addressee(t dataplane.Trace) bool {
	var v frame.View
	v.Parse(t.Arrived)
	n := s.state().NetworkInterface(t.Hops[len(t.Hops)-1].VNIC)
	return n != nil && slices.ContainsFunc(n.Addresses, func(a control.PrivateAddress) bool { return a.Addr == v.DstIP.Addr() })
}

// identify gives an IPv4 frame without an identification one, by which it is told
// from others of the same content.
func identify(b []byte) {
	var v frame.View
	const idAt, sumAt = 4, 10
	if v.Parse(b) != frame.KindIPv4 || v.IPID != 0 {
		return
	}
	var id [2]byte
	for id == [2]byte{} {
		_, _ = rand.Read(id[:]) // never fails
	}
	h := b[v.L3:v.L4]
	copy(h[idAt:], id[:])
	h[sumAt], h[sumAt+1] = 0, 0
	binary.BigEndian.PutUint16(h[sumAt:], frame.Checksum(h))
}
