package nat

import "enilab/internal/dataplane/frame"

const (
	// FirstPort is the lowest source port of a NAT gateway; the highest is
	// 65535 (Amazon VPC User Guide, "NAT gateway basics").
	FirstPort = 1024

	// PerDestination is how many connections one address of a gateway holds at
	// once to one destination: remote address, port and protocol ("NAT gateway
	// basics").
	PerDestination = 55_000

	numPorts = 1<<16 - FirstPort

	// portStep has no divisor in common with numPorts, so that steps of it
	// come by every port.
	portStep = 39_119
)

// counter counts connections by destination; a destination without any takes
// no memory.
type counter struct {
	dests slab[dest]
	index index
}

type dest struct {
	key key // outside, with port 0
	n   int
}

func (c *counter) find(hash uint32, k key) (i uint32, ok bool) {
	return c.index.find(hash, func(i uint32) bool { return c.dests.at(i).key == k })
}

func (c *counter) count(hash uint32, k key) int {
	if i, ok := c.find(hash, k); ok {
		return c.dests.at(i).n
	}
	return 0
}

func (c *counter) add(hash uint32, k key) {
	i, ok := c.find(hash, k)
	if !ok {
		var d *dest
		i, d = c.dests.push()
		*d = dest{key: k}
		c.index.put(hash, i)
	}
	c.dests.at(i).n++
}

func (c *counter) sub(h hasher, k key) {
	hash := h.of(k)
	i, _ := c.find(hash, k)
	d := c.dests.at(i)
	if d.n--; d.n > 0 {
		return
	}
	c.index.take(hash, i)
	if last := c.dests.n - 1; i != last {
		*d = *c.dests.at(last)
		c.index.renumber(h.of(d.key), last, i)
	}
	if c.dests.pop() {
		c.index.shrink()
	}
}

// allot chooses the address and the port of a new connection with the inside
// key k: the first own address that is not exhausted, and a port at random
// (RFC 6056, 3.3.1).
func (t *Table) allot(k key, now int64) (own frame.IPv4, port uint16, ok bool) {
	for _, own := range t.own {
		d := k.with(own, 0).four() // a destination is one for both families
		hash := t.hash.of(d)
		if t.counts.count(hash, d) < t.perDest || t.reclaim(d, now) {
			t.counts.add(hash, d)
			return own, t.freePort(d), true
		}
	}
	return 0, 0, false
}

// freePort returns a port that no connection to the destination d has. There is
// one: PerDestination leaves a seventh of them free, so that it is found soon.
func (t *Table) freePort(d key) uint16 {
	for p := t.anyPort(); ; p = (p + portStep) % numPorts {
		port := uint16(FirstPort + p)
		if _, taken := t.holder(d, port); !taken {
			return port
		}
	}
}

// reclaim ends a connection to the destination d whose time is over and that
// Expire has not come by, if a short search finds one.
func (t *Table) reclaim(d key, now int64) bool {
	p := t.anyPort()
	for range reclaimStep {
		if i, ok := t.holder(d, uint16(FirstPort+p)); ok && t.flows.at(i).expired(now) {
			t.end(i)
			return true
		}
		p = (p + portStep) % numPorts
	}
	return false
}

// holder finds the connection to the destination d that has a port, of either family.
func (t *Table) holder(d key, port uint16) (i uint32, ok bool) {
	k := d.with(d.local(), port)
	if i, ok = t.findOutside(k); !ok && t.hosts != nil {
		i, ok = t.findOutside(k.six())
	}
	return i, ok
}

func (t *Table) anyPort() uint32 { return uint32(t.random.next()>>32) % numPorts }
