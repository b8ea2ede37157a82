package nat

import (
	"slices"

	"enilab/internal/dataplane/frame"
)

// Expire looks at n connections from where the last call stopped, removes those
// whose time is over and returns how many. It goes on with a change of size, and
// gives memory back when connections have become few.
func (t *Table) Expire(now int64, n int) (removed int) {
	t.fragments.expire(now)
	for _, x := range [...]*index{&t.inside, &t.outside, &t.counts.index} {
		x.migrate(n)
	}
	if n >= int(t.flows.n) {
		n, t.cursor = int(t.flows.n), 0
	}
	for ; n > 0 && t.flows.n > 0; n-- {
		// Downwards: what takes the place of one that is removed comes from
		// above, where this round has been.
		if t.cursor == 0 || t.cursor > t.flows.n {
			t.cursor = t.flows.n
		}
		t.cursor--
		if t.flows.at(t.cursor).expired(now) {
			t.end(t.cursor)
			removed++
		}
	}
	t.release()
	return removed
}

// release gives back all memory of an empty table.
func (t *Table) release() {
	if t.flows.n == 0 && t.flows.chunks != nil {
		t.flows, t.inside, t.outside, t.counts = slab[flow]{}, index{}, index{}, counter{}
	}
	if t.hosts != nil {
		t.hosts.Trim()
	}
}

// SetAddresses replaces the gateway's own addresses. Connections under an
// address that is no longer among them go on until they end: AWS drains them
// (DisassociateNatGatewayAddress), and Drop ends them.
func (t *Table) SetAddresses(own []frame.IPv4) { t.own = slices.Clone(own) }

// Drop ends every connection under the own address ip and returns how many there
// were. It looks at the whole table, and forgets all fragments under way.
func (t *Table) Drop(ip frame.IPv4) (removed int) {
	for i := uint32(0); i < t.flows.n; {
		if t.flows.at(i).own != ip {
			i++
			continue
		}
		t.remove(i)
		removed++
	}
	t.fragments.sets = nil
	t.release()
	return removed
}

// Len returns the number of connections. One whose time is over counts until
// Out, In or Expire comes across it.
func (t *Table) Len() int { return int(t.flows.n) }

// Stats returns the counts.
func (t *Table) Stats() Stats { return t.stats }
