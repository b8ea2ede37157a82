package guest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// file makes a classic capture of the frames, a second apart.
func file(t *testing.T, frames ...[]byte) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w, err := tap.NewPcapWriter(&b, 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range frames {
		p := tap.Packet{Meta: tap.Meta{At: int64(i+1) * int64(time.Second)}, Length: len(f), Data: f}
		if len(f) > 100 {
			p.Data = f[:100]
		}
		if err := w.Packet(p); err != nil {
			t.Fatal(err)
		}
	}
	return &b
}

func byMAC(src frame.MAC) string {
	return map[frame.MAC]string{0x020000000210: "eni-c", 0x020000000242: "eni-service"}[src]
}

func TestReplay(t *testing.T) {
	r := newRig(t)
	w := newWire()
	w.there.Src, w.there.Dst = 0x020000000210, 0x020000000242
	good := frame.AppendUDP(nil, w.there, 1000, 9, []byte("x"))
	w.there.SrcIP++
	spoofed := frame.AppendUDP(nil, w.there, 1000, 9, []byte("x"))
	w.there.Src = 0x0299
	foreign := frame.AppendUDP(nil, w.there, 1000, 9, []byte("x"))
	long := frame.AppendUDP(nil, w.there, 1000, 9, make([]byte, 200))

	var seen []verdict.Reason
	var waits []time.Duration
	stats, err := Replay(r.ctx, r.engine, byMAC, file(t, good, foreign, spoofed, long, good), ReplayOptions{
		Speed: 2,
		Wait:  func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil },
		Each: func(p Replayed) error {
			seen = append(seen, p.Trace.Reason)
			if p.VNIC != "eni-c" || p.At != int64(p.Index+1)*int64(time.Second) {
				t.Errorf("frame %d: vNIC %s at %d", p.Index, p.VNIC, p.At)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []verdict.Reason{verdict.Delivered, verdict.SpoofedIP, verdict.Delivered}; !slices.Equal(seen, want) {
		t.Errorf("fates %v, want %v", seen, want)
	}
	if want := []time.Duration{time.Second, time.Second}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	if stats.Sent != 3 || stats.Foreign != 1 || stats.Truncated != 1 ||
		stats.Verdicts[verdict.Delivered] != 2 || stats.Verdicts[verdict.SpoofedIP] != 1 {
		t.Errorf("stats %+v", stats)
	}
}

func TestReplayEnds(t *testing.T) {
	r := newRig(t)
	w := newWire()
	w.there.Src = 0x020000000210
	f := frame.AppendUDP(nil, w.there, 1000, 9, []byte("x"))
	stop := errors.New("enough")
	each := func(Replayed) error { return stop }
	if _, err := Replay(r.ctx, r.engine, byMAC, file(t, f, f), ReplayOptions{Each: each}); !errors.Is(err, stop) {
		t.Errorf("error of Each became %v", err)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	cancel()
	if _, err := Replay(ctx, r.engine, byMAC, file(t, f), ReplayOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled replay: %v", err)
	}
	if _, err := Replay(r.ctx, r.engine, byMAC, bytes.NewReader([]byte("no capture")), ReplayOptions{}); err == nil {
		t.Error("replayed what is no capture file")
	}
}

// TestReplayOfRealHosts sends a conversation of two Linux hosts through the
// engine, between the addresses that they had.
func TestReplayOfRealHosts(t *testing.T) {
	r := newRig(t)
	f, err := os.Open("../../testdata/captures/http.pcap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := vnic("eni-c", 0x10, "subnet-a", clientID, 0, clientAddr)
	s := vnic("eni-service", 0x42, "subnet-a", hostA, 1, service)
	r.move(c)
	r.move(s)
	stats, err := Replay(r.ctx, r.engine, func(src frame.MAC) string {
		return map[frame.MAC]string{c.MAC: c.ID, s.MAC: s.ID}[src]
	}, f, ReplayOptions{})
	if err != nil {
		t.Fatal(err)
	}
	// The fabric answers the ARP request; the host's own answer is then a
	// frame like any other.
	if stats.Sent < 10 || stats.Verdicts[verdict.ARPAnswered] == 0 || stats.Verdicts[verdict.Delivered] < stats.Sent-3 {
		t.Errorf("stats %+v", stats)
	}
}
