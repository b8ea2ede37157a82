package stream

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

func TestHelloAndEventsInOrder(t *testing.T) {
	s := newSite(t, nil)
	v := s.dial("")
	if m := v.until("hello"); m.Version != Version || m.Epoch != "e1" || m.EventSeq != 3 {
		t.Errorf("hello: %+v", m)
	}
	s.happen(2)
	s.happen(1)
	for want := uint64(4); want <= 6; want++ {
		if m := v.until("event"); m.Seq != want {
			t.Errorf("event %d, want %d", m.Seq, want)
		}
	}
	// One that was here before gets what it missed, from the log if need be.
	again := s.dial("epoch=e1&eventSeq=1")
	for want := uint64(2); want <= 6; want++ {
		if m := again.until("event"); m.Seq != want {
			t.Errorf("event %d, want %d", m.Seq, want)
		}
	}
	s.mu.Lock()
	s.oldest = 3
	s.mu.Unlock()
	late := s.dial("eventSeq=1")
	if m := late.until("gap"); m.Of != "events" || m.From != "2" || m.To != "3" {
		t.Errorf("gap: %+v", m)
	}
	if m := late.until("event"); m.Seq != 3 {
		t.Errorf("event %d after the gap", m.Seq)
	}
}

// The hub was too slow for the control plane: it reads the log instead.
func TestLostNotices(t *testing.T) {
	s := newSite(t, nil)
	v := s.dial("")
	v.until("hello")
	s.mu.Lock()
	for n := uint64(4); n <= 40; n++ {
		s.log = append(s.log, control.Event{Seq: n})
	}
	s.mu.Unlock()
	s.notices <- control.Notice{Lost: true}
	for want := uint64(4); want <= 40; want++ {
		if m := v.until("event"); m.Seq != want {
			t.Fatalf("event %d, want %d", m.Seq, want)
		}
	}
	if got := s.hub.EventSeq(); got != 40 {
		t.Errorf("the newest event is %d", got)
	}
}

func TestFailoverAndStatus(t *testing.T) {
	s := newSite(t, func(t *timing) { t.status = 10 * time.Millisecond })
	v := s.dial("")
	v.until("status")
	s.notices <- control.Notice{Commit: control.Commit{Changes: []control.Change{
		{Table: control.TableFailover, ID: "fo-1", After: &control.Failover{ID: "fo-1"}},
		{Table: control.TableFailover, ID: "fo-2", Before: &control.Failover{ID: "fo-2"}}, // pruned
	}}}
	if m := v.until("failover"); m.Failover["id"] != "fo-1" {
		t.Errorf("failover: %+v", m.Failover)
	}
	v.until("status")
}

// Every record is shown or counted as skipped, in order of cursors.
func TestPacketsAddUp(t *testing.T) {
	s := newSite(t, nil)
	v := s.dial("")
	hello := v.until("hello")
	next, _ := strconv.ParseUint(hello.Cursor, 10, 64)
	total := uint64(0)
	for _, n := range []int{1, 500, 3000, 20_000, 7} {
		s.records(n)
		total += uint64(n)
	}
	shown, skipped := uint64(0), uint64(0)
	for shown+skipped < total {
		m := v.until("packets")
		if m.first < next {
			t.Fatalf("cursor %d after %d", m.first, next)
		}
		if m.count > maxRecords {
			t.Errorf("%d records at once", m.count)
		}
		shown += uint64(m.count)
		skipped += uint64(m.skipped)
		last := m.records[(m.count-1)*packetSize:]
		next = m.first + uint64(binary.LittleEndian.Uint32(last)) + 1
		if shown+skipped < total && m.matched == 0 {
			t.Error("the message stands for nothing")
		}
		if shown+skipped < total {
			s.records(1) // so that a last sample is not the end of what is told
			total++
		}
	}
	if shown+skipped != total || skipped == 0 {
		t.Errorf("%d shown and %d skipped of %d", shown, skipped, total)
	}
	if got := s.hub.Stats().Skipped; got != skipped {
		t.Errorf("the hub counts %d skipped, the client %d", got, skipped)
	}
}

func TestReducedIsTold(t *testing.T) {
	s := newSite(t, func(t *timing) { t.frame = 50 * time.Millisecond })
	v := s.dial("")
	v.until("hello")
	s.records(3500)
	if m := v.until("reduced"); m.Factor != reduction {
		t.Errorf("reduced by %d", m.Factor)
	}
	if m := v.until("packets"); m.count > maxRecords || uint32(m.count)+m.skipped != m.matched {
		t.Errorf("%d records and %d skipped of %d", m.count, m.skipped, m.matched)
	}
	if m := v.until("reduced"); m.Factor != 1 {
		t.Errorf("reduced by %d when all is calm", m.Factor)
	}
}

func TestResume(t *testing.T) {
	s := newSite(t, nil)
	first := s.dial("")
	first.until("hello")
	s.records(5000)
	_, next := s.hub.history.span()

	if m := s.dial("").until("hello"); m.Cursor != fmt.Sprint(next-replayNew) {
		t.Errorf("a new client begins at %s of %d", m.Cursor, next)
	}
	if m := s.dial(fmt.Sprintf("epoch=e1&cursor=%d", next-700)).until("hello"); m.Cursor != fmt.Sprint(next-700) {
		t.Errorf("a client that comes back soon begins at %s, want %d", m.Cursor, next-700)
	}
	if m := s.dial(fmt.Sprintf("epoch=e0&cursor=%d", next-700)).until("hello"); m.Cursor != fmt.Sprint(next-replayNew) {
		t.Errorf("a client of another run begins at %s", m.Cursor)
	}
	late := s.dial(fmt.Sprintf("epoch=e1&cursor=%d", next-4000))
	if m := late.until("gap"); m.Of != "packets" || m.From != fmt.Sprint(next-4000) || m.To != fmt.Sprint(next-replayResumed) {
		t.Errorf("gap: %+v", m)
	}
	for _, odd := range []string{"epoch=e1&cursor=99999999", "epoch=e1&cursor=-1", "epoch=e1&cursor=x&eventSeq=y", "epoch=e1&eventSeq=99999"} {
		if m := s.dial(odd).until("hello"); m.EventSeq != 3 {
			t.Errorf("%s: hello %+v", odd, m)
		}
	}
}

func TestModes(t *testing.T) {
	s := newSite(t, func(t *timing) { t.hidden = time.Millisecond })
	v := s.dial("")
	v.until("hello")
	mode := func(m string) {
		if err := v.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"type":"mode","mode":%q}`, m)); err != nil {
			t.Fatal(err)
		}
	}
	bin := dataplane.Bin{Start: 100_000_000, Width: 100_000_000, Edges: []dataplane.Edge{
		{SrcVNIC: 1, DstVNIC: 2, Frames: [verdict.NumVerdicts]uint64{verdict.Accept: 50}, Bytes: 5000},
	}}
	s.hub.Bin(bin)
	if m := v.until("bins"); m.count != 1 || m.matched != 100 {
		t.Errorf("bins: %+v", m)
	}
	s.records(10)
	mode("bins-only")
	for now, _ := s.client().wants(); now != modeBinsOnly; now, _ = s.client().wants() {
		s.hub.Bin(bin)
		v.until("bins")
	}
	// The frame under way may still be one of before; the second is not.
	for ms := uint32(1001); ms <= 1002; ms++ {
		bin.Width = int64(ms) * 1_000_000
		s.hub.Bin(bin)
		for v.until("bins").matched != ms {
		}
	}
	s.records(30_000)
	mode("live")
	m := v.until("packets")
	_, next := s.hub.history.span()
	if m.first < next-replayNew-100 || m.skipped > 500 {
		t.Errorf("back at %d of %d with %d skipped: a hidden page wants the newest rows", m.first, next, m.skipped)
	}
}

func (s *site) client() *client { return (*s.hub.clients.Load())[0] }
