package guest

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip/stack"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// Errors of a Host's sockets.
var (
	errHostStopped = errors.New("host has stopped")
	errNoNIC       = errors.New("host has no network interface")
)

// Host is one running guest: a TCP/IP stack with its NICs, servers and
// clients. It starts its stack with its first NIC and ends with its instance's
// power or boot; the next boot is another Host. Whoever changes a host (plug,
// unplug, setFault, setServe, setWorkloads, close) is alone: its Lab applies one Delta
// at a time.
type Host struct {
	id   string
	boot uint64
	env  environment

	// mu guards everything below. Sockets are opened under RLock, so that
	// none appears behind the back of close.
	mu      sync.RWMutex
	closed  bool
	stack   *stack.Stack             // nil until the first NIC
	web     map[uint16]*webServer    // by port
	serve   []spec.ServedPort        // beside what every guest serves
	udp     atomic.Pointer[[]uint16] // of serve, for the stack's goroutines
	nics    []*nic                   // by device index
	fault   spec.Fault
	clients map[string]*client // by workload name
	// workloads are what the host is to run, for when a NIC gets its address.
	workloads []spec.Workload

	done chan struct{} // closed when the host stops
}

// environment is what a host needs of its lab.
type environment interface {
	// now is the engine's clock.
	now() int64
	// flowID returns a number for a client that no other start of a client shares.
	flowID(host, workload string) uint32
	// macOf returns the MAC that holds an address of a subnet.
	macOf(subnet string, a netip.Addr) (mac frame.MAC, ok bool)
	// measure starts a meter of the flow; stop ends it, after the client has ended.
	measure(f Flow, m measure) (stop func())
	// leases reports whether NICs get their addresses by DHCP.
	leases() bool
	// alone runs fn while nobody else changes hosts.
	alone(fn func())
	// spawn runs f in a goroutine of its own, which must end soon after its host.
	spawn(f func())
}

func newHost(id string, boot uint64, env environment) *Host {
	return &Host{id: id, boot: boot, env: env, clients: map[string]*client{}, done: make(chan struct{})}
}

// unplug takes out every NIC that want does not have, and stops the clients
// that used it first.
func (h *Host) unplug(want []attachment) {
	stays := func(n *nic) bool {
		return slices.ContainsFunc(want, func(a attachment) bool { return a.index == n.at.index && a.sameDevice(&n.at) })
	}
	h.stopClients(func(c *client) bool {
		n := h.nicLocked(c.from.vnic)
		return n == nil || !stays(n)
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	h.nics = slices.DeleteFunc(h.nics, func(n *nic) bool {
		if stays(n) {
			return false
		}
		n.unplug()
		return true
	})
	if h.stack != nil {
		h.stack.SetRouteTable(routes(h.nics))
	}
}

// plug puts in the NICs of want that are missing, booting the stack with the
// first one, and brings addresses and forwarding of the others up to date.
func (h *Host) plug(want []attachment) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, a := range want {
		if i := slices.IndexFunc(h.nics, func(n *nic) bool { return n.at.index == a.index }); i >= 0 {
			errs = append(errs, h.nics[i].assign(a.addrs))
			h.nics[i].setForwarding(a.forward)
			continue
		}
		if err := h.bootLocked(); err != nil {
			return err
		}
		// A host of the internet has its address from nobody.
		leases := h.env.leases() && !a.subnet.IsSingleIP()
		n, err := plug(h.stack, a, leases)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		n.setCarrier(carrierOf(h.fault))
		h.nics = append(h.nics, n)
		if leases {
			h.lease(n)
		}
	}
	slices.SortFunc(h.nics, func(a, b *nic) int { return a.at.index - b.at.index })
	if h.stack != nil {
		h.stack.SetRouteTable(routes(h.nics))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("host %s: %w", h.id, err)
	}
	return nil
}

// bootLocked makes the stack and its servers, once.
func (h *Host) bootLocked() error {
	if h.stack != nil {
		return nil
	}
	s, err := newStack()
	if err != nil {
		return fmt.Errorf("booting host %s: %w", h.id, err)
	}
	serveEcho(s, h.id, func(port uint16) bool {
		further := h.udp.Load()
		return further != nil && slices.Contains(*further, port)
	})
	web, err := serveHTTP(s, h.id, httpPort)
	if err != nil {
		s.Destroy()
		return fmt.Errorf("booting host %s: %w", h.id, err)
	}
	h.stack, h.web = s, map[uint16]*webServer{httpPort: web}
	return h.serveLocked()
}

// setServe makes the further ports that the host serves those of ps, now or
// when its stack boots.
func (h *Host) setServe(ps []spec.ServedPort) error {
	h.mu.Lock()
	var ended []*webServer
	h.serve = ps
	for port, w := range h.web {
		if port != httpPort && !slices.Contains(ps, spec.ServedPort{Protocol: "tcp", Port: port}) {
			ended = append(ended, w)
			delete(h.web, port)
		}
	}
	err := h.serveLocked()
	h.mu.Unlock()
	for _, w := range ended {
		w.close()
	}
	return err
}

// serveLocked opens what is to be served and is not yet.
func (h *Host) serveLocked() error {
	var errs []error
	var udp []uint16
	for _, p := range h.serve {
		if p.Protocol == "udp" {
			udp = append(udp, p.Port)
			continue
		}
		if h.stack == nil || h.web[p.Port] != nil {
			continue
		}
		w, err := serveHTTP(h.stack, h.id, p.Port)
		if err != nil {
			errs = append(errs, fmt.Errorf("host %s: %w", h.id, err))
			continue
		}
		h.web[p.Port] = w
	}
	h.udp.Store(&udp)
	return errors.Join(errs...)
}

func carrierOf(f spec.Fault) carrier {
	switch f {
	case spec.FaultFreeze:
		return carrierFrozen
	case spec.FaultLink:
		return carrierDown
	}
	return carrierUp
}

// setFault injects f, or ends it with FaultNone.
func (h *Host) setFault(f spec.Fault) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fault == f {
		return
	}
	h.fault = f
	for _, n := range h.nics {
		n.setCarrier(carrierOf(f))
	}
	for _, c := range h.clients {
		c.freeze(f == spec.FaultFreeze)
	}
}

// Fault returns the fault that is in force in the guest. The control plane knows
// of one, and of its end, a little before the guest does.
func (h *Host) Fault() spec.Fault {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.fault
}

// close stops the clients, then the servers, and returns when nothing of the
// host runs any more. Peers are not told: a host that lost its power says no
// goodbye.
func (h *Host) close() {
	h.mu.Lock()
	h.closed = true // no socket is opened from here on
	close(h.done)
	for _, n := range h.nics {
		n.link.Close()
	}
	h.mu.Unlock()
	h.stopClients(func(*client) bool { return true })
	h.mu.Lock()
	for _, n := range h.nics {
		n.unplug()
	}
	s, web := h.stack, h.web
	h.nics, h.stack, h.web = nil, nil, nil
	h.mu.Unlock()
	if s != nil {
		for _, w := range web {
			w.close()
		}
		s.Destroy()
	}
}

// sourceLocked picks where packets to a target leave: the NIC in the target's
// subnet, else the first by device index, which holds the default route.
func (h *Host) sourceLocked(target netip.Addr) (source, bool) {
	if len(h.nics) == 0 {
		return source{}, false
	}
	n := h.nics[0]
	if i := slices.IndexFunc(h.nics, func(n *nic) bool { return n.at.subnet.Contains(target) }); i >= 0 {
		n = h.nics[i]
	}
	if len(n.at.addrs) == 0 {
		return source{}, false
	}
	return source{vnic: n.at.vnic, addr: n.at.addrs[0]}, true
}

// nicLocked returns the NIC of a VNIC, nil if it is not plugged.
func (h *Host) nicLocked(vnic string) *nic {
	for _, n := range h.nics {
		if n.at.vnic == vnic {
			return n
		}
	}
	return nil
}

// ownerLocked returns the NIC that holds the address, nil if none does.
func (h *Host) ownerLocked(a netip.Addr) *nic {
	for _, n := range h.nics {
		if slices.Contains(n.at.addrs, a) {
			return n
		}
	}
	return nil
}
