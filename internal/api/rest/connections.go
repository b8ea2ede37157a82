package rest

import (
	"net"
	"sync"

	"github.com/valyala/fasthttp"

	"enilab/internal/api/hangup"
)

// connections knows the listener's open connections. fasthttp's shutdown waits
// for each, also for those that browsers open in advance and may never use.
type connections struct {
	mu   sync.Mutex
	open map[net.Conn]fasthttp.ConnState // guarded by mu
	done bool                            // guarded by mu: close what is still accepted
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
			cs.open = map[net.Conn]fasthttp.ConnState{}
		}
		cs.open[c] = state
	}
}

// closeUnused closes the connections on which no request has come.
func (cs *connections) closeUnused() {
	cs.close(func(s fasthttp.ConnState) bool { return s == fasthttp.StateNew })
}

// closeAll closes what has not ended in time, and what lingers.
func (cs *connections) closeAll() {
	cs.close(func(fasthttp.ConnState) bool { return true })
}

func (cs *connections) close(which func(fasthttp.ConnState) bool) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.done = true
	for c, state := range cs.open {
		if which(state) {
			_ = hangup.Cut(c) // its goroutine ends with the next read or write
		}
	}
}
