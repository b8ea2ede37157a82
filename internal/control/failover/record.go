package failover

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"enilab/internal/control"
	"enilab/internal/guest"
)

// lead is how long before the start of a move its measurement begins.
const lead = int64(time.Second)

// instants are the times of one move, Unix nanoseconds; 0: did not happen.
type instants struct {
	fault     int64 // the instance failed
	firstMiss int64 // the first probe missed
	detected  int64
	fenced    [2]int64 // from when to when the former owner was being fenced
	accepted  int64
	detached  int64
	attached  int64
}

// start is when the move's story begins: the fault, else the first miss, else
// the acceptance of the move.
func (t instants) start() int64 {
	for _, at := range [...]int64{t.fault, t.firstMiss, t.accepted} {
		if at != 0 {
			return at
		}
	}
	return t.attached
}

// phases lays the instants out. Phases that did not happen are left out; in a
// move that the data plane does in one step, attach has no length.
func (t instants) phases(recovered int64) []control.Phase {
	var ps []control.Phase
	add := func(name string, start, end int64) {
		if start != 0 && end != 0 {
			ps = append(ps, control.Phase{Name: name, Start: start, End: max(start, end)})
		}
	}
	if t.detected != 0 {
		add("detect", t.start(), t.detected)
		decide := t.detected
		if t.fenced[1] != 0 {
			add("fence", t.detected, t.fenced[1])
			decide = max(decide, t.fenced[1])
		}
		add("decide", decide, t.accepted)
	}
	add("detach", t.accepted, t.detached)
	add("attach", t.detached, t.attached)
	if recovered != 0 {
		add("recover", t.attached, recovered)
	}
	return ps
}

// earlier reports whether a reply is of the new owner from a time in which it had
// what moved before: of two that take turns, within a measurement's lead.
func (t instants) earlier(s guest.Sample, from, to string) bool {
	return s.Responder == to && from != to && s.RepliedAt < t.accepted
}

// traffic computes what one client saw of a move between two instances.
// samples are its requests from the start's lead on, oldest first.
func traffic(f guest.Flow, samples []guest.Sample, missed uint64, t instants, from, to string, now int64) control.TrafficResult {
	r := control.TrafficResult{
		Client: f.Host, NetworkInterface: f.VNIC, Workload: f.Workload, Kind: f.Kind, Target: f.Target,
	}
	// Who answered decides; a ping's reply does not say, so there the instant of
	// the switch does.
	before := func(s guest.Sample) bool {
		if s.Responder != "" {
			return s.Responder == from || s.Responder != to && s.RepliedAt < t.attached
		}
		return s.RepliedAt < t.attached
	}
	for _, s := range samples {
		if s.RepliedAt == 0 || t.earlier(s, from, to) {
			continue
		}
		if before(s) {
			// Of several in one burst, with one instant, the last.
			if s.RepliedAt >= r.LastReplyAt {
				r.LastReplyAt, r.LastReplyFrom, r.LastReplySeq = s.RepliedAt, s.Responder, s.Seq
			}
		} else if r.FirstReplyAt == 0 || s.RepliedAt < r.FirstReplyAt {
			r.FirstReplyAt, r.FirstReplyFrom, r.FirstReplySeq = s.RepliedAt, s.Responder, s.Seq
		}
	}
	if r.LastReplyAt != 0 && r.FirstReplyAt != 0 {
		r.OutageNanos = max(0, r.FirstReplyAt-r.LastReplyAt)
	}
	end := r.FirstReplyAt
	if end == 0 {
		end = now
	}
	undecided := uint64(0)
	for _, s := range samples {
		if s.SentAt < t.start()-lead || s.SentAt > end {
			continue
		}
		r.Sent++
		switch {
		case s.RepliedAt != 0 && s.RepliedAt-s.SentAt <= int64(guest.ReplyTimeout):
		case s.RepliedAt == 0 && now-s.SentAt <= int64(guest.ReplyTimeout):
			undecided++
		default:
			if r.Lost == 0 {
				r.LostFirst = s.Seq
			}
			r.LostLast = s.Seq
			r.Lost++
		}
	}
	r.Incomplete = incomplete(r, samples, missed, undecided)
	return r
}

// incomplete says why a client's measurement is not whole, or "".
func incomplete(r control.TrafficResult, samples []guest.Sample, missed, undecided uint64) string {
	var why []string
	switch {
	case len(samples) == 0:
		why = append(why, "the client sent no request")
	case r.LastReplyAt == 0:
		why = append(why, "no reply was seen before the move")
	}
	if len(samples) > 0 && r.FirstReplyAt == 0 {
		why = append(why, "no reply was seen after the move")
	}
	if undecided > 0 {
		why = append(why, fmt.Sprintf("%d requests may still be answered", undecided))
	}
	if missed > 0 {
		why = append(why, fmt.Sprintf("the measurement missed %d frames", missed))
	}
	return strings.Join(why, "; ")
}

// connections computes the fate of the TCP connections that were open when
// the move's story began.
func connections(conns []guest.Conn, t instants) control.TCPResult {
	var r control.TCPResult
	start := t.start()
	var again []int64
	for _, c := range conns {
		if c.OpenedAt == 0 {
			continue
		}
		if c.OpenedAt > start {
			if c.OpenedAt > t.detached && c.LastReplyAt > t.attached {
				r.Reconnected++
				again = append(again, c.OpenedAt)
			}
			continue
		}
		ended := func(at int64) bool { return at != 0 && at <= start }
		if ended(c.ResetAt) || ended(c.ClosedAt) {
			continue
		}
		r.Open++
		switch {
		case c.ResetAt != 0:
			r.Reset++
		case c.ClosedAt != 0:
			r.Closed++
		case c.LastReplyAt > t.attached:
			r.Survived++
		}
	}
	slices.Sort(again)
	if need := r.Open - r.Survived; need > 0 && len(again) >= need {
		r.ReconnectedAfter = again[need-1] - start
	}
	return r
}

// tcpDone reports whether every connection that was open has ended or gone on,
// and as many are open again.
func tcpDone(r control.TCPResult) bool {
	return r.Reset+r.Closed+r.Survived >= r.Open && r.Survived+r.Reconnected >= r.Open
}
