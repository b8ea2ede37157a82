package frame

import (
	"sync"
	"testing"
	"unsafe"
)

func TestPoolClassesAreBounded(t *testing.T) {
	p := NewPool(100, 3)
	tests := []struct{ n, want int }{
		{-1, 0}, {0, 100}, {TinySize, 100}, {TinySize + 1, 100}, {SmallSize, 100}, {SmallSize + 1, 3}, {LargeSize, 3}, {LargeSize + 1, 0},
	}
	for _, tt := range tests {
		var got []*Buf
		for b := p.Get(tt.n); b != nil; b = p.Get(tt.n) {
			if b.Len() != tt.n || b.Cap() < tt.n || len(b.Bytes()) != tt.n || b.Home() != p {
				t.Fatalf("Get(%d): length %d, capacity %d", tt.n, b.Len(), b.Cap())
			}
			got = append(got, b)
		}
		if len(got) != tt.want || p.InFlight() != tt.want {
			t.Errorf("Get(%d): %d buffers, %d in flight, want %d", tt.n, len(got), p.InFlight(), tt.want)
		}
		Return(got)
		if p.InFlight() != 0 {
			t.Errorf("Get(%d): %d in flight after return", tt.n, p.InFlight())
		}
	}
}

func TestPoolSlotsDoNotOverlap(t *testing.T) {
	p := NewPool(70, 10)
	var all []*Buf
	for i := range 80 {
		n := SmallSize
		if i >= 70 {
			n = LargeSize
		}
		b := p.Get(n)
		for j := range b.Bytes() {
			b.Bytes()[j] = byte(i)
		}
		all = append(all, b)
	}
	for i, b := range all {
		for j, c := range b.Bytes() {
			if c != byte(i) {
				t.Fatalf("byte %d of buffer %d is buffer %d's", j, i, c)
			}
		}
	}
}

func TestPoolForgetsTheFrame(t *testing.T) {
	p := NewPool(2, 0)
	p.PutLocal(p.Get(1)) // a second slot behind b in the free list
	b := p.Get(60)
	b.SetLen(copy(b.Bytes(), AppendUDP(nil, testHeader, 1, 2, nil)))
	if b.Parse() != KindIPv4 || b.View.Kind != KindIPv4 {
		t.Fatalf("kind %d", b.View.Kind)
	}
	b.Src, b.Dst, b.Trace = 1, 2, 3
	p.PutLocal(b)
	b = p.Get(10)
	if b.View.Kind != KindInvalid || b.Src != 0 || b.Dst != 0 || b.Trace != 0 || b.Len() != 10 {
		t.Errorf("buffer keeps %+v", b)
	}
}

// TestBufIsTwoLines: a frame of 64 bytes then is three lines of memory that nothing else is on.
func TestBufIsTwoLines(t *testing.T) {
	const line = 64
	if n := unsafe.Sizeof(Buf{}); n != 2*line {
		t.Errorf("a Buf has %d bytes", n)
	}
	p := NewPool(300, 10)
	for range 300 {
		for _, n := range []int{TinySize, SmallSize, LargeSize} {
			if b := p.Get(n); b != nil {
				if at := uintptr(unsafe.Pointer(b)); at%line != 0 {
					t.Fatalf("a buffer of %d bytes has its header %d bytes into a line", n, at%line)
				}
			}
		}
	}
}

func TestPoolTrim(t *testing.T) {
	p := NewPool(10, 10)
	a, b := p.Get(1), p.Get(LargeSize)
	p.PutLocal(a)
	if p.Trim() {
		t.Error("trimmed with a buffer in flight")
	}
	Return([]*Buf{b})
	if !p.Trim() {
		t.Error("did not trim")
	}
	if p.grown != [numClasses]int{} || cap(p.free[classTiny]) != 0 || cap(p.returned[classLarge]) != 0 {
		t.Errorf("holds %v slots after Trim", p.grown)
	}
	if p.Get(1) == a {
		t.Error("handed out a slot of the old slab")
	}
}

func TestPoolRefusesFaultyReturns(t *testing.T) {
	p, other := NewPool(4, 0), NewPool(4, 0)
	tests := map[string]func(){
		"twice":        func() { b := p.Get(1); p.PutLocal(b); p.PutLocal(b) },
		"twice, batch": func() { b := p.Get(1); p.Return([]*Buf{b, b}) },
		"wrong pool":   func() { other.PutLocal(p.Get(1)) },
	}
	for name, f := range tests {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestPoolKeepsEarlierReturns(t *testing.T) {
	p := NewPool(12, 0)
	var got []*Buf
	for range 12 {
		got = append(got, p.Get(1))
	}
	for i := 0; i < 12; i += 3 {
		p.Return(got[i : i+3])
	}
	for i := range 12 {
		if p.Get(1) == nil {
			t.Fatalf("%d of 12 returned buffers came back", i)
		}
	}
	if p.Get(1) != nil {
		t.Error("a thirteenth buffer")
	}
}

func TestReturnSortsByHome(t *testing.T) {
	var pools [3]*Pool
	var batch []*Buf
	for i := range pools {
		pools[i] = NewPool(8, 8)
	}
	for i := range 24 {
		batch = append(batch, pools[i*7%3].Get(i*400))
	}
	Return(batch)
	for i, p := range pools {
		if p.InFlight() != 0 {
			t.Errorf("pool %d: %d in flight", i, p.InFlight())
		}
	}
}

// TestPoolAcrossGoroutines passes every buffer through other goroutines under
// the race detector: no buffer is lost, and none has two owners.
func TestPoolAcrossGoroutines(t *testing.T) {
	const frames = 20000
	p := NewPool(64, 0)
	toReturn := make(chan *Buf, 64)
	// A token a batch returned wakes an owner that found the pool exhausted.
	returned := make(chan struct{}, 1)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			var batch []*Buf
			for b := range toReturn {
				b.Bytes()[0]++
				batch = append(batch, b)
				if len(batch) == 5 || len(toReturn) == 0 {
					p.Return(batch)
					batch = batch[:0]
					select {
					case returned <- struct{}{}:
					default:
					}
				}
			}
			p.Return(batch)
		})
	}
	for i := 0; i < frames; {
		b := p.Get(64)
		if b == nil {
			<-returned
			continue
		}
		i++
		b.Bytes()[0] = 0
		if i%3 == 0 {
			p.PutLocal(b)
		} else {
			toReturn <- b
		}
	}
	close(toReturn)
	wg.Wait()
	if p.InFlight() != 0 {
		t.Fatalf("%d in flight", p.InFlight())
	}
	if !p.Trim() {
		t.Error("not all buffers are home")
	}
}

func TestPoolDoesNotAllocate(t *testing.T) {
	p := NewPool(64, 8)
	batch := make([]*Buf, 0, 64)
	round := func() {
		for range 64 {
			batch = append(batch, p.Get(1500))
		}
		Return(batch)
		batch = batch[:0]
		p.PutLocal(p.Get(9000))
	}
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations a round", n)
	}
}

func BenchmarkPool(b *testing.B) {
	b.Run("local", func(b *testing.B) {
		p := NewPool(64, 0)
		for b.Loop() {
			p.PutLocal(p.Get(64))
		}
	})
	b.Run("batch64", func(b *testing.B) {
		p := NewPool(64, 0)
		batch := make([]*Buf, 0, 64)
		for b.Loop() {
			for range 64 {
				batch = append(batch, p.Get(64))
			}
			p.Return(batch)
			batch = batch[:0]
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/frame")
	})
}
