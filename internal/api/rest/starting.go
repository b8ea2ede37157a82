package rest

import (
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/hangup"
	"enilab/internal/api/unserved"
)

// Starting answers on a listener while the laboratory is not whole: 503 to
// everything, in the form that each client reads, and to who asks for the
// health what is waited for.
type Starting struct {
	refuse   func(c *fiber.Ctx, status int, detail string) bool
	version  string
	waitsFor atomic.Pointer[func() string]
	lent     *lentListener
	accepts  *patient // of lent
	served   chan error
}

// retryAfter is how long clients are asked to wait, in seconds.
const retryAfter = "1"

// startingReadTime bounds how long a connection may take to ask; it is left over
// at most so long when the laboratory is whole.
const startingReadTime = 5 * time.Second

// Start answers on ln until Hand takes it back. refuse is Options.Refuse.
func Start(ln *net.TCPListener, version string, refuse func(c *fiber.Ctx, status int, detail string) bool) *Starting {
	s := &Starting{refuse: refuse, version: version, lent: &lentListener{TCPListener: ln}, served: make(chan error, 1)}
	s.accepts = newPatient(s.lent, slog.Default())
	s.WaitFor(func() string { return "the start" })
	app := fiber.New(fiber.Config{
		AppName: "enilab", DisableStartupMessage: true, BodyLimit: maxBody, Concurrency: connectionLimit(openFiles()),
		ReadTimeout: startingReadTime, CaseSensitive: true, DisablePreParseMultipartForm: true,
		ErrorHandler: func(c *fiber.Ctx, _ error) error {
			hangup.Linger(c.Context().Conn()) // what was not read would take the answer away
			return s.answer(c)
		},
	})
	app.Use(secureHeaders, s.answer)
	go func() { s.served <- app.Listener(hangup.Listener(s.accepts)) }()
	return s
}

// WaitFor changes what the answers say that is waited for.
func (s *Starting) WaitFor(what func() string) { s.waitsFor.Store(&what) }

// Hand ends the answering and gives the listener back. Connections that come
// meanwhile wait in it, and those that are open end with their answer.
func (s *Starting) Hand() (net.Listener, error) {
	_ = s.accepts.Close() // only unblocks
	err := <-s.served
	return s.lent.TCPListener, errors.Join(err, s.lent.TCPListener.SetDeadline(time.Time{}))
}

func (s *Starting) answer(c *fiber.Ctx) error {
	detail := "the laboratory is starting: it waits for " + (*s.waitsFor.Load())()
	c.Set(fiber.HeaderRetryAfter, retryAfter)
	c.Set(fiber.HeaderCacheControl, "no-store")
	// The next request is for the whole laboratory.
	c.Context().SetConnectionClose()
	const status = http.StatusServiceUnavailable
	if service, ok := unserved.Addressed(c); ok {
		return unserved.Answer(c, service)
	}
	if c.Path() == "/_localstack/health" {
		return c.Status(status).JSON(NewLocalStackHealth(s.version, detail))
	}
	if s.refuse(c, status, detail) {
		return nil
	}
	if c.Method() == fiber.MethodGet && !isAPI(c.Path()) && acceptsPage(c.Get(fiber.HeaderAccept)) {
		c.Set(fiber.HeaderContentType, "text/html; charset=utf-8")
		return c.Status(status).SendString(fmt.Sprintf(startingPage, retryAfter, html.EscapeString(detail)))
	}
	return c.Status(status).JSON(newProblem(status, "", detail), "application/problem+json")
}

const startingPage = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="refresh" content="%s">
<title>enilab is starting</title>
<p>%s.
</html>
`

// lentListener accepts until it is closed, which leaves the listener behind it
// open for somebody else.
type lentListener struct {
	*net.TCPListener
	closing sync.Once
	closed  atomic.Bool
}

// Accept ends with io.EOF, which a server takes for the end.
func (l *lentListener) Accept() (net.Conn, error) {
	c, err := l.TCPListener.Accept()
	if err != nil && l.closed.Load() {
		return nil, io.EOF
	}
	return c, err
}

// Close unblocks Accept.
func (l *lentListener) Close() (err error) {
	l.closing.Do(func() {
		l.closed.Store(true)
		err = l.SetDeadline(time.Unix(1, 0))
	})
	return err
}
