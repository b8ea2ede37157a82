package dataplane

import (
	"fmt"
	"hash/fnv"
	"math/bits"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// impairments are those in force, immutable. A burst loads them once; nil: none.
type impairments struct{ list []*impairment }

// impairment is one in force.
type impairment struct {
	spec  spec.Impairment
	rule  verdict.RuleID // its reference
	share uint64         // of spec, in 1/2^64
	seed  uint64
	*impairmentCounts
}

// impairmentCounts stay when the impairments in force change.
type impairmentCounts struct{ seen, hit atomic.Uint64 }

// Impair puts impairments into force in place of those that were; when it returns
// no frame passes by the old ones. What waits on a delay goes on waiting, and an
// impairment that stays goes on where it was: with the next frame's ordinal. An
// error leaves all as it was.
func (e *Engine) Impair(list []spec.Impairment) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	next := &impairments{}
	seen := map[string]bool{}
	for _, s := range list {
		if err := s.Check(); err != nil {
			return fmt.Errorf("impairing the network: %w", err)
		}
		if seen[s.ID] {
			return fmt.Errorf("impairing the network: impairment %s is named twice", s.ID)
		}
		seen[s.ID] = true
		i := &impairment{
			spec: s, rule: e.rules.number(verdict.KindImpairment, s.ID),
			seed: scramble(s.Seed ^ hashOf(s.ID)), impairmentCounts: &impairmentCounts{},
		}
		if i.share = ^uint64(0); s.Share < 1 {
			i.share = uint64(s.Share * (1 << 32) * (1 << 32))
		}
		if old := e.impaired.Load().byID(s.ID); old != nil {
			i.impairmentCounts = old.impairmentCounts
		}
		next.list = append(next.list, i)
	}
	if len(list) == 0 {
		next = nil
	}
	e.impaired.Store(next)
	for _, w := range e.workers {
		w.visit(func() {}) // each burst that has begun before ends
	}
	return nil
}

func (all *impairments) byID(id string) *impairment {
	if all != nil {
		for _, i := range all.list {
			if i.spec.ID == id {
				return i
			}
		}
	}
	return nil
}

// Impaired returns how many frames an impairment has judged, and on how many of
// them it has acted; ok false: it is not in force.
func (e *Engine) Impaired(id string) (seen, hit uint64, ok bool) {
	i := e.impaired.Load().byID(id)
	if i == nil {
		return 0, 0, false
	}
	return i.seen.Load(), i.hit.Load(), true
}

// condition is an impairment of one VNIC's frames, one way. The fate of a frame
// depends on the seed, the impairment, the VNIC and the frame's ordinal alone.
type condition struct {
	*impairment
	reverse bool   // from To to From
	key     uint64 // of seed, VNIC and way
	n       uint64 // frames judged: the ordinal of the next
	paid    int64  // of a rate: when the wire is free again
	last    int64  // of an ordered delay: when the frame before is due

	sender spec.Scope // of frames that arrive; ScopeAny: whoever
	beyond spec.Scope // in which their sender must not be; ScopeAny: none
}

// hits decides on the frame with the ordinal n.
func (k *condition) hits(n uint64) bool {
	of := uint64(k.spec.Of)
	if of == 0 {
		return k.share == ^uint64(0) || scramble(k.key^n) < k.share
	}
	// Exactly Hit of each Of: those that an affine permutation, another for each
	// round, takes to the first places.
	r := scramble(k.key ^ scramble(n/of))
	a, b := r%of, (r>>32)%of
	for gcd(a, of) != 1 {
		a++
	}
	hi, lo := bits.Mul64(a, n%of)
	lo, carry := bits.Add64(lo, b, 0)
	_, place := bits.Div64(hi+carry, lo, of)
	return place < uint64(k.spec.Hit)
}

// drawn is a number in 0..max that belongs to the frame with the ordinal n.
func (k *condition) drawn(n uint64, max time.Duration) int64 {
	hi, _ := bits.Mul64(scramble(scramble(k.key^n)+1), uint64(max)+1)
	return int64(hi)
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// scramble is the finaliser of SplitMix64.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// covers reports whether the VNIC that c configures is in the scope.
func covers(s *spec.Scope, c *config) bool {
	switch s.Kind {
	case spec.ScopeAny:
		return true
	case spec.ScopeLink:
		return c.spec.Host == s.ID && c.spec.DeviceIndex == s.DeviceIndex
	case spec.ScopeVNIC:
		return c.spec.ID == s.ID
	case spec.ScopeHost:
		return c.spec.Host == s.ID
	case spec.ScopeSubnet:
		return c.spec.Subnet == s.ID
	}
	return c.subnet.current.Load().spec.Zone == s.ID
}

// wire is what impairments do to the frames of a VNIC. Guarded by its token.
type wire struct {
	by      *impairments // out and in are of these,
	as      *config      // for this configuration
	out, in []condition  // of frames that leave the guest, and that reach the VNIC
	held    dueHeap[heldFrame]
	armed   int64 // when the VNIC's home has been asked to look; 0: never
}

// wireOf returns what is in force for v as it is now.
func (w *worker) wireOf(v *vnic, c *config) *wire {
	k := v.wire
	if k == nil {
		k = &wire{}
		v.wire = k
	}
	if k.by != w.impaired || k.as != c {
		out, in := k.out, k.in
		k.by, k.as, k.out, k.in = w.impaired, c, nil, nil
		for _, i := range w.impaired.list {
			k.add(v, c, i, false, out, in)
			if i.spec.BothWays && i.spec.From != i.spec.To {
				k.add(v, c, i, true, out, in)
			}
		}
	}
	return k
}

// add adds what an impairment does one way, as it was if it is among what was.
func (k *wire) add(v *vnic, c *config, i *impairment, reverse bool, wasOut, wasIn []condition) {
	from, to := i.spec.From, i.spec.To
	if reverse {
		from, to = to, from
	}
	list, was, at := &k.in, wasIn, &to
	if from.OfSender(to) {
		list, was, at = &k.out, wasOut, &from
	}
	crossing := to.Kind == spec.ScopeAny && from.Area()
	if !covers(at, c) || crossing && covers(&from, c) {
		return
	}
	n := condition{impairment: i, reverse: reverse}
	for o := range was {
		if was[o].spec.ID == i.spec.ID && was[o].reverse == reverse {
			n = was[o]
			n.impairment = i
		}
	}
	way := uint64(0)
	if reverse {
		way = 1
	}
	n.key = scramble(i.seed ^ scramble(hashOf(v.id)+way))
	n.sender, n.beyond = spec.Scope{}, spec.Scope{}
	if list == &k.in {
		n.sender = from
		if from.Kind == spec.ScopeAny && to.Area() {
			n.beyond = to
		}
	}
	*list = append(*list, n)
}

// concerns reports whether a frame comes from where it must, and is of the kind.
func (k *condition) concerns(w *worker, b *frame.Buf) bool {
	if m := k.spec.Match; m != nil && !takes(m, &b.View, k.reverse) {
		return false
	}
	if k.sender.Kind == spec.ScopeAny && k.beyond.Kind == spec.ScopeAny {
		return true
	}
	from := w.e.directory.vnic(b.Src)
	if from == nil {
		return false // the network's own, or of one that is gone
	}
	c := from.config.Load()
	return c != nil && covers(&k.sender, c) && (k.beyond.Kind == spec.ScopeAny || !covers(&k.beyond, c))
}

// takes reports whether a match is for a frame, which goes from To to From if back
// is set.
func takes(m *spec.Match, v *frame.View, back bool) bool {
	src, dst := m.Src, m.Dst
	if back {
		src, dst = dst, src
	}
	return v.Kind == frame.KindIPv4 && (m.Protocol == 0 || m.Protocol == v.Proto) &&
		(m.Port == 0 || v.HasL4 && v.DstPort == m.Port) && among(src, v.SrcIP) && among(dst, v.DstIP)
}

func among(blocks []netip.Prefix, ip frame.IPv4) bool {
	return len(blocks) == 0 || slices.ContainsFunc(blocks, func(p netip.Prefix) bool { return p.Contains(ip.Addr()) })
}

// impairOut takes frames from the guest of v, which w holds, over its wire, and
// returns those that reach the network now.
func (w *worker) impairOut(v *vnic, c *config, frames []*frame.Buf) []*frame.Buf {
	k := w.wireOf(v, c)
	if w.passing || len(k.out) == 0 || c.fate != verdict.Delivered {
		return frames
	}
	n := 0
	for _, b := range frames {
		b.Src = v.index
		b.Parse() // for whoever captures what is lost
		if w.suffer(v, k, k.out, b, true) {
			frames[n] = b
			n++
		}
	}
	return frames[:n]
}

// impairIn takes frames that reach v, which w holds, over its wire, and returns
// those that arrive now.
func (w *worker) impairIn(v *vnic, c *config, frames []*frame.Buf) []*frame.Buf {
	k := w.wireOf(v, c)
	if w.passing || len(k.in) == 0 {
		return frames
	}
	n := 0
	for _, b := range frames {
		if w.suffer(v, k, k.in, b, false) {
			frames[n] = b
			n++
		}
	}
	return frames[:n]
}

// suffer does to b what impairments do, one after the other as they were made. False: it
// has been lost, or held.
func (w *worker) suffer(v *vnic, on *wire, list []condition, b *frame.Buf, out bool) bool {
	due, copies := w.now, 0
	for i := range list {
		k := &list[i]
		if !k.concerns(w, b) {
			continue
		}
		n, why := k.n, verdict.Delivered
		k.n++
		k.seen.Add(1)
		switch k.spec.Kind {
		case spec.ImpairPartition:
			why = verdict.Partitioned
		case spec.ImpairDelay:
			if due += int64(k.spec.Delay); k.spec.Jitter > 0 {
				due += k.drawn(n, k.spec.Jitter)
			}
			if k.spec.Ordered {
				due = max(due, k.last)
				k.last = due
			}
		case spec.ImpairRate:
			const second = 1_000_000_000
			start := max(due, k.paid)
			if start-due > int64(k.spec.Queue) {
				why = verdict.RateQueueFull
				break
			}
			k.paid = start + int64(b.Len())*8*second/k.spec.Rate
			due = k.paid
		default:
			if !k.hits(n) {
				continue
			}
			switch k.spec.Kind {
			case spec.ImpairLoss:
				why = verdict.ImpairedLoss
			case spec.ImpairReorder:
				due += int64(k.spec.Delay)
			case spec.ImpairDuplicate:
				copies++
			case spec.ImpairCorrupt:
				if k.corrupt(n, b) == frame.KindInvalid && !out {
					why = verdict.Malformed
				}
			}
		}
		if k.spec.Kind != spec.ImpairRate || why != verdict.Delivered || due > w.now {
			k.hit.Add(1)
		}
		if why != verdict.Delivered {
			w.loseOnWire(v, b, why, k.rule, out)
			return false
		}
	}
	held := due > w.now
	for range copies {
		w.duplicate(v, on, b, due, out)
	}
	if held {
		w.holdBack(v, on, b, due, out)
	}
	return !held
}

// corrupt inverts a bit behind the Ethernet header, by which the network switches.
func (k *condition) corrupt(n uint64, b *frame.Buf) frame.Kind {
	bytes := b.Bytes()
	if len(bytes) <= frame.EthernetLen {
		return b.View.Kind
	}
	bit := k.drawn(n, time.Duration(len(bytes)-frame.EthernetLen)*8-1)
	bytes[frame.EthernetLen+int(bit/8)] ^= 1 << (bit % 8)
	return b.Parse()
}

func (w *worker) loseOnWire(v *vnic, b *frame.Buf, why verdict.Reason, rule verdict.RuleID, out bool) {
	if out {
		w.refuse(v, b, endedBy(verdict.StepWireOut, why, rule), 0)
	} else {
		w.refuse(v, b, endedBy(verdict.StepWireIn, why, rule), v.index)
	}
}
