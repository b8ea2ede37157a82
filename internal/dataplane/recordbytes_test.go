package dataplane

import (
	"bytes"
	"encoding/binary"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// TestRecordsHaveTheirFrames: with a record come the bytes that were delivered, or
// would have been, and the beginning as the guest sent it, of frames of every length;
// whichever worker has which end.
func TestRecordsHaveTheirFrames(t *testing.T) {
	for _, workers := range []int{1, 2, 3} {
		l := newNATCloud(t, Options{Workers: workers})
		var seen notes
		defer l.Observe(&seen)()
		for _, x := range []struct {
			what     string
			from, to VNICSpec
			dst      string
			rewrites bool
		}{
			{"within the subnet", l.a, l.b, "", false},
			{"across subnets", l.a, l.c, "10.0.2.12", true},
			{"by the internet gateway", l.a, l.w, "198.51.100.1", true},
			{"through the NAT gateway", l.c, l.w, "198.51.100.1", true},
			{"to nobody", l.a, VNICSpec{}, "198.51.100.99", true},
		} {
			for n := range 160 {
				payload := bytes.Repeat([]byte{byte(n)}, 20+n)
				sent := frame.AppendUDP(nil, toRouter(x.from, orElse(x.dst, "10.0.1.1")), 7, 8, payload)
				if x.dst == "" {
					sent = udp(x.from, x.to, 7, 8, string(payload))
				}
				if room := n < 2 || n > 60; n%3 == 1 && x.dst != "" && room { // see frame.KeepSent
					h := toRouter(x.from, x.dst)
					h.Options = bytes.Repeat([]byte{1}, 24)
					sent = frame.AppendTCP(nil, h, frame.Segment{SrcPort: 9, DstPort: 10, Flags: frame.TCPSyn}, payload)
				}
				seen.records, seen.bytes = nil, nil
				l.send(x.from, sent)
				l.settle()
				if len(seen.records) != 1 {
					t.Fatalf("%s, %d workers: %d records of a frame of %d bytes: %v", x.what, workers, len(seen.records), len(sent), l.Totals().Dropped)
				}
				r, got := seen.records[0], seen.bytes[0]
				at, before := got[:r.Kept], got[r.Kept:]
				if x.to.ID != "" {
					if arrived := l.received(x.to); len(arrived) != 1 || !bytes.Equal(at, arrived[0]) {
						t.Fatalf("%s: the record has %x, delivered was %x", x.what, at, arrived)
					}
				}
				if (r.Sent > 0) != x.rewrites || !bytes.Equal(before, sent[:len(before)]) || !bytes.Equal(at[len(before):], sent[len(before):]) {
					t.Fatalf("%s: of %d bytes the record has %x as sent, sent was %x", x.what, len(sent), before, sent)
				}
				if x.rewrites && r.Reason == verdict.Delivered && bytes.Equal(at[:len(before)], before) {
					t.Errorf("%s: nothing was rewritten", x.what)
				}
			}
		}
	}
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// TestRecordsHaveTheBeginningOfLongFrames, and errors what they quote as it was.
func TestRecordsHaveTheBeginningOfLongFrames(t *testing.T) {
	l := newCloud(t, Options{})
	var seen notes
	defer l.Observe(&seen)()
	l.send(l.a, udp(l.a, l.b, 7, 8, string(make([]byte, 3000))))
	l.settle()
	if r := seen.records[0]; r.Kept != recordSnap || int(r.Length) != 3000+42 || len(seen.bytes[0]) != recordSnap {
		t.Errorf("of %d bytes %d are kept", r.Length, r.Kept)
	}
	l.send(l.a, routed(l.a, "198.51.100.1", 7, 8))
	asked := l.seen(l.w)
	seen.records, seen.bytes = nil, nil
	sent := frame.AppendICMP(nil, toRouter(l.w, "203.0.113.10"), 3, 3, 0, asked.Bytes()[asked.View.L3:])
	l.send(l.w, sent)
	l.settle()
	r, got := seen.records[0], seen.bytes[0]
	const quoted = 14 + 20 + 8 + 12 // the address that sent what is quoted
	if before := got[r.Kept:]; !bytes.Equal(before, sent[:len(before)]) || len(before) < quoted+4 ||
		binary.BigEndian.Uint32(got[quoted:]) == binary.BigEndian.Uint32(before[quoted:]) {
		t.Errorf("an error that was %x when sent has %x", sent, got)
	}
}
