// Package inplane serves instance metadata inside the data plane, at
// 169.254.169.254: for every attachment that asks it starts a small TCP/IP
// stack (gVisor netstack) of the network's own, with the one address, and ends
// it when nobody has asked for a while. It knows HTTP, not what is answered:
// that is the imds package's.
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
)

const (
	// maxStacks exist at once; one more ends the one that was silent longest.
	maxStacks = 256
	// idleTime ends a stack that no frame has come for. It is longer than the
	// silence after which HTTP ends a connection.
	idleTime   = time.Minute
	sweepEvery = 10 * time.Second

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
	// Now is the clock that tells which stacks are idle; nil: time.Now.
	Now func() time.Time
}

// Server serves one engine's guests.
type Server struct {
	opt  Options
	http *http.Server
	max  int // stacks; immutable
	link *dataplane.LinkLocal
	stop func() // of link

	mu     sync.Mutex
	stacks map[*dataplane.Port]*session // guarded by mu; at most max
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
	s := &Server{opt: opt, max: maxStacks, link: link, stop: stop, stacks: map[*dataplane.Port]*session{}}
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
		ConnState: func(c net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew:
				c.(*conn).session.serving.Add(1)
			case http.StateClosed:
				c.(*conn).session.serving.Done()
			}
		},
	}
	return s, nil
}

// Run serves until ctx ends; everything has ended when it returns.
func (s *Server) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(sweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.sweep(s.opt.Now())
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
	s.end(func(*session) bool { return true })
	s.stop()
	if err := s.http.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// take gives a guest's frame to the stack that answers it. Only TCP is served:
// whatever else comes, a ping included, stays without an answer.
func (s *Server) take(from *dataplane.Port, b []byte) {
	var v frame.View
	if v.Parse(b) != frame.KindIPv4 || v.Proto != frame.ProtoTCP {
		return
	}
	s.mu.Lock()
	x := s.stacks[from]
	s.mu.Unlock()
	if x == nil {
		if !intact(&v, b) {
			return
		}
		if !opens(&v) {
			if r := reset(&v); r != nil {
				s.link.Send(from, [][]byte{r})
			}
			return
		}
		x = s.start(from)
	}
	if x != nil {
		x.take(b[v.L3:v.End], s.opt.Now())
	}
}

// start starts the stack of an attachment; nil if the attachment has ended.
// Only Run starts stacks.
func (s *Server) start(p *dataplane.Port) *session {
	s.mu.Lock()
	full := len(s.stacks) >= s.max
	s.mu.Unlock()
	if full {
		s.evict()
	}
	x := open(p, s.link, s.http, s.opt.Now())
	if x != nil {
		s.mu.Lock()
		s.stacks[p] = x
		s.mu.Unlock()
	}
	return x
}

// evict ends the stack that has been silent for longest.
func (s *Server) evict() {
	s.mu.Lock()
	var oldest *session
	for _, x := range s.stacks {
		if oldest == nil || x.last.Load() < oldest.last.Load() {
			oldest = x
		}
	}
	s.mu.Unlock()
	s.end(func(x *session) bool { return x == oldest })
}

// sweep ends the stacks that nobody has asked for a while, or can ask any more.
func (s *Server) sweep(now time.Time) {
	s.end(func(x *session) bool {
		select {
		case <-x.port.Closed():
			return true
		default:
			return now.UnixNano()-x.last.Load() >= int64(idleTime)
		}
	})
}

func (s *Server) end(which func(*session) bool) {
	var ending []*session
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
		s.link.Trim()
	}
}

type connKey struct{}

// serve answers one request; who asks is told by the stack that it came to.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	resp := s.opt.Answer(imds.Request{
		Instance: c.session.instance, Method: r.Method, Path: pathOf(r), Header: r.Header.Values,
	})
	c.setHopLimit(resp.HopLimit)
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
