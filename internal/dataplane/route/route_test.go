package route

import (
	"fmt"
	"maps"
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"

	"pgregory.net/rapid"
)

// mapping is what both families' have in common.
type mapping[K comparable] interface {
	Get(K) *int
	Len() int
}

type editor[K comparable] interface {
	Get(K) *int
	Put(K, *int)
	Delete(K)
}

func TestMappingAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMapping[int](rapid.Uint64().Draw(t, "seed"))
		againstMap(t, m, func(n int) uint64 { return uint64(n) }, func() (editor[uint64], func() mapping[uint64]) {
			e := m.Edit()
			return e, func() mapping[uint64] { m = e.Done(); return m }
		})
	})
}

// Keys of IPv6 also with hashes of few bits, so that many share one.
func TestMapping6AgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := NewMapping6[int](rapid.Uint64().Draw(t, "seed"))
		m.fold.mask = rapid.SampledFrom([]uint64{0, ^uint64(7), ^uint64(255)}).Draw(t, "left out")
		key := func(n int) Key6 { // that differ in one part alone
			return []Key6{{VPC: uint32(n / 3)}, {IP: frame.IPv6{Hi: uint64(n / 3)}}, {IP: frame.IPv6{Lo: uint64(n/3) << 32}}}[n%3]
		}
		againstMap(t, m, key, func() (editor[Key6], func() mapping[Key6]) {
			e := m.Edit()
			return e, func() mapping[Key6] { m = e.Done(); return m }
		})
	})
}

// againstMap compares with the obvious version, a Go map; every older snapshot must
// stay as it was.
func againstMap[K comparable](t *rapid.T, empty mapping[K], key func(n int) K, edit func() (editor[K], func() mapping[K])) {
	want := map[K]*int{}
	type snapshot struct {
		m    mapping[K]
		want map[K]*int
	}
	kept := []snapshot{{empty, map[K]*int{}}}
	for range rapid.IntRange(1, 8).Draw(t, "edits") {
		e, done := edit()
		for range rapid.IntRange(0, 200).Draw(t, "changes") {
			k := key(rapid.IntRange(3, 400).Draw(t, "key"))
			if rapid.IntRange(0, 3).Draw(t, "op") == 0 {
				e.Delete(k)
				delete(want, k)
			} else {
				v := new(int)
				e.Put(k, v)
				want[k] = v
			}
			if e.Get(k) != want[k] {
				t.Fatalf("the editor has %p for %v, want %p", e.Get(k), k, want[k])
			}
		}
		kept = append(kept, snapshot{done(), maps.Clone(want)})
	}
	for i, s := range kept {
		if s.m.Len() != len(s.want) {
			t.Fatalf("snapshot %d: %d keys, want %d", i, s.m.Len(), len(s.want))
		}
		for n := 3; n < 402; n++ {
			if got := s.m.Get(key(n)); got != s.want[key(n)] {
				t.Fatalf("snapshot %d: key %v: %p, want %p", i, key(n), got, s.want[key(n)])
			}
		}
	}
}

// Subnets of /64, as EC2 gives them: no two addresses share a hash, and whatever is asked for
// has its value.
func TestMapping6HoldsManyKeys(t *testing.T) {
	const n = 100_000
	e := NewMapping6[int](7).Edit()
	key := func(i int) Key6 {
		return Key6{VPC: uint32(i % 3), IP: frame.IPv6{Hi: 0x2600_1f18<<32 | uint64(i%500), Lo: uint64(i)}}
	}
	for i := range n {
		e.Put(key(i), &i)
	}
	m := e.Done()
	if m.Len() != n || m.m.Len() != n || (&Mapping6[int]{}).Get(key(1)) != nil {
		t.Fatalf("%d keys under %d hashes, want %d", m.Len(), m.m.Len(), n)
	}
	for i := range n {
		if v := m.Get(key(i)); v == nil || *v != i {
			t.Fatalf("key %d is lost", i)
		}
	}
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
	if _, err := NewTable([]Route[string]{{netip.Prefix{}, ""}}); err == nil {
		t.Error("a route to nothing was accepted")
	}
	if (*Table[string])(nil).Lookup6(frame.IPv6{}) != nil {
		t.Error("no table leads somewhere")
	}
	if (*Table[string])(nil).Lookup(1) != nil {
		t.Error("no table leads somewhere")
	}
}

// family is what the table's test draws of an address family: addresses near the
// ends of few prefixes, so that prefixes meet.
type family struct {
	name string
	addr func(top, low uint32) netip.Addr // top of 3 bits, low of 5
	bits []int
	find func(*Table[int], netip.Addr) *int
}

var families = []family{
	{"IPv4", func(top, low uint32) netip.Addr { return frame.IPv4(top<<29 | low).Addr() },
		[]int{0, 1, 2, 3, 28, 29, 30, 31, 32},
		func(t *Table[int], a netip.Addr) *int { ip, _ := frame.IPv4From(a); return t.Lookup(ip) }},
	{"IPv6, low half", func(top, low uint32) netip.Addr { return frame.IPv6{Hi: uint64(top) << 61, Lo: uint64(low)}.Addr() },
		[]int{0, 1, 2, 3, 63, 64, 65, 124, 125, 126, 127, 128},
		func(t *Table[int], a netip.Addr) *int { ip, _ := frame.IPv6From(a); return t.Lookup6(ip) }},
	{"IPv6, at the middle", func(top, low uint32) netip.Addr {
		return frame.IPv6{Hi: uint64(low), Lo: uint64(top)<<61 - uint64(low&1)}.Addr()
	},
		[]int{0, 60, 62, 63, 64, 65, 66, 67, 128},
		func(t *Table[int], a netip.Addr) *int { ip, _ := frame.IPv6From(a); return t.Lookup6(ip) }},
}

// TestTableAgainstScan compares with the longest of the prefixes that contain
// an address, for both families, routes of the other being in the same table.
func TestTableAgainstScan(t *testing.T) {
	for _, f := range families {
		t.Run(f.name, func(t *testing.T) { rapid.Check(t, f.againstScan) })
	}
}

func (f family) againstScan(t *rapid.T) {
	prefix := rapid.Custom(func(t *rapid.T) netip.Prefix {
		of := f
		if rapid.IntRange(0, 4).Draw(t, "other") == 0 {
			of = families[rapid.IntRange(0, len(families)-1).Draw(t, "family")]
		}
		a := of.addr(rapid.Uint32Range(0, 7).Draw(t, "top"), rapid.Uint32Range(0, 15).Draw(t, "low"))
		return netip.PrefixFrom(a, rapid.SampledFrom(of.bits).Draw(t, "bits")).Masked()
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
		ip := f.addr(rapid.Uint32Range(0, 7).Draw(t, "top"), rapid.Uint32Range(0, 17).Draw(t, "low"))
		want, bits := -1, -1
		for _, r := range routes {
			if r.Prefix.Contains(ip) && r.Prefix.Bits() > bits {
				want, bits = r.Target, r.Prefix.Bits()
			}
		}
		got := -1
		if target := f.find(table, ip); target != nil {
			got = *target
		}
		if got != want {
			t.Fatalf("%s in %v: route %d, want %d", ip, routes, got, want)
		}
	}
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
