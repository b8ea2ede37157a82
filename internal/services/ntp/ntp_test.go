package ntp

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

func request(mode byte) []byte {
	b := make([]byte, Len)
	b[0], b[2] = mode, 6
	copy(b[atTransmit:], "nonsense")
	return b
}

func TestAnswer(t *testing.T) {
	received := time.Unix(1_700_000_000, 500_000_000)
	sent := received.Add(250 * time.Millisecond)
	for version := byte(1); version <= 4; version++ {
		got := Answer(request(3<<6|version<<3|modeClient), received, sent) // an alarm of the client's is its own
		want, err := time.Parse(time.RFC3339, "2023-11-14T22:13:20Z")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != Len || got[0] != version<<3|modeServer || got[1] != 3 || got[2] != 6 || int8(got[3]) != -20 {
			t.Fatalf("version %d: %x", version, got)
		}
		if !bytes.Equal(got[atOrigin:atReceive], []byte("nonsense")) {
			t.Errorf("version %d: origin %x is not the client's", version, got[atOrigin:atReceive])
		}
		since1900 := want.Unix() - time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
		for _, x := range []struct {
			at       int
			seconds  int64
			fraction uint32
		}{{atSet, since1900 - 16, 1 << 31}, {atReceive, since1900, 1 << 31}, {atTransmit, since1900, 3 << 30}} {
			if s, f := binary.BigEndian.Uint32(got[x.at:]), binary.BigEndian.Uint32(got[x.at+4:]); int64(s) != x.seconds || f != x.fraction {
				t.Errorf("version %d: at %d is %d+%d/2^32, want %d+%d", version, x.at, s, f, x.seconds, x.fraction)
			}
		}
	}
}

// After 2036 the seconds begin anew.
func TestSecondEra(t *testing.T) {
	if got := stamp(time.Date(2036, 2, 7, 6, 28, 16, 0, time.UTC)); got != 0 {
		t.Errorf("the first instant of era 1 is %x, want 0", got)
	}
}

func TestNoRequest(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, b := range map[string][]byte{
		"nothing": nil, "short": request(4<<3 | modeClient)[:47], "half a field": append(request(4<<3|modeClient), 0),
		"a server's answer": request(4<<3 | modeServer), "symmetric": request(4<<3 | 1), "broadcast": request(4<<3 | 5),
		"control": request(4<<3 | 6), "version 0": request(modeClient), "version 5": request(5<<3 | modeClient),
	} {
		if got := Answer(b, now, now); got != nil {
			t.Errorf("%s is answered with %x", name, got)
		}
	}
	if Answer(append(request(4<<3|modeClient), make([]byte, 20)...), now, now) == nil {
		t.Error("a request with an extension is not answered")
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(request(4<<3 | modeClient))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if got := Answer(b, time.Unix(1, 0), time.Unix(2, 0)); got != nil && (len(got) != Len || got[0]&7 != modeServer || len(b) < Len) {
			t.Errorf("%x is answered with %x", b, got)
		}
	})
}
