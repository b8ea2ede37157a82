// Package inplane serves instance metadata inside the data plane, at
// 169.254.169.254, over the network's own TCP/IP stacks. It knows HTTP, not what
// is answered: that is the imds package's.
package inplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"enilab/internal/api/imds"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/services/stacks"
)

const (
	httpPort = 80

	headerTime     = 5 * time.Second
	answerTime     = 10 * time.Second
	clientIdleTime = 20 * time.Second
	maxHeaderBytes = 16 << 10
)

// Options of a Server; Engine and Answer are required.
type Options struct {
	Engine *dataplane.Engine
	// Answer answers what a guest asks; safe for concurrent use.
	Answer func(imds.Request) *imds.Response
	// MaxStacks run at once; 0: stacks.DefaultMax.
	MaxStacks int
	// Now is the clock that tells which stacks are idle; nil: time.Now.
	Now func() time.Time
}

// Server serves one engine's guests.
type Server struct {
	opt    Options
	http   *http.Server
	stacks *stacks.Pool
	link   *dataplane.LinkLocal
	stop   func() // of link
}

// New returns the one Server of an engine. What guests ask waits until Run
// runs, which also ends it.
func New(opt Options) (*Server, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	link, stop, err := opt.Engine.ServeLinkLocal(linklocal.Endpoint{
		Place: linklocal.Fixed, Addr: linklocal.Metadata, Proto: frame.ProtoTCP, // any port: others are refused by RST
	})
	if err != nil {
		return nil, fmt.Errorf("serving metadata: %w", err)
	}
	s := &Server{opt: opt, link: link, stop: stop}
	s.http = &http.Server{
		// Not a ServeMux: it would redirect where paths have slashes in a row.
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       answerTime,
		WriteTimeout:      answerTime,
		IdleTimeout:       clientIdleTime,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(io.Discard, "", 0), // a guest's mistakes are the guest's to see
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	s.stacks = stacks.New(stacks.Options{
		Link: link, Port: httpPort, Max: opt.MaxStacks,
		Addrs: func(*dataplane.Port) []frame.IPv4 { return []frame.IPv4{linklocal.Metadata} },
		Serve: func(l net.Listener) { _ = s.http.Serve(l) }, // ends only by the listener's end
	})
	return s, nil
}

// Run serves until ctx ends; everything has ended when it returns.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(stacks.SweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.stacks.Sweep(s.opt.Now())
			case <-ctx.Done():
				return
			}
		}
	})
	for {
		if err := s.link.Recv(ctx, s.take); err != nil {
			break
		}
	}
	wg.Wait()
	s.stacks.Close()
	s.stop()
	if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// take gives a guest's frame to the stack that answers it. The service has TCP only.
func (s *Server) take(from *dataplane.Port, b []byte) {
	var v frame.View
	if v.Parse(b) == frame.KindIPv4 && v.Proto == frame.ProtoTCP {
		s.stacks.Take(from, &v, b, s.opt.Now())
	}
}

type connKey struct{}

// serve answers one request; who asks is told by the stack that it came to.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*stacks.Conn)
	resp := s.opt.Answer(imds.Request{
		Instance: c.VNIC().Host, Method: r.Method, Path: pathOf(r), Header: r.Header.Values,
	})
	c.SetHopLimit(resp.HopLimit)
	h := w.Header()
	for name, values := range resp.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	h.Set("Content-Length", strconv.Itoa(len(resp.Body)))
	w.WriteHeader(resp.Status)
	_, _ = io.WriteString(w, resp.Body) // the guest may have gone
}

// pathOf returns the path as it was sent.
func pathOf(r *http.Request) string {
	if !strings.HasPrefix(r.RequestURI, "/") {
		return r.URL.EscapedPath() // a whole URL, as to a proxy
	}
	path, _, _ := strings.Cut(r.RequestURI, "?")
	return path
}
