package guest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

var update = flag.Bool("update", false, "write testdata/golden/replay from this run")

const (
	captures = "../../testdata/captures"
	verdicts = "../../testdata/golden/replay"
)

// goldenReplays are the captures of real hosts, and HTTP once more where the
// server's group lacks the rule for it. There only the client's side is sent:
// a server that gets no request says nothing.
var goldenReplays = []struct {
	name, capture string
	closed        bool
}{
	{name: "absent"}, {name: "dns"}, {name: "fragments"}, {name: "gateway"}, {name: "http"}, {name: "ipv6"},
	{name: "jumbo"}, {name: "malformed"}, {name: "odd"}, {name: "ping"}, {name: "reset"}, {name: "tagged"},
	{name: "http-closed", capture: "http", closed: true},
}

// TestGoldenReplay sends what real hosts sent through the engine and holds the
// fate of every frame against the golden list, whose differences a person
// reads. The other captures send both sides whatever befell the frame before:
// an answer to a refused request (DNS over TCP, the closed port) is a flow of
// its own, which the server's egress rules allow.
func TestGoldenReplay(t *testing.T) {
	listed := map[string]bool{}
	for _, g := range goldenReplays {
		if g.capture == "" {
			g.capture = g.name
		}
		listed[g.capture] = true
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			first, again := replayReal(t, g.capture, g.closed), replayReal(t, g.capture, g.closed)
			if first.list != again.list || !bytes.Equal(first.capture, again.capture) {
				t.Fatal("two replays of one file differ")
			}
			golden := filepath.Join(verdicts, g.name+".txt")
			if *update {
				if err := os.WriteFile(golden, []byte(first.list), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := differ(string(want), first.list); diff != "" {
				t.Errorf("not as in %s (run with -update and read the difference):\n%s", golden, diff)
			}
			checkCopy(t, first)
			judgeCopy(t, first)
		})
	}
	files, err := filepath.Glob(filepath.Join(captures, "*.pcap*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".pcap"); !listed[name] {
			t.Errorf("%s is replayed by no case", f)
		}
	}
}

// replayed is the outcome of one replay.
type replayed struct {
	file    string      // that was replayed
	list    string      // one line a frame
	sent    []sentFrame // in their order
	capture []byte      // pcapng of what the senders handed over
}

type sentFrame struct {
	index int // in the file, from 0
	at    int64
	data  []byte
}

// replayReal replays a capture on a fresh engine, whose time is the file's.
func replayReal(t *testing.T, capture string, closed bool) replayed {
	t.Helper()
	out := replayed{file: filepath.Join(captures, capture+".pcap")}
	file, err := os.ReadFile(out.file)
	if err != nil {
		t.Fatal(err)
	}
	now := int64(0)
	var lines []string // of the frames not sent, until the replay fills in the others
	if err := tap.ReadFile(bytes.NewReader(file), func(at int64, _ int, b []byte) error {
		if now == 0 {
			now = at
		}
		fate := "not sent: no interface has this source MAC"
		if closed && frame.MACAt(b[6:]) == realServer {
			fate = "not sent: the server was not asked"
		}
		lines = append(lines, goldenLine(len(lines), b, fate))
		return nil
	}); err != nil {
		t.Fatal(err)
	}

	e := dataplane.New(dataplane.Options{Workers: 1, Seed: 1, Now: func() int64 { return now }})
	d := realNetwork(closed)
	if _, err := e.Apply(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	watch := tap.New(tap.Config{Points: verdict.GuestTX, Slots: 1 << 12})
	e.AddTap(watch, nil)
	macs := map[frame.MAC]string{}
	for _, v := range d.VNICs {
		macs[v.MAC] = v.ID
	}
	if closed {
		delete(macs, realServer)
	}
	stats, err := Replay(t.Context(), e, func(m frame.MAC) string { return macs[m] }, bytes.NewReader(file), ReplayOptions{
		Speed: 1,
		Wait: func(_ context.Context, d time.Duration) error {
			now += int64(d)
			return nil
		},
		Each: func(p Replayed) error {
			for _, v := range d.VNICs {
				if _, err := e.Port(v.Host, v.DeviceIndex).Poll(0, func([]byte, int64) {}); err != nil {
					return err
				}
			}
			fate := fmt.Sprintf("%-7s %s", p.Trace.Verdict, p.Trace.Reason)
			if p.Trace.Rule != "" {
				fate += ", " + p.Trace.Rule
			}
			lines[p.Index] = goldenLine(p.Index, p.Frame, fate)
			out.sent = append(out.sent, sentFrame{p.Index, p.At, bytes.Clone(p.Frame)})
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if stats.Sent+stats.Foreign != len(lines) || stats.Sent != len(out.sent) {
		t.Fatalf("%+v of %d frames", stats, len(lines))
	}
	if tot := e.Totals(); tot.Unaccounted() != 0 || tot.InFlight != 0 {
		t.Fatalf("%d frames unaccounted for, %d in flight", tot.Unaccounted(), tot.InFlight)
	}
	out.list = strings.Join(lines, "\n") + "\n"
	out.capture = handedOver(t, e, watch)
	return out
}

func goldenLine(index int, b []byte, fate string) string {
	return fmt.Sprintf("%4d  %-78s  %s", index, frame.Summary(b), fate)
}
