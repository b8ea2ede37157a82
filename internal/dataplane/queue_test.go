package dataplane

import (
	"math/rand/v2"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
)

// TestQueueAgainstSlice does random operations on queues and on slices.
func TestQueueAgainstSlice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var queues [3]queue
	var model [3][]*frame.Buf
	out := make([]*frame.Buf, 70)
	for i := range 20_000 {
		a, b := r.IntN(3), r.IntN(3)
		switch q := &queues[a]; r.IntN(7) {
		case 0, 1:
			for range 1 + r.IntN(40) {
				buf := new(frame.Buf)
				q.push(buf)
				model[a] = append(model[a], buf)
			}
		case 2:
			want := (*frame.Buf)(nil)
			if len(model[a]) > 0 {
				want, model[a] = model[a][0], model[a][1:]
			}
			if got := q.pop(); got != want {
				t.Fatalf("step %d: popped another frame", i)
			}
		case 3:
			k := r.IntN(len(out))
			n := q.take(out[:k])
			if want := model[a][:min(k, len(model[a]))]; !slices.Equal(out[:n], want) {
				t.Fatalf("step %d: took %d frames, want %d", i, n, len(want))
			}
			model[a] = model[a][n:]
		case 4:
			if a != b {
				k := r.IntN(100)
				queues[b].move(q, k)
				n := min(k, len(model[a]))
				model[b] = append(model[b], model[a][:n]...)
				model[a] = model[a][n:]
			}
		case 5:
			q.trim()
		case 6:
			bufs := make([]*frame.Buf, r.IntN(40))
			for k := range bufs {
				bufs[k] = new(frame.Buf)
			}
			q.add(bufs)
			model[a] = append(model[a], bufs...)
		}
		for k := range queues {
			q := &queues[k]
			front, back := q.spans(q.n)
			if got := slices.Concat(front, back); !slices.Equal(got, model[k]) {
				t.Fatalf("step %d: queue %d holds %d frames, want %d", i, k, len(got), len(model[k]))
			}
			held := 0
			for _, b := range q.ring {
				if b != nil {
					held++
				}
			}
			if held != q.n {
				t.Fatalf("step %d: queue %d of %d frames has %d in its slots", i, k, q.n, held)
			}
		}
	}
}
