package tap

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"time"
)

const (
	// maxFollowers bounds the goroutines and buffers that one capture's viewers cost.
	maxFollowers = 32
	// heartbeat is how often a live stream shows that it lives. A reader that
	// went away is only noticed by writing to it.
	heartbeat = 3 * time.Second
)

// follower is one live stream.
type follower struct {
	news chan struct{} // capacity 1
}

func (f *follower) wake() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// Follow writes the frames recorded from now on to w as pcapng, with interface
// statistics every three seconds, and calls flush (unless nil) whenever w has
// all there is. It returns nil after the capture has stopped and everything is
// written, ctx's error when that ends, or w's.
//
// A follower reads from the capture's memory and has no queue of its own: one
// that is slower than the frames are evicted goes on with the newest, the
// frames between counting as dropped in its statistics. It never slows the
// recording or others. A write that blocks is not interrupted by ctx; give w
// a deadline. More than 32 at once are refused with ErrBusy.
func (c *Capture) Follow(ctx context.Context, w io.Writer, flush func() error) error {
	f := &follower{news: make(chan struct{}, 1)}
	c.mu.Lock()
	if len(c.followers) == maxFollowers {
		c.mu.Unlock()
		return fmt.Errorf("%w: %d followers", ErrBusy, maxFollowers)
	}
	c.followers[f] = struct{}{}
	at, before := c.history.end(), c.status.Lost
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.followers, f)
		c.mu.Unlock()
	}()
	b := bufio.NewWriterSize(w, 64<<10)
	ng, err := NewNgWriter(b, c.names, c.cfg.Snaplen, c.cfg.Comment)
	if err != nil {
		return fmt.Errorf("following capture %s: %w", c.cfg.ID, err)
	}
	s := stream{capture: c, news: f.news, ng: ng, at: at, lostBefore: before, flush: func() error {
		if err := b.Flush(); err != nil || flush == nil {
			return err
		}
		return flush()
	}}
	if err := s.run(ctx); err != nil {
		return fmt.Errorf("following capture %s: %w", c.cfg.ID, err)
	}
	return nil
}

// stream is the state of one Follow; owned by its goroutine.
type stream struct {
	capture    *Capture
	news       <-chan struct{}
	ng         *NgWriter
	flush      func() error
	at         cursor
	skipped    uint64
	lostBefore uint64 // lost when the stream began
	lost       uint64 // of the capture, as last seen
}

func (s *stream) run(ctx context.Context) error {
	beat := s.capture.clock.After(heartbeat)
	for {
		ended, err := s.catchUp(ctx)
		if err != nil {
			return err
		}
		if ended {
			return s.statistics()
		}
		if err := s.flush(); err != nil {
			return err
		}
		select {
		case <-s.news:
		case <-ctx.Done():
			return ctx.Err()
		case <-beat:
			if err := s.statistics(); err != nil {
				return err
			}
			beat = s.capture.clock.After(heartbeat)
		}
	}
}

// catchUp writes all frames behind the cursor, a chunk at a time so that only
// one is pinned, and reports whether no more can come.
func (s *stream) catchUp(ctx context.Context) (ended bool, err error) {
	c := s.capture
	for ctx.Err() == nil {
		c.mu.Lock()
		e, skipped := c.history.read(&s.at)
		s.lost, ended = c.status.Lost, !c.status.Recording
		c.mu.Unlock()
		s.skipped += skipped
		if e.chunk == nil {
			return ended, nil
		}
		for rest := e.records; len(rest) > 0 && err == nil; {
			var r []byte
			r, rest = split(rest)
			err = s.ng.Packet(packet(r))
		}
		c.mu.Lock()
		e.chunk.pins--
		c.mu.Unlock()
		if err != nil {
			return false, err
		}
	}
	return false, ctx.Err()
}

func (s *stream) statistics() error {
	if err := s.ng.Statistics(s.capture.clock.Now(), s.lost-s.lostBefore+s.skipped); err != nil {
		return err
	}
	return s.flush()
}
