package tap

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"enilab/internal/dataplane/verdict"
)

// manualClock is a Clock that moves when told. Waiters of any time fire with
// the first advance that reaches it.
type manualClock struct {
	mu     sync.Mutex
	now    int64
	timers []manualTimer
	armed  chan struct{} // one value for every After
}

type manualTimer struct {
	at int64
	c  chan time.Time
}

func newClock() *manualClock {
	return &manualClock{now: startTime, armed: make(chan struct{}, 1024)}
}

func (c *manualClock) Now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) After(d time.Duration) <-chan time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := manualTimer{at: c.now + int64(d), c: make(chan time.Time, 1)}
	c.timers = append(c.timers, t)
	c.armed <- struct{}{}
	return t.c
}

func (c *manualClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += int64(d)
	c.timers = slices.DeleteFunc(c.timers, func(t manualTimer) bool {
		if t.at > c.now {
			return false
		}
		t.c <- time.Unix(0, c.now)
		return true
	})
}

func start(t *testing.T, cfg CaptureConfig) (*Capture, *manualClock) {
	t.Helper()
	clock := newClock()
	c, err := StartCapture(cfg, names{}, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c, clock
}

// feed offers frames as worker 0 would and waits until they are recorded.
func feed(t *testing.T, c *Capture, n, size int, from uint32) {
	t.Helper()
	for i := range uint32(n) {
		m := told[int(i)%len(told)].meta
		m.At = startTime + int64(from+i)
		c.Tap().Frame(0, m, nil, numbered(size, from+i))
	}
	c.Tap().Flush(0)
	settle(t, c, uint64(from)+uint64(n))
}

// settle waits until n frames were offered to the store or the capture ended.
func settle(t *testing.T, c *Capture, n uint64) {
	t.Helper()
	f := &follower{news: make(chan struct{}, 1)}
	c.mu.Lock()
	c.followers[f] = struct{}{}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.followers, f)
		c.mu.Unlock()
	}()
	limit := time.After(time.Minute)
	for {
		if s := c.Status(); s.Frames+s.Lost >= n || !s.Recording {
			return
		}
		select {
		case <-f.news:
		case <-limit:
			t.Fatalf("recorded %+v, want %d frames", c.Status(), n)
		}
	}
}

func timesOf(t *testing.T, file []byte) (at []int64) {
	t.Helper()
	err := ReadFile(bytes.NewReader(file), func(a int64, _ int, _ []byte) error {
		at = append(at, a-startTime)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCaptureStopsAtItsLimits(t *testing.T) {
	for name, test := range map[string]struct {
		cfg    CaptureConfig
		frames uint64
		reason StopReason
	}{
		"frames": {CaptureConfig{MaxFrames: 5}, 5, StopMaxFrames},
		"bytes":  {CaptureConfig{MaxBytes: 150}, 3, StopMaxBytes}, // the third brings 60-byte frames to 150
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := start(t, test.cfg)
			feed(t, c, 8, 60, 0)
			<-c.Done()
			s := c.Status()
			if s.Frames != test.frames || s.StopReason != test.reason || s.State() != "stopped" || s.Stopped != startTime {
				t.Errorf("%+v", s)
			}
			if c.Tap().Wants(verdict.GuestTX) {
				t.Error("the tap of a stopped capture wants frames")
			}
		})
	}
	t.Run("duration", func(t *testing.T) {
		c, clock := start(t, CaptureConfig{MaxDuration: time.Minute})
		feed(t, c, 2, 60, 0)
		clock.advance(time.Minute)
		<-c.Done()
		if s := c.Status(); s.Frames != 2 || s.StopReason != StopMaxDuration || s.Stopped-s.Started != int64(time.Minute) {
			t.Errorf("%+v", s)
		}
	})
	t.Run("request", func(t *testing.T) {
		c, _ := start(t, CaptureConfig{})
		c.Tap().Frame(0, meta(1), nil, make([]byte, 60))
		c.Tap().Flush(0)
		c.Stop()
		c.Stop()
		if s := c.Status(); s.Frames != 1 || s.StopReason != StopRequested {
			t.Errorf("%+v: what was published before Stop must be kept", s)
		}
	})
}

func TestCaptureEvictsTheOldestAndCountsThem(t *testing.T) {
	c, _ := start(t, CaptureConfig{RingBytes: 64 << 10})
	for from := uint32(0); from < 3000; from += 100 {
		feed(t, c, 100, 200, from)
	}
	s := c.Status()
	if s.Frames != 3000 || s.Lost != 0 || s.Evicted == 0 || s.Held+s.Evicted != s.Frames || s.Held*(200+recordHead) > 64<<10 {
		t.Fatalf("%+v", s)
	}
	var file bytes.Buffer
	if err := c.WriteNg(&file); err != nil {
		t.Fatal(err)
	}
	got := timesOf(t, file.Bytes())
	if uint64(len(got)) != s.Held || got[0] != int64(s.Evicted) || got[len(got)-1] != 2999 || !slices.IsSorted(got) {
		t.Errorf("file holds frames %d to %d (%d of them), want the newest %d", got[0], got[len(got)-1], len(got), s.Held)
	}
}

func TestDownloadPutsBurstsOfWorkersInOrder(t *testing.T) {
	c, _ := start(t, CaptureConfig{Workers: 2})
	// Worker 1's burst is older but arrives after worker 0's was read.
	for w, from := range []int64{100, 50} {
		for i := range int64(64) {
			c.Tap().Frame(w, meta(startTime+from+i), nil, make([]byte, 60))
		}
		c.Tap().Flush(w)
		settle(t, c, uint64(w+1)*64)
	}
	for name, write := range map[string]func(io.Writer) error{"pcapng": c.WriteNg, "pcap": c.WritePcap} {
		var file bytes.Buffer
		if err := write(&file); err != nil {
			t.Fatal(err)
		}
		if got := timesOf(t, file.Bytes()); len(got) != 128 || got[0] != 50 || !slices.IsSorted(got) {
			t.Errorf("%s: %d frames in the order %v", name, len(got), got)
		}
	}
}

func TestDownloadKeepsTheOrderOfEqualTimes(t *testing.T) {
	c, _ := start(t, CaptureConfig{})
	for i := range uint32(2000) {
		c.Tap().Frame(0, Meta{At: startTime, VNIC: 1, Point: verdict.GuestTX}, nil, numbered(60, i))
	}
	c.Tap().Flush(0)
	settle(t, c, 2000)
	var file bytes.Buffer
	if err := c.WritePcap(&file); err != nil {
		t.Fatal(err)
	}
	next := uint32(0)
	err := ReadFile(&file, func(_ int64, _ int, data []byte) error {
		if !bytes.Equal(data, numbered(60, next)) {
			t.Fatalf("frame %x at place %d", data[:4], next)
		}
		next++
		return nil
	})
	if err != nil || next != 2000 {
		t.Errorf("%d frames, %v", next, err)
	}
}

func TestCaptureCountsWhatWorkersCouldNotQueue(t *testing.T) {
	c, _ := start(t, CaptureConfig{Slots: 8})
	for from := uint32(0); from < 60; from += 20 {
		feed(t, c, 20, 60, from) // at once, before the reader can take any
	}
	if s := c.Status(); s.Frames != 24 || s.Lost != 36 {
		t.Errorf("%+v, want 24 recorded and 36 lost", s)
	}
	var file bytes.Buffer
	if err := c.WriteNg(&file); err != nil {
		t.Fatal(err)
	}
	if drops, blocks := lastDrops(t, file.Bytes()); drops != 36 || blocks != 3 {
		t.Errorf("the file's %d statistics say %d dropped, want 3 of 36", blocks, drops)
	}
}

// stuckWriter blocks in its first Write until released.
type stuckWriter struct {
	bytes.Buffer
	once             sync.Once
	entered, release chan struct{}
}

func newStuckWriter() *stuckWriter {
	return &stuckWriter{entered: make(chan struct{}), release: make(chan struct{})}
}

func (w *stuckWriter) Write(b []byte) (int, error) {
	w.once.Do(func() { close(w.entered); <-w.release })
	return w.Buffer.Write(b)
}

// TestSlowDownloadSeesItsMoment: a download that is stuck while everything it
// reads is evicted still writes what was held when it began, and slows nobody.
func TestSlowDownloadSeesItsMoment(t *testing.T) {
	c, _ := start(t, CaptureConfig{RingBytes: 256 << 10})
	feed(t, c, 500, 300, 0)
	var wg sync.WaitGroup
	var slow [maxDownloads]*stuckWriter
	for i := range slow {
		slow[i] = newStuckWriter()
		wg.Go(func() {
			if err := c.WriteNg(slow[i]); err != nil {
				t.Error(err)
			}
		})
		<-slow[i].entered
	}
	if err := c.WriteNg(io.Discard); !errors.Is(err, ErrBusy) {
		t.Errorf("one download too many: %v, want ErrBusy", err)
	}
	for from := uint32(500); from < 5000; from += 100 {
		feed(t, c, 100, 300, from)
	}
	for _, w := range slow {
		close(w.release)
	}
	wg.Wait()
	for _, w := range slow {
		if got := timesOf(t, w.Bytes()); len(got) != 500 || got[0] != 0 || got[499] != 499 {
			t.Errorf("%d frames, want the 500 of the beginning", len(got))
		}
	}
	if err := c.WriteNg(io.Discard); err != nil {
		t.Errorf("after the slow downloads ended: %v", err)
	}
}

func TestCaptureFileIsWellFormedForTshark(t *testing.T) {
	c, _ := start(t, CaptureConfig{Comment: "all kinds of hosts"})
	frames := captureFrames(t, false)
	for i, b := range frames {
		m := told[i%len(told)].meta
		m.At = startTime + int64(i)
		c.Tap().Frame(0, m, nil, b)
	}
	c.Tap().Flush(0)
	settle(t, c, uint64(len(frames)))
	var file bytes.Buffer
	if err := c.WriteNg(&file); err != nil {
		t.Fatal(err)
	}
	lines := tsharkFields(t, file.Bytes(), "frame.interface_name", "frame.comment", "_ws.malformed")
	if lines == nil {
		return
	}
	if len(lines) != len(frames) {
		t.Fatalf("tshark reads %d frames, want %d", len(lines), len(frames))
	}
	for i, l := range lines {
		if l[1] != told[i%len(told)].comment || l[2] != "" {
			t.Errorf("frame %d: %q", i, l)
		}
	}
}

func TestStartCaptureRefusesNonsense(t *testing.T) {
	for _, cfg := range []CaptureConfig{
		{RingBytes: -1}, {RingBytes: 100}, {RingBytes: MaxRingBytes + 1}, {Snaplen: -1}, {MaxDuration: -1}, {Points: 0x80},
	} {
		if c, err := StartCapture(cfg, names{}, newClock()); err == nil {
			c.Stop()
			t.Errorf("%+v is accepted", cfg)
		}
	}
}
