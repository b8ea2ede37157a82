package tap

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"enilab/internal/dataplane/verdict"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbered is a frame of n bytes that carries its number and a pattern made of it.
func numbered(n int, number uint32) []byte {
	b := bytes.Repeat([]byte{byte(number)}, n)
	binary.BigEndian.PutUint32(b, number)
	return b
}

func meta(at int64) Meta {
	return Meta{At: at, VNIC: 1, Point: verdict.GuestTX, Verdict: verdict.Accept}
}

func times(t *Tap) (at []int64, lost uint64) {
	_, lost = t.Read(func(p Packet) { at = append(at, p.At) })
	return at, lost
}

func TestReadMergesByTimeAndKeepsEachWorkersOrder(t *testing.T) {
	tap := New(Config{Points: verdict.AllPoints, Workers: 3})
	for w, ats := range [][]int64{{10, 20, 20, 50}, {5, 20, 60}, {15, 14, 55}} {
		for i, at := range ats {
			tap.Frame(w, Meta{At: at, VNIC: uint32(w*10 + i), Point: verdict.GuestRX}, nil, make([]byte, 60))
		}
		tap.Flush(w)
	}
	var got []uint32
	n, lost := tap.Read(func(p Packet) { got = append(got, p.VNIC) })
	want := []uint32{10, 0, 20, 21, 1, 2, 11, 3, 22, 12} // at 20: worker 0's two, then worker 1's
	if n != 10 || lost != 0 || !slices.Equal(got, want) {
		t.Errorf("got %v (%d frames, %d lost), want %v", got, n, lost, want)
	}
}

func TestFramesAreReadOnlyAfterFlush(t *testing.T) {
	tap := New(Config{Points: verdict.AllPoints})
	tap.Frame(0, meta(1), nil, make([]byte, 60))
	if got, _ := times(tap); len(got) != 0 {
		t.Fatalf("read %v before the flush", got)
	}
	tap.Flush(0)
	select {
	case <-tap.Ready():
	default:
		t.Fatal("flush did not signal")
	}
	if got, _ := times(tap); !slices.Equal(got, []int64{1}) {
		t.Fatalf("read %v, want the frame of time 1", got)
	}
	tap.Flush(0)
	select {
	case <-tap.Ready():
		t.Fatal("a flush of nothing signalled")
	default:
	}
}

func TestPointsSnaplenAndFilterSelect(t *testing.T) {
	arp, err := CompileFilter("arp")
	if err != nil {
		t.Fatal(err)
	}
	tap := New(Config{Points: verdict.GuestTX | verdict.IngressPre, Snaplen: 20, Filter: arp})
	frames := builtFrames(t)
	for i, b := range frames {
		for _, p := range []verdict.Point{verdict.GuestTX, verdict.EgressPost, verdict.IngressPre, verdict.GuestRX} {
			tap.Frame(0, Meta{At: int64(i), Point: p}, nil, b)
		}
	}
	tap.Flush(0)
	var points []verdict.Point
	tap.Read(func(p Packet) {
		points = append(points, p.Point)
		if want := frames[p.At]; p.Length != len(want) || !bytes.Equal(p.Data, want[:20]) {
			t.Errorf("frame %d: length %d, data %x", p.At, p.Length, p.Data)
		}
	})
	if want := []verdict.Point{verdict.GuestTX, verdict.IngressPre}; !slices.Equal(points, want) {
		t.Errorf("captured at %v, want the one ARP frame at %v", points, want)
	}
	if tap.Wants(verdict.EgressPost) || !tap.Wants(verdict.IngressPre) {
		t.Error("Wants disagrees with the configured points")
	}
	tap.Close()
	if tap.Wants(verdict.IngressPre) {
		t.Error("a closed tap wants frames")
	}
}

func TestFullRingCountsLossOnceAndRecovers(t *testing.T) {
	tap := New(Config{Points: verdict.AllPoints, Slots: 8})
	offer := func(n int) {
		for i := range n {
			tap.Frame(0, meta(int64(i)), nil, make([]byte, 60))
		}
		tap.Flush(0)
	}
	offer(10)
	if got, lost := times(tap); !slices.Equal(got, []int64{0, 1, 2, 3, 4, 5, 6, 7}) || lost != 2 {
		t.Fatalf("read %v and %d lost, want the first 8 and 2 lost", got, lost)
	}
	offer(1) // the slots of the last Read are still promised to its caller
	if got, lost := times(tap); len(got) != 0 || lost != 1 {
		t.Fatalf("read %v and %d lost, want nothing and 1 lost", got, lost)
	}
	tap.Release()
	offer(8)
	if got, lost := times(tap); len(got) != 8 || lost != 0 {
		t.Fatalf("read %v and %d lost, want 8 and none", got, lost)
	}
}

// TestRingOfBytesWraps drives frames of odd sizes around a ring many times:
// each must come out as it went in, and stay so until the next Read, or be
// counted as lost.
func TestRingOfBytesWraps(t *testing.T) {
	tap := New(Config{Points: verdict.AllPoints, Slots: 64})
	var sent, read, lost uint64
	var held []Packet
	check := func() {
		for _, p := range held {
			number := uint32(p.At)
			if want := numbered(60+int(number*7919%9000), number); p.Length != len(want) || !bytes.Equal(p.Data, want) {
				t.Fatalf("frame %d came out changed", number)
			}
		}
	}
	for number := uint32(0); number < 5000; {
		for range 1 + number%37 {
			tap.Frame(0, meta(int64(number)), nil, numbered(60+int(number*7919%9000), number))
			number++
			sent++
		}
		tap.Flush(0)
		check()
		held = held[:0]
		n, l := tap.Read(func(p Packet) { held = append(held, p) })
		read += uint64(n)
		lost += l
	}
	check()
	if read+lost != sent || lost == 0 || read == 0 {
		t.Errorf("%d sent, %d read, %d lost: want the sum to agree and both to happen", sent, read, lost)
	}
}

// TestFrameThatMissesTheEndByOneByte: it must begin at the front, in one piece.
func TestFrameThatMissesTheEndByOneByte(t *testing.T) {
	tap := New(Config{Points: verdict.AllPoints, Slots: 16})
	for _, size := range []int{minRingBytes - 59, 60} {
		tap.Frame(0, meta(1), nil, numbered(size, 7))
		tap.Flush(0)
		n, lost := tap.Read(func(p Packet) {
			if !bytes.Equal(p.Data, numbered(size, 7)) {
				t.Errorf("frame of %d bytes came out as %d", size, len(p.Data))
			}
		})
		if n != 1 || lost != 0 {
			t.Fatalf("frame of %d bytes: %d read, %d lost", size, n, lost)
		}
		tap.Release()
	}
}

// TestWorkersAndReaderAtOnce is for the race detector, and counts.
func TestWorkersAndReaderAtOnce(t *testing.T) {
	const workers, each = 4, 20000
	tap := New(Config{Points: verdict.AllPoints, Slots: 128, Workers: workers})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range uint32(each) {
				tap.Frame(w, Meta{At: int64(i), VNIC: uint32(w), Point: verdict.GuestTX}, nil, numbered(64+int(i%1000), i))
				if i%64 == 63 {
					tap.Flush(w)
				}
			}
			tap.Flush(w)
		})
	}
	finished := make(chan struct{})
	go func() { wg.Wait(); close(finished) }()
	var read, lost uint64
	next := [workers]int64{}
	drain := func() {
		n, l := tap.Read(func(p Packet) {
			if p.At < next[p.VNIC] {
				t.Errorf("worker %d: frame %d after %d", p.VNIC, p.At, next[p.VNIC]-1)
			}
			next[p.VNIC] = p.At + 1
			if want := numbered(64+int(p.At%1000), uint32(p.At)); !bytes.Equal(p.Data, want) {
				t.Errorf("frame %d of worker %d came out changed", p.At, p.VNIC)
			}
		})
		read += uint64(n)
		lost += l
	}
	for done := false; !done; {
		select {
		case <-tap.Ready():
		case <-finished:
			done = true
		}
		drain()
	}
	if read+lost != workers*each {
		t.Errorf("%d read and %d lost, want %d together", read, lost, workers*each)
	}
}

func TestFrameAndReadDoNotAllocate(t *testing.T) {
	f, err := CompileFilter("host 192.168.0.42 and (tcp port 80 or udp port 53) and tcp[tcpflags] & tcp-syn != 0")
	if err != nil {
		t.Fatal(err)
	}
	tap := New(Config{Points: verdict.AllPoints, Filter: f, Workers: 2})
	frames := builtFrames(t)
	n := 0
	each := func(Packet) { n++ }
	allocs := testing.AllocsPerRun(200, func() {
		for i, b := range frames {
			tap.Frame(i&1, meta(int64(i)), nil, b)
		}
		tap.Flush(0)
		tap.Flush(1)
		tap.Read(each)
	})
	if allocs != 0 || n == 0 {
		t.Errorf("%v allocations a burst, %d frames", allocs, n)
	}
}
