package route

import (
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"

	"pgregory.net/rapid"
)

// A Go map is the obvious version; every older snapshot must stay as it was.
func TestMappingAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, want := NewMapping[int](rapid.Uint64().Draw(t, "seed")), map[uint64]*int{}
		type snapshot struct {
			m    *Mapping[int]
			want map[uint64]*int
		}
		var kept []snapshot
		for range rapid.IntRange(1, 8).Draw(t, "edits") {
			e := m.Edit()
			for range rapid.IntRange(0, 200).Draw(t, "changes") {
				k := rapid.Uint64Range(0, 400).Draw(t, "key")
				if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
					e.Delete(k)
					delete(want, k)
				} else {
					v := new(int)
					e.Put(k, v)
					want[k] = v
				}
			}
			m = e.Done()
			copied := map[uint64]*int{}
			for k, v := range want {
				copied[k] = v
			}
			kept = append(kept, snapshot{m, copied})
		}
		for i, s := range kept {
			if s.m.Len() != len(s.want) {
				t.Fatalf("snapshot %d: %d keys, want %d", i, s.m.Len(), len(s.want))
			}
			for k := range uint64(402) {
				if got := s.m.Get(k); got != s.want[k] {
					t.Fatalf("snapshot %d: key %d: %p, want %p", i, k, got, s.want[k])
				}
			}
		}
	})
}

func TestMappingHoldsManyKeys(t *testing.T) {
	e := NewMapping[uint64](7).Edit()
	const n = 100_000
	for k := range uint64(n) {
		e.Put(k<<32|k, &k)
	}
	m := e.Done()
	if m.Len() != n {
		t.Fatalf("%d keys, want %d", m.Len(), n)
	}
	e = m.Edit()
	for k := uint64(0); k < n; k += 2 {
		e.Delete(k<<32 | k)
	}
	half := e.Done()
	if half.Len() != n/2 {
		t.Fatalf("%d keys left, want %d", half.Len(), n/2)
	}
	for k := range uint64(n) {
		if v := m.Get(k<<32 | k); v == nil || *v != k {
			t.Fatalf("key %d is lost", k)
		}
		if gone := half.Get(k<<32|k) == nil; gone != (k%2 == 0) {
			t.Fatalf("key %d in the later mapping: gone %v", k, gone)
		}
	}
}

func TestTableLongestPrefixWins(t *testing.T) {
	table, err := NewTable([]Route{
		{netip.MustParsePrefix("10.0.0.0/8"), Local},
		{netip.MustParsePrefix("10.1.0.0/16"), None},
		{netip.MustParsePrefix("10.1.2.0/24"), Local},
	})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]Target{
		"10.9.9.9": Local, "10.1.9.9": None, "10.1.2.255": Local, "11.0.0.0": None,
	} {
		ip, _ := frame.IPv4From(netip.MustParseAddr(addr))
		if got := table.Lookup(ip); got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if _, err := NewTable([]Route{{netip.MustParsePrefix("fd00::/8"), Local}}); err == nil {
		t.Error("an IPv6 route was accepted")
	}
}

func BenchmarkMappingGet(b *testing.B) {
	e := NewMapping[uint64](1).Edit()
	for k := range uint64(100_000) {
		e.Put(k, &k)
	}
	m := e.Done()
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if m.Get(uint64(i)%1000*97) == nil {
			b.Fatal("lost")
		}
	}
}

func BenchmarkMappingChange(b *testing.B) {
	e := NewMapping[uint64](1).Edit()
	for k := range uint64(100_000) {
		e.Put(k, &k)
	}
	m := e.Done()
	v := new(uint64)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		e := m.Edit()
		e.Put(uint64(i)%100_000, v)
		m = e.Done()
	}
}
