package control

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/control/rows"
)

// tx is what a transition works on: a view of the State that only it changes,
// with the one instant and the one source of randomness of its command. A
// transition either returns an error, and everything it did is thrown away, or
// its changes and events become one Commit.
type tx struct {
	*rows.Txn
	was    *State // what it replaces whole; nil: it changes what is there
	now    time.Time
	random func([]byte)
	region string // where it creates
	scope  string // the region whose rows it may name, "" any
	timing Timing
	quotas Quotas
	next   counters
	events []Event
	// announce is whether guests are told of addresses that change their ENI, if the
	// command says so itself.
	announce *bool
	// returned are the ids of what the command returns, if it is one of a request
	// that is remembered.
	returned []string
}

func get[T any](t *tx, table Table, index string, args ...any) T {
	return firstIn[T](&t.View, string(table), index, args...)
}

func list[T any](t *tx, table Table, index string, args ...any) []T {
	return allIn[T](&t.View, string(table), index, args...)
}

func exists(t *tx, table Table, index string, args ...any) bool {
	return t.View.Get(string(table), index, wanted(index, args)) != nil
}

// put stores a row that the transition has made or copied. Rows in the view
// are shared with every State that holds them and must not be changed.
func (t *tx) put(table Table, row any) { t.Put(string(table), row) }

func (t *tx) remove(table Table, row any) {
	if !t.Delete(string(table), row) {
		panic("deleting from " + string(table) + ": the row is not there")
	}
}

// putInterface is the only way to write an ENI: it keeps the leases and the
// subnet's usage.
func (t *tx) putInterface(n *NetworkInterface) {
	old := get[*NetworkInterface](t, TableNetworkInterface, byID, n.ID)
	t.put(TableNetworkInterface, n)
	if old != nil && slices.Equal(old.Addresses, n.Addresses) && slices.Equal(old.IPv6, n.IPv6) &&
		slices.Equal(old.Prefixes, n.Prefixes) && slices.Equal(old.IPv6Prefixes, n.IPv6Prefixes) {
		return
	}
	if old != nil {
		t.release(old)
	}
	for a := range n.leased() {
		t.put(tableLease, &lease{VPC: n.VPC, Subnet: n.Subnet, Addr: a, Interface: n.ID})
	}
	t.use(n.Subnet, n.used())
}

func (t *tx) removeInterface(n *NetworkInterface) {
	t.release(n)
	t.remove(TableNetworkInterface, n)
}

func (t *tx) release(n *NetworkInterface) {
	for a := range n.leased() {
		t.remove(tableLease, t.holder(n.VPC, a))
	}
	t.use(n.Subnet, -n.used())
}

// leased are the addresses that an ENI keeps from others: its own, every one of
// its IPv4 prefixes, and the first of each IPv6 prefix, which stands for all of
// a block that is given out whole.
func (n *NetworkInterface) leased() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		for _, a := range n.Addresses {
			if !yield(a.Addr) {
				return
			}
		}
		for _, a := range n.IPv6 {
			if !yield(a.Addr) {
				return
			}
		}
		for _, p := range n.Prefixes {
			for a := range addrs(p) {
				if !yield(a) {
					return
				}
			}
		}
		for _, p := range n.IPv6Prefixes {
			if !yield(p.Addr()) {
				return
			}
		}
	}
}

// used is how many of the subnet's IPv4 addresses an ENI takes up.
func (n *NetworkInterface) used() int {
	used := len(n.Addresses)
	for _, p := range n.Prefixes {
		used += 1 << (32 - p.Bits())
	}
	return used
}

func (t *tx) use(subnet string, count int) {
	u := usage{Subnet: subnet}
	if old := get[*usage](t, tableUsage, byID, subnet); old != nil {
		u.Used = old.Used
	}
	u.Used += count
	t.put(tableUsage, &u)
}

func (t *tx) holder(vpc string, a netip.Addr) *lease {
	return get[*lease](t, tableLease, byID, vpc, a)
}

// emit adds an event; detail is pairs of key and value, empty values left out.
func (t *tx) emit(typ, resource string, detail ...string) {
	t.next.event++
	e := Event{Seq: t.next.event, At: t.now, Type: typ, Resource: resource}
	for i := 0; i+1 < len(detail); i += 2 {
		if detail[i+1] == "" {
			continue
		}
		if e.Detail == nil {
			e.Detail = make(map[string]string, len(detail)/2)
		}
		e.Detail[detail[i]] = detail[i+1]
	}
	t.events = append(t.events, e)
}

// commit turns what the transition did into a Commit of that revision.
func (t *tx) commit(revision uint64) Commit {
	c := Commit{
		Revision:     revision,
		At:           t.now,
		Events:       t.events,
		NextGroupRef: t.next.group,
		NextRuleRef:  t.next.rule,
		EventSeq:     t.next.event,
	}
	for i := range c.Events {
		c.Events[i].Revision = revision
	}
	mutations := t.Changes()
	if t.was != nil {
		mutations = t.differences()
	}
	for _, m := range mutations {
		table := Table(m.Table)
		if _, stored := tableOrder[table]; !stored || m.Before == m.After {
			continue // derived, or untouched in the end
		}
		row := m.After
		if row == nil {
			row = m.Before
		}
		c.Changes = append(c.Changes, Change{Table: table, ID: rowID(row), Before: m.Before, After: m.After})
	}
	slices.SortFunc(c.Changes, func(a, b Change) int {
		if a, b := a.After == nil, b.After == nil; a != b {
			if b {
				return -1
			}
			return 1
		}
		order := tableOrder[a.Table] - tableOrder[b.Table]
		if a.After == nil {
			order = -order
		}
		return cmp.Or(order, cmp.Compare(a.ID, b.ID))
	})
	return c
}

func rowID(row any) string { return row.(Row).Identity().ID }
