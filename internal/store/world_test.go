package store

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// world is the model a store is compared with: rows by table and id. Rows are
// never changed, only replaced, so a copy of the maps is a snapshot.
type world struct {
	rows   map[control.Table]map[string]any
	serial uint32 // makes ids, MACs, names and refs unique for ever
	rng    *rand.Rand
}

func newWorld(seed uint64) *world {
	w := &world{rows: map[control.Table]map[string]any{}, rng: rand.New(rand.NewPCG(seed, 1))}
	for _, k := range kinds {
		w.rows[k.table] = map[string]any{}
	}
	return w
}

func (w *world) snapshot() map[control.Table]map[string]any {
	s := make(map[control.Table]map[string]any, len(w.rows))
	for table, rows := range w.rows {
		s[table] = maps.Clone(rows)
	}
	return s
}

// since returns the changes from a snapshot to now, in random order.
func (w *world) since(before map[control.Table]map[string]any) []control.Change {
	var cs []control.Change
	for table, rows := range w.rows {
		for id, after := range rows {
			if was := before[table][id]; was != after {
				cs = append(cs, control.Change{Table: table, ID: id, Before: was, After: after})
			}
		}
		for id, was := range before[table] {
			if rows[id] == nil {
				cs = append(cs, control.Change{Table: table, ID: id, Before: was})
			}
		}
	}
	slices.SortFunc(cs, func(a, b control.Change) int { return compareText(string(a.Table)+a.ID, string(b.Table)+b.ID) })
	w.rng.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
	return cs
}

func compareText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// all returns the rows of a table in Load's order.
func all[T any](w *world, table control.Table) []*T {
	rows := make([]*T, 0, len(w.rows[table]))
	for _, id := range slices.Sorted(maps.Keys(w.rows[table])) {
		rows = append(rows, w.rows[table][id].(*T))
	}
	return rows
}

// pick returns a random row that fits, nil if none does.
func pick[T any](w *world, table control.Table, fits func(*T) bool) *T {
	rows := slices.DeleteFunc(all[T](w, table), func(t *T) bool { return fits != nil && !fits(t) })
	if len(rows) == 0 {
		return nil
	}
	return rows[w.rng.IntN(len(rows))]
}

func (w *world) put(table control.Table, id string, row any) { w.rows[table][id] = row }

func (w *world) delete(table control.Table, id string) { delete(w.rows[table], id) }

func (w *world) next() uint32 { w.serial++; return w.serial }

// id is unique, and its order is not that of creation.
func (w *world) id(prefix string) string {
	return fmt.Sprintf("%s-%08x%04x", prefix, w.rng.Uint32(), w.next())
}

func (w *world) maybe() bool { return w.rng.IntN(2) == 0 }

// text has what breaks careless quoting, encoding and C strings.
func (w *world) text() string {
	pieces := []string{"", "web", "'; DROP TABLE vpcs; --", "\x00", "ü", "\u2028", "\ufffd", `\ufffd`, `\`, `"`, "🦆", "<&>", "\n"}
	s := ""
	for range w.rng.IntN(4) {
		s += pieces[w.rng.IntN(len(pieces))]
	}
	return s
}

func (w *world) time() time.Time {
	switch w.rng.IntN(8) {
	case 0:
		return time.Time{}
	case 1:
		return time.Unix(0, math.MinInt64).UTC()
	case 2:
		return time.Unix(0, math.MaxInt64).UTC()
	}
	return time.Unix(1_700_000_000, w.rng.Int64N(1e18)).UTC()
}

func (w *world) tags() control.Tags {
	switch w.rng.IntN(4) {
	case 0:
		return nil
	case 1:
		return control.Tags{}
	}
	return control.Tags{"Name": w.text(), w.text(): w.text()}
}

func (w *world) addr() netip.Addr {
	if w.rng.IntN(8) == 0 {
		return netip.MustParseAddr("2001:db8::1%eth0")
	}
	return frame.IPv4(w.rng.Uint32()).Addr()
}

func (w *world) workloads() []spec.Workload {
	switch w.rng.IntN(3) {
	case 0:
		return nil
	case 1:
		return []spec.Workload{}
	}
	return []spec.Workload{
		{Name: w.text(), Kind: spec.WorkloadHTTP, Rate: w.rng.NormFloat64(), Connections: 8},
		{Target: w.addr(), Port: math.MaxUint16, Rate: math.SmallestNonzeroFloat64, Paused: true},
	}
}

func (w *world) probe() control.Probe {
	return control.Probe{
		Type: control.ProbeHTTP, From: w.text(), Port: 80, Path: "/" + w.text(),
		Interval: time.Duration(w.rng.Int64()), Timeout: math.MaxInt64, Misses: 3,
	}
}
