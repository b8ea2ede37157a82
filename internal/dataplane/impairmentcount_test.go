package dataplane

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"enilab/internal/dataplane/spec"
)

// What is duplicated and corrupted is exactly what was asked for, at whichever end:
// a duplicate is the same frame once more and counts as originated, a corrupted one
// differs from what was sent or is dropped for what it has become.
func TestDuplicatesAndCorruptionAreCounted(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 2))
		l := newLab(t, Options{Workers: 1 + int(seed%3)})
		a, b := eni(1, 10), eni(1, 11)
		l.add(a, b)
		of := 1 + r.IntN(9)
		hit, n := 1+r.IntN(of), of*(1+r.IntN(20))
		i := spec.Impairment{ID: "x", Kind: spec.ImpairDuplicate, Hit: uint32(hit), Of: uint32(of), Seed: seed}
		if seed%2 == 1 {
			i.Kind = spec.ImpairCorrupt
		}
		if r.IntN(2) == 0 {
			i.From = scope(spec.ScopeVNIC, a.ID)
		} else {
			i.To = scope(spec.ScopeVNIC, b.ID)
		}
		l.impair(i)
		sent := numbered(a, b, n)
		l.send(a, sent...)
		got, _ := l.pass(b)
		hits := n / of * hit
		if seen, acted, ok := l.Impaired("x"); !ok || seen != uint64(n) || acted != uint64(hits) {
			t.Errorf("seed %d: %d of %d frames were hit, want %d of %d", seed, acted, seen, hits, n)
		}
		copies := make([]int, n)
		spoilt := 0
	frames:
		for _, f := range got {
			for k := range sent {
				if bytes.Equal(f, sent[k]) {
					copies[k]++
					continue frames
				}
			}
			spoilt++
		}
		total := l.Totals()
		dropped := 0
		for _, count := range total.Dropped {
			dropped += int(count)
		}
		once, twice, gone := 0, 0, 0
		for _, c := range copies {
			switch c {
			case 0:
				gone++
			case 1:
				once++
			case 2:
				twice++
			default:
				t.Errorf("seed %d: a frame has arrived %d times", seed, c)
			}
		}
		switch i.Kind {
		case spec.ImpairDuplicate:
			if twice != hits || once != n-hits || spoilt+dropped+gone != 0 || total.Originated != uint64(hits) {
				t.Errorf("seed %d: %d twice and %d once of %d, %d originated, want %d twice", seed, twice, once, n, total.Originated, hits)
			}
		default:
			if once != n-hits || twice != 0 || spoilt+dropped != hits || total.Originated != 0 {
				t.Errorf("seed %d: %d intact of %d, %d spoilt, %d dropped, want %d hit", seed, once, n, spoilt, dropped, hits)
			}
		}
		checkInvariant(t, l.Engine)
	}
}
