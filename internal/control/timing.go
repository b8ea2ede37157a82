package control

import (
	"context"
	"encoding/binary"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"time"
)

// Operation names a change that takes time to become visible. The data plane
// has switched when the call returns; what lasts is the transitional state that
// the API shows.
type Operation string

// Operations, by the state that they end in.
const (
	OpAttach    Operation = "attach"    // attaching until attached, of a running instance
	OpDetach    Operation = "detach"    // detaching until available, forced or not
	OpLaunch    Operation = "launch"    // pending until running, by RunInstances
	OpStart     Operation = "start"     // pending until running, by StartInstances
	OpStop      Operation = "stop"      // stopping until stopped
	OpTerminate Operation = "terminate" // shutting-down until terminated

	OpCreateNAT Operation = "create-nat-gateway" // pending until available or failed
	OpDeleteNAT Operation = "delete-nat-gateway" // deleting until deleted

	OpAssociateBlock    Operation = "associate-cidr-block"    // associating until associated, of a VPC or a subnet
	OpDisassociateBlock Operation = "disassociate-cidr-block" // disassociating until gone
	OpRequestPeering    Operation = "request-peering"         // initiating-request until pending-acceptance or failed

	// OpMetadata is not a state of the API: the metadata of a running instance
	// lists an interface that has come until all its items can be fetched.
	OpMetadata Operation = "metadata"

	OpCreateVolume   Operation = "create-volume"       // creating until available
	OpAttachVolume   Operation = "attach-volume"       // attaching until attached
	OpDetachVolume   Operation = "detach-volume"       // detaching until available
	OpDeleteVolume   Operation = "delete-volume"       // deleting until gone
	OpModifyVolume   Operation = "modify-volume"       // modifying until optimizing, and as long again until completed
	OpCreateSnapshot Operation = "create-snapshot"     // pending until completed
	OpCreateImage    Operation = "create-image"        // pending until available
	OpCreateEndpoint Operation = "create-vpc-endpoint" // pending until available, of an interface endpoint
	OpDeleteEndpoint Operation = "delete-vpc-endpoint" // deleting until gone
)

// Operations of transit gateways, by the state that they end in.
const (
	OpCreateTransit      Operation = "create-transit-gateway"             // pending until available
	OpModifyTransit      Operation = "modify-transit-gateway"             // modifying until available, of an attachment too
	OpDeleteTransit      Operation = "delete-transit-gateway"             // deleting until deleted
	OpAttachTransit      Operation = "attach-transit-gateway"             // pending until available
	OpDetachTransit      Operation = "detach-transit-gateway"             // deleting until deleted, of an attachment
	OpChangeTransitTable Operation = "change-transit-gateway-route-table" // pending, deleting, associating and disassociating
)

// Operations are all of them, in the order in which people read them.
func Operations() []Operation {
	return []Operation{
		OpAttach, OpDetach, OpLaunch, OpStart, OpStop, OpTerminate, OpCreateNAT, OpDeleteNAT,
		OpAssociateBlock, OpDisassociateBlock, OpRequestPeering, OpMetadata,
		OpCreateVolume, OpAttachVolume, OpDetachVolume, OpDeleteVolume, OpModifyVolume, OpCreateSnapshot, OpCreateImage,
		OpCreateEndpoint, OpDeleteEndpoint,
		OpCreateTransit, OpModifyTransit, OpDeleteTransit, OpAttachTransit, OpDetachTransit, OpChangeTransitTable,
	}
}

// MaxSpan bounds how long a transitional state can be made to last.
const MaxSpan = 24 * time.Hour

// Span is how long one operation's transitional state lasts. One half of all
// draws falls evenly between Min and Median, the other between Median and Max.
type Span struct{ Min, Median, Max time.Duration }

// Fixed is a Span that is always d.
func Fixed(d time.Duration) Span { return Span{d, d, d} }

func (s Span) check() error {
	if s.Min < 0 || s.Median < s.Min || s.Max < s.Median || s.Max > MaxSpan {
		return invalid("span", "A duration has 0 <= minimum <= median <= maximum <= %v; this one has %v, %v, %v.",
			MaxSpan, s.Min, s.Median, s.Max)
	}
	return nil
}

// draw takes no chance where there is none to take, so that ids of a seed do
// not depend on a timing that is fixed.
func (s Span) draw(random func([]byte)) time.Duration {
	if s.Min == s.Max {
		return s.Min
	}
	var b [8]byte
	random(b[:])
	from, to := s.Min, s.Median
	if b[0]&1 == 1 {
		from, to = s.Median, s.Max
	}
	// The bits above the choice of half, as a fraction of one.
	part := float64(binary.BigEndian.Uint64(b[:])&(1<<53-1)) / (1 << 53)
	return from + time.Duration(part*float64(to-from))
}

// Timing is how long transitional states last, and what else of AWS's slowness
// is shown. Values are immutable; the zero Timing ends every state at once.
type Timing struct {
	Spans map[Operation]Span
	// EndedAttachments is how long an ended attachment can still be asked for
	// by its id, as detached; 0: not at all, as on AWS.
	EndedAttachments time.Duration
	// StaleAfterForce: after a forced detach the device index and the metadata
	// of a running instance stay as they were until it is stopped and started
	// (EC2 API Reference, DetachNetworkInterface, Force).
	StaleAfterForce bool
	// AnnounceMoves: the network tells the guests of a subnet when an address has
	// changed its ENI there. Whether AWS does is disputed (AWS re:Post has an
	// article that says so).
	AnnounceMoves bool
}

// TimingFast shows transitional states just long enough for a poller. Ended
// attachments stay for 30 s so that a waiter for "detached", Terraform's for
// one, ends at its first poll and not at its not-found limit.
var TimingFast = func() Timing {
	t := Timing{Spans: make(map[Operation]Span), EndedAttachments: 30 * time.Second}
	for _, op := range Operations() {
		t.Spans[op] = Fixed(20 * time.Millisecond)
	}
	t.Spans[OpMetadata] = Fixed(0)
	return t
}()

// TimingAWS makes programs wait as they have to on AWS, which publishes none of
// these durations. Detach and attach together are a move of an ENI, for which
// there are reports: "a few seconds" (fck-nat's documentation; amazon-vpc-cni
// waits two seconds after a detach before it deletes) and 20 s to over a minute
// (Palo Alto's of VM-Series HA, agents and guests included). Ten seconds is our
// choice between them, four and sixty its ends. The times of an instance and of
// volumes, snapshots and images are our own guess. Metadata whose items come after their directory is an issue of
// amazon-ec2-net-utils (number 38), which had asked again "for several seconds"
// before. Reassigning an address, 1.2 s by one report (AWS re:Post), and
// associating an Elastic IP show no state in between and so have no time here.
var TimingAWS = Timing{
	Spans: map[Operation]Span{
		OpAttach:    {2 * time.Second, 5 * time.Second, 30 * time.Second},
		OpDetach:    {2 * time.Second, 5 * time.Second, 30 * time.Second},
		OpLaunch:    {10 * time.Second, 15 * time.Second, 45 * time.Second},
		OpStart:     {10 * time.Second, 15 * time.Second, 45 * time.Second},
		OpStop:      {15 * time.Second, 30 * time.Second, 90 * time.Second},
		OpTerminate: {15 * time.Second, 30 * time.Second, 60 * time.Second},
		OpCreateNAT: {60 * time.Second, 90 * time.Second, 150 * time.Second},
		OpDeleteNAT: {30 * time.Second, 50 * time.Second, 90 * time.Second},

		OpAssociateBlock:    {time.Second, 3 * time.Second, 10 * time.Second},
		OpDisassociateBlock: {time.Second, 3 * time.Second, 10 * time.Second},
		OpRequestPeering:    {time.Second, 2 * time.Second, 5 * time.Second},
		OpMetadata:          {500 * time.Millisecond, 2 * time.Second, 10 * time.Second},

		OpCreateVolume:   {2 * time.Second, 4 * time.Second, 15 * time.Second},
		OpAttachVolume:   {2 * time.Second, 4 * time.Second, 20 * time.Second},
		OpDetachVolume:   {3 * time.Second, 6 * time.Second, 30 * time.Second},
		OpDeleteVolume:   {2 * time.Second, 5 * time.Second, 20 * time.Second},
		OpModifyVolume:   {5 * time.Second, 20 * time.Second, 60 * time.Second},
		OpCreateSnapshot: {20 * time.Second, 60 * time.Second, 5 * time.Minute},
		OpCreateImage:    {60 * time.Second, 2 * time.Minute, 6 * time.Minute},
		OpCreateEndpoint: {30 * time.Second, 60 * time.Second, 150 * time.Second},
		OpDeleteEndpoint: {10 * time.Second, 30 * time.Second, 120 * time.Second},

		OpCreateTransit:      {60 * time.Second, 2 * time.Minute, 5 * time.Minute},
		OpModifyTransit:      {15 * time.Second, 30 * time.Second, 90 * time.Second},
		OpDeleteTransit:      {30 * time.Second, 60 * time.Second, 3 * time.Minute},
		OpAttachTransit:      {30 * time.Second, 60 * time.Second, 150 * time.Second},
		OpDetachTransit:      {30 * time.Second, 60 * time.Second, 150 * time.Second},
		OpChangeTransitTable: {15 * time.Second, 40 * time.Second, 90 * time.Second},
	},
	StaleAfterForce: true,
}

// With returns t with another span for one operation.
func (t Timing) With(op Operation, s Span) Timing {
	t.Spans = maps.Clone(t.Spans)
	if t.Spans == nil {
		t.Spans = make(map[Operation]Span)
	}
	t.Spans[op] = s
	return t
}

// Check tells what is wrong with t.
func (t Timing) Check() error {
	for op, s := range t.Spans {
		if !slices.Contains(Operations(), op) {
			return invalid("operation", "There is no operation '%s' that takes time; there are %v.", op, Operations())
		}
		if err := s.check(); err != nil {
			return err
		}
	}
	if t.EndedAttachments < 0 || t.EndedAttachments > MaxSpan {
		return invalid("endedAttachments", "Ended attachments can be kept for 0 to %v, not for %v.", MaxSpan, t.EndedAttachments)
	}
	return nil
}

// Preset is the timing that the Service was opened with.
func (s *Service) Preset() Timing { return s.opt.Timing }

// ChangeTiming replaces the timing of transitions that begin from now on; those
// under way end when they were going to. change gets the present timing and may
// refuse.
func (s *Service) ChangeTiming(ctx context.Context, change func(Timing) (Timing, error)) (Timing, error) {
	return result(ctx, s, func(t *tx) (Timing, error) {
		next, err := change(t.timing)
		if err == nil {
			err = next.Check()
		}
		if err != nil {
			return Timing{}, err
		}
		if reflect.DeepEqual(next, t.timing) {
			return next, nil
		}
		for _, op := range Operations() {
			if s := next.Spans[op]; s != t.timing.Spans[op] {
				t.emit("timing.changed", string(op), "minimum", s.Min.String(), "median", s.Median.String(), "maximum", s.Max.String())
			}
		}
		if next.EndedAttachments != t.timing.EndedAttachments {
			t.emit("timing.changed", "ended-attachments", "kept", next.EndedAttachments.String())
		}
		if next.StaleAfterForce != t.timing.StaleAfterForce {
			t.emit("timing.changed", "stale-after-force", "value", strconv.FormatBool(next.StaleAfterForce))
		}
		if next.AnnounceMoves != t.timing.AnnounceMoves {
			t.emit("timing.changed", "announce-moves", "value", strconv.FormatBool(next.AnnounceMoves))
		}
		t.timing = next
		return next, nil
	})
}

// Note writes an event that belongs to no change of a resource. It returns when
// the event is stored.
func (s *Service) Note(ctx context.Context, typ, resource string, detail ...string) error {
	return s.change(ctx, func(t *tx) error { t.emit(typ, resource, detail...); return nil })
}

// until is when a state that an operation begins now will end. It is stored
// with the state, so that a restart changes nothing about it.
func (t *tx) until(op Operation) time.Time { return t.now.Add(t.timing.Spans[op].draw(t.random)) }
