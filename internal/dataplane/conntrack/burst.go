package conntrack

// Probe is a look-up of a burst. Its caller sets Key and clears the rest.
type Probe struct {
	Key  Key
	hash uint64 // 0: not known
	// at is one more than the number of the entry that has the key, or had it: only
	// a comparison of the keys tells. 0: none is known.
	at uint32
}

// NewProbe returns a Probe that knows nothing yet.
func NewProbe(k Key) Probe { return Probe{Key: k} }

// Warm finds the entries of a burst's flows for UpdateProbed, and loads their
// lines of memory. Each of its loops asks for one line a flow and needs none of
// those that it has asked for, so that the processor waits for many at once. What it has
// read there means nothing; the caller keeps it, or the compiler would leave the loads out.
func (t *Table) Warm(probes []Probe) (read uint32) {
	if t.n == 0 || len(probes) == 0 {
		return 0
	}
	if t.n <= few {
		for i := range probes {
			t.scan(&probes[i])
		}
		return 0
	}
	// Frames often come in runs of one flow, which needs no hash.
	if p := &probes[0]; int(t.last) < t.n && t.at(t.last).key == p.Key {
		p.at = t.last + 1
		if probes = probes[1:]; len(probes) == 0 {
			return 0
		}
	}
	cur := t.cur
	mask := uint64(len(cur) - 1)
	for i := range probes {
		p := &probes[i]
		p.hash = t.hash.of(p.Key)
		p.at = cur[p.hash&mask]
	}
	for i := range probes {
		p := &probes[i]
		tag, at := tagOf(p.hash), p.hash&mask
		for p.at != 0 && p.at&^numberMask != tag {
			at = (at + 1) & mask
			p.at = cur[at]
		}
		p.at &= numberMask
	}
	n := uint32(t.n)
	for i := range probes {
		if number := probes[i].at - 1; number < n {
			read += uint32(t.at(number).flags)
		}
	}
	if last := probes[len(probes)-1].at; last != 0 {
		t.last = last - 1
	}
	return read
}

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
