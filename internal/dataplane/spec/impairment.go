package spec

import (
	"fmt"
	"net/netip"
	"time"
)

// ImpairmentKind is what a network does to frames on a bad day.
type ImpairmentKind uint8

// Kinds of impairments.
const (
	// ImpairLoss loses frames.
	ImpairLoss ImpairmentKind = iota + 1
	// ImpairDelay holds every frame for Delay plus up to Jitter.
	ImpairDelay
	// ImpairReorder holds some frames for Delay, so that later ones overtake them.
	ImpairReorder
	// ImpairDuplicate delivers frames twice.
	ImpairDuplicate
	// ImpairCorrupt inverts one bit of a frame behind its Ethernet header.
	ImpairCorrupt
	// ImpairRate sends frames on at Rate bits a second, one after the other.
	ImpairRate
	// ImpairPartition loses every frame.
	ImpairPartition
)

var impairmentNames = [...]string{
	ImpairLoss: "loss", ImpairDelay: "delay", ImpairReorder: "reorder", ImpairDuplicate: "duplicate",
	ImpairCorrupt: "corrupt", ImpairRate: "rate", ImpairPartition: "partition",
}

// String returns the kind's name in APIs, "invalid" of none.
func (k ImpairmentKind) String() string {
	if k == 0 || int(k) >= len(impairmentNames) {
		return "invalid"
	}
	return impairmentNames[k]
}

// ParseImpairmentKind is the inverse of ImpairmentKind.String.
func ParseImpairmentKind(s string) (ImpairmentKind, bool) {
	for k := ImpairLoss; int(k) < len(impairmentNames); k++ {
		if impairmentNames[k] == s {
			return k, true
		}
	}
	return 0, false
}

// ScopeKind is a kind of place in the network.
type ScopeKind uint8

// Kinds of scopes.
const (
	ScopeAny    ScopeKind = iota // everywhere
	ScopeLink                    // a host's device index, whatever is attached there
	ScopeVNIC                    // an ENI, wherever it is attached
	ScopeHost                    // an instance or host of the internet, with all that is attached
	ScopeSubnet                  // what stands in a subnet
	ScopeZone                    // what stands in an Availability Zone
)

// Scope is a set of VNICs by what they are now: membership follows moves.
type Scope struct {
	Kind        ScopeKind
	ID          string // of the VNIC, host, subnet or zone; of the link's host
	DeviceIndex int    // of a ScopeLink
}

// point reports whether s is where frames leave and enter the network, and not
// an area in which they also stay.
func (s Scope) point() bool {
	return s.Kind == ScopeLink || s.Kind == ScopeVNIC || s.Kind == ScopeHost
}

// Area reports whether s is a subnet or a zone.
func (s Scope) Area() bool { return s.Kind == ScopeSubnet || s.Kind == ScopeZone }

// OfSender reports whether frames from this scope to another are impaired as they
// leave their sender, before the network looks at them. All others are as they arrive.
func (s Scope) OfSender(to Scope) bool { return s.point() && to.Kind == ScopeAny }

// Impairment acts on frames whose sender is in From and whose receiver is in To,
// and with BothWays on those the other way as well. If one of the two is an area
// and the other ScopeAny, it acts on what crosses the area's boundary.
type Impairment struct {
	ID       string
	Kind     ImpairmentKind
	From, To Scope
	BothWays bool

	// Of loss, reorder, duplicate and corrupt: exactly Hit of every Of frames, or,
	// if Of is 0, each frame with the probability Share.
	Share   float64
	Hit, Of uint32

	Delay  time.Duration // of delay and reorder
	Jitter time.Duration // of delay: up to so much more
	// Ordered keeps frames with jitter in their order; without it they overtake
	// each other.
	Ordered bool

	Rate  int64         // bits a second
	Queue time.Duration // of rate: how long a frame waits for its turn at most

	Match *Match // nil: it acts on every frame between its ends

	Seed uint64
}

// Match keeps an impairment to IPv4 frames of a kind. It is not changed once it
// has been told.
type Match struct {
	Protocol uint8  // IP's number; 0: any
	Port     uint16 // the TCP or UDP destination port; 0: any. Later fragments have none
	// Src and Dst have the addresses of frames from From to To, and the other way
	// round of those from To to From. None: any.
	Src, Dst []netip.Prefix
}

// Check tells what is wrong with i, "" if nothing.
func (i *Impairment) Check() error {
	for _, s := range []Scope{i.From, i.To} {
		if s.Kind > ScopeZone || (s.Kind == ScopeAny) != (s.ID == "") {
			return fmt.Errorf("impairment %s: no such scope: %+v", i.ID, s)
		}
	}
	chosen := i.Kind == ImpairLoss || i.Kind == ImpairReorder || i.Kind == ImpairDuplicate || i.Kind == ImpairCorrupt
	switch {
	case i.ID == "":
		return fmt.Errorf("an impairment without an id")
	case i.Kind.String() == "invalid":
		return fmt.Errorf("impairment %s has no kind", i.ID)
	case chosen && i.Of == 0 && !(i.Share > 0 && i.Share <= 1):
		return fmt.Errorf("impairment %s: a share is above 0 and at most 1, not %v", i.ID, i.Share)
	case i.Hit > i.Of || i.Of > 0 && i.Hit == 0:
		return fmt.Errorf("impairment %s: %d of every %d frames is no choice", i.ID, i.Hit, i.Of)
	case i.Delay < 0 || i.Jitter < 0 || i.Queue < 0:
		return fmt.Errorf("impairment %s: a duration is negative", i.ID)
	case i.Kind == ImpairDelay && i.Delay+i.Jitter == 0, i.Kind == ImpairReorder && i.Delay == 0:
		return fmt.Errorf("impairment %s delays by nothing", i.ID)
	case i.Match != nil && i.Match.Port != 0 && i.Match.Protocol != 6 && i.Match.Protocol != 17:
		return fmt.Errorf("impairment %s: protocol %d has no ports", i.ID, i.Match.Protocol)
	case i.Kind == ImpairRate && i.Rate <= 0:
		return fmt.Errorf("impairment %s: %d bits a second is no rate", i.ID, i.Rate)
	}
	return nil
}
