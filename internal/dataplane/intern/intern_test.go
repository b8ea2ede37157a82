package intern

import (
	"testing"

	"pgregory.net/rapid"
)

type wide [4]uint64

// The obvious version: a map from value to how often it is held, and one from
// every name ever given to its value.
func TestTableAgainstMaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table Table[wide]
		holds, named := map[wide]int{}, map[Ref]wide{}
		values := rapid.SampledFrom([]uint64{3, 70, 1000}).Draw(t, "values")
		any := func(t *rapid.T) wide { return wide{3: rapid.Uint64Range(1, values).Draw(t, "value")} }
		hold := func(t *rapid.T, v wide) {
			r := table.Hold(v)
			if before, ok := named[r]; ok && (before != v || holds[v] == 0) {
				t.Fatalf("%v is named %x, as %v was", v, r, before)
			}
			named[r] = v
			holds[v]++
		}
		release := func(v wide) {
			r, _ := table.Find(v)
			table.Release(r)
			if holds[v]--; holds[v] <= 0 {
				delete(holds, v)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"hold": func(t *rapid.T) { hold(t, any(t)) },
			"hold many": func(t *rapid.T) {
				for v := uint64(1); v <= values; v += uint64(rapid.IntRange(1, 40).Draw(t, "step")) {
					hold(t, wide{3: v})
				}
			},
			"release": func(t *rapid.T) { release(any(t)) },
			"release many": func(t *rapid.T) {
				keep := rapid.Uint64Range(0, 9).Draw(t, "keep")
				for v := uint64(1); v <= values; v++ {
					for v%10 != keep && holds[wide{3: v}] > 0 {
						release(wide{3: v})
					}
				}
			},
			"trim": func(*rapid.T) { table.Trim() },
			"clear": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					table.Clear()
					clear(holds)
				}
			},
			"retain": func(t *rapid.T) {
				v := any(t)
				r, ok := table.Find(v)
				if ok != (holds[v] > 0) || table.Retain(r) != ok {
					t.Fatalf("%v is held %d times, found %v", v, holds[v], ok)
				}
				if ok {
					holds[v]++
				}
			},
			"": func(t *rapid.T) {
				if table.Len() != len(holds) {
					t.Fatalf("%d values, want %d", table.Len(), len(holds))
				}
				slots := map[uint32]bool{}
				for v := range holds {
					r, ok := table.Find(v)
					got, named := table.Value(r)
					if !ok || !named || got != v || table.Of(r.Slot()) != r || slots[r.Slot()] {
						t.Fatalf("%v is named %x, which is %v, %v; in its slot is %x", v, r, got, named, table.Of(r.Slot()))
					}
					slots[r.Slot()] = true
				}
				for r, v := range named {
					if now, ok := table.Find(v); !ok || now != r {
						if _, ok := table.Value(r); ok || table.Retain(r) {
							t.Fatalf("%x, of %v that has gone, leads somewhere", r, v)
						}
						table.Release(r)
					}
				}
			},
		})
	})
}

// Values come and go by the thousand: what is left takes memory of its size, wherever
// among the others it was.
func TestGivesMemoryBack(t *testing.T) {
	var table Table[wide]
	const values = 10_000
	for v := range uint64(values) {
		table.Hold(wide{v})
	}
	for v := range uint64(values) {
		if v%1000 != 7 {
			r, _ := table.Find(wide{v})
			table.Release(r)
		}
	}
	chunks := 0
	for _, c := range table.chunks {
		if c != nil {
			chunks++
		}
	}
	if table.Len() != 10 || chunks != 10 || table.peak > values/shrinkAt {
		t.Errorf("%d values in %d chunks, map made for %d", table.Len(), chunks, table.peak)
	}
	for v := uint64(7); v < values; v += 1000 {
		r, ok := table.Find(wide{v})
		if !ok {
			t.Fatalf("value %d is lost", v)
		}
		table.Release(r)
	}
	if table.Len() != 0 || len(table.chunks) != 0 || table.free != 0 {
		t.Errorf("%d values, %d chunks are left", table.Len(), len(table.chunks))
	}
	if table.Trim(); table.refs != nil || table.chunks != nil || table.spare != nil {
		t.Error("an empty table has memory")
	}
}

func TestSteadyStateDoesNotAllocate(t *testing.T) {
	var table Table[wide]
	next := uint64(0)
	step := func() {
		table.Hold(wide{next})
		if next >= 1000 {
			r, _ := table.Find(wide{next - 1000})
			table.Release(r)
		}
		next++
	}
	for range 20_000 {
		step()
	}
	if n := testing.AllocsPerRun(5000, step); n != 0 {
		t.Errorf("%v allocations a value", n)
	}
}
