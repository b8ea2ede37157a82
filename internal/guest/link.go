package guest

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"enilab/internal/dataplane"
)

// port is the part of dataplane.Port that a guest uses.
type port interface {
	Send(frames [][]byte) int
	Recv(ctx context.Context, max int, fn func(b []byte, at int64)) (int, error)
}

var _ port = (*dataplane.Port)(nil)

// carrier is what a link does with the frames of its stack.
type carrier uint32

const (
	carrierUp carrier = iota
	// carrierFrozen: the guest stands still. What its stack's timers still
	// send is dropped here, so that a thawed guest does not burst old frames.
	carrierFrozen
	// carrierDown: the cable is out.
	carrierDown
	// carrierGone: the NIC was unplugged; its link does not come back.
	carrierGone
)

// maxArena bounds the bytes copied per Port.Send, so that a pooled scratch
// buffer stays small; it holds seven jumbo frames.
const maxArena = 64 << 10

// scratch lays out frames of a stack, which are chains of views, as the
// contiguous bytes that a Port takes.
type scratch struct {
	arena  []byte
	frames [][]byte
}

var scratches = sync.Pool{New: func() any { return &scratch{arena: make([]byte, 0, 16<<10)} }}

// link is the driver of one NIC: frames of the stack go straight into the
// Port, frames of the Port are injected by pump. gVisor's channel endpoint
// would put a queue, a clone and a goroutine in between, and its drops are
// invisible; Port.Send never blocks, so none of that is needed.
type link struct {
	port port
	mac  tcpip.LinkAddress
	mtu  atomic.Uint32 // with the Ethernet header: the ethernet wrapper takes 14 off

	// leases takes messages for the NIC's client of DHCP; nil: it has none.
	leases atomic.Pointer[chan []byte]

	carrier atomic.Uint32
	// sending is held, shared, from the look at the carrier to the Port: who
	// takes the carrier away waits for what is just being sent.
	sending sync.RWMutex

	mu         sync.RWMutex
	dispatcher stack.NetworkDispatcher // guarded by mu; nil: not attached

	held *stack.PacketBuffer // the pump's: what forwarding keeps of the packet in delivery

	lost    atomic.Uint64 // frames dropped here because the carrier was not up
	refused atomic.Uint64 // frames the Port did not take (it has counted them as drops)
}

var _ stack.LinkEndpoint = (*link)(nil)

func newLink(p port, mac tcpip.LinkAddress, mtu int) *link {
	l := &link{port: p, mac: mac}
	l.mtu.Store(uint32(mtu) + header.EthernetMinimumSize)
	return l
}

// WritePackets hands frames to the Port. The stack calls it concurrently and
// under its own locks.
func (l *link) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	pkts := list.AsSlice()
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	for sent := 0; sent < len(pkts); {
		n := s.fill(pkts[sent:])
		took := l.send(s.frames)
		sent += took
		if took < n {
			if carrier(l.carrier.Load()) == carrierGone {
				return sent, &tcpip.ErrClosedForSend{}
			}
			return sent, &tcpip.ErrNoBufferSpace{}
		}
	}
	return len(pkts), nil
}

// send hands frames to the Port if the carrier is up, and returns how many
// were taken or, like on a wire without carrier, are gone.
func (l *link) send(frames [][]byte) int {
	l.sending.RLock()
	defer l.sending.RUnlock()
	switch carrier(l.carrier.Load()) {
	case carrierUp:
		took := l.port.Send(frames)
		l.refused.Add(uint64(len(frames) - took))
		return took
	case carrierGone:
		return 0
	}
	l.lost.Add(uint64(len(frames)))
	return len(frames)
}

// setCarrier changes the carrier and returns what it was. The link sends
// nothing more by the old one.
func (l *link) setCarrier(c carrier) (was carrier) {
	l.sending.Lock()
	defer l.sending.Unlock()
	return carrier(l.carrier.Swap(uint32(c)))
}

// fill copies as many packets as fit the arena, at least one, and returns how many.
func (s *scratch) fill(pkts []*stack.PacketBuffer) int {
	s.arena, s.frames = s.arena[:0], s.frames[:0]
	for i, p := range pkts {
		if i > 0 && len(s.arena)+p.Size() > maxArena {
			return i
		}
		start := len(s.arena)
		for _, v := range p.AsSlices() {
			s.arena = append(s.arena, v...)
		}
		// A later growth moves the arena, but earlier frames keep their own
		// intact copy in the old one.
		s.frames = append(s.frames, s.arena[start:len(s.arena):len(s.arena)])
	}
	return len(pkts)
}

// pump feeds the stack until ctx ends or the Port closes.
func (l *link) pump(ctx context.Context) {
	inject := func(b []byte, _ int64) {
		l.mu.RLock()
		d := l.dispatcher
		l.mu.RUnlock()
		if d == nil || carrier(l.carrier.Load()) != carrierUp {
			l.lost.Add(1)
			return
		}
		if c := l.leases.Load(); c != nil {
			if m, ok := forLeaser(b); ok {
				select {
				case *c <- bytes.Clone(m):
				default: // the client asks again
				}
				return
			}
		}
		p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(b)})
		d.DeliverNetworkPacket(0, p) // the ethernet wrapper reads the type
		p.DecRef()
		l.letGo()
	}
	for ctx.Err() == nil { // Recv does not look at ctx while frames keep coming
		if _, err := l.port.Recv(ctx, 0, inject); err != nil {
			return
		}
	}
}

// hold keeps the memory of the packet that the pump is delivering until it is
// through with it.
func (l *link) hold(p *stack.PacketBuffer) {
	l.letGo()
	l.held = p.Clone()
}

// letGo ends hold.
func (l *link) letGo() {
	if l.held != nil {
		l.held.DecRef()
		l.held = nil
	}
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
func (l *link) MTU() uint32 { return l.mtu.Load() }

// SetMTU implements stack.LinkEndpoint.
func (l *link) SetMTU(mtu uint32) { l.mtu.Store(mtu) }

// MaxHeaderLength implements stack.LinkEndpoint.
func (l *link) MaxHeaderLength() uint16 { return 0 }

// LinkAddress implements stack.LinkEndpoint.
func (l *link) LinkAddress() tcpip.LinkAddress { return l.mac }

// SetLinkAddress implements stack.LinkEndpoint. The address is the ENI's: it
// does not change while the NIC exists.
func (l *link) SetLinkAddress(tcpip.LinkAddress) {}

// Capabilities implements stack.LinkEndpoint: no offloads, every frame carries
// the checksums that a capture shows.
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
func (l *link) Close() { l.setCarrier(carrierGone) }

// SetOnCloseAction implements stack.LinkEndpoint.
func (l *link) SetOnCloseAction(func()) {}
