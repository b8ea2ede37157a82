package conntrack

import (
	"math/bits"

	"enilab/internal/dataplane/verdict"
)

// Probe is a look-up of a burst, for the frames of one flow.
type Probe struct {
	Key  Key
	hash uint64 // 0: not known
	// at is one more than the number of the entry that has the key, or had it: only
	// a comparison of the keys tells. 0: none is known.
	at uint32
	// from and peer are one more than the numbers of the other end's entry, which made
	// p by Mirror, and of the entry that it has named; 0 if there is none.
	from, peer uint32

	// Frames and Bytes are what Pass counts.
	Frames uint32
	Bytes  uint64
	// Each: not for Pass, since one of the frames may change more than counts.
	Each bool
	// Passed and Rule are what Pass found.
	Passed bool
	Rule   verdict.RuleID
}

// NewProbe returns a Probe that knows nothing yet.
func NewProbe(k Key) Probe { return Probe{Key: k} }

// Mirror makes p, of plain IPv4 frames (see PlainKey), a look-up of the same frames in the
// table of their other end, which begins with the entry that Pass has found named there.
func (p *Probe) Mirror() {
	p.Key = Key{
		Addrs: bits.RotateLeft64(p.Key.Addrs, 32),
		Rest:  p.Key.Rest&^(1<<32-1) | uint64(bits.RotateLeft32(uint32(p.Key.Rest), 16)),
	}
	p.from, p.at = p.at, p.peer
	p.hash, p.Passed = 0, false
}

// Warm finds the entries of a burst's flows for UpdateProbed, and loads their lines of
// memory. Each of its loops asks for one line a flow and needs none of those that it has
// asked for, so that the processor waits for many at once. What it has read there means
// nothing; the caller keeps it, or the compiler would leave the loads out.
//
// The index is another line a flow. It is asked neither for flows of which the other end
// knows the entry, nor while they follow each other as their entries do. strange tells
// that the other end did not know all.
func (t *Table) Warm(probes []Probe) (read uint32, strange bool) {
	if t.n == 0 || len(probes) == 0 {
		return 0, false
	}
	if t.n <= few {
		for i := range probes {
			t.scan(&probes[i])
		}
		return 0, false
	}
	// Frames often come in runs of one flow, or one flow after another.
	n, next := uint32(t.n), t.last
	if t.inTurn {
		next++
	}
	missing := len(probes)
	if p := &probes[0]; p.from != 0 {
		missing = t.named(probes)
		strange = missing > 0
	} else if t.inTurn {
		missing = t.follow(probes, next)
	} else if next < n && t.at(next).key == p.Key {
		p.at = next + 1
		missing--
	}
	if missing > 0 {
		read = t.ask(probes)
	}
	if last := probes[len(probes)-1].at; last != 0 {
		t.last = last - 1
	}
	return read, strange
}

// named keeps the entries that the other end knows as those of probes, and returns how
// many of them are not.
func (t *Table) named(probes []Probe) (missing int) {
	n := uint32(t.n)
	for i := range probes {
		p := &probes[i]
		if number := p.at - 1; number >= n || t.at(number).key != p.Key {
			p.at = 0
			missing++
		}
	}
	return missing
}

// follow takes the entries from number on for those of probes, and returns of how many
// they are not.
func (t *Table) follow(probes []Probe, number uint32) (missing int) {
	n := uint32(t.n)
	for i := range probes {
		p := &probes[i]
		if number < n && t.at(number).key == p.Key {
			p.at = number + 1
		} else {
			p.at = 0
			missing++
		}
		number++
	}
	return missing
}

// ask has the index find the entries of probes that have none yet.
func (t *Table) ask(probes []Probe) (read uint32) {
	cur := t.cur
	mask := uint64(len(cur) - 1)
	for i := range probes {
		if p := &probes[i]; p.at == 0 {
			p.hash = t.hash.of(p.Key)
			p.at = cur[p.hash&mask]
		}
	}
	for i := range probes {
		p := &probes[i]
		if p.hash == 0 {
			continue
		}
		tag, at := tagOf(p.hash), p.hash&mask
		for p.at != 0 && p.at&^numberMask != tag {
			at = (at + 1) & mask
			p.at = cur[at]
		}
		p.at &= numberMask
	}
	n, in, before := uint32(t.n), 0, t.last
	for i := range probes {
		number := probes[i].at - 1
		if number < n {
			read += uint32(t.at(number).flags)
		}
		if number == before+1 {
			in++
		}
		before = number
	}
	t.inTurn = 2*in > len(probes)
	return read
}

// Pass is Update of each of a burst's flows whose further frames, if they have none
// of TCP's SYN, FIN and RST and are no fragments, pass as the last did and change
// nothing but counts: for all of its Frames at once, which have to be such. It
// leaves those for UpdateProbed whose entries Warm has not found, or that it
// may not pass, and returns how many it has passed. The probes have to be all of the
// burst: one with another of the same flow that is not for Pass is none either,
// since its frames would be counted before what may begin the flow anew.
func (t *Table) Pass(probes []Probe, dir Direction, now int64, to *Timeouts, gen uint32) (passed int) {
	each := uint64(0) // the keys of those not for Pass, by six bits: some keys more cost little
	for i := range probes {
		if p := &probes[i]; p.Each {
			each |= p.Key.bit()
		}
	}
	n := uint32(t.n)
	for i := range probes {
		p := &probes[i]
		if each&p.Key.bit() != 0 {
			continue
		}
		var e *Entry
		if number := p.at - 1; number < n {
			e = t.at(number)
		}
		if e == nil || e.key != p.Key {
			// Warm has looked no further than to the first entry with the tag of p, and
			// not in the index that a table leaves when it grows.
			if p.at == 0 && t.old == nil {
				continue
			}
			if e = t.probed(p); e == nil {
				continue
			}
		}
		if e.expired(now) || e.stale(gen) || !e.steady() {
			continue
		}
		e.count(dir&1, p.Frames, p.Bytes)
		e.deadline = now + int64(to.of(e.state))
		p.Passed, p.Rule, p.peer = true, e.rule, e.peer()+1
		passed++
	}
	return passed
}

// Learn has the table of the other end of probes that have been mirrored remember where
// Pass has found them.
func (t *Table) Learn(probes []Probe) {
	for i := range probes {
		p := &probes[i]
		if number := p.from - 1; p.Passed && number < uint32(t.n) {
			t.at(number).setPeer(p.at - 1)
		}
	}
}

// bit is one of 64, the same for the same key; ports choose it before addresses do.
func (k Key) bit() uint64 { return 1 << ((k.Rest ^ k.Rest>>16 ^ k.Addrs ^ k.Addrs>>32) & 63) }

// few entries are sooner compared than looked for.
const few = 4

// scan is what Warm does with few entries.
func (t *Table) scan(p *Probe) {
	for i := range t.first[:t.n] {
		if t.first[i].key == p.Key {
			p.at = uint32(i) + 1
			return
		}
	}
}

// probed returns the entry of p, nil if there is none; p.at then tells its number.
func (t *Table) probed(p *Probe) *Entry {
	if number := p.at - 1; number < uint32(t.n) {
		if e := t.at(number); e.key == p.Key {
			return e
		}
	}
	if p.hash == 0 {
		p.hash = t.hash.of(p.Key)
	}
	number, ok := t.find(p.hash, p.Key)
	if !ok {
		return nil
	}
	p.at, t.last = number+1, number
	return t.at(number)
}
