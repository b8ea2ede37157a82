package stacks

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

const (
	nicID = 1
	// A connection's buffers: the longest answers are user data of 16 KiB.
	tcpBufferMin = 4 << 10
	tcpBuffer    = 32 << 10

	defaultMTU = 9001 // of a VPC
)

// Session is the stack that answers one attachment.
type Session struct {
	vnic   spec.VNIC // as it was when the stack started
	subnet spec.Subnet
	port   *dataplane.Port
	last   atomic.Int64 // Unix nanoseconds of the newest frame

	stack    *stack.Stack
	link     *link
	listener *listener
	ctx      context.Context // ends with the stack
	cancel   context.CancelFunc
	served   chan struct{}  // closed when the listener is no longer served
	serving  sync.WaitGroup // connections

	mu     sync.RWMutex
	closed bool // guarded by mu
}

// open starts the stack of an attachment; nil if that has ended meanwhile.
func (s *Pool) open(p *dataplane.Port, now time.Time) *Session {
	vnic, subnet := p.VNIC(), p.Subnet()
	if vnic.Host == "" || subnet.ID == "" {
		return nil
	}
	mtu := vnic.MTU
	if mtu <= 0 {
		mtu = defaultMTU
	}
	x := &Session{
		vnic: vnic, subnet: subnet, port: p, served: make(chan struct{}),
		link: &link{out: s.opt.Link, port: p, dst: vnic.MAC, src: subnet.RouterMAC, mtu: uint32(mtu)},
	}
	x.ctx, x.cancel = context.WithCancel(context.Background())
	x.stack = stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol},
	})
	x.last.Store(now.UnixNano())
	if err := x.boot(s.opt.Addrs(p), s.opt.Port); err != nil {
		// No argument is a guest's: it can only be a mistake of this program.
		panic("stacks: starting a stack: " + err.String())
	}
	go func() {
		defer close(x.served)
		s.opt.Serve(x.listener)
	}()
	return x
}

func (x *Session) boot(addrs []frame.IPv4, port uint16) tcpip.Error {
	s := x.stack
	tx := tcpip.TCPSendBufferSizeRangeOption{Min: tcpBufferMin, Default: tcpBuffer, Max: tcpBuffer}
	rx := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcpBufferMin, Default: tcpBuffer, Max: tcpBuffer}
	for _, o := range []tcpip.SettableTransportProtocolOption{&tx, &rx} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			return err
		}
	}
	if err := s.CreateNIC(nicID, x.link); err != nil {
		return err
	}
	for _, a := range addrs {
		var b [4]byte
		a.Put(b[:])
		if err := s.AddProtocolAddress(nicID, tcpip.ProtocolAddress{
			Protocol: ipv4.ProtocolNumber, AddressWithPrefix: tcpip.AddrFrom4(b).WithPrefix(),
		}, stack.AddressProperties{}); err != nil {
			return err
		}
	}
	s.SetRouteTable([]tcpip.Route{{Destination: header.IPv4EmptySubnet, NIC: nicID}})
	var err tcpip.Error
	x.listener, err = listen(s, x, tcpip.FullAddress{NIC: nicID, Port: port})
	return err
}

// take gives the stack an IP packet, of which it keeps no byte.
func (x *Session) take(packet []byte, now time.Time) {
	x.last.Store(now.UnixNano())
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !x.closed {
		x.link.deliver(packet)
	}
}

// close ends the stack with its connections and returns when nothing of it runs.
func (x *Session) close() {
	x.mu.Lock()
	x.closed = true
	x.mu.Unlock()
	x.cancel()
	_ = x.listener.Close()
	<-x.served
	x.listener.abort()
	x.serving.Wait()
	x.stack.Destroy()
}

// link is the NIC of a Session: IP packets in, Ethernet frames out, always
// between the router and the one interface. Neighbours need no resolution.
type link struct {
	out      *dataplane.LinkLocal
	port     *dataplane.Port
	dst, src frame.MAC
	mtu      uint32

	mu         sync.RWMutex
	dispatcher stack.NetworkDispatcher // guarded by mu; nil: not attached
}

var _ stack.LinkEndpoint = (*link)(nil)

func (l *link) deliver(packet []byte) {
	l.mu.RLock()
	d := l.dispatcher
	l.mu.RUnlock()
	if d == nil {
		return
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	d.DeliverNetworkPacket(ipv4.ProtocolNumber, p)
	p.DecRef()
}

// WritePackets gives frames to the guest as far as it can take them; what it
// cannot take, the data plane counts and TCP sends again.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	pkts := list.AsSlice()
	frames := make([][]byte, len(pkts))
	for i, p := range pkts {
		b := make([]byte, header.EthernetMinimumSize, header.EthernetMinimumSize+p.Size())
		l.dst.Put(b)
		l.src.Put(b[6:])
		b[12], b[13] = 0x08, 0x00
		for _, v := range p.AsSlices() {
			b = append(b, v...)
		}
		frames[i] = b
	}
	l.out.Send(l.port, frames)
	return len(pkts), nil
}

// Attach implements stack.LinkEndpoint.
func (l *link) Attach(d stack.NetworkDispatcher) {
	l.mu.Lock()
	l.dispatcher = d
	l.mu.Unlock()
}

// IsAttached implements stack.LinkEndpoint.
func (l *link) IsAttached() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.dispatcher != nil
}

// MTU implements stack.LinkEndpoint.
func (l *link) MTU() uint32 { return l.mtu }

// SetMTU implements stack.LinkEndpoint. The MTU is the interface's.
func (l *link) SetMTU(uint32) {}

// MaxHeaderLength implements stack.LinkEndpoint.
func (l *link) MaxHeaderLength() uint16 { return 0 }

// LinkAddress implements stack.LinkEndpoint.
func (l *link) LinkAddress() tcpip.LinkAddress { return "" }

// SetLinkAddress implements stack.LinkEndpoint.
func (l *link) SetLinkAddress(tcpip.LinkAddress) {}

// Capabilities implements stack.LinkEndpoint.
func (l *link) Capabilities() stack.LinkEndpointCapabilities { return 0 }

// Wait implements stack.LinkEndpoint.
func (l *link) Wait() {}

// ARPHardwareType implements stack.LinkEndpoint.
func (l *link) ARPHardwareType() header.ARPHardwareType { return header.ARPHardwareNone }

// AddHeader implements stack.LinkEndpoint.
func (l *link) AddHeader(*stack.PacketBuffer) {}

// ParseHeader implements stack.LinkEndpoint.
func (l *link) ParseHeader(*stack.PacketBuffer) bool { return true }

// Close implements stack.LinkEndpoint.
func (l *link) Close() {}

// SetOnCloseAction implements stack.LinkEndpoint.
func (l *link) SetOnCloseAction(func()) {}
