package drill

import (
	"math"
	"math/bits"
	"slices"
)

// Quantile is a share of values, in percent; 100 is the greatest.
type Quantile int

// Quantiles that can be asserted.
const (
	P50 Quantile = 50
	P90 Quantile = 90
	P99 Quantile = 99
	Max Quantile = 100
)

// Needs is how many values it takes to speak of a quantile: as many as leave one
// beyond it.
func (q Quantile) Needs() int {
	if q == Max {
		return 1
	}
	return (100 + int(100-q) - 1) / int(100-q)
}

const (
	// exactly is up to how many values a Series keeps each. Then it counts them
	// in buckets, which are at most 1/1024 wide of what is in them.
	exactly  = 1 << 14
	fineness = 10 // bits
)

// Series is a stream of values of one metric in bounded memory. The zero value is
// empty.
type Series struct {
	exact   []int64          // until there are too many
	buckets map[int64]uint64 // by lower bound; nil until then
	n       uint64           // of known values
	atLeast uint64           // values known to be no less than something, as good as infinite
	unknown uint64
	max     int64
	sum     total
}

// total is a sum that does not depend on the order of what is added, as one of
// floating point would.
type total struct{ high, low uint64 }

func (t *total) add(o total) {
	low, carry := bits.Add64(t.low, o.low, 0)
	t.low = low
	t.high, _ = bits.Add64(t.high, o.high, carry)
}

func (t total) float() float64 { return math.Ldexp(float64(t.high), 64) + float64(t.low) }

// bucket is the lower bound of the bucket of a value.
func bucket(v int64) int64 {
	if shift := bits.Len64(uint64(v)) - fineness - 1; shift > 0 {
		return v >> shift << shift
	}
	return v
}

// add takes one run's value.
func (s *Series) add(m measured) {
	switch m.sure {
	case unknown:
		s.unknown++
		return
	case atLeast:
		s.atLeast++
		return
	}
	s.n++
	s.max = max(s.max, m.value)
	s.sum.add(total{low: uint64(max(0, m.value))})
	if s.buckets == nil {
		s.exact = append(s.exact, m.value)
		if len(s.exact) > exactly {
			s.coarsen()
		}
		return
	}
	s.buckets[bucket(m.value)]++
}

// coarsen goes over from values to buckets.
func (s *Series) coarsen() {
	if s.buckets != nil {
		return
	}
	s.buckets = map[int64]uint64{}
	for _, v := range s.exact {
		s.buckets[bucket(v)]++
	}
	s.exact = nil
}

// merge adds the values of another series.
func (s *Series) merge(o *Series) {
	if s.buckets == nil && o.buckets == nil && len(s.exact)+len(o.exact) <= exactly {
		s.exact = append(s.exact, o.exact...)
	} else {
		s.coarsen()
		for _, v := range o.exact {
			s.buckets[bucket(v)]++
		}
		for b, n := range o.buckets {
			s.buckets[b] += n
		}
	}
	s.n, s.atLeast, s.unknown = s.n+o.n, s.atLeast+o.atLeast, s.unknown+o.unknown
	s.max = max(s.max, o.max)
	s.sum.add(o.sum)
}

// Known is how many values are known exactly.
func (s *Series) Known() uint64 { return s.n }

// Unknown is how many runs gave no value.
func (s *Series) Unknown() uint64 { return s.unknown }

// Unended is how many runs gave only a lower bound, since what is measured had
// not ended.
func (s *Series) Unended() uint64 { return s.atLeast }

// infinite stands for a value that had no end.
const infinite = math.MaxInt64

// At is a quantile by the nearest rank, as if low more values were nothing and
// high more without end; ok is false if there is no value at all.
func (s *Series) At(q Quantile, low, high uint64) (v int64, ok bool) {
	n := s.n + s.atLeast + low + high
	if n == 0 {
		return 0, false
	}
	rank := (n*uint64(q) + 99) / 100 // from 1
	if rank <= low {
		return 0, true
	}
	rank -= low
	if rank > s.n {
		return infinite, true
	}
	if s.buckets == nil {
		slices.Sort(s.exact)
		return s.exact[rank-1], true
	}
	if rank == s.n {
		return s.max, true
	}
	for _, b := range s.sorted() {
		if c := s.buckets[b]; rank <= c {
			return b, true
		} else {
			rank -= c
		}
	}
	return s.max, true
}

func (s *Series) sorted() []int64 {
	keys := make([]int64, 0, len(s.buckets))
	for b := range s.buckets {
		keys = append(keys, b)
	}
	slices.Sort(keys)
	return keys
}

// Mean is the mean of the values that are known.
func (s *Series) Mean() float64 {
	if s.n == 0 {
		return 0
	}
	return s.sum.float() / float64(s.n)
}

// Bin is a bar of a histogram: how many values are from From up to, not
// including, To.
type Bin struct {
	From  int64  `json:"from"`
	To    int64  `json:"to"`
	Count uint64 `json:"count"`
}

// Histogram puts the known values into at most bins bars of one width.
func (s *Series) Histogram(bins int) []Bin {
	if s.n == 0 {
		return nil
	}
	low := s.max
	each := func(fn func(v int64, n uint64)) {
		for _, v := range s.exact {
			fn(v, 1)
		}
		for b, n := range s.buckets {
			fn(b, n)
		}
	}
	each(func(v int64, _ uint64) { low = min(low, v) })
	width := (s.max-low)/int64(bins) + 1
	out := make([]Bin, (s.max-low)/width+1)
	for i := range out {
		out[i].From = low + int64(i)*width
		out[i].To = out[i].From + width
	}
	each(func(v int64, n uint64) { out[(v-low)/width].Count += n })
	return out
}

// Endless reports whether a quantile is that of runs in which what is measured
// had not ended.
func Endless(v int64) bool { return v == infinite }
