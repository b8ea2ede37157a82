package failover

import (
	"slices"
	"strings"

	"enilab/internal/control"
)

// Unfit says why an instance cannot take over an ENI.
type Unfit string

// Reasons for which an instance cannot take over; Fit is none.
const (
	Fit         Unfit = ""
	UnfitAbsent Unfit = "absent"     // it does not exist any more
	UnfitOwner  Unfit = "owner"      // it has the ENI
	UnfitState  Unfit = "state"      // it does not run
	UnfitFault  Unfit = "fault"      // it has failed
	UnfitZone   Unfit = "other-zone" // it is in another Availability Zone
	UnfitVPC    Unfit = "other-vpc"
)

// Candidate is an instance that could take over, and what keeps it from that.
type Candidate struct {
	Instance string
	Unfit    Unfit
	Detail   string // the state or the fault that Unfit speaks of
	Former   bool   // no standby of the policy, but an owner before
}

func (c Candidate) String() string {
	switch c.Unfit {
	case Fit:
		return c.Instance + " can take over"
	case UnfitAbsent:
		return c.Instance + " does not exist"
	case UnfitOwner:
		return c.Instance + " already owns the interface"
	case UnfitFault:
		return c.Instance + " has failed (" + c.Detail + ")"
	case UnfitZone:
		return c.Instance + " is in another Availability Zone"
	case UnfitVPC:
		return c.Instance + " is in another VPC"
	}
	return c.Instance + " is " + c.Detail
}

// eligible tells why instance i cannot take over n now, and of what that speaks.
func eligible(s *control.State, n *control.NetworkInterface, i *control.Instance) (why Unfit, detail string) {
	switch {
	case i == nil:
		return UnfitAbsent, ""
	case n.Attachment != nil && n.Attachment.Instance == i.ID:
		return UnfitOwner, ""
	case i.State != control.InstanceRunning:
		return UnfitState, string(i.State)
	case i.Fault != control.FaultNone:
		return UnfitFault, string(i.Fault)
	case i.Zone != n.Zone:
		return UnfitZone, ""
	case i.VPC != n.VPC:
		return UnfitVPC, ""
	}
	return Fit, ""
}

// candidates returns who could take over n in the order in which they are
// asked: the policy's standbys, then whoever has owned n before, the latest
// first. A failed owner that has recovered is thereby a standby, without which
// a pair of instances could fail over only once.
func candidates(s *control.State, p *control.FailoverPolicy, n *control.NetworkInterface) []Candidate {
	var all []Candidate
	add := func(id string, former bool) {
		if id == "" || slices.ContainsFunc(all, func(c Candidate) bool { return c.Instance == id }) {
			return
		}
		i := s.Instance(id)
		if former && (i == nil || i.State == control.InstanceTerminated || i.State == control.InstanceShuttingDown) {
			return // it never comes back
		}
		why, detail := eligible(s, n, i)
		all = append(all, Candidate{Instance: id, Unfit: why, Detail: detail, Former: former})
	}
	for _, id := range p.Standbys {
		add(id, false)
	}
	for _, f := range s.Failovers() {
		if f.NetworkInterface == n.ID && f.Moved.Kind == control.MovedInterface {
			add(f.To, true)
			add(f.From, true)
		}
	}
	return all
}

// choose returns the first of the candidates that can take over, or nil and
// why each cannot.
func choose(s *control.State, all []Candidate) (*control.Instance, string) {
	var why []string
	for _, c := range all {
		if c.Unfit == Fit {
			return s.Instance(c.Instance), ""
		}
		why = append(why, c.String())
	}
	return nil, strings.Join(why, "; ")
}

// witness returns the ENI that probes to: the policy's own, or, when that
// cannot tell, the primary ENI of the first candidate whose instance runs. An
// instance is no witness of itself: its stack answers without a frame, so
// that to's owner never probes it. nil: nobody can tell, and why the
// policy's own cannot.
func witness(s *control.State, p *control.FailoverPolicy, all []Candidate, to *control.NetworkInterface) (from *control.NetworkInterface, why string) {
	owner := ""
	if to.Attachment != nil {
		owner = to.Attachment.Instance
	}
	from = s.NetworkInterface(p.Probe.From)
	switch {
	case from == nil:
		why = "the probing interface " + p.Probe.From + " does not exist"
	case from.Attachment == nil:
		why = "the probing interface is attached to no instance"
	case from.Attachment.Instance == owner:
		why = "the probing instance " + owner + " has the probed interface itself"
	case !works(s.Instance(from.Attachment.Instance)):
		why = "the probing instance " + from.Attachment.Instance + " does not run"
	default:
		return from, ""
	}
	for _, c := range all {
		i := s.Instance(c.Instance)
		if c.Instance == owner || !works(i) || i.VPC != to.VPC {
			continue
		}
		for _, n := range s.InterfacesOf(i.ID) {
			if n.Attachment != nil && n.Attachment.Primary() {
				return n, ""
			}
		}
	}
	return nil, why
}

// works reports whether an instance runs and no fault is injected in it.
func works(i *control.Instance) bool {
	return i != nil && i.State == control.InstanceRunning && i.Fault == control.FaultNone
}

// home returns the instance to which a policy's ENI would fail back: the owner
// before the newest failover that is still in force, or nil. It is read from
// the records, so that a restart does not forget it.
func home(s *control.State, p *control.FailoverPolicy, n *control.NetworkInterface) *control.Instance {
	if n.Attachment == nil {
		return nil
	}
	owner, back := n.Attachment.Instance, ""
	for _, f := range s.Failovers() {
		if f.NetworkInterface != n.ID || f.Moved.Kind != control.MovedInterface || f.State == control.FailoverRunning || f.Control.AttachedAt == 0 {
			continue
		}
		if f.Kind != control.KindFailover || f.Policy != p.ID || f.To != owner {
			break // a person or a fail-back decided since
		}
		owner, back = f.From, f.From
	}
	if back == "" || back == n.Attachment.Instance {
		return nil
	}
	return s.Instance(back)
}

// deserted reports whether an unattached ENI lost its owner to a failure
// rather than to somebody's decision: the last owner no longer runs.
func deserted(s *control.State, lastOwner string) bool {
	if lastOwner == "" {
		return false
	}
	return !works(s.Instance(lastOwner))
}

// brokenAt returns when instance id failed as far as the control plane knows
// (an injected fault or a stop), in Unix nanoseconds, or 0.
func brokenAt(s *control.State, id string) int64 {
	i := s.Instance(id)
	switch {
	case i == nil:
		return 0
	case i.Fault != control.FaultNone:
		return i.FaultAt.UnixNano()
	case i.State == control.InstanceRunning || i.State == control.InstancePending:
		return 0
	}
	return i.StateAt.UnixNano()
}
