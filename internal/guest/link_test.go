package guest

import (
	"context"
	"net/netip"
	"sync"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// pipe is one end of a cable between two hosts, without any engine.
type pipe struct {
	in   chan []byte
	peer *pipe
	full bool // takes nothing: guarded by mu
	mu   sync.Mutex
}

func newPipe() (a, b *pipe) {
	a = &pipe{in: make(chan []byte, 256)}
	b = &pipe{in: make(chan []byte, 256), peer: a}
	a.peer = b
	return a, b
}

func (p *pipe) Send(frames [][]byte) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, f := range frames {
		if p.full {
			return i
		}
		select {
		case p.peer.in <- append([]byte(nil), f...):
		default:
			return i
		}
	}
	return len(frames)
}

func (p *pipe) Recv(ctx context.Context, _ int, fn func(b []byte, at int64)) (int, error) {
	select {
	case b := <-p.in:
		fn(b, 0)
		return 1, nil
	case <-ctx.Done():
	}
	return 0, dataplane.ErrPortClosed
}

// alone is the environment of hosts without a lab.
type alone struct{ clock func() int64 }

func (a alone) now() int64                                 { return a.clock() }
func (a alone) flowID(string, string) uint32               { return 1 }
func (a alone) macOf(string, netip.Addr) (frame.MAC, bool) { return 0, false }
func (a alone) leases() bool                               { return false }
func (a alone) alone(fn func())                            { fn() }
func (a alone) spawn(f func())                             { go f() }
func (a alone) measure(Flow, measure) (stop func())        { return func() {} }
func end(p *pipe, mac int, addr netip.Addr) []attachment {
	return []attachment{{
		vnic: "eni", mac: tcpip.LinkAddress(frame.MAC(mac).HardwareAddr()), mtu: 9001, port: p,
		subnet: netip.MustParsePrefix("192.168.0.0/24"), router: netip.MustParseAddr("192.168.0.1"), addrs: []netip.Addr{addr},
	}}
}

// pair is two hosts on one cable.
func pair(t *testing.T) (a, b *Host, cable *pipe) {
	t.Helper()
	env := alone{monotonic()}
	pa, pb := newPipe()
	a, b = newHost(hostA, 1, env), newHost(hostB, 1, env)
	t.Cleanup(func() { a.close(); b.close() })
	if err := a.plug(end(pa, 0x020000000001, ownA)); err != nil {
		t.Fatal(err)
	}
	if err := b.plug(end(pb, 0x020000000002, ownB)); err != nil {
		t.Fatal(err)
	}
	return a, b, pa
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// pingUntil pings from a to b, gives up a little after the frame has had
// its fate, and returns the ping's error.
func pingUntil(t *testing.T, a *Host, fate func() bool) error {
	t.Helper()
	ctx, cancel := context.WithCancel(patient(t))
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := a.Ping(ctx, ownA, ownB, 1, 2, nil)
		ended <- err
	}()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !fate() {
		select {
		case <-tick.C:
		case err := <-ended:
			return err
		}
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(50 * time.Millisecond):
	}
	cancel()
	return <-ended
}

func TestHostsOnACable(t *testing.T) {
	a, b, _ := pair(t)
	for i := range 3 {
		if _, err := a.Ping(patient(t), ownA, ownB, 1, uint16(i), make([]byte, 9001-28)); err != nil {
			t.Error(err)
		}
	}
	header, body, err := get(t, patient(t), b, ownB, ownA)
	if err != nil || header != hostA || body != hostA+"\n" {
		t.Errorf("web server answers %q, %q, %v", header, body, err)
	}
}

// TestFrozenHostLeavesFramesInItsPort: what arrives during a freeze is read
// after it; what the stack's timers send during it is not sent later.
func TestFrozenHostLeavesFramesInItsPort(t *testing.T) {
	a, b, cable := pair(t)
	if _, err := a.Ping(patient(t), ownA, ownB, 1, 1, nil); err != nil {
		t.Fatal(err)
	}
	b.setFault(spec.FaultFreeze)
	sent := func() bool { return len(cable.peer.in) > 0 }
	if err := pingUntil(t, a, sent); err == nil {
		t.Error("a frozen host answers")
	}
	if n := len(cable.peer.in); n != 1 {
		t.Errorf("%d frames wait for the frozen host, want the request", n)
	}
	l := b.nics[0].link
	if n := l.send([][]byte{make([]byte, 60)}); n != 1 || l.lost.Load() != 1 || len(cable.in) != 0 {
		t.Errorf("a frozen host's frame: taken %d, lost %d, sent %d", n, l.lost.Load(), len(cable.in))
	}
	b.setFault(spec.FaultNone)
	if _, err := a.Ping(patient(t), ownA, ownB, 1, 3, nil); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// TestFullPortIsSeen: frames that the port does not take are counted, and the
// stack is told.
func TestFullPortIsSeen(t *testing.T) {
	a, _, cable := pair(t)
	if _, err := a.Ping(patient(t), ownA, ownB, 1, 1, nil); err != nil {
		t.Fatal(err)
	}
	cable.mu.Lock()
	cable.full = true
	cable.mu.Unlock()
	if err := pingUntil(t, a, func() bool { return a.nics[0].link.refused.Load() > 0 }); err == nil {
		t.Error("a ping crossed a full port")
	}
	if n := a.nics[0].link.refused.Load(); n != 1 {
		t.Errorf("%d frames counted as refused, want 1", n)
	}
}
