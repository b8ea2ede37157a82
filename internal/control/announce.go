package control

import (
	"iter"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/spec"
)

// maxDepartures bounds the addresses that are remembered after their ENI has lost
// them. The oldest are forgotten first, whose next holder is not announced then.
const maxDepartures = 4096

// departures finds addresses that have changed their ENI within their subnet,
// in one commit or in two: guests of the subnet may still have the MAC of the
// former one. The zero value has seen nothing.
type departures struct {
	last  map[subnetAddr]departure // of addresses that nobody has had since
	order []departure              // oldest first, with some that are not the last any more
	count uint64
}

type subnetAddr struct {
	subnet string
	addr   netip.Addr
}

type departure struct {
	subnetAddr
	eni string
	nth uint64
}

// observe takes the changes of one commit and returns the addresses that are
// another ENI's now. An ENI that moves whole keeps its MAC, so that its addresses
// are not among them.
func (d *departures) observe(changes []Change) (moved []spec.Announcement) {
	for _, c := range changes {
		if before, after, ok := readdressed(c); ok && before != nil {
			for a := range before.OnWire() {
				if after == nil || !holds(after, a) {
					d.leave(subnetAddr{before.Subnet, a}, c.ID)
				}
			}
		}
	}
	if len(d.last) == 0 {
		return nil
	}
	for _, c := range changes {
		_, after, ok := readdressed(c)
		if !ok || after == nil {
			continue
		}
		for _, a := range slices.Collect(after.OnWire()) {
			at := subnetAddr{after.Subnet, a}
			if from, known := d.last[at]; known {
				delete(d.last, at)
				if from.eni != c.ID {
					moved = append(moved, spec.Announcement{Subnet: at.subnet, Addr: a})
				}
			}
		}
	}
	return moved
}

// readdressed returns an ENI before and after a change of its IPv4 addresses.
func readdressed(c Change) (before, after *NetworkInterface, ok bool) {
	if c.Table != TableNetworkInterface {
		return nil, nil, false
	}
	before, _ = c.Before.(*NetworkInterface)
	after, _ = c.After.(*NetworkInterface)
	return before, after, before == nil || after == nil ||
		!slices.Equal(before.Addresses, after.Addresses) || !slices.Equal(before.Prefixes, after.Prefixes)
}

// OnWire are the IPv4 addresses that the network delivers to an ENI.
func (n *NetworkInterface) OnWire() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for a := range n.leased() {
			if a.Is4() && !yield(a) {
				return
			}
		}
	}
}

func (d *departures) leave(a subnetAddr, eni string) {
	if d.last == nil {
		d.last = map[subnetAddr]departure{}
	}
	d.count++
	left := departure{a, eni, d.count}
	d.last[a] = left
	d.order = append(d.order, left)
	for len(d.last) > maxDepartures {
		if oldest := d.order[0]; d.last[oldest.subnetAddr] == oldest {
			delete(d.last, oldest.subnetAddr)
		}
		d.order = d.order[1:]
	}
	if len(d.order) > 2*maxDepartures {
		d.order = slices.DeleteFunc(d.order, func(o departure) bool { return d.last[o.subnetAddr] != o })
	}
}
