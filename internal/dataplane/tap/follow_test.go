package tap

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"strings"
	"sync"
	"testing"
)

// follow runs Follow and returns how to wait for its end.
func follow(ctx context.Context, c *Capture, w io.Writer, flush func() error) (wait func() error) {
	result := make(chan error, 1)
	go func() { result <- c.Follow(ctx, w, flush) }()
	return func() error { return <-result }
}

// flushes signals the first n calls.
func flushes() (flush func() error, done <-chan struct{}) {
	c := make(chan struct{}, 1024)
	return func() error { c <- struct{}{}; return nil }, c
}

func TestFollowBeginsNowAndEndsWithTheCapture(t *testing.T) {
	c, _ := start(t, CaptureConfig{})
	feed(t, c, 10, 60, 0)
	var files [3]bytes.Buffer
	var waits [3]func() error
	for i := range files {
		flush, done := flushes()
		waits[i] = follow(t.Context(), c, &files[i], flush)
		<-done
	}
	feed(t, c, 20, 60, 10)
	c.Stop()
	for i := range files {
		if err := waits[i](); err != nil {
			t.Fatal(err)
		}
		if got := timesOf(t, files[i].Bytes()); len(got) != 20 || got[0] != 10 || got[19] != 29 {
			t.Errorf("follower %d saw %v, want frames 10 to 29", i, got)
		}
	}
	if n := c.Status().Followers; n != 0 {
		t.Errorf("%d followers left", n)
	}
}

// lastDrops returns isb_ifdrop of the last statistics block of a stream.
func lastDrops(t *testing.T, file []byte) (drops uint64, blocks int) {
	t.Helper()
	for len(file) >= 12 {
		kind, n := binary.LittleEndian.Uint32(file), binary.LittleEndian.Uint32(file[4:])
		if kind == blockStatistics {
			blocks++
			drops = binary.LittleEndian.Uint64(file[8+12+12+4:])
		}
		file = file[n:]
	}
	return drops, blocks
}

// lockedBuffer can be read while it is written; each Write is whole blocks
// only because the streams of these tests are shorter than Follow's buffer.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) copy() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}

func TestSlowFollowerSkipsAndIsTold(t *testing.T) {
	c, _ := start(t, CaptureConfig{RingBytes: 64 << 10})
	slow := newStuckWriter()
	wait := follow(t.Context(), c, slow, nil)
	<-slow.entered // in its very first flush
	var quick lockedBuffer
	flush, done := flushes()
	waitQuick := follow(t.Context(), c, &quick, flush)
	<-done
	for from := uint32(0); from < 2000; from += 50 {
		feed(t, c, 50, 200, from)
		for n := 0; n < int(from)+50; n = len(timesOf(t, quick.copy())) {
			<-done // the slow one hinders nobody
		}
	}
	close(slow.release)
	c.Stop()
	if err := errors.Join(wait(), waitQuick()); err != nil {
		t.Fatal(err)
	}
	got := timesOf(t, slow.Bytes())
	drops, _ := lastDrops(t, slow.Bytes())
	if len(got) == 0 || got[len(got)-1] != 1999 || uint64(len(got))+drops != 2000 || drops == 0 {
		t.Errorf("%d frames and %d told as dropped, want 2000 together, the newest last", len(got), drops)
	}
	if got := timesOf(t, quick.copy()); len(got) != 2000 {
		t.Errorf("the quick follower saw %d frames, want all 2000", len(got))
	}
}

func TestFollowBeatsAndEndsWithItsContext(t *testing.T) {
	c, clock := start(t, CaptureConfig{})
	ctx, cancel := context.WithCancel(t.Context())
	var file bytes.Buffer
	flush, done := flushes()
	wait := follow(ctx, c, &file, flush)
	<-clock.armed
	<-done
	clock.advance(heartbeat) // no interface yet: an empty name resolution block
	<-done
	<-clock.armed
	<-done
	feed(t, c, 1, 60, 0)
	<-done
	clock.advance(heartbeat)
	<-done
	cancel()
	if err := wait(); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, want the context's error", err)
	}
	if _, blocks := lastDrops(t, file.Bytes()); blocks != 1 || len(timesOf(t, file.Bytes())) != 1 {
		t.Errorf("%d statistics blocks, want 1", blocks)
	}
}

type brokenWriter struct{}

var errGone = errors.New("reader has gone")

func (brokenWriter) Write([]byte) (int, error) { return 0, errGone }

func TestFollowAndDownloadReportTheWritersError(t *testing.T) {
	c, _ := start(t, CaptureConfig{ID: "cap-1"})
	for name, err := range map[string]error{
		"follow": c.Follow(t.Context(), brokenWriter{}, nil), "pcapng": c.WriteNg(brokenWriter{}), "pcap": c.WritePcap(brokenWriter{}),
	} {
		if !errors.Is(err, errGone) || !strings.Contains(err.Error(), "cap-1") {
			t.Errorf("%s: %v, want the writer's error and the capture's id", name, err)
		}
	}
}

func TestFollowersAreBounded(t *testing.T) {
	c, _ := start(t, CaptureConfig{})
	var waits []func() error
	for range maxFollowers {
		flush, done := flushes()
		waits = append(waits, follow(t.Context(), c, io.Discard, flush))
		<-done
	}
	if err := c.Follow(t.Context(), io.Discard, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("one follower too many: %v, want ErrBusy", err)
	}
	c.Stop()
	for _, wait := range waits {
		if err := wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestTsharkFollowsLive feeds a running tshark through a pipe, with heartbeats
// before the first interface and between frames.
func TestTsharkFollowsLive(t *testing.T) {
	tshark := oracle(t, "tshark")
	if tshark == "" {
		return
	}
	const frames = 40
	c, clock := start(t, CaptureConfig{})
	var out, errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), tshark, "-n", "-l", "-i", "-", "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment")
	cmd.Stdout, cmd.Stderr = &out, &errs
	pipe, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	flush, done := flushes()
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Follow(t.Context(), pipe, flush); err != nil {
			t.Error(err)
		}
		pipe.Close()
	})
	<-done
	<-clock.armed
	clock.advance(heartbeat)
	<-done
	feed(t, c, frames/2, 64, 0)
	<-done
	<-clock.armed
	clock.advance(heartbeat)
	<-done
	feed(t, c, frames/2, 64, frames/2)
	c.Stop()
	wg.Wait()
	if err := cmd.Wait(); err != nil {
		t.Fatalf("tshark: %v\n%s", err, errs.Bytes())
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != frames {
		t.Fatalf("tshark read %d frames live, want %d\n%s", len(lines), frames, errs.Bytes())
	}
	if want := "eni-00000001\t" + told[0].comment; lines[0] != want {
		t.Errorf("first line %q, want %q", lines[0], want)
	}
}
