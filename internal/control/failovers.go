package control

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
)

// FailoverKind tells who moved what moved.
type FailoverKind string

// Failover kinds.
const (
	KindFailover FailoverKind = "failover" // by a policy
	KindFailBack FailoverKind = "failback" // back to the owner before, by a policy or whoever asked for that
	KindMove     FailoverKind = "move"     // by a person or program
)

// FailoverState is how far a failover has come.
type FailoverState string

// Failover states.
const (
	FailoverRunning   FailoverState = "running"
	FailoverCompleted FailoverState = "completed"
	FailoverFailed    FailoverState = "failed"
)

// Failover is the record of one move of an ENI, of addresses or of a route,
// computed from frames and events.
// All instants are Unix nanoseconds of the engine's clock, the same that
// captures carry; 0 means not observed.
type Failover struct {
	ID               string // "fo-..."
	Region           string
	Kind             FailoverKind
	State            FailoverState
	Error            string // why it failed
	Policy           string
	NetworkInterface string // that moved, or to which what moved belongs now
	Moved            Moved
	From, To         string // instance ids, "" if the ENI was attached to none
	StartedAt        int64  // fault injected, or move accepted
	EndedAt          int64
	Phases           []Phase
	Control          ControlTimes
	Traffic          []TrafficResult // one per measured client flow
	TCP              TCPResult
	Checks           []Check
	Cause            *FailoverCause // of a policy's failover; nil else
	Notes            []string
	Fencing          *Fencing  // what a policy did to the former owner first; nil: nothing
	Calls            []APICall // a policy's, of the take-over whose record this is
	// Answered are the instances of which clients had replies, and when.
	Answered []Answered
	// AnsweredByTwo is the time, in nanoseconds, in which the former and the new
	// owner both answered for one address: from the first reply of the new to the
	// last of the former, as received at the clients.
	AnsweredByTwo int64
}

// Fencing is how a policy kept the former owner from answering.
type Fencing struct {
	Fence      Fence
	Instance   string
	Start, End int64
	Error      string // why it failed; ""
}

// APICall is one call that a policy made as a client of the EC2 API would.
type APICall struct {
	Operation  string // EC2's action
	Start, End int64
	Error      string // ""
}

// Answered says when an instance's replies for one address reached the clients.
type Answered struct {
	Instance    string
	Target      netip.Addr
	First, Last int64
	Replies     uint64
}

// FailoverCause is what a policy's probe saw before it moved the ENI. When a
// fault was injected that explains it; without one, this does.
type FailoverCause struct {
	Misses int    // probes missed in a row
	From   string // ENI that probed; "": the owner was gone, and nothing was to probe
	Detail string // what became of the last probe, in English
	// Where a frame of the last probe ended: a reason of the data plane, a tap
	// point and an ENI, "" if none was dropped.
	Reason, Point, At string
}

// Phase is one of detect, fence, decide, detach, attach, recover.
type Phase struct {
	Name       string
	Start, End int64
}

// ControlTimes are the control plane's own times, apart from what clients saw.
type ControlTimes struct {
	FaultAt    int64 // fault injected (0: none known)
	DetectedAt int64 // the probe's last miss
	AcceptedAt int64 // the call that took it away was accepted
	DetachedAt int64 // the data plane delivers nothing more of it to the old instance
	AttachedAt int64 // the data plane delivers it to the new instance
}

// TrafficResult is what one client saw of the move.
type TrafficResult struct {
	Client           string // instance id
	NetworkInterface string // client's ENI
	Workload         string
	Kind             string // udp-echo, ping, http
	Target           netip.Addr
	LastReplyAt      int64  // last good reply before the gap, received at the client
	LastReplyFrom    string // instance that answered
	LastReplySeq     uint64
	FirstReplyAt     int64 // first good reply after the gap
	FirstReplyFrom   string
	FirstReplySeq    uint64
	OutageNanos      int64  // FirstReplyAt - LastReplyAt
	Sent             uint64 // requests sent from StartedAt-1s to the end of measurement
	Lost             uint64 // of them unanswered within 1 s
	LostFirst        uint64 // sequence numbers of the first and last lost
	LostLast         uint64
	Incomplete       string // why the measurement is not whole, or ""
}

// TCPResult is the fate of the TCP connections to the ENI that were open.
type TCPResult struct {
	Open             int   // established when the move began
	Reset            int   // of them ended by RST
	Closed           int   // ended by FIN or abandoned
	Survived         int   // still exchanging data afterwards
	Reconnected      int   // new connections established after the move
	ReconnectedAfter int64 // ns from StartedAt until all clients were connected again
}

// Check compares a value before and after.
type Check struct {
	Name   string // ip, mac, groups, eni, eip, destination, source-dest-check
	Before string
	After  string
	Result string // same, changed, not-exercised
}

// Failover returns one failover record.
func (s *State) Failover(id string) *Failover { return seek[Failover](s, TableFailover, byID, id) }

// Failovers returns the failover records, newest first.
func (s *State) Failovers() []*Failover { return all[*Failover](s, TableFailover, byNewest) }

// PutFailover creates (ID "") or replaces a record. The 1000 that ended last
// are kept, those that run among them.
func (s *Service) PutFailover(ctx context.Context, f Failover) (*Failover, error) {
	var stored *Failover
	err := s.change(ctx, func(t *tx) (err error) {
		stored, err = t.putFailover(f)
		return err
	})
	// A record means nothing to the network: it is stored, whatever the data plane
	// has still to take of what came before.
	if owed := (owedError{}); err != nil && !errors.As(err, &owed) {
		return nil, err
	}
	return stored, nil
}

// maxFailovers bounds the records kept.
const maxFailovers = 1000

// putFailover creates (ID "") or replaces a record.
func (t *tx) putFailover(f Failover) (*Failover, error) {
	before := FailoverState("")
	if f.ID != "" {
		old, err := find[Failover](t, FailoverID, TableFailover, byID, "failoverId", f.ID)
		if err != nil {
			return nil, err
		}
		before = old.State
	}
	switch f.State {
	case FailoverRunning, FailoverCompleted, FailoverFailed:
	default:
		return nil, invalid("state", "Value (%s) for parameter state is invalid.", f.State)
	}
	switch f.Kind {
	case KindFailover, KindFailBack, KindMove:
	default:
		return nil, invalid("kind", "Value (%s) for parameter kind is invalid.", f.Kind)
	}
	switch f.Moved.Kind {
	case MovedInterface, MovedAddresses, MovedElasticIP, MovedRoute:
	case "":
		f.Moved = Moved{Kind: MovedInterface, From: f.NetworkInterface, To: f.NetworkInterface}
	default:
		return nil, invalid("moved", "Value (%s) for parameter moved is invalid.", f.Moved.Kind)
	}
	f.Moved.Addresses = slices.Clone(f.Moved.Addresses)
	f.Region = t.region
	if n := get[*NetworkInterface](t, TableNetworkInterface, byID, f.NetworkInterface); n != nil {
		f.Region = n.Region
	}
	f.Phases, f.Traffic = slices.Clone(f.Phases), slices.Clone(f.Traffic)
	f.Checks, f.Notes = slices.Clone(f.Checks), slices.Clone(f.Notes)
	f.Calls, f.Answered = slices.Clone(f.Calls), slices.Clone(f.Answered)
	if f.ID == "" {
		id, err := t.mintRow(TableFailover, FailoverID.Prefix)
		if err != nil {
			return nil, err
		}
		f.ID = id
	}
	detail := []string{"kind", string(f.Kind), "moved", f.Moved.String(), "networkInterface", f.NetworkInterface, "from", f.From, "to", f.To, "error", f.Error}
	if before == "" {
		t.emit("failover.started", f.ID, detail...)
	}
	if f.State != before && f.State != FailoverRunning {
		t.emit("failover."+string(f.State), f.ID, detail...)
	}
	t.put(TableFailover, &f)
	if before == "" {
		t.forgetFailovers(f.ID)
	}
	return &f, nil
}

// forgetFailovers makes room for the record just put: what ended first goes
// first, what runs last. StartedAt says nothing of age here, for a failover
// counts from its fault, and an instance may have failed long before anybody
// moved its interface away.
func (t *tx) forgetFailovers(put string) {
	all := list[*Failover](t, TableFailover, byID)
	excess := len(all) - maxFailovers
	if excess <= 0 {
		return
	}
	slices.SortFunc(all, func(a, b *Failover) int {
		return cmp.Or(
			cmp.Compare(one(a.ID == put), one(b.ID == put)),
			cmp.Compare(one(a.State == FailoverRunning), one(b.State == FailoverRunning)),
			cmp.Compare(a.EndedAt, b.EndedAt), cmp.Compare(a.StartedAt, b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	for _, old := range all[:excess] {
		t.remove(TableFailover, old)
	}
}
