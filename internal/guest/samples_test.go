package guest

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = int64(time.Millisecond)

func TestSamplesLossAndLateness(t *testing.T) {
	var s samples
	start := int64(1e18)
	for q := range uint64(5) {
		s.request(q+1, start+int64(q)*10*ms)
	}
	s.reply(1, start+1*ms, "i-a")
	s.reply(1, start+2*ms, "i-b") // a duplicate
	s.reply(2, start+10*ms+1001*ms, "i-a")
	s.reply(9, start, "i-a") // never asked
	s.reply(3, start+20*ms+1000*ms, "i-a")
	s.judge(start + 2000*ms)
	if s.sent != 5 || s.got != 3 || s.lost != 3 { // 2 was late, 4 and 5 were never answered
		t.Errorf("sent %d, answered %d, lost %d; want 5, 3, 3", s.sent, s.got, s.lost)
	}
	if x := s.find(1); x.RepliedAt != start+1*ms || x.Responder != "i-a" {
		t.Errorf("a second reply replaced the first: %+v", x)
	}
	if got := s.since(start + 20*ms); len(got) != 3 || got[0].Seq != 3 {
		t.Errorf("since the third: %+v", got)
	}
}

func TestSamplesRoundTrips(t *testing.T) {
	var s samples
	start := int64(1e18)
	s.request(1, start)
	s.reply(1, start+500*ms, "") // too long ago to count below
	for q := range uint64(100) {
		at := start + 2000*ms + int64(q)*ms
		s.request(q+2, at)
		s.reply(q+2, at+int64(q+1)*1000, "")
	}
	p50, p99 := s.rtt(start + 2100*ms)
	if p50 != 50_000 || p99 != 99_000 {
		t.Errorf("p50 %d, p99 %d; want 50000, 99000", p50, p99)
	}
}

func TestSamplesRefuseForgedNumbers(t *testing.T) {
	var s samples
	s.request(1, 1)
	s.request(1<<60, 2)
	s.request(2, 3)
	if s.sent != 2 || s.find(2) == nil {
		t.Errorf("a forged number displaced the client's: %+v", s)
	}
}

// TestSamplesAgainstMap compares the ring with a map that forgets nothing.
func TestSamplesAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s samples
		all := map[uint64]Sample{}
		now, next := int64(1e18), rapid.Uint64Range(1, 100).Draw(t, "first")
		var low uint64
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			now += rapid.Int64Range(0, 400).Draw(t, "ms") * ms
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0: // a run of requests, after a gap
				next += rapid.Uint64Range(0, 3000).Draw(t, "gap")
				for range rapid.IntRange(1, 40_000).Draw(t, "n") {
					s.request(next, now)
					all[next] = Sample{Seq: next, SentAt: now}
					next++
				}
			default:
				q := next - min(next, rapid.Uint64Range(0, 80_000).Draw(t, "back"))
				ok := s.reply(q, now, "i")
				x, known := all[q]
				known = known && next-q <= maxSamples && x.RepliedAt == 0
				if ok != known {
					t.Fatalf("reply to %d of %d: %v, want %v", q, next, ok, known)
				}
				if ok {
					x.RepliedAt, x.Responder = now, "i"
					all[q] = x
				}
			}
		}
		if next > maxSamples {
			low = next - maxSamples
		}
		now += 2 * int64(ReplyTimeout)
		s.judge(now)
		var lost uint64
		for _, x := range all {
			if x.RepliedAt == 0 || x.RepliedAt-x.SentAt > int64(ReplyTimeout) {
				lost++
			}
		}
		if s.sent != uint64(len(all)) || s.lost != lost {
			t.Fatalf("sent %d, lost %d; want %d, %d", s.sent, s.lost, len(all), lost)
		}
		got := s.since(0)
		n := 0
		for q := range all {
			if q >= low {
				n++
			}
		}
		if len(got) != n {
			t.Fatalf("%d samples kept, want %d", len(got), n)
		}
		for _, x := range got {
			if x != all[x.Seq] {
				t.Fatalf("sample %+v, want %+v", x, all[x.Seq])
			}
		}
	})
}

// A silence is a gap in which requests went unanswered, not a client's own
// pause.
func TestSamplesTellSilences(t *testing.T) {
	const ms = int64(1e6)
	var s samples
	ask := func(seq uint64, sent, replied int64) {
		s.request(seq, sent*ms)
		if replied != 0 {
			s.reply(seq, replied*ms, "i-a")
		}
	}
	ask(1, 1000, 1001)
	ask(2, 3000, 3001) // a slow client's next request
	if s.silence != (Silence{}) || s.waiting != 0 {
		t.Errorf("a pause counts as silence: %+v, waiting since %d", s.silence, s.waiting)
	}
	ask(3, 3002, 0)
	ask(4, 3004, 0)
	if s.waiting != 3002*ms {
		t.Errorf("waiting since %d, want the first request without a reply", s.waiting)
	}
	ask(5, 3500, 3501)
	if want := (Silence{3001 * ms, 3501 * ms}); s.silence != want || s.waiting != 0 {
		t.Errorf("silence %+v, waiting since %d; want %+v", s.silence, s.waiting, want)
	}
	ask(6, 3502, 3900) // late, and nothing was lost
	if want := (Silence{3501 * ms, 3900 * ms}); s.silence != want {
		t.Errorf("silence %+v, want %+v", s.silence, want)
	}
	ask(7, 3901, 0)
	ask(8, 3902, 3903) // one lost, without a silence
	if s.silence.To != 3900*ms {
		t.Errorf("a lost request alone is silence %+v", s.silence)
	}
}
