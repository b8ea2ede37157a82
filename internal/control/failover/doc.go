// Package failover moves an ENI, an address, an Elastic IP or routes when an
// instance fails, and measures every move. A policy's probe decides that an
// instance has failed; the controller then makes the calls of control.Service
// like anybody else. What clients saw is
// computed from the samples that guests take of frames at their vNICs, so that
// a capture of the same vNIC shows the same instants.
//
// Decisions and records are pure functions of data (detector, choose, actions, record);
// the goroutines around them only wait and call.
package failover

import (
	"context"
	"net/netip"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/guest"
)

// Service is what the controller needs of the control plane.
type Service interface {
	State() *control.State
	Watch(buffer int) (<-chan control.Notice, func())
	Move(ctx context.Context, in control.MoveInput) (control.MoveResult, error)
	AssignAddresses(ctx context.Context, in control.AssignAddressesInput) (*control.NetworkInterface, control.Assigned, error)
	Associate(ctx context.Context, in control.AssociateAddressInput) (*control.Address, error)
	ReplaceRoute(ctx context.Context, in control.RouteInput) error
	StopInstance(ctx context.Context, id string, force bool) (*control.Instance, error)
	Detach(ctx context.Context, in control.DetachInput) (*control.NetworkInterface, error)
	PutFailover(ctx context.Context, f control.Failover) (*control.Failover, error)
	Note(ctx context.Context, typ, resource string, detail ...string) error
	Events(ctx context.Context, after uint64, limit int) (evs []control.Event, oldest uint64, err error)
}

// Clients are the measured clients of the laboratory; guest.Lab is them.
type Clients interface {
	Flows() []guest.Flow
	Samples(f guest.Flow, since int64) (s []guest.Sample, lost uint64)
	Conns(f guest.Flow, since int64) []guest.Conn
}

// Prober sends one health probe. It must return by the probe's timeout.
type Prober interface {
	Probe(ctx context.Context, t Target) Outcome
	// Forget releases what the prober keeps for a policy's probes.
	Forget(policy string)
}

// Source is where a probe comes from: an ENI that is attached to a running
// instance, or an internet host.
type Source struct {
	ID       string // of the ENI or the host, and of its VNIC
	Host     string // the guest: of the instance or the host
	Addr     netip.Addr
	Internet bool
}

// Target is where a probe goes and where it comes from.
type Target struct {
	Policy   string // whose probe it is: probes of one policy come one at a time
	Probe    control.Probe
	From     Source
	To       *control.NetworkInterface
	ToAddr   netip.Addr
	Sequence uint16
}

// Result is what one probe found.
type Result string

// Results of a probe.
const (
	Answered   Result = "answered"
	Missed     Result = "missed"
	Blocked    Result = "blocked"     // a security group rejected one of its frames
	ProberDown Result = "prober-down" // it could not be sent
)

// Outcome is one probe's result.
type Outcome struct {
	Result Result
	At     int64         // Unix nanoseconds when the result was known
	RTT    time.Duration // of an answered probe
	Detail string
	From   string // ENI that sent it; "": none did
	Seen   Fate
}

// Fate is where the last frame of an unanswered probe ended, as the taps at
// both ends saw it. The zero Fate: no frame of it was dropped.
type Fate struct {
	Reason           verdict.Reason
	Point            verdict.Point
	NetworkInterface string
}

// cause is what o, the last of misses in a row, says in the record of the
// failover that follows.
func (o *Outcome) cause(misses int) *control.FailoverCause {
	c := &control.FailoverCause{Misses: misses, From: o.From, Detail: o.Detail}
	if o.Seen.Reason != verdict.Delivered {
		c.Reason, c.Point, c.At = o.Seen.Reason.String(), o.Seen.Point.String(), o.Seen.NetworkInterface
	}
	return c
}

// PolicyState is what a policy is doing.
type PolicyState string

// States of a policy.
const (
	Watching        PolicyState = "watching"
	Suspecting      PolicyState = "suspecting"
	FailingOver     PolicyState = "failing-over"
	Fencing         PolicyState = "fencing" // it waits for the former owner to be fenced
	Holding         PolicyState = "holding" // failed, but within the hold-down
	StateBlocked    PolicyState = "blocked"
	NoStandby       PolicyState = "no-standby"
	Disabled        PolicyState = "disabled"
	StateProberDown PolicyState = "prober-down"
	Unattached      PolicyState = "unattached" // taken away on purpose: not the policy's business
)

// Status is what a policy is doing and what its last probe found.
type Status struct {
	State  PolicyState
	Misses int
	Last   *Outcome // nil before the first probe
	Detail string
	// Candidates are who could take over, in order; the first that is fit
	// would. None fit: nobody can, whatever State says of the owner.
	Candidates []Candidate
}
