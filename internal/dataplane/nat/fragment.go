package nat

import (
	"time"

	"enilab/internal/dataplane/frame"
)

const (
	// fragmentLife is how long later fragments may follow their first. Longer
	// than any delay the network injects, and short: an identification is used
	// again.
	fragmentLife = int64(2 * time.Second)

	fragmentSets, fragmentWays = 256, 4
)

// fragments remembers first fragments, so that the later ones, which have no
// ports, are translated likewise. It is a cache: 1,024 datagrams at most, and a
// new one takes the place of the oldest of its set. Whoever floods it with first
// fragments harms datagrams under way, and none that come after.
type fragments struct {
	sets *[fragmentSets][fragmentWays]fragment // nil: none
	last int64                                 // the last deadline
}

type fragment struct {
	key      key
	deadline int64
	to       frame.IPv4 // the address that the datagram got in place of its own, or its slot
	serial   uint32     // of the name of the IPv6 host; 0: it has none
}

// fragmentKey names a datagram on its way through the gateway.
func fragmentKey(v *frame.View, dir int) key {
	return keyOf(v.SrcIP, v.DstIP, v.Proto, v.IPID, uint16(dir))
}

// add remembers that the datagram of which v is the first fragment got address to.
func (f *fragments) add(h hasher, v *frame.View, dir int, to frame.IPv4, now int64) {
	f.remember(h, fragmentKey(v, dir), to, 0, now)
}

func (f *fragments) remember(h hasher, k key, to frame.IPv4, serial uint32, now int64) {
	if f.sets == nil {
		f.sets = new([fragmentSets][fragmentWays]fragment)
	}
	set := &f.sets[h.of(k)%fragmentSets]
	place := &set[0]
	for i := range set {
		if set[i].key == k {
			place = &set[i]
			break
		}
		if set[i].deadline < place.deadline {
			place = &set[i]
		}
	}
	f.last = now + fragmentLife
	*place = fragment{k, f.last, to, serial}
}

// find returns the address for the later fragment v.
func (f *fragments) find(h hasher, v *frame.View, dir int, now int64) (to frame.IPv4, ok bool) {
	if e := f.recall(h, fragmentKey(v, dir), now); e != nil && e.serial == 0 {
		return e.to, true
	}
	return 0, false
}

func (f *fragments) recall(h hasher, k key, now int64) *fragment {
	if f.sets == nil {
		return nil
	}
	set := &f.sets[h.of(k)%fragmentSets]
	for i := range set {
		if e := &set[i]; e.key == k && now < e.deadline {
			return e
		}
	}
	return nil
}

// expire gives the memory back when no datagram is under way.
func (f *fragments) expire(now int64) {
	if f.sets != nil && now >= f.last {
		f.sets = nil
	}
}
