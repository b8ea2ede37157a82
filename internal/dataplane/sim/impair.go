package sim

import (
	"hash/fnv"
	"math/bits"
	"time"
)

// Effect is what an impairment does to one frame.
type Effect struct {
	Lose  bool
	Delay time.Duration
}

// Impairment decides on the frame with this ordinal (from 0) of a link. It must
// be a pure function, so that changing one link leaves the others' fate alone.
type Impairment func(seed uint64, l Link, ordinal uint64) Effect

// Impair sets the impairment of all links; nil: none.
func (s *Sim) Impair(f Impairment) { s.impair = f }

// Random loses a share of the frames, 0 to 1, and delays the others by base
// plus up to jitter, which may reorder them.
func Random(loss float64, base, jitter time.Duration) Impairment {
	return func(seed uint64, l Link, ordinal uint64) Effect {
		h := fnv.New64a()
		h.Write([]byte(l.Host))
		x := mix(mix(seed^h.Sum64()^uint64(l.DeviceIndex)<<48) ^ ordinal)
		if float64(x>>11)/(1<<53) < loss {
			return Effect{Lose: true}
		}
		e := Effect{Delay: base}
		if jitter > 0 {
			hi, _ := bits.Mul64(mix(x), uint64(jitter)+1)
			e.Delay += time.Duration(hi)
		}
		return e
	}
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
