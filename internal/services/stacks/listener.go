package stacks

import (
	"context"
	"net"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/waiter"

	"enilab/internal/dataplane/spec"
)

const (
	// backlog connections wait to be accepted; the stack drops further SYNs.
	backlog = 64
	// maxConns of one attachment are open at once; further ones wait.
	maxConns = 64
)

// listener accepts the connections of one session. gonet's would do but for
// the hop limit: its connections do not give their endpoint away.
type listener struct {
	session *Session
	ep      tcpip.Endpoint
	queue   *waiter.Queue
	port    uint16
	slots   chan struct{} // one for each connection

	closed    chan struct{}
	closeOnce sync.Once

	mu    sync.Mutex
	conns map[*Conn]struct{} // guarded by mu; open ones
}

var _ net.Listener = (*listener)(nil)

func listen(s *stack.Stack, x *Session, at tcpip.FullAddress) (*listener, tcpip.Error) {
	l := &listener{
		session: x, port: at.Port, queue: new(waiter.Queue), slots: make(chan struct{}, maxConns),
		closed: make(chan struct{}), conns: map[*Conn]struct{}{},
	}
	var err tcpip.Error
	if l.ep, err = s.NewEndpoint(tcp.ProtocolNumber, ipv4.ProtocolNumber, l.queue); err != nil {
		return nil, err
	}
	if err := l.ep.Bind(at); err != nil {
		return nil, err
	}
	return l, l.ep.Listen(backlog)
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents)
	l.queue.EventRegister(&entry)
	defer l.queue.EventUnregister(&entry)
	select {
	case l.slots <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	for {
		ep, wq, err := l.ep.Accept(nil)
		switch err.(type) {
		case nil:
			c := &Conn{TCPConn: gonet.NewTCPConn(wq, ep), ep: ep, session: l.session}
			l.session.serving.Add(1)
			l.mu.Lock()
			l.conns[c] = struct{}{}
			l.mu.Unlock()
			return c, nil
		case *tcpip.ErrWouldBlock:
		default:
			<-l.slots
			return nil, net.ErrClosed
		}
		select {
		case <-ready:
		case <-l.closed:
			<-l.slots
			return nil, net.ErrClosed
		}
	}
}

// Close implements net.Listener.
func (l *listener) Close() error {
	l.closeOnce.Do(func() {
		close(l.closed)
		l.ep.Close()
	})
	return nil
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4zero, Port: int(l.port)}
}

// abort resets every open connection. Accept must have ended.
func (l *listener) abort() {
	l.mu.Lock()
	open := make([]*Conn, 0, len(l.conns))
	for c := range l.conns {
		open = append(open, c)
	}
	l.mu.Unlock()
	for _, c := range open {
		c.ep.Abort()
	}
}

// Conn is one connection of a guest.
type Conn struct {
	*gonet.TCPConn
	ep        tcpip.Endpoint
	session   *Session
	closeOnce sync.Once
}

// Close implements net.Conn.
func (c *Conn) Close() error {
	err := c.TCPConn.Close()
	c.closeOnce.Do(func() {
		l := c.session.listener
		l.mu.Lock()
		delete(l.conns, c)
		l.mu.Unlock()
		<-l.slots
		c.session.serving.Done()
	})
	return err
}

// Context ends with the stack: who answers must not make its end wait.
func (c *Conn) Context() context.Context { return c.session.ctx }

// VNIC is the interface that the connection came from, as it was when its
// attachment's stack started.
func (c *Conn) VNIC() spec.VNIC { return c.session.vnic }

// Subnet is the subnet of that interface.
func (c *Conn) Subnet() spec.Subnet { return c.session.subnet }

// SetHopLimit sets the TTL of what is sent from now on; 0: the usual one. It is
// called before each answer, so a client that sends its next request before it
// has the answer to the last could get the rest of that with the next one's TTL.
func (c *Conn) SetHopLimit(n int) {
	if n == 0 {
		n = tcpip.UseDefaultIPv4TTL
	}
	_ = c.ep.SetSockOptInt(tcpip.IPv4TTLOption, n) // of an option that every TCP endpoint has
}
