package guest

import (
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"

	"enilab/internal/dataplane/spec"
)

func (r *rig) workloads(ws ...spec.Workload) {
	r.t.Helper()
	r.host(clientID, func(h *spec.Host) { h.Workloads = ws })
}

func udpLoad() spec.Workload {
	return spec.Workload{Name: "echo", Kind: spec.WorkloadUDPEcho, Target: service, Rate: 500}
}

func httpLoad(conns int) spec.Workload {
	return spec.Workload{Name: "web", Kind: spec.WorkloadHTTP, Target: service, Rate: 50, Connections: conns}
}

func (r *rig) flow(workload string) Flow {
	r.t.Helper()
	for _, f := range r.lab.Flows() {
		if f.Workload == workload {
			return f
		}
	}
	r.t.Fatalf("no flow %q in %+v", workload, r.lab.Flows())
	return Flow{}
}

// answered counts the samples since a time that a host answered.
func (r *rig) answered(f Flow, since int64, by string) int {
	n := 0
	ss, _ := r.lab.Samples(f, since)
	for _, s := range ss {
		if s.RepliedAt != 0 && s.Responder == by {
			n++
		}
	}
	return n
}

// TestMoveUnderLoad moves the service address from one stack to another while
// a client uses it, and finds in the meters what a failover record needs.
func TestMoveUnderLoad(t *testing.T) {
	r := newRig(t)
	r.workloads(udpLoad(), httpLoad(4))
	echo, web := r.flow("echo"), r.flow("web")
	r.eventually("traffic served by the first host", func() bool {
		served := 0
		for _, c := range r.lab.Conns(web, 0) {
			if c.LastResponder == hostA {
				served++
			}
		}
		return r.answered(echo, 0, hostA) > 20 && served == 4
	})

	moved := r.lab.clock()
	r.move(serviceAt(hostB))
	r.eventually("traffic served by the second host", func() bool {
		return r.answered(echo, moved, hostB) > 20 && r.answered(web, moved, hostB) > 8
	})

	samples, missed := r.lab.Samples(echo, 0)
	if missed != 0 {
		t.Errorf("the meter missed %d frames", missed)
	}
	var lastA, firstB int64
	for i, s := range samples {
		if s.Seq != uint64(i+1) {
			t.Fatalf("sample %d has sequence number %d", i, s.Seq)
		}
		switch {
		case s.Responder == hostA:
			lastA = max(lastA, s.RepliedAt)
		case s.Responder == hostB && firstB == 0:
			firstB = s.RepliedAt
		}
	}
	if lastA == 0 || firstB <= lastA {
		t.Errorf("last reply of the old host at %d, first of the new at %d", lastA, firstB)
	}

	r.eventually("four connections to the second host", func() bool {
		open := 0
		for _, c := range r.lab.Conns(web, moved) {
			if c.OpenedAt > moved && c.LastResponder == hostB && c.ResetAt == 0 && c.ClosedAt == 0 {
				open++
			}
		}
		return open == 4
	})
	reset := 0
	for _, c := range r.lab.Conns(web, moved) {
		if c.OpenedAt == 0 || c.OpenedAt > moved {
			continue
		}
		if c.ResetAt > moved && c.LastResponder == hostA {
			reset++
		}
	}
	if reset != 4 {
		t.Errorf("%d of 4 connections were reset by the new host: %+v", reset, r.lab.Conns(web, moved))
	}
	if n := len(r.lab.Host(hostA).nics); n != 1 {
		t.Errorf("the old host has %d NICs, want 1", n)
	}
}

// TestSwap exchanges two interfaces between two hosts in one Delta.
func TestSwap(t *testing.T) {
	r := newRig(t)
	other := netip.MustParseAddr("192.168.0.43")
	at := func(host string) spec.VNIC {
		return vnic("eni-other", 0x0243, "subnet-a", host, 1, other)
	}
	r.move(at(hostB))
	r.apply(spec.Delta{VNICs: []spec.VNIC{at(hostA), serviceAt(hostB)}})
	for addr, want := range map[netip.Addr]string{service: hostB, other: hostA} {
		if _, body, err := get(t, r.ctx, r.lab.Host(clientID), clientAddr, addr); err != nil || body != want+"\n" {
			t.Errorf("%s answers %q, %v; want %s", addr, body, err, want)
		}
	}
	for _, id := range []string{hostA, hostB} {
		if n := len(r.lab.Host(id).nics); n != 2 {
			t.Errorf("%s has %d NICs, want 2", id, n)
		}
	}
}

// TestConnectionsEndWithTheirNIC: the stack that lost an interface aborts its
// connections at once and keeps those of other interfaces.
func TestConnectionsEndWithTheirNIC(t *testing.T) {
	r := newRig(t)
	a := r.lab.Host(hostA)
	gone, err := a.DialTCP(r.ctx, service, netip.AddrPortFrom(clientAddr, 80))
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	kept, err := a.DialTCP(r.ctx, ownA, netip.AddrPortFrom(clientAddr, 80))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()

	read := make(chan error, 1)
	go func() {
		_, err := gone.Read(make([]byte, 1))
		read <- err
	}()
	r.move(serviceAt(""))
	select {
	case err := <-read:
		if err == nil {
			t.Error("read from a connection without an interface succeeded")
		}
	case <-r.ctx.Done():
		t.Fatal("the connection outlived its interface")
	}
	if _, err := kept.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Errorf("writing on the other interface: %v", err)
	}
	if _, err := kept.Read(make([]byte, 1)); err != nil {
		t.Errorf("reading on the other interface: %v", err)
	}
}

// TestSecondaryAddress assigns and unassigns an address while attached.
func TestSecondaryAddress(t *testing.T) {
	r := newRig(t)
	second := netip.MustParseAddr("192.168.0.77")
	c := r.lab.Host(clientID)
	r.move(vnic("eni-b", 0x0222, "subnet-a", hostB, 0, ownB, second))
	if _, err := c.Ping(r.ctx, clientAddr, second, 1, 1, nil); err != nil {
		t.Errorf("ping of the new address: %v", err)
	}
	gone, err := c.DialTCP(r.ctx, clientAddr, netip.AddrPortFrom(second, 80))
	if err != nil {
		t.Fatal(err)
	}
	defer gone.Close()
	kept, err := c.DialTCP(r.ctx, clientAddr, netip.AddrPortFrom(ownB, 80))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	r.eventually("two connections in the server", func() bool { return len(tcpConns(r.lab.Host(hostB))) == 2 })
	r.move(vnic("eni-b", 0x0222, "subnet-a", hostB, 0, ownB))
	if got := tcpConns(r.lab.Host(hostB)); !slices.Equal(got, []netip.Addr{ownB}) {
		t.Errorf("connections of %v are left, want that of %s", got, ownB)
	}
	if _, err := c.Ping(r.brief(), clientAddr, second, 1, 2, nil); err == nil {
		t.Error("an address that was taken away still answers")
	}
	if _, err := c.Ping(r.ctx, clientAddr, ownB, 1, 3, nil); err != nil {
		t.Errorf("ping of the primary address: %v", err)
	}
}

// tcpConns returns the local addresses of a host's live connections.
func tcpConns(h *Host) (local []netip.Addr) {
	for _, e := range h.stack.RegisteredEndpoints() {
		if ep, ok := e.(*tcp.Endpoint); ok && tcp.EndpointState(ep.State()) == tcp.StateEstablished {
			local = append(local, addrOf(ep.Info().(*stack.TransportEndpointInfo).ID.LocalAddress))
		}
	}
	return local
}

// TestMovesLeakNothing moves an interface two hundred times.
func TestMovesLeakNothing(t *testing.T) {
	r := newRig(t)
	c := r.lab.Host(clientID)
	hosts := []string{hostB, hostA}
	move := func(i int) {
		r.move(serviceAt(hosts[i%2]))
		if _, err := c.Ping(r.ctx, clientAddr, service, 9, uint16(i), nil); err != nil {
			t.Fatalf("after move %d: %v", i, err)
		}
	}
	for i := range 20 {
		move(i)
	}
	goroutines, heap := runtime.NumGoroutine(), heapInUse()
	start := time.Now()
	for i := range 200 {
		move(i)
	}
	t.Logf("200 moves with a ping each: %s", time.Since(start))
	r.eventually("no goroutine more than before", func() bool { return runtime.NumGoroutine() <= goroutines })
	// A stack and its NIC take a hundred kilobytes; the runtime frees stopped
	// timers, and what they refer to, a little later.
	r.eventually("no more memory than before", func() bool { return heapInUse() < heap+1<<20 })
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
