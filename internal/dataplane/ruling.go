package dataplane

import "enilab/internal/dataplane/verdict"

// next is where a frame goes from a step.
type next uint8

const (
	// goesOn: to the step that follows.
	goesOn next = iota
	// ends: no further.
	ends
	// answered: back to its sender, as the network's answer.
	answered
	// taken: to one of the network's own services.
	taken
)

// ruling is what a step says of a frame. What the worker does with the frame is
// said by next alone, and never read out of the reason. The zero ruling lets the
// frame go on.
type ruling struct {
	next next
	step verdict.Step
	why  verdict.Reason // Delivered of a frame that goes on
	// rule decided: it ended the frame, or let it on.
	rule verdict.RuleID
}

// allowed lets a frame go on by a rule.
func allowed(rule verdict.RuleID) ruling { return ruling{rule: rule} }

// ended ends a frame at a step, for a reason. Delivered lets it go on.
func ended(at verdict.Step, why verdict.Reason) ruling {
	return endedBy(at, why, verdict.RuleNone)
}

// endedBy is ended, with the rule that decided it, or that had let the frame on
// before.
func endedBy(at verdict.Step, why verdict.Reason, rule verdict.RuleID) ruling {
	if why == verdict.Delivered {
		return allowed(rule)
	}
	return ruling{next: ends, step: at, why: why, rule: rule}
}
