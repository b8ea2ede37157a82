package guest

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"enilab/internal/dataplane/spec"
)

func (r *rig) fault(host string, f spec.Fault) {
	r.t.Helper()
	r.host(host, func(h *spec.Host) { h.Fault = f })
}

func (r *rig) pingFrom(host string, local, to netip.Addr) error {
	_, err := r.lab.Host(host).Ping(r.brief(), local, to, 0, 1, nil)
	return err
}

// TestFaults injects each fault, finds the host silent both ways, and finds
// it whole after recovery: same stack, connections that lived through it.
func TestFaults(t *testing.T) {
	for _, f := range []spec.Fault{spec.FaultFreeze, spec.FaultLink} {
		t.Run(map[spec.Fault]string{spec.FaultFreeze: "freeze", spec.FaultLink: "link"}[f], func(t *testing.T) {
			r := newRig(t)
			conn, err := r.lab.Host(clientID).DialTCP(r.ctx, clientAddr, netip.AddrPortFrom(service, 80))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			stack := r.lab.Host(hostA).stack

			r.fault(hostA, f)
			if r.pingFrom(clientID, clientAddr, service) == nil {
				t.Error("a failed host answers")
			}
			if r.pingFrom(hostA, ownA, clientAddr) == nil {
				t.Error("a failed host gets answers")
			}
			r.fault(hostA, spec.FaultNone)
			if _, err := r.lab.Host(clientID).Ping(r.ctx, clientAddr, service, 0, 1, nil); err != nil {
				t.Errorf("after recovery: %v", err)
			}
			if _, err := r.lab.Host(hostA).Ping(r.ctx, ownA, clientAddr, 0, 1, nil); err != nil {
				t.Errorf("from the recovered host: %v", err)
			}
			if r.lab.Host(hostA).stack != stack {
				t.Error("the recovered host has booted")
			}
			if _, err := conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				t.Errorf("writing on the old connection: %v", err)
			}
			if _, err := conn.Read(make([]byte, 1)); err != nil {
				t.Errorf("reading on the old connection: %v", err)
			}
		})
	}
}

// TestFrozenClientIsSilent: a frozen guest's clients stand still and go on
// after the thaw without making up for the time.
func TestFrozenClientIsSilent(t *testing.T) {
	r := newRig(t)
	r.workloads(udpLoad())
	f := r.flow("echo")
	r.eventually("first replies", func() bool { return r.answered(f, 0, hostA) > 5 })
	// unseen is how many of the numbers used were on no frame at the vNIC.
	unseen := func() uint64 {
		ss, _ := r.lab.Samples(f, 0)
		return ss[len(ss)-1].Seq - uint64(len(ss))
	}
	// Numbers may be used in vain before, between the freeze of the network and
	// that of the guest, and for what is due when its clock stops; no more.
	requests := func(ns int64) uint64 { return uint64(float64(ns) * udpLoad().Rate / 1e9) }
	before, asked := unseen(), r.lab.clock()
	r.fault(clientID, spec.FaultFreeze)
	frozen := r.lab.clock()
	still, _ := r.engine.VNICCounters("eni-c")
	inVain := before + requests(frozen-asked+3*int64(pacerBurst))
	for requests(r.lab.clock()-frozen) < 2*inVain {
		_ = r.pingFrom(hostA, service, netip.MustParseAddr("192.168.0.99")) // a tenth of a second
	}
	if ss, _ := r.lab.Samples(f, frozen); len(ss) > 0 {
		t.Errorf("a frozen client sent %d requests", len(ss))
	}
	if now, _ := r.engine.VNICCounters("eni-c"); now.TxFrames != still.TxFrames {
		t.Errorf("a frozen guest sent %d frames", now.TxFrames-still.TxFrames)
	}
	thawed := r.lab.clock()
	r.fault(clientID, spec.FaultNone)
	r.eventually("replies after the thaw", func() bool { return r.answered(f, thawed, hostA) > 5 })
	if n := unseen(); n > inVain {
		t.Errorf("%d numbers used in vain, want at most %d: the frozen client went on counting", n, inVain)
	}
	if got := r.flow("echo"); got != f {
		t.Errorf("flow %+v became %+v", f, got)
	}
}

// TestClientOutlivesItsLink: a client goes on when its own link comes back.
func TestClientOutlivesItsLink(t *testing.T) {
	r := newRig(t)
	r.workloads(udpLoad(), httpLoad(2))
	flows := []Flow{r.flow("echo"), r.flow("web")}
	served := func(since int64) func() bool {
		return func() bool {
			return r.answered(flows[0], since, hostA) > 5 && r.answered(flows[1], since, hostA) > 5
		}
	}
	r.eventually("first replies", served(0))
	r.fault(clientID, spec.FaultLink)
	_ = r.pingFrom(hostA, service, clientAddr)
	r.fault(clientID, spec.FaultNone)
	r.eventually("replies after the link came back", served(r.lab.clock()))
}

func TestRebootIsAnotherHost(t *testing.T) {
	r := newRig(t)
	r.workloads(udpLoad())
	before := r.lab.Host(clientID)
	r.host(clientID, func(h *spec.Host) { h.Boot++ })
	after := r.lab.Host(clientID)
	if after == before {
		t.Fatal("the host did not boot")
	}
	if _, err := before.DialTCP(r.ctx, clientAddr, netip.AddrPortFrom(service, 80)); !errors.Is(err, errHostStopped) {
		t.Errorf("dialing from the host before the boot: %v, want %v", err, errHostStopped)
	}
	if _, err := after.Ping(r.ctx, clientAddr, service, 0, 1, nil); err != nil {
		t.Error(err)
	}
	f := r.flow("echo")
	r.eventually("the client of the new boot", func() bool { return r.answered(f, 0, hostA) > 5 })
}

func TestPowerOff(t *testing.T) {
	r := newRig(t)
	r.workloads(udpLoad())
	conn, err := r.lab.Host(clientID).DialTCP(r.ctx, clientAddr, netip.AddrPortFrom(service, 80))
	if err != nil {
		t.Fatal(err)
	}
	r.host(clientID, func(h *spec.Host) { h.Power = spec.PowerOff })
	if h := r.lab.Host(clientID); h != nil {
		t.Error("a host that is off is listed as running")
	}
	if fs := r.lab.Flows(); len(fs) != 0 {
		t.Errorf("flows of a host that is off: %+v", fs)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("read from a connection of a host that is off succeeded")
	}
	r.host(clientID, func(h *spec.Host) { h.Power, h.Boot = spec.PowerOn, 2 })
	if _, err := r.lab.Host(clientID).Ping(r.ctx, clientAddr, service, 0, 1, nil); err != nil {
		t.Errorf("after the start: %v", err)
	}
	r.apply(spec.Delta{RemoveHosts: []string{farHost}, RemoveVNICs: []string{"eni-f"}})
	if r.lab.Host(farHost) != nil {
		t.Error("a removed host is listed as running")
	}
}

func TestWorkloadsFollowTheirSpec(t *testing.T) {
	r := newRig(t)
	ping := spec.Workload{Name: "ping", Kind: spec.WorkloadPing, Target: service, Rate: 100}
	r.workloads(ping)
	f := r.flow("ping")
	sent := func() uint64 {
		for _, s := range r.lab.Stats() {
			if s.Flow == f {
				return s.Sent
			}
		}
		return 0
	}
	r.eventually("pings", func() bool { s, _ := r.lab.Samples(f, 0); return len(s) > 3 && s[2].RepliedAt != 0 })

	ping.Paused = true
	r.workloads(ping)
	paused := sent()
	_ = r.pingFrom(hostA, ownA, netip.MustParseAddr("192.168.0.99")) // a tenth of a second
	if now := sent(); now != paused {
		t.Errorf("a paused client sent %d requests", now-paused)
	}
	ping.Paused, ping.Rate = false, 200
	r.workloads(ping)
	r.eventually("pings after the pause", func() bool { return sent() > paused+5 })
	if samples, _ := r.lab.Samples(f, 0); samples[0].Seq != 1 {
		t.Errorf("the client was started anew: first sequence number %d", samples[0].Seq)
	}

	ping.Target = ownB
	r.workloads(ping)
	if got := r.flow("ping"); got.Target != ownB || len(r.lab.Flows()) != 1 {
		t.Errorf("flows after a change of target: %+v", r.lab.Flows())
	}
	r.workloads()
	if fs := r.lab.Flows(); len(fs) != 0 {
		t.Errorf("flows after removal: %+v", fs)
	}
}

func TestBadWorkloadIsRefusedAlone(t *testing.T) {
	r := newRig(t)
	h := r.lab.Host(clientID)
	err := h.setWorkloads([]spec.Workload{
		{Name: "odd", Kind: "smoke-signals", Target: service},
		udpLoad(),
	})
	if err == nil {
		t.Error("an unknown kind was accepted")
	}
	f := r.flow("echo")
	r.eventually("the good client", func() bool { return r.answered(f, 0, hostA) > 0 })
}

// TestGeneratorFillsTheLine: generated frames are well-formed and arrive, in
// the subnet and behind the router.
func TestGenerator(t *testing.T) {
	r := newRig(t)
	gen := func(name string, to netip.Addr) spec.Workload {
		return spec.Workload{Name: name, Kind: spec.WorkloadFrames, Target: to, Port: echoPort, Rate: 5000}
	}
	r.workloads(gen("near", service), gen("far", farAddr))
	for id, host := range map[string]string{"eni-service": hostA, "eni-f": farHost} {
		// The echo server answers only what has a right checksum.
		r.eventually("echoes of "+host, func() bool {
			c, _ := r.engine.VNICCounters(id)
			return c.RxFrames > 100 && c.TxFrames > 100
		})
	}
}

// TestClientsStopWhileDialing: a client may be opening a socket at the moment
// when its host changes, and needs the host's lock for that.
func TestClientsStopWhileDialing(t *testing.T) {
	r := newRig(t)
	h := r.lab.Host(clientID)
	ctx, cancel := context.WithCancel(r.ctx)
	c := &client{host: h, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		<-ctx.Done() // cancelled under the lock
		if conn, err := h.DialTCP(r.ctx, clientAddr, netip.AddrPortFrom(service, 80)); err == nil {
			conn.Close()
		}
	}()
	h.mu.Lock()
	h.clients["busy"] = c
	h.mu.Unlock()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		h.stopClients(func(x *client) bool { return x == c })
	}()
	select {
	case <-stopped:
	case <-r.ctx.Done():
		t.Fatal("stopping a client that dials never ends")
	}
}
