package rest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

const (
	// maxCaptures and maxCaptureBytes bound what is kept. When either is
	// reached, the oldest stopped capture makes room; if all record, a new one
	// is refused.
	maxCaptures     = 32
	maxCaptureBytes = 512 << 20
	// maxLive streams at once, each with a ring of its own.
	maxLive       = 8
	liveRingBytes = 8 << 20
)

// captures are the recordings under way and those kept.
type captures struct {
	engine Engine
	clock  tap.Clock
	dir    string // "": nothing outlives the process

	mu     sync.Mutex
	list   []*capture // oldest first
	live   int        // streams of their own
	closed bool
	lost   uint64 // by captures that are gone

	watchers sync.WaitGroup // one for each recording
}

// capture is one recording: in memory, or a file of an earlier run.
type capture struct {
	about aboutCapture
	tap   *tap.Capture // nil: in the file
}

// aboutCapture is what is known of a capture besides its frames. It is also
// the sidecar of a saved one.
type aboutCapture struct {
	ID         string   `json:"id"`
	Comment    string   `json:"comment"`
	Filter     string   `json:"filter"`
	Points     []string `json:"points"`
	Interfaces []string `json:"networkInterfaceIds"`
	Instance   string   `json:"instanceId"`
	All        bool     `json:"all"`

	Snaplen    int    `json:"snaplen"`
	RingBytes  int    `json:"ringBytes"`
	MaxFrames  uint64 `json:"maxFrames"`
	MaxBytes   uint64 `json:"maxBytes"`
	MaxSeconds int    `json:"maxSeconds"`

	Status tap.CaptureStatus `json:"status"` // of a saved one
}

// status is what the capture has done so far.
func (c *capture) status() tap.CaptureStatus {
	if c.tap == nil {
		return c.about.Status
	}
	return c.tap.Status()
}

// start records what in says from now on.
func (cs *captures) start(about aboutCapture, filter *tap.Filter, points verdict.Point) (*capture, error) {
	about.ID = newCaptureID()
	if about.RingBytes == 0 {
		about.RingBytes = tap.DefaultRingBytes
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.closed {
		return nil, newProblem(http.StatusServiceUnavailable, "", "the server is shutting down")
	}
	if err := cs.makeRoomLocked(about.RingBytes); err != nil {
		return nil, err
	}
	rec, err := tap.StartCapture(tap.CaptureConfig{
		ID: about.ID, Comment: about.Comment, Filter: filter, Points: points, Snaplen: about.Snaplen,
		RingBytes: about.RingBytes, MaxFrames: about.MaxFrames, MaxBytes: about.MaxBytes,
		MaxDuration: time.Duration(about.MaxSeconds) * time.Second, Workers: cs.engine.Workers(),
	}, cs.engine, cs.clock)
	if err != nil {
		return nil, newProblem(http.StatusBadRequest, "", err.Error())
	}
	c := &capture{about: about, tap: rec}
	about.tapOn(cs.engine, rec.Tap())
	cs.list = append(cs.list, c)
	cs.watchers.Go(func() { cs.detach(rec) })
	return c, nil
}

// detach takes a capture off the interfaces once it has stopped, whatever
// stopped it.
func (cs *captures) detach(rec *tap.Capture) {
	<-rec.Done()
	cs.engine.RemoveTap(rec.Tap())
}

// tapOn puts a tap where the capture was asked for. One of an instance follows
// its attachments: an interface that fails over to it is part of it.
func (a aboutCapture) tapOn(e Engine, t *tap.Tap) {
	switch {
	case a.All:
		e.AddTap(t, nil)
	case a.Instance != "":
		e.AddHostTap(t, a.Instance)
	default:
		e.AddTap(t, a.Interfaces)
	}
}

func (cs *captures) makeRoomLocked(ring int) error {
	for {
		memory := ring
		for _, c := range cs.list {
			if c.tap != nil {
				memory += c.about.RingBytes
			}
		}
		if len(cs.list) < maxCaptures && memory <= maxCaptureBytes {
			return nil
		}
		tooMany := len(cs.list) >= maxCaptures
		oldest := slices.IndexFunc(cs.list, func(c *capture) bool {
			return !c.status().Recording && (tooMany || c.tap != nil)
		})
		if oldest < 0 {
			return newProblem(http.StatusConflict, "CaptureLimitExceeded", fmt.Sprintf(
				"%d captures are recording with rings of %d MiB in all; at most %d captures and %d MiB fit: stop one, or ask for a smaller ring",
				len(cs.list), (memory-ring)>>20, maxCaptures, maxCaptureBytes>>20))
		}
		cs.forgetLocked(oldest)
	}
}

func (cs *captures) forgetLocked(i int) {
	c := cs.list[i]
	cs.lost += c.status().Lost
	cs.list = slices.Delete(cs.list, i, i+1)
	if cs.dir != "" {
		removeSaved(cs.dir, c.about.ID)
	}
}

// get returns a capture, nil if there is none of that id.
func (cs *captures) get(id string) *capture {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if i := slices.IndexFunc(cs.list, func(c *capture) bool { return c.about.ID == id }); i >= 0 {
		return cs.list[i]
	}
	return nil
}

// all returns every capture, newest first.
func (cs *captures) all() []*capture {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	out := slices.Clone(cs.list)
	slices.Reverse(out)
	return out
}

// since returns the capture whose frames go back furthest, "" if there is none that
// has any.
func (cs *captures) since() string {
	id, first := "", int64(math.MaxInt64)
	for _, c := range cs.all() {
		// One that has let its first frames go began, in effect, later than is known.
		if st := c.status(); st.Frames > 0 && st.Evicted == 0 && st.Started < first {
			id, first = c.about.ID, st.Started
		}
	}
	return id
}

// remove stops a capture and gives its memory back.
func (cs *captures) remove(id string) bool {
	c := cs.get(id)
	if c == nil {
		return false
	}
	if c.tap != nil {
		c.tap.Stop()
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	i := slices.Index(cs.list, c)
	if i >= 0 { // else somebody was faster
		cs.forgetLocked(i)
	}
	return i >= 0
}

// clear ends every recording and keeps none.
func (cs *captures) clear() {
	for _, c := range cs.all() {
		cs.remove(c.about.ID)
	}
}

// totals counts for the metrics.
func (cs *captures) totals() (recording, stopped int, lost uint64) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	lost = cs.lost
	for _, c := range cs.list {
		s := c.status()
		lost += s.Lost
		if s.Recording {
			recording++
		} else {
			stopped++
		}
	}
	return recording, stopped, lost
}

// close stops every recording and, if there is a directory, saves what is in
// memory.
func (cs *captures) close() error {
	cs.mu.Lock()
	cs.closed = true
	list := slices.Clone(cs.list)
	cs.mu.Unlock()
	var errs []error
	for _, c := range list {
		if c.tap == nil {
			continue
		}
		c.tap.Stop()
		if cs.dir != "" {
			errs = append(errs, save(cs.dir, c))
		}
	}
	cs.watchers.Wait()
	return errors.Join(errs...)
}

func newCaptureID() string {
	b := make([]byte, 9)
	_, _ = rand.Read(b)
	return "cap-" + hex.EncodeToString(b)[:17]
}
