package guest

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
	"gvisor.dev/gvisor/pkg/waiter"

	"enilab/internal/dataplane/spec"
)

// source is where a client's packets leave its host.
type source struct {
	vnic string
	addr netip.Addr
}

// client is one running workload of a host.
type client struct {
	host *Host
	spec spec.Workload // as started; Rate and Paused are in control
	from source
	id   uint32 // in the echo payload; its low half is the ICMP identifier

	cancel context.CancelFunc
	done   chan struct{} // closed when every goroutine of the client has ended
	finish func()        // ends the meter; nil if there is none

	mu      sync.Mutex
	control control       // guarded by mu
	changed chan struct{} // closed and replaced when control changes; guarded by mu
}

// control is what can change while a client runs.
type control struct {
	rate   float64
	paused bool
	frozen bool
}

func (c control) idle() bool { return c.paused || c.frozen }

// defaults fills in what a spec leaves to its kind, and refuses what no client can do.
func defaults(w spec.Workload) (spec.Workload, error) {
	if w.Name == "" {
		return w, errors.New("workload without a name")
	}
	if !w.Target.Is4() {
		return w, fmt.Errorf("workload %q: target %q is not an IPv4 address", w.Name, w.Target)
	}
	if w.Rate < 0 {
		return w, fmt.Errorf("workload %q: rate %g is negative", w.Name, w.Rate)
	}
	var rate float64
	var port uint16
	size, least := 0, 0
	switch w.Kind {
	case spec.WorkloadUDPEcho:
		rate, port, size, least = 500, echoPort, defaultEchoSize, echoHeaderLen
	case spec.WorkloadPing:
		rate, size = 10, 56
	case spec.WorkloadHTTP:
		rate, port = 10, httpPort
	case spec.WorkloadFrames:
		rate, port, size, least = 1000, discardPort, defaultEchoSize, echoHeaderLen
	default:
		return w, fmt.Errorf("workload %q: unknown kind %q, want %q, %q, %q or %q", w.Name, w.Kind,
			spec.WorkloadUDPEcho, spec.WorkloadPing, spec.WorkloadHTTP, spec.WorkloadFrames)
	}
	if w.Rate == 0 {
		w.Rate = rate
	}
	if w.Port == 0 {
		w.Port = port
	}
	if w.Size == 0 {
		w.Size = size
	}
	w.Size = min(max(w.Size, least), maxUDPPayload)
	w.Connections = min(max(w.Connections, 1), maxConnections)
	return w, nil
}

const (
	// maxUDPPayload fits one frame of a 9001-byte MTU: a fragment could not be
	// matched to its request.
	maxUDPPayload = defaultMTU - 20 - 8
	// maxConnections bounds an http client.
	maxConnections = 256
)

// setWorkloads makes the running clients those of specs. A change of rate or
// pause reaches the running client; any other change starts it anew.
func (h *Host) setWorkloads(specs []spec.Workload) error {
	var errs []error
	want := make(map[string]spec.Workload, len(specs))
	for _, s := range specs {
		w, err := defaults(s)
		if err != nil {
			errs = append(errs, fmt.Errorf("host %s: %w", h.id, err))
			continue
		}
		want[w.Name] = w
	}
	h.stopClients(func(c *client) bool {
		w, ok := want[c.spec.Name]
		from, reachable := h.sourceLocked(w.Target)
		return !ok || !reachable || from != c.from || !c.sameWork(w)
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.workloads = specs
	for _, s := range specs {
		w, ok := want[s.Name]
		if !ok {
			continue
		}
		if c := h.clients[w.Name]; c != nil {
			c.set(func(k *control) { k.rate, k.paused = w.Rate, w.Paused })
			continue
		}
		from, reachable := h.sourceLocked(w.Target)
		if !reachable {
			continue // it starts with the host's first NIC that has an address
		}
		if err := h.startLocked(w, from); err != nil {
			errs = append(errs, fmt.Errorf("host %s: starting workload %q: %w", h.id, w.Name, err))
		}
	}
	return errors.Join(errs...)
}

// sameWork reports whether w differs from what c does only in rate and pause.
func (c *client) sameWork(w spec.Workload) bool {
	w.Rate, w.Paused = c.spec.Rate, c.spec.Paused
	return w == c.spec
}

// startLocked starts the client of w. Its socket is opened and its meter taps
// before the first packet can leave.
func (h *Host) startLocked(w spec.Workload, from source) error {
	c := &client{
		host: h, spec: w, from: from, id: h.env.flowID(h.id, w.Name),
		done: make(chan struct{}), changed: make(chan struct{}),
		control: control{rate: w.Rate, paused: w.Paused, frozen: h.fault == spec.FaultFreeze},
	}
	flow := Flow{Host: h.id, VNIC: from.vnic, Workload: w.Name, Kind: w.Kind, Target: w.Target, Port: w.Port}
	var run []func(context.Context)
	switch w.Kind {
	case spec.WorkloadUDPEcho:
		ep, err := h.openLocked(udp.ProtocolNumber, netip.AddrPortFrom(from.addr, 0), new(waiter.Queue), nil)
		if err != nil {
			return err
		}
		run = append(run, func(ctx context.Context) { c.runEcho(ctx, ep) })
	case spec.WorkloadPing:
		ep, err := c.openPingLocked()
		if err != nil {
			return err
		}
		flow.Port = 0
		run = append(run, func(ctx context.Context) { c.runPing(ctx, ep) })
	case spec.WorkloadHTTP:
		for i := range w.Connections {
			phase := float64(i) / float64(w.Connections)
			run = append(run, func(ctx context.Context) { c.runHTTP(ctx, phase) })
		}
	case spec.WorkloadFrames:
		n := h.nicLocked(from.vnic)
		run = append(run, func(ctx context.Context) { c.runFrames(ctx, n) })
	}
	if w.Kind != spec.WorkloadFrames {
		c.finish = h.env.measure(flow, measure{kind: w.Kind, local: from.addr, target: w.Target, port: w.Port, id: c.id,
			rate: w.Rate * float64(w.Connections)})
	}
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	var wg sync.WaitGroup
	for _, f := range run {
		wg.Go(func() { f(ctx) })
	}
	go func() {
		wg.Wait()
		close(c.done)
	}()
	h.clients[w.Name] = c
	return nil
}

// openPingLocked opens a ping socket. Identifiers are 16 bits of a hash, so
// two clients of a host may meet; the later one draws again.
func (c *client) openPingLocked() (ep tcpip.Endpoint, err error) {
	for range 8 {
		local := netip.AddrPortFrom(c.from.addr, pingID(c.id))
		if ep, err = c.host.openLocked(icmp.ProtocolNumber4, local, new(waiter.Queue), nil); err == nil {
			return ep, nil
		}
		c.id = c.host.env.flowID(c.host.id, c.spec.Name)
	}
	return nil, err
}

// stopClients ends the clients that f, called under mu, wants ended, and their
// meters. It waits without mu: a client that is opening a socket needs it.
func (h *Host) stopClients(f func(*client) bool) {
	var ending []*client
	h.mu.Lock()
	for name, c := range h.clients {
		if f(c) {
			delete(h.clients, name)
			c.cancel()
			ending = append(ending, c)
		}
	}
	h.mu.Unlock()
	for _, c := range ending {
		<-c.done
		if c.finish != nil {
			c.finish()
		}
	}
}

// freeze stops the client's clock, or lets it go on.
func (c *client) freeze(frozen bool) { c.set(func(k *control) { k.frozen = frozen }) }

func (c *client) set(change func(*control)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was := c.control
	change(&c.control)
	if c.control != was {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}

func (c *client) state() (control, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.control, c.changed
}

// pace calls send with the number of requests due, until ctx ends. A paused
// client waits for a change and for nothing else.
func (c *client) pace(ctx context.Context, phase float64, send func(n int)) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	k, changed := c.state()
	p := newPacer(k.rate, c.host.env.now(), phase)
	for ctx.Err() == nil {
		if k.idle() {
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
			if k, changed = c.state(); !k.idle() {
				p = newPacer(k.rate, c.host.env.now(), phase)
			}
			continue
		}
		if n := p.take(c.host.env.now()); n > 0 {
			send(n)
		}
		timer.Reset(p.wait())
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-changed:
			k, changed = c.state()
			p.setRate(k.rate, c.host.env.now())
		}
	}
}
