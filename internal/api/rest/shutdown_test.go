package rest

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
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

// A request of which the rest never comes holds up nothing either, whether it is
// its connection's first or not.
func TestShutdownDoesNotWaitForHalfRequests(t *testing.T) {
	l := newLab(t)
	s, err := New(l.server.opt)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.app.Server().ReadTimeout, s.stopIn = time.Hour, time.Hour // only the stop can end them
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	l.url = "http://" + ln.Addr().String()
	const half = "POST /api/v1/vpcs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
	var conns []net.Conn
	for _, before := range []string{"", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"} {
		for _, cut := range []int{1, 30, len(half)} {
			c := l.dialed()
			if before != "" {
				if _, err := io.WriteString(c, before); err != nil {
					t.Fatal(err)
				}
				r, err := http.ReadResponse(bufio.NewReader(c), nil)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadAll(r.Body); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.WriteString(c, half[:cut]); err != nil {
				t.Fatal(err)
			}
			conns = append(conns, c)
		}
	}
	l.send("GET", "/healthz", nil) // accepted after the others
	stop()
	if err := within(t, served); err != nil {
		t.Errorf("serving: %v", err)
	}
	for _, c := range conns {
		if _, err := io.ReadAll(c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("half a request: %v", err)
		}
	}
}

// What is being answered is answered to its end.
func TestShutdownWaitsForAnswers(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	l := newLab(t, func(o *Options) {
		o.Mount = func(app *fiber.App) {
			app.Get("/slow", func(c *fiber.Ctx) error {
				close(began)
				<-goOn
				return c.SendString(strings.Repeat("x", 1<<20))
			})
		}
	})
	c := l.dialed()
	if _, err := io.WriteString(c, "GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	<-began
	l.server.stopIn = time.Hour
	go func() {
		<-l.server.ctx.Done() // it has begun to stop
		close(goOn)
	}()
	l.end()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(r.Body); err != nil || len(text) != 1<<20 {
		t.Errorf("read %d bytes, %v", len(text), err)
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
