package tap

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"enilab/internal/dataplane/verdict"
)

// Clock is the time of a Capture: the machine's, or a test's.
type Clock interface {
	Now() int64 // Unix nanoseconds
	After(d time.Duration) <-chan time.Time
}

// Limits of a Capture's configuration.
const (
	DefaultRingBytes = 16 << 20
	MaxRingBytes     = 256 << 20
	minRing          = 64 << 10
)

// CaptureConfig says what to record and when to stop. Zero limits are none.
type CaptureConfig struct {
	ID          string
	Comment     string        // goes into the file
	Filter      *Filter       // nil: every frame
	Points      verdict.Point // 0: all
	Snaplen     int           // bytes kept of a frame; 0: all
	RingBytes   int           // memory for frames, the oldest go first; 0: DefaultRingBytes
	MaxFrames   uint64        // stop after so many frames
	MaxBytes    uint64        // stop with the frame that brings the bytes kept to this
	MaxDuration time.Duration
	Slots       int // of each worker's ring, see Config
	Workers     int
}

// StopReason says what ended a capture.
type StopReason string

// Stop reasons; a capture that is recording has none.
const (
	StopRequested   StopReason = "requested"
	StopMaxFrames   StopReason = "max_frames"
	StopMaxBytes    StopReason = "max_bytes"
	StopMaxDuration StopReason = "max_duration"
)

// CaptureStatus is what a Capture has done so far.
type CaptureStatus struct {
	Recording  bool
	Frames     uint64 // recorded since the start
	Bytes      uint64 // of them, as kept
	Held       uint64 // frames that are still in memory
	Evicted    uint64 // recorded, but gone to make room
	Lost       uint64 // matching, but not recorded: a worker's ring was full
	Followers  int
	Started    int64 // Unix nanoseconds
	Stopped    int64 // 0 while recording
	StopReason StopReason
}

// State returns "recording" or "stopped".
func (s CaptureStatus) State() string {
	if s.Recording {
		return "recording"
	}
	return "stopped"
}

// Capture drains a Tap into bounded memory until it is stopped, and hands out
// what it holds as files and as live streams. A stopped capture keeps its
// frames; dropping the last reference frees them.
type Capture struct {
	cfg   CaptureConfig // immutable
	names Names
	clock Clock
	tap   *Tap

	stopOnce sync.Once
	stop     chan struct{}
	done     chan struct{}

	mu        sync.Mutex
	history   history
	status    CaptureStatus // Held, Evicted and Followers are filled in when asked
	followers map[*follower]struct{}
	downloads int
}

// StartCapture begins to record; hand Tap to the data plane to feed it. The
// capture's goroutine ends by a limit of cfg or by Stop.
func StartCapture(cfg CaptureConfig, names Names, clock Clock) (*Capture, error) {
	switch {
	case cfg.RingBytes < 0 || cfg.RingBytes > MaxRingBytes:
		return nil, fmt.Errorf("capture ring of %d bytes, want at most %d", cfg.RingBytes, MaxRingBytes)
	case cfg.RingBytes == 0:
		cfg.RingBytes = DefaultRingBytes
	case cfg.RingBytes < minRing:
		return nil, fmt.Errorf("capture ring of %d bytes, want at least %d", cfg.RingBytes, minRing)
	}
	if cfg.Snaplen < 0 {
		return nil, fmt.Errorf("snap length %d, want 0 for whole frames or a number of bytes", cfg.Snaplen)
	}
	if cfg.MaxDuration < 0 {
		return nil, fmt.Errorf("maximum duration %s is negative", cfg.MaxDuration)
	}
	if cfg.Points&^verdict.AllPoints != 0 {
		return nil, fmt.Errorf("tap points %#x, want a mask of %#x", uint8(cfg.Points), uint8(verdict.AllPoints))
	}
	if cfg.Points == 0 {
		cfg.Points = verdict.AllPoints
	}
	c := &Capture{
		cfg: cfg, names: names, clock: clock,
		tap:       New(Config{Filter: cfg.Filter, Points: cfg.Points, Snaplen: cfg.Snaplen, Slots: cfg.Slots, Workers: cfg.Workers}),
		stop:      make(chan struct{}),
		done:      make(chan struct{}),
		history:   newHistory(cfg.RingBytes),
		status:    CaptureStatus{Recording: true, Started: clock.Now()},
		followers: make(map[*follower]struct{}),
	}
	var deadline <-chan time.Time
	if cfg.MaxDuration > 0 {
		deadline = clock.After(cfg.MaxDuration)
	}
	go c.record(deadline)
	return c, nil
}

// Config returns the configuration with its defaults filled in.
func (c *Capture) Config() CaptureConfig { return c.cfg }

// Tap returns what the data plane feeds.
func (c *Capture) Tap() *Tap { return c.tap }

// Done is closed when the capture has stopped, so that its Tap can be taken
// off the interfaces.
func (c *Capture) Done() <-chan struct{} { return c.done }

// Stop ends the recording with what was published until now and waits until it
// is stored. It may be called again and by many.
func (c *Capture) Stop() {
	c.stopOnce.Do(func() { close(c.stop) })
	<-c.done
}

// Status returns a consistent view of the counters.
func (c *Capture) Status() CaptureStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.status
	s.Evicted = c.history.evicted
	s.Held = s.Frames - s.Evicted
	s.Followers = len(c.followers)
	return s
}

func (c *Capture) record(deadline <-chan time.Time) {
	defer close(c.done)
	store := c.store // one closure for all reads
	for {
		reason := StopReason("")
		select {
		case <-c.tap.Ready():
		case <-c.stop:
			reason = StopRequested
		case <-deadline:
			reason = StopMaxDuration
		}
		if reason != "" {
			c.tap.Close()
		}
		if c.drain(store, reason) {
			return
		}
	}
}

// drain stores what the workers published and reports whether that, or reason,
// ended the capture.
func (c *Capture) drain(store func(Packet), reason StopReason) (stopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, lost := c.tap.Read(store)
	c.tap.Release()
	c.status.Lost += lost
	if c.status.StopReason == "" { // else a limit was reached first
		c.status.StopReason = reason
	}
	if stopped = c.status.StopReason != ""; stopped {
		c.tap.Close()
		c.status.Recording = false
		c.status.Stopped = c.clock.Now()
	}
	for f := range c.followers {
		f.wake()
	}
	return stopped
}

// store is called by Tap.Read under mu. Frames behind a limit are not part of
// the capture.
func (c *Capture) store(p Packet) {
	s := &c.status
	if s.StopReason != "" {
		return
	}
	c.history.append(p)
	s.Frames++
	s.Bytes += uint64(len(p.Data))
	switch {
	case c.cfg.MaxFrames > 0 && s.Frames >= c.cfg.MaxFrames:
		s.StopReason = StopMaxFrames
	case c.cfg.MaxBytes > 0 && s.Bytes >= c.cfg.MaxBytes:
		s.StopReason = StopMaxBytes
	}
}

// ErrBusy: a capture has as many readers as it allows.
var ErrBusy = errors.New("capture has too many readers")
