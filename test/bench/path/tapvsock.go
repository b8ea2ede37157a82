//go:build linux

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"github.com/containers/gvisor-tap-vsock/pkg/tap"
	"github.com/containers/gvisor-tap-vsock/pkg/types"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// tapSwitch is gvisor-tap-vsock's switch, in this process: it learns MACs and
// forwards, filters nothing and tracks nothing. Its connections are functions
// here, without a system call, which flatters it. It takes one frame at a time
// under its locks, so more than one sender gains nothing.
func tapSwitch(j job, begin func(), stop func() bool) (uint64, error) {
	sw := tap.NewSwitch(false)
	sw.Connect(gateway{})
	a, b := "\x02\x00\x00\x00\x00\x0a", "\x02\x00\x00\x00\x00\x0b"
	frame := append([]byte(b+a+"\x08\x00"), packet([4]byte{10, 1, 0, 10}, [4]byte{10, 1, 0, 11}, j.bytes-etherLen)...)
	hello := append([]byte(a+b+"\x08\x00"), packet([4]byte{10, 1, 0, 11}, [4]byte{10, 1, 0, 10}, 46)...)

	// The receiver's one frame teaches the switch where it is.
	done := make(chan struct{})
	learned := make(chan struct{})
	receiver := &end{}
	first := true
	receiver.read = func(p []byte) (int, error) {
		if first {
			first = false
			return copy(p, hello), nil
		}
		close(learned) // the switch comes back for more when it has done with the first
		<-done
		return 0, os.ErrClosed
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = sw.Accept(context.Background(), receiver, types.BessProtocol)
	}()
	<-learned

	sent, flow, begun := 0, 0, false
	var before uint64
	sender := &end{}
	sender.read = func(p []byte) (int, error) {
		if sent%burst == 0 {
			if !begun && sent >= 100*burst {
				begun, before = true, receiver.written
				begin()
			} else if begun && stop() {
				return 0, os.ErrClosed
			}
		}
		src, dst := ports(flow)
		if flow++; flow == j.flows {
			flow = 0
		}
		setPorts(frame[etherLen:], src, dst)
		sent++
		return copy(p, frame), nil
	}
	err := sw.Accept(context.Background(), sender, types.BessProtocol)
	n := receiver.written - before
	close(done)
	<-ended
	if errors.Is(err, os.ErrClosed) {
		err = nil
	}
	return n, err
}

// gateway is where frames to the world would go.
type gateway struct{}

func (gateway) DeliverNetworkPacket(tcpip.NetworkProtocolNumber, *stack.PacketBuffer) {}
func (gateway) LinkAddress() tcpip.LinkAddress                                        { return "\x02\x00\x00\x00\x00\x01" }
func (gateway) IP() string                                                            { return "10.1.0.1" }

// end of a connection that exists in this process alone. What is written to it
// is counted.
type end struct {
	read    func([]byte) (int, error)
	written uint64 // frames
}

func (e *end) Read(p []byte) (int, error) { return e.read(p) }

func (e *end) Write(p []byte) (int, error) {
	e.written++
	return len(p), nil
}

func (*end) Close() error                     { return nil }
func (*end) LocalAddr() net.Addr              { return &net.UnixAddr{Name: "local"} }
func (*end) RemoteAddr() net.Addr             { return &net.UnixAddr{Name: "remote"} }
func (*end) SetDeadline(time.Time) error      { return nil }
func (*end) SetReadDeadline(time.Time) error  { return nil }
func (*end) SetWriteDeadline(time.Time) error { return nil }
