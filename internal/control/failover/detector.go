package failover

import "enilab/internal/control"

// detector counts consecutive misses. The zero detector has seen nothing.
type detector struct {
	misses    int
	firstMiss int64 // when the first of the misses was known
}

// observe takes one outcome and reports whether the probed instance has
// failed, given how many misses in a row mean that. A blocked probe, or one
// that could not be sent, says nothing of the instance: it neither counts nor
// forgives.
func (d *detector) observe(o Outcome, need int) (failed bool) {
	switch o.Result {
	case Answered:
		*d = detector{}
	case Missed:
		if d.misses == 0 {
			d.firstMiss = o.At
		}
		d.misses++
	}
	return d.misses >= need
}

// eligible tells why instance i cannot take over n now, "" if it can.
func eligible(s *control.State, n *control.NetworkInterface, i *control.Instance) string {
	switch {
	case i == nil:
		return "does not exist"
	case n.Attachment != nil && n.Attachment.Instance == i.ID:
		return "already owns the interface"
	case i.State != control.InstanceRunning:
		return "is " + string(i.State)
	case i.Fault != control.FaultNone:
		return "has failed (" + string(i.Fault) + ")"
	case i.Zone != n.Zone:
		return "is in another Availability Zone"
	case i.VPC != n.VPC:
		return "is in another VPC"
	}
	return ""
}

// choose returns the first standby of p that can take over n, or nil and why
// each cannot.
func choose(s *control.State, p *control.FailoverPolicy, n *control.NetworkInterface) (*control.Instance, string) {
	why := ""
	for _, id := range p.Standbys {
		i := s.Instance(id)
		reason := eligible(s, n, i)
		if reason == "" {
			return i, ""
		}
		if why != "" {
			why += "; "
		}
		why += id + " " + reason
	}
	return nil, why
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
		if f.NetworkInterface != n.ID || f.State == control.FailoverRunning || f.Control.AttachedAt == 0 {
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
	i := s.Instance(lastOwner)
	return i == nil || i.State != control.InstanceRunning || i.Fault != control.FaultNone
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
