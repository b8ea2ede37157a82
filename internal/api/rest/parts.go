package rest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/calls"
	"enilab/internal/api/stream"
	"enilab/internal/control"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/tap"
	"enilab/internal/drill/trials"
	"enilab/internal/guest"
	"enilab/internal/impair"
	"enilab/internal/snapshot"
)

// Engine is what the API asks of the data plane: *dataplane.Engine.
type Engine interface {
	stream.Source
	Workers() int
	Totals() dataplane.Totals
	VNICCounters(id string) (dataplane.Counters, bool)
	Flows(id string, max int) (flows []conntrack.FlowInfo, total int, err error)
	NATFlows(id string, max int) (flows []nat.Flow, total int, err error)
	Inject(ctx context.Context, id string, b []byte) (dataplane.Trace, error)
	Follow(ctx context.Context, id string, b []byte) (*dataplane.Pursuit, dataplane.Trace, error)
	AddTap(t *tap.Tap, vnics []string)
	AddHostTap(t *tap.Tap, host string)
	RemoveTap(t *tap.Tap)
	impair.Plane
}

var _ Engine = (*dataplane.Engine)(nil)

// Moves performs a move so that it leaves a failover record.
type Moves interface {
	// Move is control.Service's Move; failoverID names the record.
	Move(ctx context.Context, in control.MoveInput) (result control.MoveResult, failoverID string, err error)
}

// Faults injects and clears failures.
type Faults interface {
	Fail(ctx context.Context, id string, f control.Fault) (*control.Instance, error)
	Recover(ctx context.Context, id string) (*control.Instance, error)
}

// Guests are the measured clients: *guest.Lab.
type Guests interface {
	Stats() []guest.FlowStats
}

// PolicyStatus is how a failover policy's watch stands.
type PolicyStatus struct {
	State     string       `json:"state" enum:"watching,suspecting,failing-over,blocked,no-standby,disabled,prober-down,unattached,fencing,holding"`
	Misses    int          `json:"misses" doc:"Consecutive probes missed"`
	LastProbe *ProbeResult `json:"lastProbe,omitempty"`
	Detail    string       `json:"detail,omitempty" doc:"Why it is in this state"`
	// Empty, not null: the page asks whether any is fit.
	Candidates []Candidate `json:"candidates" doc:"Who could take over, in order: the standbys, then former owners. The first without unfit would; if there is none, nobody can"`
}

// Candidate is an instance that could take over.
type Candidate struct {
	InstanceID string `json:"instanceId"`
	Unfit      string `json:"unfit,omitempty" enum:"absent,owner,state,fault,other-zone,other-vpc,no-interface,full" doc:"What keeps it from taking over"`
	Detail     string `json:"detail,omitempty" doc:"The state or the fault"`
	Former     bool   `json:"former,omitempty" doc:"Not a standby of the policy, but an owner before"`
}

// ProbeResult is one probe's outcome.
type ProbeResult struct {
	At     time.Time `json:"at"`
	Result string    `json:"result" enum:"answered,missed,blocked,prober-down"`
	RTTMs  *float64  `json:"rttMs,omitempty"`
	Detail string    `json:"detail"`
	// FromInterfaceID differs from the policy's when that one cannot tell.
	FromInterfaceID string     `json:"fromInterfaceId,omitempty" doc:"The interface that sent it: the policy's, or a candidate's while that one cannot tell"`
	Seen            *FrameFate `json:"seen,omitempty" doc:"Where a frame of an unanswered probe ended"`
}

// FrameFate is where a frame ended.
type FrameFate struct {
	Reason             string `json:"reason" doc:"As in reasons of GET /status"`
	Point              string `json:"point" enum:"guest_tx,egress_post,ingress_pre,guest_rx"`
	NetworkInterfaceID string `json:"networkInterfaceId"`
}

// Asset is one file of the dashboard.
type Asset struct {
	Body        []byte
	Gzip        []byte // Body compressed, or nil
	ContentType string
	ETag        string // with its quotes
}

// Assets finds a file by its path below the root, without a leading slash.
type Assets func(path string) (Asset, bool)

// Options of a Server. Control, Engine and Moves are required.
type Options struct {
	Control *control.Service
	Engine  Engine
	Moves   Moves
	Faults  Faults // nil: Control's own
	Guests  Guests // nil: nothing is measured
	// PolicyStatus tells how a policy's watch stands; nil or false: as the
	// policy itself says, watching or disabled.
	PolicyStatus func(id string) (PolicyStatus, bool)
	// Course tells how a move went over its time; nil or false: that is not known.
	Course func(failoverID string) (failover.Course, bool)
	// Reset takes the laboratory back to its start, but for what this package
	// keeps itself: captures and faults of API calls. nil: Control's own.
	Reset func(context.Context) error
	// Snapshots of what is stored; nil: none are taken.
	Snapshots *snapshot.Set
	// Restore takes the laboratory to a snapshot. It calls forget, which ends faults
	// of API calls and impairments, once it is there and before anything goes on.
	Restore func(ctx context.Context, name string, forget func() error) error
	// Rehearsals are drills in this laboratory; nil: there are none.
	Rehearsals Rehearsals
	// Trials of drills, beside the laboratory or in it; nil: there are none.
	Trials *trials.Set
	// Scenarios to begin with and to save; nil: there are none.
	Scenarios Scenarios
	// Exercises to be done in this laboratory; nil: there are none.
	Exercises Exercises
	// Call carries out an action of the EC2 API as its clients do; nil: none can.
	Call func(ctx context.Context, in EC2Call) (EC2Answer, error)
	// Calls is where calls of this API are noted, and those of others are read;
	// nil: a log of the server's own.
	Calls *calls.Log
	// Scenario tells how far the scenario's steps are; nil, or a nil status: there
	// are none.
	Scenario func() *ScenarioStatus
	Assets   Assets       // nil: no dashboard
	Ready    func() error // for /healthz; nil: always
	// Mount adds routes of other packages behind the same guard; nil: none.
	Mount func(*fiber.App)
	// Refuse answers an error, in place of problem+json, if the request is for
	// an API of Mount's whose clients read another form, and reports whether it
	// has. It may come before the body was read. nil: it never does.
	Refuse func(c *fiber.Ctx, status int, detail string) bool
	// APIFaults are injected into calls of this and the EC2 API; nil: a Set of
	// the server's own. Its hangs end when the server stops.
	APIFaults *apifault.Set
	// Impairments of the network; nil: a Set of the server's own.
	Impairments *impair.Set
	Clock       tap.Clock    // the engine's clock; nil: the machine's
	Log         *slog.Logger // nil: slog.Default

	Version string
	Region  string
	Timing  string // "fast" or "aws"

	// Token is required unless Loopback: whoever has it has everything.
	Loopback   bool
	Token      string
	AllowHosts []string // further names in Host headers, without ports
	// Signed says that the EC2 API verifies signatures. Beyond loopback it is
	// then asked without the token, which AWS clients cannot send.
	Signed bool
	// AnyKey says that the EC2 API is for everybody who can reach it. Beyond
	// loopback it is then asked without the token too.
	AnyKey bool

	// CaptureDir keeps stopped captures over restarts; "": they are lost.
	CaptureDir string
}

func (o *Options) check() error {
	switch {
	case o.Control == nil || o.Engine == nil || o.Moves == nil:
		return errors.New("building the API: Control, Engine and Moves are required")
	case !o.Loopback && o.Token == "":
		return errors.New("building the API: a listener beyond loopback needs a token")
	}
	if o.Faults == nil {
		o.Faults = ownFaults{o.Control}
	}
	if o.APIFaults == nil {
		o.APIFaults = apifault.New(apifault.Options{})
	}
	if o.Impairments == nil {
		o.Impairments = impair.New(impair.Options{Plane: o.Engine, State: o.Control.State})
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Clock == nil {
		o.Clock = wallClock{}
	}
	if o.Reset == nil {
		o.Reset = func(ctx context.Context) error { _, err := o.Control.Reset(ctx); return err }
	}
	if o.Scenario == nil {
		o.Scenario = func() *ScenarioStatus { return nil }
	}
	if o.Ready == nil {
		o.Ready = func() error { return nil }
	}
	return nil
}

// ownFaults injects faults without anybody watching.
type ownFaults struct{ *control.Service }

func (s ownFaults) Fail(ctx context.Context, id string, f control.Fault) (*control.Instance, error) {
	return s.FailInstance(ctx, id, f)
}

func (s ownFaults) Recover(ctx context.Context, id string) (*control.Instance, error) {
	return s.RecoverInstance(ctx, id)
}

type wallClock struct{}

func (wallClock) Now() int64                             { return time.Now().UnixNano() }
func (wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }
