package route

import (
	"fmt"
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
	table, err := NewTable([]Route[string]{
		{netip.MustParsePrefix("0.0.0.0/0"), "out"},
		{netip.MustParsePrefix("10.0.0.0/8"), "wide"},
		{netip.MustParsePrefix("10.1.0.0/16"), "hole"},
		{netip.MustParsePrefix("10.1.2.0/24"), "narrow"},
		{netip.MustParsePrefix("10.1.2.0/24"), "second"},
		{netip.MustParsePrefix("255.255.255.255/32"), "last"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"10.9.9.9": "wide", "10.1.9.9": "hole", "10.1.2.255": "narrow", "11.0.0.0": "out", "0.0.0.0": "out", "255.255.255.255": "last",
	} {
		ip, _ := frame.IPv4From(netip.MustParseAddr(addr))
		if got := table.Lookup(ip); got == nil || *got != want {
			t.Errorf("%s: %v, want %v", addr, got, want)
		}
	}
	if _, err := NewTable([]Route[string]{{netip.MustParsePrefix("fd00::/8"), ""}}); err == nil {
		t.Error("an IPv6 route was accepted")
	}
	if (*Table[string])(nil).Lookup(1) != nil {
		t.Error("no table leads somewhere")
	}
}

// TestTableAgainstScan compares with the longest of the prefixes that contain
// an address.
func TestTableAgainstScan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
			ip := frame.IPv4(rapid.Uint32Range(0, 7).Draw(t, "top")<<29 | rapid.Uint32Range(0, 15).Draw(t, "low"))
			return netip.PrefixFrom(ip.Addr(), rapid.SampledFrom([]int{0, 1, 2, 3, 28, 29, 30, 31, 32}).Draw(t, "bits")).Masked()
		})
		var routes []Route[int]
		for i, p := range rapid.SliceOfN(prefix, 0, 30).Draw(t, "prefixes") {
			routes = append(routes, Route[int]{p, i})
		}
		table, err := NewTable(routes)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			ip := frame.IPv4(rapid.Uint32Range(0, 7).Draw(t, "top")<<29 | rapid.Uint32Range(0, 17).Draw(t, "low"))
			want, bits := -1, -1
			for _, r := range routes {
				if r.Prefix.Contains(ip.Addr()) && r.Prefix.Bits() > bits {
					want, bits = r.Target, r.Prefix.Bits()
				}
			}
			got := -1
			if target := table.Lookup(ip); target != nil {
				got = *target
			}
			if got != want {
				t.Fatalf("%s in %v: route %d, want %d", ip.Addr(), routes, got, want)
			}
		}
	})
}

func BenchmarkTableLookup(b *testing.B) {
	for _, n := range []int{1, 10, 50, 1000} {
		var routes []Route[int]
		for i := range n {
			routes = append(routes, Route[int]{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 0}), 24), i})
		}
		table, err := NewTable(routes)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("routes=%d", n), func(b *testing.B) {
			for i := range b.N {
				if table.Lookup(frame.IPv4(10<<24|i*7919%n<<8|5)) == nil {
					b.Fatal("no route")
				}
			}
		})
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
