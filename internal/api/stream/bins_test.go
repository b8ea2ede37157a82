package stream

import (
	"math/rand/v2"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

// Nothing that was counted is lost while a client is busy, however long, and
// what waits does not grow.
func TestBinsAreExactAndBounded(t *testing.T) {
	const width = 100_000_000
	rng := rand.New(rand.NewPCG(1, 2))
	var s binStore
	var frames [verdict.NumVerdicts]uint64
	var bytes uint64
	first := int64(1_000 * width)
	for n := range 300 {
		b := dataplane.Bin{Start: first + int64(n)*width, Width: width}
		if n%7 == 3 {
			b.Start -= width // told late
		}
		for range 60 {
			e := dataplane.Edge{SrcVNIC: rng.Uint32N(200), DstVNIC: rng.Uint32N(200), Bytes: rng.Uint64N(9000)}
			for v := range e.Frames {
				e.Frames[v] = rng.Uint64N(5)
				frames[v] += e.Frames[v]
			}
			bytes += e.Bytes
			b.Edges = append(b.Edges, e)
		}
		s.add(b)
		if len(s.bins) > maxBins {
			t.Fatalf("%d intervals wait", len(s.bins))
		}
	}
	for _, w := range s.take() {
		if len(w.edges) > maxEdges {
			t.Errorf("an interval has %d edges", len(w.edges))
		}
		if w.start < first-width || w.start+w.width > first+300*width {
			t.Errorf("an interval from %d of %d ns was never counted", w.start, w.width)
		}
		for _, e := range w.edges {
			for v, n := range e.Frames {
				frames[v] -= n
			}
			bytes -= e.Bytes
		}
	}
	if frames != [verdict.NumVerdicts]uint64{} || bytes != 0 {
		t.Errorf("missing or too many: %v frames, %d bytes", frames, bytes)
	}
	if len(s.take()) != 0 {
		t.Error("intervals are handed out twice")
	}
}
