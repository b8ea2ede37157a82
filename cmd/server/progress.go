package main

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// patienceWithWait is how long the same may be waited for before the log says
	// so: most starts take less.
	patienceWithWait = 2 * time.Second
	// reminder is how often the log says so again.
	reminder = 15 * time.Second
)

// progress tells the log what a start waits for, if that takes long.
type progress struct {
	log   *slog.Logger
	began time.Time

	mu    sync.Mutex
	what  string      // guarded by mu
	next  *time.Timer // guarded by mu
	ended bool        // guarded by mu
}

func tell(log *slog.Logger) *progress { return &progress{log: log, began: time.Now()} }

// waitFor changes what is waited for.
func (p *progress) waitFor(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || what == p.what {
		return
	}
	p.what = what
	if p.next != nil {
		p.next.Stop()
	}
	p.next = time.AfterFunc(patienceWithWait, func() { p.say(what) })
}

func (p *progress) say(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended || what != p.what {
		return
	}
	p.log.Info("starting", "waitsFor", what, "since", time.Since(p.began).Round(time.Second))
	p.next.Reset(reminder)
}

// end says nothing more.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	if p.next != nil {
		p.next.Stop()
	}
}
