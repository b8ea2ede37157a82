package rest

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"
)

const (
	// firstPause and lastPause are how long an accept that has failed waits, at
	// first and at most.
	firstPause = 5 * time.Millisecond
	lastPause  = time.Second
	// saidAgain is how often the log is told of it.
	saidAgain = time.Minute
)

// patient is a listener that outlives what passes: with no file descriptor left
// an accept fails, and fasthttp would take that for its end. What waits meanwhile
// waits in the kernel's queue.
type patient struct {
	net.Listener
	log *slog.Logger

	once   sync.Once
	closed chan struct{}

	told time.Time // owned by the one goroutine that accepts
}

func newPatient(ln net.Listener, log *slog.Logger) *patient {
	return &patient{Listener: ln, log: log, closed: make(chan struct{})}
}

// Accept implements net.Listener.
func (p *patient) Accept() (net.Conn, error) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		c, err := p.Listener.Accept()
		if err == nil || !passing(err) {
			return c, err
		}
		if now := time.Now(); now.Sub(p.told) >= saidAgain {
			p.told = now
			p.log.Warn("a connection could not be accepted and waits; if files are short, raise the limit (ulimit -n)", "error", err)
		}
		select {
		case <-p.closed:
			return nil, net.ErrClosed
		case <-time.After(pause):
		}
	}
}

// Close implements net.Listener. An accept that waits ends.
func (p *patient) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Listener.Close()
}

// passing reports whether an accept can succeed later though nobody mends the
// listener: files or memory are short, or the client has gone before its turn.
func passing(err error) bool {
	for _, no := range []syscall.Errno{syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, no) {
			return true
		}
	}
	// What the platform's error numbers say of themselves; net/http goes by it.
	t, ok := errors.AsType[interface {
		error
		Temporary() bool
	}](err)
	return ok && t.Temporary()
}

const (
	// maxConnections bounds the listener; one more is answered with 503.
	maxConnections = 1024
	// ownFiles is what the process keeps open besides: the database with its log
	// by seven connections, captures while they are written, the standard streams.
	ownFiles = 64
)

// connectionLimit is how many connections may be open at once in a process that
// may have so many files; 0 is without a limit. A database that cannot open its
// log would be worse than a client that is told to come again.
func connectionLimit(files uint64) int {
	switch {
	case files == 0 || files >= maxConnections+ownFiles:
		return maxConnections
	case files >= 2*ownFiles:
		return int(files - ownFiles)
	}
	return max(1, int(files/2))
}
