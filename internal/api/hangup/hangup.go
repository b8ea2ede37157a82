// Package hangup is about how connections end. It tells a handler that its
// client has gone: fasthttp reads nothing while a handler runs, so that a
// handler that waits would wait for nobody. And it lets a client that is still
// sending see the answer before the server hangs up. It knows connections, not
// requests.
package hangup

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"
)

// ErrGone is the cause with which a watched context ends.
var ErrGone = errors.New("the client has closed the connection")

// Listener makes the connections of ln ones that can be watched and can linger.
func Listener(ln net.Listener) net.Listener { return listener{ln} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

// conn is read by one goroutine at a time: the server's, or while a handler
// waits, the watch's.
type conn struct {
	net.Conn
	ahead []byte // read by a watch, not yet by the server

	lingers atomic.Bool // the first Close is to wait for the client
}

func (c *conn) Read(b []byte) (int, error) {
	if len(c.ahead) > 0 {
		n := copy(b, c.ahead)
		c.ahead = c.ahead[n:]
		return n, nil
	}
	return c.Conn.Read(b)
}

// Watch returns a context that also ends when the client closes the
// connection. stop must be called before the handler returns. A connection
// that Listener has not made is not watched. A client that sends its next
// request already is there; that it goes later is not noticed.
func Watch(ctx context.Context, nc net.Conn) (watched context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	c, ok := nc.(*conn)
	if !ok || len(c.ahead) > 0 || c.Conn.SetReadDeadline(time.Time{}) != nil {
		return ctx, func() { cancel(nil) }
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var b [1]byte
		n, err := c.Conn.Read(b[:])
		if n > 0 {
			c.ahead = b[:n]
		} else if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() {
			cancel(ErrGone)
		}
	}()
	return ctx, func() {
		// A deadline that has passed ends the read; the server sets its own
		// before it reads the next request.
		_ = c.Conn.SetReadDeadline(time.Unix(1, 0))
		<-ended
		_ = c.Conn.SetReadDeadline(time.Time{})
		cancel(nil)
	}
}
