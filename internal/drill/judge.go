package drill

import (
	"fmt"
	"strings"
	"time"
)

// Result is how one assertion came out in one run.
type Result struct {
	Verdict Verdict `json:"verdict"`
	Value   string  `json:"value,omitempty"`  // what was measured
	Reason  string  `json:"reason,omitempty"` // why it is not held
}

// tolerated is how late a clock may be without a word: less than any limit that
// is worth asserting in real time.
const tolerated = int64(25 * time.Millisecond)

// Judge judges an assertion on one run. Those over runs have no verdict on one
// and are held here; see Tally.
func (a Assertion) Judge(r *Run) Result {
	if r.Broken != "" {
		return inconclusive("the run was broken off: " + r.Broken)
	}
	switch {
	case a.Outage != nil:
		return judgeTimes(measure(MetricOutage, a.Outage.Selector, r), a.Outage.Min, a.Outage.Max, r.LateNanos)
	case a.Lost != nil:
		return judgeAll(measure(MetricLost, a.Lost.Selector, r), bounds{min: number(a.Lost.Min), max: number(a.Lost.Max), metric: MetricLost})
	case a.Answered != nil:
		return a.Answered.judge(r)
	case a.Detected != nil:
		limit := Limit(a.Detected.Within)
		return judgeTimes(measure(MetricDetected, Selector{NetworkInterface: a.Detected.NetworkInterface}, r), nil, &limit, r.LateNanos)
	case a.Phase != nil:
		return judgeTimes(a.Phase.measure(r), a.Phase.Min, a.Phase.Max, r.LateNanos)
	case a.Connections != nil:
		return a.Connections.judge(r)
	case a.AnsweredByTwo != nil:
		// Both replies are frames of one capture: no machine is too slow for that.
		return judgeTimes(measure(MetricAnsweredByTwo, Selector{NetworkInterface: a.AnsweredByTwo.NetworkInterface}, r), nil, a.AnsweredByTwo.Max, 0)
	case a.Unchanged != nil:
		return judgeUnchanged(a.Unchanged, r)
	case a.Moves != nil:
		return a.Moves.judge(r)
	case a.Dropped != nil:
		n := measured{value: int64(r.Dropped[a.Dropped.Reason]), where: "the whole run"}
		return judgeAll([]measured{n}, bounds{min: number(a.Dropped.Min), max: number(a.Dropped.Max), metric: MetricLost})
	case a.Invariants != nil:
		return a.Invariants.judge(r)
	}
	return Result{Verdict: Held}
}

func inconclusive(why string) Result { return Result{Verdict: Inconclusive, Reason: why} }

func number(n *uint64) *int64 {
	if n == nil {
		return nil
	}
	v := int64(min(*n, 1<<62))
	return &v
}

// bounds are what a value is held to. late is by how much it can be wrong.
type bounds struct {
	min, max *int64
	metric   Metric
	late     int64
}

func judgeTimes(all []measured, min, max *Limit, late int64) Result {
	if late <= tolerated {
		late = 0
	}
	return judgeAll(all, bounds{min: (*int64)(min), max: (*int64)(max), metric: MetricOutage, late: late})
}

// judgeAll holds every value to the bounds: one that is beyond them fails all,
// and one of which that cannot be said leaves all inconclusive.
func judgeAll(all []measured, b bounds) Result {
	if len(all) == 0 {
		return inconclusive("there is no record of a move in which it was measured")
	}
	out := Result{Verdict: Held}
	for _, m := range all {
		v, why := b.judge(m)
		if v != out.Verdict && out.Verdict.Worse(v) == v {
			out.Verdict, out.Reason = v, why
		}
	}
	w := worst(all)
	switch w.sure {
	case exact:
		out.Value = b.metric.Format(w.value)
	case atLeast:
		out.Value = "at least " + b.metric.Format(w.value)
	}
	return out
}

func (b bounds) judge(m measured) (Verdict, string) {
	say := func(relation string, bound int64) string {
		return fmt.Sprintf("%s of %s is %s %s", b.metric.Format(m.value), m.where, relation, b.metric.Format(bound))
	}
	slow := func(bound int64) string {
		return fmt.Sprintf("the machine was late by up to %s, too much to tell %s of %s from the bound of %s",
			FormatTime(b.late), b.metric.Format(m.value), m.where, b.metric.Format(bound))
	}
	if m.sure == unknown {
		return Inconclusive, m.where + ": " + m.why
	}
	if b.max != nil {
		switch {
		case m.value-b.late > *b.max:
			return Failed, say("more than", *b.max)
		case m.sure == atLeast:
			return Inconclusive, fmt.Sprintf("%s: %s within %s", m.where, m.why, b.metric.Format(m.value))
		case m.value+b.late > *b.max:
			return Inconclusive, slow(*b.max)
		}
	}
	if b.min != nil {
		switch {
		case m.value-b.late >= *b.min:
		case m.sure == atLeast:
			return Inconclusive, fmt.Sprintf("%s: %s within %s", m.where, m.why, b.metric.Format(m.value))
		case m.value+b.late < *b.min:
			return Failed, say("less than", *b.min)
		default:
			return Inconclusive, slow(*b.min)
		}
	}
	return Held, ""
}

func (p *Phase) measure(r *Run) (out []measured) {
	for _, mv := range r.Moves {
		if !(Selector{NetworkInterface: p.NetworkInterface}).move(mv) {
			continue
		}
		m := measured{sure: unknown, why: "it has no phase " + p.Name, where: "the move to " + mv.To}
		for _, s := range mv.Phases {
			if s.Name == p.Name {
				m.sure, m.value = exact, s.End-s.Start
			}
		}
		out = append(out, m)
	}
	return out
}

func (a *Answered) judge(r *Run) Result {
	out := Result{Verdict: Inconclusive, Reason: "no such client was measured"}
	for _, f := range r.Flows {
		if !(Selector{Client: a.Client, Workload: a.Workload}).client(f.Client, f.Workload) {
			continue
		}
		one := a.judgeFlow(f)
		if out.Value == "" || one.Verdict != out.Verdict && out.Verdict.Worse(one.Verdict) == one.Verdict {
			out = one
		}
	}
	return out
}

func (a *Answered) judgeFlow(f Flow) Result {
	value := fmt.Sprintf("%d of %d", f.Received, f.Sent)
	who := f.Client + " " + f.Workload
	out := Result{Verdict: Held, Value: value}
	switch {
	case f.Sent == 0:
		out.Verdict, out.Reason = Inconclusive, who+" sent nothing"
	case f.Missed > 0:
		out.Verdict, out.Reason = Inconclusive, fmt.Sprintf("the measurement of %s missed %d frames", who, f.Missed)
	case f.Received < a.Min:
		out.Verdict, out.Reason = Failed, fmt.Sprintf("%s: %d answers, fewer than %d", who, f.Received, a.Min)
	case a.Max != nil && f.Received > *a.Max:
		out.Verdict, out.Reason = Failed, fmt.Sprintf("%s: %d answers, more than %d", who, f.Received, *a.Max)
	// What is under way at the end is neither answered nor lost.
	case a.Share != nil && f.Received+f.Lost == 0:
		out.Verdict, out.Reason = Inconclusive, "nothing is decided yet of what "+who+" sent"
	case a.Share != nil && 100*float64(f.Received) < *a.Share*float64(f.Received+f.Lost):
		out.Verdict, out.Reason = Failed, fmt.Sprintf("%s: %d lost of %d, more than the share allows", who, f.Lost, f.Received+f.Lost)
	}
	return out
}

func (c *Connections) judge(r *Run) Result {
	sel := Selector{NetworkInterface: c.NetworkInterface}
	open, found := TCP{}, false
	for _, mv := range r.Moves {
		if sel.move(mv) && mv.TCP.Open > 0 {
			found = true
			open.Open += mv.TCP.Open
			open.Reset += mv.TCP.Reset
			open.Survived += mv.TCP.Survived
		}
	}
	if !found {
		return inconclusive("no connection was open when something moved")
	}
	out := Result{Verdict: Held, Value: fmt.Sprintf("%d open, %d reset, %d survived", open.Open, open.Reset, open.Survived)}
	hold := func(want, what string, n int) {
		if want == "all" && n != open.Open || want == "none" && n != 0 {
			out.Verdict = Failed
			out.Reason = strings.TrimPrefix(out.Reason+"; "+fmt.Sprintf("%d of %d %s, want %s", n, open.Open, what, want), "; ")
		}
	}
	hold(c.Reset, "were reset", open.Reset)
	hold(c.Survived, "survived", open.Survived)
	if c.ReconnectedWithin == 0 || out.Verdict == Failed {
		return out
	}
	var again []measured
	for _, m := range measure(MetricReconnected, sel, r) {
		if m.sure != unknown { // a move without open connections says nothing
			again = append(again, m)
		}
	}
	limit := Limit(c.ReconnectedWithin)
	in := judgeTimes(again, nil, &limit, r.LateNanos)
	out.Verdict, out.Reason = in.Verdict, in.Reason
	out.Value += ", connected again after " + in.Value
	return out
}

func judgeUnchanged(names []string, r *Run) Result {
	if len(r.Moves) == 0 {
		return inconclusive("there is no record of a move")
	}
	out := Result{Verdict: Held, Value: strings.Join(names, ", ")}
	worse := func(v Verdict, why string) {
		if v != out.Verdict && out.Verdict.Worse(v) == v {
			out.Verdict, out.Reason = v, why
		}
	}
	for _, mv := range r.Moves {
		for _, name := range names {
			found := false
			for _, c := range mv.Checks {
				if c.Name != name {
					continue
				}
				found = true
				switch c.Result {
				case "same":
				case "changed":
					worse(Failed, fmt.Sprintf("%s is %s, was %s", name, c.After, c.Before))
				default:
					worse(Inconclusive, name+" was not exercised by any client")
				}
			}
			if !found {
				worse(Inconclusive, fmt.Sprintf("the move to %s does not compare %s", mv.To, name))
			}
		}
	}
	return out
}

func (m *Moves) judge(r *Run) Result {
	n := 0
	for _, mv := range r.Moves {
		if (Selector{NetworkInterface: m.NetworkInterface, Kind: m.Kind, Moved: m.Moved}).move(mv) &&
			(m.State == "" || m.State == mv.State) && (m.From == "" || m.From == mv.From) && (m.To == "" || m.To == mv.To) {
			n++
		}
	}
	out := Result{Verdict: Held, Value: fmt.Sprint(n)}
	switch {
	case m.Min != nil && n < *m.Min:
		out.Verdict, out.Reason = Failed, fmt.Sprintf("%d such records, fewer than %d", n, *m.Min)
	case m.Max != nil && n > *m.Max:
		out.Verdict, out.Reason = Failed, fmt.Sprintf("%d such records, more than %d", n, *m.Max)
	}
	return out
}

func (v Invariants) judge(r *Run) Result {
	out := Result{Verdict: Held}
	for _, name := range v {
		found := false
		for _, i := range r.Invariants {
			if i.Name != name {
				continue
			}
			found = true
			if i.Broken != "" {
				return Result{Verdict: Failed, Value: name, Reason: i.Broken}
			}
		}
		if !found {
			out = inconclusive(name + " was not looked at")
		}
	}
	return out
}

// JudgeSteps judges the steps themselves: one that could not be carried out, or
// whose conditions did not come true, is a failure.
func JudgeSteps(r *Run) Result {
	out := Result{Verdict: Held, Value: fmt.Sprintf("%d done", len(r.Steps))}
	for _, s := range r.Steps {
		if s.Error != "" {
			return Result{Verdict: Failed, Reason: s.Error}
		}
	}
	if r.Broken != "" {
		return inconclusive(r.Broken)
	}
	return out
}

// JudgeHypothesis judges the steady state. If it did not hold before the first
// step nothing was learnt of the steps; if it does not hold after the last, what
// they did was not mended.
func JudgeHypothesis(r *Run) Result {
	switch {
	case r.Before == nil:
		return Result{Verdict: Held}
	case !r.Before.Held:
		return inconclusive("it did not hold before the first step: " + r.Before.Saw)
	case r.After == nil:
		return inconclusive("the run did not get to its end")
	case !r.After.Held:
		return Result{Verdict: Failed, Reason: "it does not hold after the last step: " + r.After.Saw}
	}
	return Result{Verdict: Held, Value: "before and after"}
}
