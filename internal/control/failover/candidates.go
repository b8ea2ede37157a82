package failover

import (
	"slices"
	"strconv"
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
	UnfitENI    Unfit = "no-interface" // it has none that could receive what moves
	UnfitFull   Unfit = "full"         // its type allows no further interface
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
		return c.Instance + " already owns it"
	case UnfitFault:
		return c.Instance + " has failed (" + c.Detail + ")"
	case UnfitZone:
		return c.Instance + " is in another Availability Zone"
	case UnfitVPC:
		return c.Instance + " is in another VPC"
	case UnfitFull:
		return c.Instance + " has as many interfaces as a " + c.Detail + " takes"
	}
	if c.Unfit == UnfitENI {
		return c.Instance + " has no network interface " + c.Detail
	}
	return c.Instance + " is " + c.Detail
}

// eligible tells why instance i cannot take over what p moves now, and of what
// that speaks. n has it; nil: nobody has.
func eligible(s *control.State, p *control.FailoverPolicy, n *control.NetworkInterface, i *control.Instance) (why Unfit, detail string) {
	switch {
	case i == nil:
		return UnfitAbsent, ""
	case n != nil && n.Attachment != nil && n.Attachment.Instance == i.ID:
		return UnfitOwner, ""
	case i.State != control.InstanceRunning:
		return UnfitState, string(i.State)
	case i.Fault != control.FaultNone:
		return UnfitFault, string(i.Fault)
	}
	switch p.Strategy {
	case control.StrategyENI, "":
		if i.Zone != n.Zone {
			return UnfitZone, ""
		}
		if i.VPC != n.VPC {
			return UnfitVPC, ""
		}
		if !s.Takes(i, n) {
			return UnfitFull, i.Type
		}
	case control.StrategyAddress:
		if s.Receiver(p, i) == nil {
			return UnfitENI, "in subnet " + p.Subnet
		}
	default:
		if n != nil && i.VPC != n.VPC {
			return UnfitVPC, ""
		}
		if s.Receiver(p, i) == nil {
			return UnfitENI, "at device index " + strconv.Itoa(p.DeviceIndex)
		}
	}
	return Fit, ""
}

// candidates returns who could take over what p moves, and n has, in the order in which they are
// asked: the policy's standbys, then whoever has owned it before, the latest
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
		why, detail := eligible(s, p, n, i)
		all = append(all, Candidate{Instance: id, Unfit: why, Detail: detail, Former: former})
	}
	for _, id := range p.Standbys {
		add(id, false)
	}
	for _, f := range s.Failovers() {
		if concerns(p, f) {
			add(f.To, true)
			add(f.From, true)
		}
	}
	if home := s.NetworkInterface(p.NetworkInterface); p.Strategy != control.StrategyENI && home != nil && home.Attachment != nil {
		add(home.Attachment.Instance, true) // it had it when the policy was made
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

// witness returns who probes to: the policy's own prober, or, when that
// cannot tell, the primary ENI of the first candidate whose instance runs. An
// instance is no witness of itself: its stack answers without a frame, so
// that to's owner never probes it. ok is false if nobody can tell, and why is
// why the policy's own cannot.
func witness(s *control.State, p *control.FailoverPolicy, all []Candidate, to *control.NetworkInterface) (src Source, why string, ok bool) {
	if h := s.InternetHost(p.Probe.From); h != nil {
		switch src = (Source{ID: h.ID, Host: h.ID, Addr: h.Address, Internet: true}); {
		case h.Fault != control.FaultNone:
			why = "the probing internet host " + h.ID + " has failed (" + string(h.Fault) + ")"
		case !probed(s, p, src, to).IsValid():
			why = "network interface " + to.ID + " has no public address at which the internet host " + h.ID + " could probe it"
		default:
			return src, "", true
		}
		return stead(s, all, to, why)
	}

	owner := ""
	if to.Attachment != nil {
		owner = to.Attachment.Instance
	}
	from := s.NetworkInterface(p.Probe.From)
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
		return Source{ID: from.ID, Host: from.Attachment.Instance, Addr: from.PrimaryAddress()}, "", true
	}
	return stead(s, all, to, why)
}

// stead returns the first candidate's primary ENI that can probe to in place of
// the policy's own prober, which cannot for the reason why.
func stead(s *control.State, all []Candidate, to *control.NetworkInterface, why string) (Source, string, bool) {
	owner := ""
	if to.Attachment != nil {
		owner = to.Attachment.Instance
	}
	for _, c := range all {
		i := s.Instance(c.Instance)
		if c.Instance == owner || !works(i) || i.VPC != to.VPC {
			continue
		}
		for _, n := range s.InterfacesOf(i.ID) {
			if n.Attachment != nil && n.Attachment.Primary() {
				return Source{ID: n.ID, Host: i.ID, Addr: n.PrimaryAddress()}, "", true
			}
		}
	}
	return Source{}, why, false
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
		if !concerns(p, f) || f.State == control.FailoverRunning || f.Control.AttachedAt == 0 {
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
