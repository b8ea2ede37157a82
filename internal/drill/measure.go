package drill

import (
	"fmt"
	"slices"
)

// certainty is what is known of a value.
type certainty uint8

const (
	exact certainty = iota
	atLeast
	unknown
)

// measured is one value of a run, and where it comes from.
type measured struct {
	value int64
	sure  certainty
	why   string // that it is not exact
	where string
}

func (s Selector) move(m Move) bool {
	return (s.NetworkInterface == "" || s.NetworkInterface == m.NetworkInterface || s.NetworkInterface == m.Policy) &&
		(s.Kind == "" || s.Kind == m.Kind) && (s.Moved == "" || s.Moved == m.Moved)
}

func (s Selector) client(client, workload string) bool {
	return (s.Client == "" || s.Client == client) && (s.Workload == "" || s.Workload == workload)
}

// measure takes every value of a metric that a selector picks in a run.
func measure(m Metric, s Selector, r *Run) (out []measured) {
	for _, mv := range r.Moves {
		if !s.move(mv) {
			continue
		}
		switch m {
		case MetricOutage:
			out = append(out, perClient(s, mv, outageOf)...)
		case MetricLost:
			out = append(out, perClient(s, mv, lostOf)...)
		case MetricDetected:
			if mv.Kind == "failover" {
				out = append(out, detectedOf(mv))
			}
		case MetricReconnected:
			out = append(out, reconnectedOf(mv))
		case MetricAnsweredByTwo:
			out = append(out, answeredByTwo(mv)...)
		}
	}
	return out
}

func perClient(s Selector, mv Move, one func(Move, Traffic) measured) (out []measured) {
	for _, t := range mv.Traffic {
		if s.client(t.Client, t.Workload) {
			m := one(mv, t)
			m.where = t.Client + " " + t.Workload
			out = append(out, m)
		}
	}
	return out
}

// outageOf is the time from the last reply before the move to the first after it.
func outageOf(mv Move, t Traffic) measured {
	switch {
	case t.LastReplyAt == 0:
		return measured{sure: unknown, why: "no reply was seen before the fault"}
	case t.FirstReplyAt == 0:
		return measured{value: max(0, mv.EndedAt-t.LastReplyAt), sure: atLeast, why: "no reply was seen after it"}
	case t.Incomplete != "":
		return measured{sure: unknown, why: t.Incomplete}
	}
	return measured{value: t.OutageNanos}
}

func lostOf(_ Move, t Traffic) measured {
	switch {
	case t.LastReplyAt == 0:
		return measured{sure: unknown, why: "no reply was seen before the fault"}
	case t.FirstReplyAt == 0:
		return measured{value: int64(t.Lost), sure: atLeast, why: "no reply was seen after it"}
	case t.Incomplete != "":
		return measured{sure: unknown, why: t.Incomplete}
	}
	return measured{value: int64(t.Lost)}
}

func detectedOf(mv Move) measured {
	where := "the move to " + mv.To
	if mv.FaultAt == 0 {
		return measured{sure: unknown, why: "no fault is known that it could be counted from", where: where}
	}
	if mv.DetectedAt == 0 {
		return measured{sure: unknown, why: "no probe detected it", where: where}
	}
	return measured{value: max(0, mv.DetectedAt-mv.FaultAt), where: where}
}

func reconnectedOf(mv Move) measured {
	where := "the move to " + mv.To
	need := mv.TCP.Open - mv.TCP.Survived
	switch {
	case mv.TCP.Open == 0:
		return measured{sure: unknown, why: "no connection was open", where: where}
	case need == 0:
		return measured{where: where}
	case mv.TCP.Reconnected < need:
		return measured{value: max(0, mv.EndedAt-mv.StartedAt), sure: atLeast,
			why: fmt.Sprintf("%d of %d came back", mv.TCP.Reconnected, need), where: where}
	}
	return measured{value: mv.TCP.ReconnectedAfterNanos, where: where}
}

// answeredByTwo is, for each address that was asked, the time from the first
// reply by the new owner to the last by the former one, whichever clients they
// went to: those with a stale neighbour cache may still reach the former.
func answeredByTwo(mv Move) (out []measured) {
	type replies struct{ lastOld, firstNew int64 }
	by := map[string]*replies{}
	var targets []string
	for _, t := range mv.Traffic {
		r := by[t.Target]
		if r == nil {
			r = &replies{}
			by[t.Target] = r
			targets = append(targets, t.Target)
		}
		if t.LastReplyFrom != "" && t.LastReplyFrom == mv.From {
			r.lastOld = max(r.lastOld, t.LastReplyAt)
		}
		if t.FirstReplyFrom != "" && t.FirstReplyFrom == mv.To && (r.firstNew == 0 || t.FirstReplyAt < r.firstNew) {
			r.firstNew = t.FirstReplyAt
		}
	}
	slices.Sort(targets)
	for _, target := range targets {
		r := by[target]
		if r.lastOld == 0 || r.firstNew == 0 {
			out = append(out, measured{sure: unknown, where: target,
				why: "no replies were seen that name both the former and the new owner"})
			continue
		}
		out = append(out, measured{value: max(0, r.lastOld-r.firstNew), where: target})
	}
	return out
}

// worst is the one value of a run that statistics take: the greatest, which is
// no less than what is known to be at least; unknown if one of them is.
func worst(all []measured) measured {
	if len(all) == 0 {
		return measured{sure: unknown, why: "nothing was measured"}
	}
	w := all[0]
	for _, m := range all[1:] {
		switch {
		case m.sure == unknown || w.sure == unknown:
			if w.sure != unknown {
				w = m
			}
		case m.value > w.value || m.value == w.value && m.sure == atLeast:
			w = m
		}
	}
	return w
}

// Value is a metric's value of one run for charts and tables.
type Value struct {
	Nanos   int64 `json:"value"` // or a count
	AtLeast bool  `json:"atLeast,omitempty"`
}

// Values takes all metrics of a run that are known.
func Values(r *Run) map[Metric]Value {
	out := map[Metric]Value{}
	for _, m := range Metrics {
		if w := worst(measure(m, Selector{}, r)); w.sure != unknown {
			out[m] = Value{w.value, w.sure == atLeast}
		}
	}
	return out
}
