package stream

import (
	"bytes"
	"slices"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
)

// batch makes n records that carry their ordinal as time.
func batch(from, n int) []dataplane.Record {
	rs := make([]dataplane.Record, n)
	for i := range rs {
		rs[i].At = int64(from + i)
	}
	return rs
}

func TestHistoryKeepsTheNewest(t *testing.T) {
	var h history
	h.restart()
	const total = historyLength + 1234
	for n := 1; n <= total; n += 1000 {
		h.append(batch(n, min(1000, total-n+1)), nil, 0)
	}
	oldest, next := h.span()
	if next != total+1 || oldest != next-historyLength {
		t.Fatalf("span %d to %d after %d records", oldest, next, total)
	}
	got := h.read(next-10, 100, 1, nil)
	if len(got.records) != 10 || got.gone != 0 || got.next != next {
		t.Fatalf("read %d records, %d gone", len(got.records), got.gone)
	}
	for _, r := range got.records {
		if r.At != int64(r.cursor) {
			t.Fatalf("cursor %d holds record %d", r.cursor, r.At)
		}
	}
	late := h.read(1, 1000, 1, nil)
	if late.gone != oldest-1 || late.waiting != historyLength {
		t.Errorf("a late reader: %d gone, %d waiting", late.gone, late.waiting)
	}
}

// talk makes n records of flows that ask and answer in turn, a millisecond
// for each request, which has its reply right behind it.
func talk(n, flows int) []dataplane.Record {
	rs := make([]dataplane.Record, n)
	for i := range rs {
		r := &rs[i]
		r.At, r.Proto = int64(i/2)*1e6, frame.ProtoUDP
		r.SrcIP, r.DstIP, r.SrcPort, r.DstPort = 10, 20, uint16(1000+i/2%flows), 7
		if i%2 == 1 {
			r.SrcIP, r.DstIP, r.SrcPort, r.DstPort = r.DstIP, r.SrcIP, r.DstPort, r.SrcPort
		}
	}
	return rs
}

// However often a client reads, each record is shown, left out or gone exactly
// once; of a flow that is shown, requests and replies are.
func TestHistorySamplesFlows(t *testing.T) {
	for _, flows := range []int{1, 2, 11, 500} {
		for _, n := range []int{0, 1, 999, 1000, 1001, 4000, 16_500, historyLength} {
			var h history
			h.restart()
			h.append(talk(n, flows), nil, 7)
			got := h.read(1, 1000, 1, nil)
			if len(got.records) > 1000 || got.skipped != 7 || got.waiting != uint64(n) {
				t.Errorf("%d records of %d flows: %d at once of %d, %d skipped", n, flows, len(got.records), got.waiting, got.skipped)
			}
			if n <= 999 && len(got.records) != n || n > 1000 && len(got.records) == 0 {
				t.Errorf("%d records of %d flows: %d at 1:%d", n, flows, len(got.records), got.factor)
			}
			requests, replies := 0, 0
			for i, r := range got.records {
				if i > 0 && r.cursor <= got.records[i-1].cursor || r.At != int64(r.cursor-1)/2*1e6 {
					t.Fatalf("%d records: cursor %d holds another's record or is out of order", n, r.cursor)
				}
				if r.DstPort == 7 {
					requests++
				} else {
					replies++
				}
			}
			if n%2 == 0 && requests-replies > 1 || replies > requests {
				t.Errorf("%d records of %d flows: %d requests and %d replies", n, flows, requests, replies)
			}
			if again := h.read(got.next, 1000, 1, nil); again.waiting != 0 || again.gone != 0 {
				t.Errorf("%d records: %d wait after all were read", n, again.waiting)
			}
		}
	}
}

// A client that is shown less sees each flow for a share of the time.
func TestHistoryShowsEveryFlowInTurn(t *testing.T) {
	const flows, factor = 8, 4
	var h history
	h.restart()
	by := map[uint16]int{}
	for all := talk(100_000, flows); len(all) > 0; all = all[400:] { // 50 s
		_, from := h.span()
		h.append(all[:400], nil, 0)
		for _, r := range h.read(from, 1000, factor, nil).records {
			if r.DstPort == 7 {
				by[r.SrcPort]++
			}
		}
	}
	for f := range uint16(flows) {
		if n, even := by[1000+f], 50_000/flows/factor; n < even/2 || n > 2*even {
			t.Errorf("flow %d has %d rows, want about %d", f, n, even)
		}
	}
}

func TestHistoryRestartLeavesAHole(t *testing.T) {
	var h history
	h.restart()
	h.append(batch(1, 10), nil, 0)
	_, seen := h.span()
	h.restart()
	if oldest, _ := h.span(); seen >= oldest {
		t.Errorf("a client at %d would not notice that records are missing before %d", seen, oldest)
	}
}

// TestHistoryKeepsFrames: a record's bytes are its own for as long as they are kept,
// and nil after that; the newest ones always are.
func TestHistoryKeepsFrames(t *testing.T) {
	var h history
	h.restart()
	long := bytes.Repeat([]byte{0xaa}, 1522)
	const perBatch = 100
	for batch := 0; h.written < frameBytes+frameBytes/3; batch++ {
		var (
			rs []dataplane.Record
			b  []byte
		)
		for i := range perBatch {
			r := dataplane.Record{At: int64(batch*perBatch + i), Off: uint32(len(b)), Kept: uint16(60 + i*14), Sent: uint8(i % 3 * 14)}
			b = append(append(b, byte(i)), long[:int(r.Kept)+int(r.Sent)-1]...)
			if r.Sent > 0 {
				b[int(r.Off)+int(r.Kept)] = byte(i + 1)
			}
			rs = append(rs, r)
		}
		h.append(rs, b, 0)
	}
	kept := 0
	oldest, next := h.span()
	for c := oldest; c < next; c++ {
		r, ok := h.frame(c)
		ended, sent := r.AsEnded, r.AsSent
		if !ok || r.At != int64(c-oldest) {
			t.Fatalf("frame %d: %+v", c, r)
		}
		if ended == nil {
			if kept > 0 {
				t.Fatalf("frame %d has no bytes, an older one has", c)
			}
			continue
		}
		i := int(r.At) % perBatch
		kept += len(ended) + len(sent)
		if int(ended[0]) != i || len(ended) != 60+i*14 || len(sent) != i%3*14 || len(sent) > 0 && int(sent[0]) != i+1 || !bytes.Equal(ended[1:], long[:len(ended)-1]) {
			t.Fatalf("frame %d has %d bytes from %x, as sent %x", c, len(ended), ended[:4], sent)
		}
	}
	if kept <= frameBytes-2*1522 || kept > frameBytes {
		t.Errorf("%d bytes are kept, of %d", kept, frameBytes)
	}
	if _, ok := h.frame(next); ok {
		t.Error("a frame that is yet to come is there")
	}
	if c := h.at(7); c != oldest+7 {
		t.Errorf("the first frame from 7 on is %d", c)
	}
	var seen []uint64
	h.walk(oldest+2, true, func(f *Frame) bool { seen = append(seen, f.Cursor); return true })
	if !slices.Equal(seen, []uint64{oldest + 2, oldest + 1, oldest}) {
		t.Errorf("walked back over %d", seen)
	}
	h.walk(oldest-1, true, func(f *Frame) bool { t.Errorf("%d lies in front of the oldest", f.Cursor); return false })
	h.walk(next, false, func(f *Frame) bool { t.Errorf("%d lies behind the newest", f.Cursor); return false })
}
