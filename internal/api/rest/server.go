// Package rest serves the admin API under /api/v1, the dashboard's files, the
// stream's websocket, captures and metrics, all from one listener. It decodes,
// calls the control plane and encodes: it decides nothing about networks and
// keeps no state of its own but the captures.
package rest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"
	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/adaptor"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"enilab/internal/api/apifault"
	"enilab/internal/api/hangup"
	"enilab/internal/api/stream"
	"enilab/internal/api/unserved"
)

const (
	base = "/api/v1"

	// maxBody bounds a request; nothing is uploaded here.
	maxBody = 1 << 20
	// commandTime bounds what one request may wait for the control plane.
	commandTime = 15 * time.Second
	readTime    = 30 * time.Second
	idleTime    = 2 * time.Minute
	// StopTime is how long requests under way may take once the server stops.
	StopTime = 3 * time.Second
)

// Server is the HTTP side of enilab.
type Server struct {
	opt      Options
	app      *fiber.App
	hub      *stream.Hub
	captures *captures
	guard    guard
	epoch    string // of this process: sequence numbers of the stream count within it
	started  time.Time
	spec     func() []byte // the OpenAPI document
	conns    connections
	asserted assertedState
	stopIn   time.Duration // StopTime, but in tests

	ctx  context.Context // ends when the server stops
	stop context.CancelFunc
}

// New builds the server; Serve runs it.
func New(opt Options) (*Server, error) {
	if err := opt.check(); err != nil {
		return nil, err
	}
	s := &Server{opt: opt, epoch: rand.Text(), started: time.Now(), stopIn: StopTime, guard: newGuard(opt)}
	s.ctx, s.stop = context.WithCancel(context.Background())
	var err error
	if s.captures, err = openCaptures(opt.Engine, opt.Clock, opt.CaptureDir); err != nil {
		return nil, err
	}
	s.hub = stream.New(stream.Options{
		Source: opt.Engine, Log: opt.Control, Epoch: s.epoch,
		Status:   s.streamStatus,
		Failover: func(id string) any { return s.failoverView(id) },
		State:    opt.Control.State,
	})
	s.app = fiber.New(fiber.Config{
		AppName:               "enilab",
		DisableStartupMessage: true,
		// Strings of a request outlive its handler: they reach the State.
		Immutable: true,
		BodyLimit: maxBody,
		// It would be parsed while it is read, before anybody has said that he
		// may, and large parts be written to files.
		DisablePreParseMultipartForm: true,

		Concurrency:  connectionLimit(openFiles()),
		ReadTimeout:  readTime,
		IdleTimeout:  idleTime,
		ErrorHandler: s.answerError,
		// A path is not a file name: /api/v1/VPCs is not /api/v1/vpcs.
		CaseSensitive: true,
	})
	s.app.Server().ConnState = s.conns.changed
	s.routes()
	return s, nil
}

func (s *Server) routes() {
	s.app.Use(s.conns.answering, recover.New())
	s.app.Use(secureHeaders, plainBodies, s.guard.check, unserved.Handle, s.withContext)
	s.healthRoutes()
	s.app.Get("/metrics", adaptor.HTTPHandler(s.metrics()))

	api := s.app.Group(base)
	api.Use(s.noted)
	api.Get("/stream", adaptor.HTTPHandlerFunc(s.hub.ServeHTTP))
	api.Get("/live.pcapng", s.live)
	api.Get("/captures/:id/pcapng", s.download(formatPcapNg))
	api.Get("/captures/:id/pcap", s.download(formatPcap))
	api.Get("/snapshots/:name/database", s.downloadSnapshot)
	api.Get("/rehearsals/:id/pcapng", s.rehearsed)
	api.Get("/trials/:id/report", s.trialReport)
	api.Get("/scenario", s.saveScenario)
	s.operations(humafiber.NewWithGroup(s.app, headed{api}, apiConfig(s.opt.Version)))
	api.Get("/openapi.json", s.openAPI)
	api.Use(func(c *fiber.Ctx) error { return fiber.ErrNotFound })

	if s.opt.Mount != nil {
		s.opt.Mount(s.app)
	}
	s.app.Use(unserved.HandleSDK)
	s.app.Get("/*", s.page)
}

// apiConfig leaves out what huma would add: links in every body, and a
// documentation page that loads scripts from a foreign host.
func apiConfig(version string) huma.Config {
	c := huma.DefaultConfig("enilab admin API", version)
	c.CreateHooks = nil
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Servers = []*huma.Server{{URL: base}}
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "An AWS VPC on your laptop, with packets in it. Errors are problem+json (RFC 9457) with EC2's error code."
	return c
}

func (s *Server) operations(api huma.API) {
	api.UseMiddleware(s.badDay(api))
	s.networkOperations(api)
	s.instanceOperations(api)
	s.internetOperations(api)
	s.gatewayOperations(api)
	s.transitOperations(api)
	s.endpointOperations(api)
	s.routingOperations(api)
	s.interfaceOperations(api)
	s.moveOperations(api)
	s.groupOperations(api)
	s.addressOperations(api)
	s.failoverOperations(api)
	s.captureOperations(api)
	s.packetOperations(api)
	s.answerOperations(api)
	s.whatIfOperations(api)
	s.blastRadiusOperations(api)
	s.assertionOperations(api)
	s.frameOperations(api)
	s.filterOperations(api)
	s.capturePacketOperations(api)
	s.statusOperations(api)
	s.timingOperations(api)
	s.quotaOperations(api)
	s.documentOperations(api)
	s.apiFaultOperations(api)
	s.impairmentOperations(api)
	s.resetOperation(api)
	s.snapshotOperations(api)
	s.rehearsalOperations(api)
	s.drillOperations(api)
	s.courseOperations(api)
	s.scenarioOperations(api)
	s.exerciseOperations(api)
	s.callOperations(api)
	s.declareOperations(api.OpenAPI())

	documentPlainRoutes(api.OpenAPI())
	// Writing it is a fifth of the server's start, and few ask.
	s.spec = sync.OnceValue(func() []byte { return document(api.OpenAPI()) })
}

func document(spec *huma.OpenAPI) []byte {
	var pretty bytes.Buffer
	raw, err := json.Marshal(spec)
	if err == nil {
		err = json.Indent(&pretty, raw, "", "  ")
	}
	if err != nil {
		// The document follows from the types of this package; a test reads it.
		panic("rest: encoding the OpenAPI document: " + err.Error())
	}
	pretty.WriteByte('\n')
	return pretty.Bytes()
}

func (s *Server) openAPI(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentType, "application/openapi+json")
	return c.Send(s.spec())
}

// withContext bounds what a request waits for; the context also ends with the
// server.
func (s *Server) withContext(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(s.ctx, commandTime)
	defer cancel()
	c.SetUserContext(apifault.WithServer(ctx, s.ctx))
	return c.Next()
}

// answerError is for what huma does not answer: unknown routes, bodies that
// are too large, panics.
func (s *Server) answerError(c *fiber.Ctx, err error) error {
	var p *Problem
	if !errors.As(err, &p) {
		status := http.StatusInternalServerError
		var f *fiber.Error
		if errors.As(err, &f) {
			status = f.Code
		}
		p = newProblem(status, "", errorDetail(c, status))
	}
	switch p.Status {
	case http.StatusRequestEntityTooLarge, http.StatusRequestHeaderFieldsTooLarge:
		// These are answered before all of the request has been read.
		hangup.Linger(c.Context().Conn())
	}
	if service, ok := unserved.Addressed(c); ok {
		return unserved.Answer(c, service)
	}
	if s.opt.Refuse != nil && s.opt.Refuse(c, p.Status, p.Detail) {
		return nil
	}
	c.Status(p.Status)
	return c.JSON(p, "application/problem+json")
}

func errorDetail(c *fiber.Ctx, status int) string {
	switch status {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		detail := "there is no " + c.Method() + " " + clip(c.Path())
		if !isAPI(c.Path()) && (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) {
			detail += "; the page is for browsers (Accept: text/html), the admin API is at " + base + "/"
		}
		return detail
	case http.StatusRequestEntityTooLarge:
		detail := fmt.Sprintf("a request body has at most %d bytes", maxBody)
		if n := c.Request().Header.ContentLength(); n > maxBody { // unknown if it comes in chunks
			detail += fmt.Sprintf("; this one has %d", n)
		}
		return detail
	}
	return http.StatusText(status)
}

// Serve answers on ln until ctx ends, then stops: captures are ended and kept,
// websockets told, requests under way finished. It closes ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if err := s.hub.Open(ctx); err != nil {
		if ctx.Err() != nil {
			err = nil // stopped before it had started
		}
		return errors.Join(err, ln.Close())
	}
	go s.hub.Run(s.ctx)
	served := make(chan error, 1)
	go func() { served <- s.app.Listener(hangup.Listener(newPatient(ln, s.opt.Log))) }()
	select {
	case <-ctx.Done():
		return errors.Join(s.close(ln), <-served)
	case err := <-served:
		return errors.Join(err, s.close(ln))
	}
}

// close ends everything that Serve started or a request left behind. The order
// matters: captures first, so that their downloads and live streams end by
// themselves; then the hub, because nobody else closes hijacked connections.
func (s *Server) close(ln net.Listener) error {
	kept := s.captures.close()
	s.stop()
	<-s.hub.Done()
	stopping, cancel := context.WithTimeout(context.Background(), s.stopIn)
	defer cancel()
	// fasthttp forgets a shutdown that comes before its own Serve has taken the
	// listener, and then serves for good; from a closed one it returns.
	_ = ln.Close()
	s.conns.closeUnused()
	err := s.app.ShutdownWithContext(stopping)
	// fasthttp does not count those that linger.
	s.conns.closeAll()
	if errors.Is(err, context.DeadlineExceeded) {
		return kept
	}
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return errors.Join(kept, fmt.Errorf("stopping the listener: %w", err))
	}
	return kept
}
