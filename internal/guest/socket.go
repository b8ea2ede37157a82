package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"
)

// orphanTimeout bounds how long a connection that its owner has given up
// keeps retransmitting into silence, FIN included. Linux gives an orphan
// eight retries; a lab that fails hosts all day needs an end that is sooner.
const orphanTimeout = 30 * time.Second

// open makes a socket of the host bound to local, which must be one of its
// addresses, and start: a call that may already send.
func (h *Host) open(proto tcpip.TransportProtocolNumber, local netip.AddrPort, wq *waiter.Queue, start func(tcpip.Endpoint) tcpip.Error) (tcpip.Endpoint, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.openLocked(proto, local, wq, start)
}

func (h *Host) openLocked(proto tcpip.TransportProtocolNumber, local netip.AddrPort, wq *waiter.Queue, start func(tcpip.Endpoint) tcpip.Error) (tcpip.Endpoint, error) {
	if h.closed {
		return nil, errHostStopped
	}
	if h.stack == nil {
		return nil, errNoNIC
	}
	if h.ownerLocked(local.Addr()) == nil {
		return nil, fmt.Errorf("%s is not an address of host %s", local.Addr(), h.id)
	}
	ep, err := h.stack.NewEndpoint(proto, ipv4.ProtocolNumber, wq)
	if err != nil {
		return nil, errors.New(err.String())
	}
	if err := ep.Bind(tcpip.FullAddress{Addr: address(local.Addr()), Port: local.Port()}); err != nil {
		ep.Close()
		return nil, fmt.Errorf("binding %s: %s", local, err)
	}
	if start == nil {
		return ep, nil
	}
	if err := start(ep); err != nil {
		if _, ok := err.(*tcpip.ErrConnectStarted); ok {
			return ep, errConnecting
		}
		ep.Close()
		return nil, errors.New(err.String())
	}
	return ep, nil
}

var errConnecting = errors.New("connection is being made")

// DialTCP opens a connection from local, one of the host's addresses, like any
// process in the guest. The zero local lets the route to the target choose.
func (h *Host) DialTCP(ctx context.Context, local netip.Addr, to netip.AddrPort) (net.Conn, error) {
	c, err := h.dialTCP(ctx, local, to)
	if err != nil {
		return nil, fmt.Errorf("host %s: dialing %s: %w", h.id, to, err)
	}
	return c, nil
}

func (h *Host) dialTCP(ctx context.Context, local netip.Addr, to netip.AddrPort) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	local, err := h.localFor(local, to.Addr())
	if err != nil {
		return nil, err
	}
	wq := new(waiter.Queue)
	entry, ready := waiter.NewChannelEntry(waiter.WritableEvents | waiter.EventErr | waiter.EventHUp)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)
	ep, err := h.open(tcp.ProtocolNumber, netip.AddrPortFrom(local, 0), wq, func(ep tcpip.Endpoint) tcpip.Error {
		timeout := tcpip.TCPUserTimeoutOption(orphanTimeout)
		if err := ep.SetSockOpt(&timeout); err != nil {
			return err
		}
		return ep.Connect(tcpip.FullAddress{Addr: address(to.Addr()), Port: to.Port()})
	})
	if errors.Is(err, errConnecting) {
		err = nil
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-h.done:
			err = errHostStopped
		case <-ready:
			if terr := ep.LastError(); terr != nil {
				err = errors.New(terr.String())
			}
		}
		if err != nil {
			ep.Close()
		}
	}
	if err != nil {
		return nil, err
	}
	return gonet.NewTCPConn(wq, ep), nil
}

// DialUDP opens a UDP socket that is connected to one address and port, from local
// like DialTCP.
func (h *Host) DialUDP(local netip.Addr, to netip.AddrPort) (net.Conn, error) {
	local, err := h.localFor(local, to.Addr())
	if err != nil {
		return nil, fmt.Errorf("host %s: dialing %s: %w", h.id, to, err)
	}
	wq := new(waiter.Queue)
	ep, err := h.open(udp.ProtocolNumber, netip.AddrPortFrom(local, 0), wq, func(ep tcpip.Endpoint) tcpip.Error {
		return ep.Connect(tcpip.FullAddress{Addr: address(to.Addr()), Port: to.Port()})
	})
	if err != nil {
		return nil, fmt.Errorf("host %s: dialing %s: %w", h.id, to, err)
	}
	return gonet.NewUDPConn(wq, ep), nil
}

// localFor returns local, or the address that packets to the target have.
func (h *Host) localFor(local, target netip.Addr) (netip.Addr, error) {
	if !target.Is4() {
		return netip.Addr{}, fmt.Errorf("%s is not an IPv4 address", target)
	}
	if local.IsValid() {
		return local, nil
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	from, ok := h.sourceLocked(target)
	if !ok {
		return netip.Addr{}, errNoNIC
	}
	return from.addr, nil
}

// Ping sends one ICMP echo request from local, one of the host's addresses
// (the zero local lets the route choose), and waits for its reply. It returns
// the time in between, by the guest's clock. Two pings of a host with the same
// id and local address exclude each other; id 0 picks a free one.
func (h *Host) Ping(ctx context.Context, local, to netip.Addr, id, seq uint16, payload []byte) (rtt time.Duration, err error) {
	rtt, err = h.ping(ctx, local, to, id, seq, payload)
	if err != nil {
		return 0, fmt.Errorf("host %s: pinging %s: %w", h.id, to, err)
	}
	return rtt, nil
}

func (h *Host) ping(ctx context.Context, local, to netip.Addr, id, seq uint16, payload []byte) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	local, err := h.localFor(local, to)
	if err != nil {
		return 0, err
	}
	wq := new(waiter.Queue)
	entry, ready := waiter.NewChannelEntry(waiter.ReadableEvents)
	wq.EventRegister(&entry)
	defer wq.EventUnregister(&entry)
	ep, err := h.open(icmp.ProtocolNumber4, netip.AddrPortFrom(local, id), wq, nil)
	if err != nil {
		return 0, err
	}
	defer ep.Close()
	sent := h.env.now()
	if err := writeEchoRequest(ep, to, seq, payload); err != nil {
		return 0, err
	}
	var buf bytes.Buffer
	for {
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-h.done:
			return 0, errHostStopped
		case <-ready:
		}
		for {
			buf.Reset()
			res, terr := ep.Read(&buf, tcpip.ReadOptions{NeedRemoteAddr: true})
			if terr != nil {
				if _, ok := terr.(*tcpip.ErrWouldBlock); ok {
					break
				}
				return 0, errors.New(terr.String())
			}
			m := header.ICMPv4(buf.Bytes())
			if len(m) >= header.ICMPv4MinimumSize && m.Type() == header.ICMPv4EchoReply &&
				m.Sequence() == seq && addrOf(res.RemoteAddr.Addr) == to {
				return time.Duration(h.env.now() - sent), nil
			}
		}
	}
}

// writeEchoRequest sends an echo request; the socket's port is its identifier,
// and the stack fills in the checksum.
func writeEchoRequest(ep tcpip.Endpoint, to netip.Addr, seq uint16, payload []byte) error {
	m := header.ICMPv4(make([]byte, header.ICMPv4MinimumSize+len(payload)))
	m.SetType(header.ICMPv4Echo)
	m.SetSequence(seq)
	copy(m.Payload(), payload)
	dst := tcpip.FullAddress{Addr: address(to)}
	// A bytes.Reader: the socket may have to rewind it.
	if _, err := ep.Write(bytes.NewReader(m), tcpip.WriteOptions{To: &dst}); err != nil {
		return errors.New(err.String())
	}
	return nil
}

// drain throws away what a client's socket has received; its meter has seen
// the frames already.
func drain(ep tcpip.Endpoint) {
	for {
		if _, err := ep.Read(io.Discard, tcpip.ReadOptions{}); err != nil {
			return
		}
	}
}
