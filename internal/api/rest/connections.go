package rest

import (
	"net"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"enilab/internal/api/hangup"
)

// connections knows the listener's open connections. fasthttp's shutdown waits
// for each, also for those that browsers open in advance and may never use, and
// for requests of which the rest never comes.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]bool // guarded by mu; whether a request is being answered
	done bool              // guarded by mu: close what is still accepted
}

// changed is fasthttp's hook. A hijacked connection is the stream's.
func (cs *connections) changed(c net.Conn, state fasthttp.ConnState) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	switch {
	case state == fasthttp.StateClosed || state == fasthttp.StateHijacked:
		delete(cs.open, c)
	case state == fasthttp.StateNew && cs.done:
		_ = hangup.Cut(c)
	default:
		if cs.open == nil {
			cs.open = map[net.Conn]bool{}
		}
		// Active is from a request's first byte on, which says nothing of its last.
		cs.open[c] = false
	}
}

// answering notes that a request is there, whole. It is being answered until
// fasthttp says that the connection is idle, or closes it: the answer is written
// after the last handler.
func (cs *connections) answering(c *fiber.Ctx) error {
	cs.mu.Lock()
	if nc := c.Context().Conn(); cs.open != nil {
		if _, ok := cs.open[nc]; ok {
			cs.open[nc] = true
		}
	}
	cs.mu.Unlock()
	return c.Next()
}

// closeUnused closes the connections on which no request waits for its answer.
func (cs *connections) closeUnused() {
	cs.close(func(answering bool) bool { return !answering })
}

// closeAll closes what has not ended in time, and what lingers.
func (cs *connections) closeAll() {
	cs.close(func(bool) bool { return true })
}

func (cs *connections) close(which func(answering bool) bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.done = true
	for c, answering := range cs.open {
		if which(answering) {
			_ = hangup.Cut(c) // its goroutine ends with the next read or write
		}
	}
}
