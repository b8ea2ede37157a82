package rest

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// Browsers connect in advance; a connection without a request holds up nothing.
func TestShutdownDoesNotWaitForUnusedConnections(t *testing.T) {
	l := newLab(t)
	var conns []net.Conn
	for range 5 {
		c, err := net.Dial("tcp", strings.TrimPrefix(l.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		conns = append(conns, c)
	}
	l.send("GET", "/healthz", nil) // accepted after the others
	l.server.stopIn = time.Hour
	l.end() // waits for much less
	for _, c := range conns {
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("an unused connection: %v", err)
		}
	}
}

// earlyStop is a listener whose server is told to stop after it was started
// and before it accepts.
type earlyStop struct {
	net.Listener
	stop func()
	shut chan struct{} // closed when the shutdown is over
}

// Addr is the last that the server asks before it takes the listener.
func (l *earlyStop) Addr() net.Addr {
	l.stop()
	<-l.shut
	return l.Listener.Addr()
}

// A stop that overtakes the start is not lost: the server would answer for
// good, and its process ignore SIGTERM.
func TestShutdownBeforeTheFirstAccept(t *testing.T) {
	l := newLab(t)
	s, err := New(l.server.opt)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	ctx, stop := context.WithCancel(t.Context())
	early := &earlyStop{Listener: ln, stop: stop, shut: make(chan struct{})}
	s.app.Hooks().OnShutdown(func() error { close(early.shut); return nil })
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, early) }()
	if err := within(t, served); err != nil {
		t.Errorf("serving: %v", err)
	}
}
