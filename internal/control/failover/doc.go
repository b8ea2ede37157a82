// Package failover moves an ENI when its instance fails, and measures every
// move. A policy's probe decides that an instance has failed; the controller
// then calls control.Service.Move like anybody else. What clients saw is
// computed from the samples that guests take of frames at their vNICs, so that
// a capture of the same vNIC shows the same instants.
//
// Decisions and records are pure functions of data (detector, choose, record);
// the goroutines around them only wait and call.
package failover

import (
	"context"
	"net/netip"
	"time"

	"enilab/internal/control"
	"enilab/internal/guest"
)

// Service is what the controller needs of the control plane.
type Service interface {
	State() *control.State
	Watch(buffer int) (<-chan control.Notice, func())
	Move(ctx context.Context, in control.MoveInput) (control.MoveResult, error)
	PutFailover(ctx context.Context, f control.Failover) (*control.Failover, error)
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

// Target is where a probe goes and where it comes from.
type Target struct {
	Policy   string // whose probe it is: probes of one policy come one at a time
	Probe    control.Probe
	From     *control.NetworkInterface // attached to a running instance
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
}

// PolicyState is what a policy is doing.
type PolicyState string

// States of a policy.
const (
	Watching        PolicyState = "watching"
	Suspecting      PolicyState = "suspecting"
	FailingOver     PolicyState = "failing-over"
	StateBlocked    PolicyState = "blocked"
	NoStandby       PolicyState = "no-standby"
	Disabled        PolicyState = "disabled"
	StateProberDown PolicyState = "prober-down"
	Unattached      PolicyState = "unattached" // detached on purpose: not the policy's business
)

// Status is what a policy is doing and what its last probe found.
type Status struct {
	State  PolicyState
	Misses int
	Last   *Outcome // nil before the first probe
	Detail string
}
