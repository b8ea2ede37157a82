// Package stacks serves TCP on behalf of the network itself: for every attachment
// that opens a connection to a service it starts a small TCP/IP stack (gVisor
// netstack) of the network's own, with the service's addresses, and ends it when
// nobody has asked for a while. It knows connections, not what goes over them.
package stacks

import (
	"net"
	"sync"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
)

const (
	// DefaultMax stacks of a service exist at once.
	DefaultMax = 256
	// IdleTime ends a stack that no frame has come for. Servers end a silent
	// connection sooner.
	IdleTime = time.Minute
	// SweepEvery is how often a Pool's owner should call Sweep.
	SweepEvery = 10 * time.Second
)

// Options of a Pool; all but Max are required.
type Options struct {
	Link *dataplane.LinkLocal // what answers are sent through
	// Addrs are the addresses at which an attachment finds the service.
	Addrs func(p *dataplane.Port) []frame.IPv4
	Port  uint16
	// Serve serves one attachment's connections, each a *Conn, until the listener
	// is closed. It runs in a goroutine of its own.
	Serve func(l net.Listener)
	Max   int // stacks; one more ends the one that was silent longest. 0: DefaultMax
}

// Pool is the stacks of one service.
type Pool struct {
	opt Options

	mu     sync.Mutex
	stacks map[*dataplane.Port]*Session // guarded by mu; at most opt.Max
}

// New returns a Pool without stacks.
func New(opt Options) *Pool {
	if opt.Max <= 0 {
		opt.Max = DefaultMax
	}
	return &Pool{opt: opt, stacks: map[*dataplane.Port]*Session{}}
}

// Take gives a frame of an attachment to the stack that answers it, of which it
// keeps no byte. v is the frame parsed, TCP over IPv4. One caller at a time.
func (s *Pool) Take(from *dataplane.Port, v *frame.View, b []byte, now time.Time) {
	x := s.Session(from)
	if x == nil {
		if !intact(v, b) {
			return
		}
		if !s.opens(v) {
			if r := reset(v); r != nil {
				s.opt.Link.Send(from, [][]byte{r})
			}
			return
		}
		x = s.start(from, now)
	}
	if x != nil {
		x.take(b[v.L3:v.End], now)
	}
}

// Session returns the stack that answers an attachment, nil if there is none.
func (s *Pool) Session(p *dataplane.Port) *Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stacks[p]
}

// Len returns how many stacks run.
func (s *Pool) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.stacks)
}

// start starts the stack of an attachment; nil if the attachment has ended.
func (s *Pool) start(p *dataplane.Port, now time.Time) *Session {
	if s.Len() >= s.opt.Max {
		s.evict()
	}
	x := s.open(p, now)
	if x != nil {
		s.mu.Lock()
		s.stacks[p] = x
		s.mu.Unlock()
	}
	return x
}

// evict ends the stack that has been silent for longest.
func (s *Pool) evict() {
	s.mu.Lock()
	var oldest *Session
	for _, x := range s.stacks {
		if oldest == nil || x.last.Load() < oldest.last.Load() {
			oldest = x
		}
	}
	s.mu.Unlock()
	s.end(func(x *Session) bool { return x == oldest })
}

// Sweep ends the stacks that nobody has asked for a while, or can ask any more.
func (s *Pool) Sweep(now time.Time) {
	s.end(func(x *Session) bool {
		select {
		case <-x.port.Closed():
			return true
		default:
			return now.UnixNano()-x.last.Load() >= int64(IdleTime)
		}
	})
}

// Close ends all stacks and returns when nothing of them runs. Take must not be
// called any more.
func (s *Pool) Close() { s.end(func(*Session) bool { return true }) }

func (s *Pool) end(which func(*Session) bool) {
	var ending []*Session
	s.mu.Lock()
	for p, x := range s.stacks {
		if which(x) {
			ending = append(ending, x)
			delete(s.stacks, p)
		}
	}
	idle := len(s.stacks) == 0
	s.mu.Unlock()
	for _, x := range ending {
		x.close()
	}
	if idle {
		s.opt.Link.Trim()
	}
}
