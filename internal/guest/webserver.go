package guest

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/netutil"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// instanceHeader names the instance that answered an HTTP request.
const instanceHeader = "X-Instance-Id"

const (
	// httpBacklog connections wait to be accepted; the stack drops further SYNs.
	httpBacklog = 128
	// httpConns are open at once; further ones wait in the backlog.
	httpConns = 1024
	// httpIdle ends connections of clients that have gone without a word.
	httpIdle = 2 * time.Minute
	// httpHeader bounds a request's head; what is asked for here fits a packet.
	httpHeader = 16 << 10
)

// webServer serves GET / on a port of every address of a stack.
type webServer struct {
	server   *http.Server
	listener *gonet.TCPListener
	done     chan struct{}  // closed when Serve has returned
	conns    sync.WaitGroup // connections being served
}

func serveHTTP(s *stack.Stack, instance string, port uint16) (*webServer, error) {
	wq := new(waiter.Queue)
	ep, terr := s.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, wq)
	if terr != nil {
		return nil, fmt.Errorf("making the HTTP socket: %s", terr)
	}
	if terr := ep.Bind(tcpip.FullAddress{Port: port}); terr != nil {
		ep.Close()
		return nil, fmt.Errorf("binding port %d: %s", port, terr)
	}
	if terr := ep.Listen(httpBacklog); terr != nil {
		ep.Close()
		return nil, fmt.Errorf("listening on port %d: %s", port, terr)
	}
	w := &webServer{
		listener: gonet.NewTCPListener(s, wq, ep),
		done:     make(chan struct{}),
		server: &http.Server{
			Handler:           identify(instance),
			ReadHeaderTimeout: 10 * time.Second,
			IdleTimeout:       httpIdle,
			MaxHeaderBytes:    httpHeader,
			ErrorLog:          log.New(io.Discard, "", 0), // a guest's clients are not our operator's concern
		},
	}
	w.server.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			w.conns.Add(1)
		case http.StateClosed:
			w.conns.Done()
		}
	}
	l := netutil.LimitListener(closingListener{w.listener}, httpConns)
	go func() {
		defer close(w.done)
		_ = w.server.Serve(l) // ends only by close
	}()
	return w, nil
}

// identify answers GET / with the instance id. Date is left out: the answer
// then fits a short capture with the header that matters.
func identify(instance string) http.Handler {
	body := instance + "\n"
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		h["Date"] = nil
		h.Set("Content-Length", strconv.Itoa(len(body)))
		h.Set("Content-Type", "text/plain")
		h.Set(instanceHeader, instance)
		_, _ = io.WriteString(w, body)
	})
	return mux
}

// close ends the listener and every connection, and returns when nothing runs.
func (w *webServer) close() {
	_ = w.server.Close()
	<-w.done
	w.conns.Wait()
}

// closingListener closes a gonet listener fully: Close alone leaves a pending
// Accept waiting for ever.
type closingListener struct{ *gonet.TCPListener }

func (l closingListener) Close() error {
	l.Shutdown()
	return l.TCPListener.Close()
}

var _ net.Listener = closingListener{}
