// Package impair keeps the impairments that a person has put into the network:
// what the data plane does to frames of a link, an ENI, an instance, a subnet, a
// zone, or between two of them. It finds what is meant by id or name, and tells the
// data plane. Nothing of it is stored: as with faults of API calls, a restart ends
// the bad day.
package impair

import (
	"fmt"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Bounds of an impairment.
const (
	Max      = 100              // impairments in force
	MaxDelay = 10 * time.Minute // and jitter
	MaxRate  = int64(1e12)      // bits a second
	MinRate  = int64(1000)
	MaxQueue = time.Minute
	// DefaultQueue is how long a frame waits for its turn at a rate.
	DefaultQueue = 100 * time.Millisecond
	// DefaultReorder is how long reordering holds a frame.
	DefaultReorder = 10 * time.Millisecond
	MaxOf          = 1_000_000
	MaxDevice      = 31 // the highest device index
	// MaxSeed is the largest that JavaScript's numbers hold exactly.
	MaxSeed = 1<<53 - 1
)

// Place is what a scope means, by ids or Name tags: one of the fields, DeviceIndex
// beside Instance. The zero Place is everywhere.
type Place struct {
	Instance         string // or a host of the internet
	DeviceIndex      *int
	NetworkInterface string
	Subnet           string
	Zone             string // us-east-1a
}

// Direction of the frames of one place, and between two.
type Direction string

// Directions.
const (
	Both Direction = "both" // "" too
	Out  Direction = "out"  // that Of sends, to To
	In   Direction = "in"   // that Of receives, from To
)

// Input is an impairment to be made.
type Input struct {
	Kind      string // of spec.ImpairmentKind
	Of, To    Place  // To: the other end; the zero Place: whoever
	Direction Direction
	Match     Match

	Share      float64
	Hit, Every int // exactly Hit of every Every
	Delay      time.Duration
	Jitter     time.Duration
	Ordered    bool
	Rate       int64
	Queue      time.Duration
	Seed       uint64 // 0: the laboratory's
}

// Impairment is one in force.
type Impairment struct {
	spec.Impairment
	Direction   Direction
	Of, To      spec.Scope // the ends as they were named
	CreatedAt   time.Time
	Seen, Acted uint64 // frames judged, and of them those acted on
}

func wrong(field, format string, args ...any) error {
	return &control.Error{Code: "InvalidParameterValue", Field: field, Message: fmt.Sprintf(format, args...)}
}

// Check tells what is wrong with in, but for its places.
func (in Input) Check() error {
	_, err := in.spec()
	return err
}

// spec is what the data plane is told, but for id and places.
func (in *Input) spec() (spec.Impairment, error) {
	kind, ok := spec.ParseImpairmentKind(in.Kind)
	if !ok {
		return spec.Impairment{}, wrong("kind", "The network can impair by loss, delay, reorder, duplicate, corrupt, rate or partition, not '%s'.", clip(in.Kind))
	}
	i := spec.Impairment{Kind: kind, Seed: in.Seed}
	switch in.Direction {
	case "", Both:
		i.BothWays = true
	case Out, In:
	default:
		return i, wrong("direction", "Frames go both ways, out or in, not '%s'.", clip(string(in.Direction)))
	}
	var err error
	if i.Match, err = in.Match.spec(in.Direction); err != nil {
		return i, err
	}
	if err := in.choose(&i); err != nil {
		return i, err
	}
	if err := in.time(&i); err != nil {
		return i, err
	}
	if i.Seed > MaxSeed {
		return i, wrong("seed", "A seed is at most %d, not %d.", uint64(MaxSeed), i.Seed)
	}
	return i, nil
}

// complete makes an impairment, but for its id.
func (in *Input) complete(s *control.State) (Impairment, error) {
	i, err := in.spec()
	if err != nil {
		return Impairment{}, err
	}
	of, err := resolve(s, "of", in.Of)
	if err != nil {
		return Impairment{}, err
	}
	to, err := resolve(s, "to", in.To)
	if err != nil {
		return Impairment{}, err
	}
	i.From, i.To = of, to
	if in.Direction == In {
		i.From, i.To = to, of
	}
	direction := in.Direction
	if direction == "" {
		direction = Both
	}
	return Impairment{Impairment: i, Direction: direction, Of: of, To: to}, nil
}

// choose says which frames are hit.
func (in *Input) choose(i *spec.Impairment) error {
	switch i.Kind {
	case spec.ImpairLoss, spec.ImpairReorder, spec.ImpairDuplicate, spec.ImpairCorrupt:
	default:
		if in.Share != 0 || in.Hit != 0 || in.Every != 0 {
			return wrong("share", "%s acts on every frame: leave out share, hit and every.", i.Kind)
		}
		return nil
	}
	switch {
	case in.Share != 0 && (in.Hit != 0 || in.Every != 0):
		return wrong("share", "Give a share, or hit and every, not both.")
	case in.Hit != 0 || in.Every != 0:
		if in.Hit < 1 || in.Every < in.Hit || in.Every > MaxOf {
			return wrong("hit", "Exactly hit of every so many frames: hit is at least 1, every at least hit and at most %d; got %d of every %d.", MaxOf, in.Hit, in.Every)
		}
		i.Hit, i.Of = uint32(in.Hit), uint32(in.Every)
	case !(in.Share > 0 && in.Share <= 1):
		return wrong("share", "%s needs a share above 0 and at most 1, or hit and every; got the share %v.", i.Kind, in.Share)
	default:
		i.Share = in.Share
	}
	return nil
}

// time says how long frames are held.
func (in *Input) time(i *spec.Impairment) error {
	delays := i.Kind == spec.ImpairDelay
	switch {
	case in.Delay != 0 && !delays && i.Kind != spec.ImpairReorder:
		return wrong("delayMs", "Only delay and reorder hold frames for a time.")
	case (in.Jitter != 0 || in.Ordered) && !delays:
		return wrong("jitterMs", "Only delay has jitter, which may keep the order.")
	case (in.Rate != 0 || in.Queue != 0) && i.Kind != spec.ImpairRate:
		return wrong("bitsPerSecond", "Only rate has bits a second and a queue.")
	case in.Delay < 0 || in.Delay > MaxDelay || in.Jitter < 0 || in.Jitter > MaxDelay:
		return wrong("delayMs", "A delay and its jitter are at most %v, and not negative.", MaxDelay)
	case delays && in.Delay+in.Jitter == 0:
		return wrong("delayMs", "A delay needs a delay, a jitter, or both.")
	case i.Kind == spec.ImpairRate && (in.Rate < MinRate || in.Rate > MaxRate):
		return wrong("bitsPerSecond", "A rate is %d to %d bits a second, not %d.", MinRate, MaxRate, in.Rate)
	case in.Queue < 0 || in.Queue > MaxQueue:
		return wrong("queueMs", "A frame waits for its turn at most %v, and not a negative time.", MaxQueue)
	}
	i.Delay, i.Jitter, i.Ordered, i.Rate, i.Queue = in.Delay, in.Jitter, in.Ordered, in.Rate, in.Queue
	if i.Kind == spec.ImpairReorder && i.Delay == 0 {
		i.Delay = DefaultReorder
	}
	if i.Kind == spec.ImpairRate && i.Queue == 0 {
		i.Queue = DefaultQueue
	}
	return nil
}
