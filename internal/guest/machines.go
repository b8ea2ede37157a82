package guest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// Timeline is what machines need of a driver that owns time; sim.Sim is one
// behind an adapter. Its functions run on the driver's goroutine, one at a time.
type Timeline interface {
	Now() int64            // Unix nanoseconds
	At(t int64, fn func()) // runs fn when time reaches t
	Send(host string, index int, b []byte)
	// Receive has fn take every frame for a host's device index; nil: nobody
	// does, and frames wait in the Port.
	Receive(host string, index int, fn func(b []byte, at int64))
}

// Machines are the guests of a laboratory in virtual time: the same servers,
// clients, payloads and meters as a Lab's, behind small state machines in place of
// goroutines and netstack. They take Deltas as Plane does. What they do depends on
// the Deltas, the frames and the seed alone. They belong to the driver's goroutine.
type Machines struct {
	*Meters
	wiring
	engine *dataplane.Engine
	tl     Timeline
	seed   uint64
	rand   *rand.Rand
	starts uint64
	hosts  map[string]*Machine
	ticks  bool // CatchUp is scheduled

	// Leases has machines lease the addresses of their NICs by DHCP when they boot,
	// where they are else given them. Set it before the first Delta.
	Leases bool
}

// catchUpEvery is how often meters read what has passed: well before the ring of
// the fastest is full.
const catchUpEvery = 50 * time.Millisecond

// NewMachines returns machines on an engine that the timeline drives.
func NewMachines(e *dataplane.Engine, tl Timeline, seed uint64) *Machines {
	f := engineFabric{e}
	m := &Machines{
		Meters: newMeters(f, tl.Now), wiring: newWiring(f), engine: e, tl: tl, seed: seed,
		rand: rand.New(rand.NewPCG(seed, 0x6d616368)), hosts: map[string]*Machine{},
	}
	m.stepped = true
	return m
}

// Apply does for machines what Plane does for a Lab.
func (ms *Machines) Apply(ctx context.Context, d spec.Delta) (spec.Ack, error) {
	ack, err := ms.engine.Apply(ctx, d)
	if err != nil {
		return spec.Ack{}, err
	}
	if err := ms.follow(d); err != nil {
		return ack, fmt.Errorf("guests of generation %d: %w", d.Generation, err)
	}
	return ack, nil
}

func (ms *Machines) follow(d spec.Delta) error {
	touched := ms.noteLocked(d)
	want := make(map[string][]attachment, len(touched))
	for _, id := range touched {
		told, ok := ms.specs[id]
		on := ok && told.Power == spec.PowerOn
		if on {
			want[id] = ms.attachmentsLocked(id)
		}
		m := ms.hosts[id]
		switch {
		case m == nil:
		case !on || m.boot != told.Boot:
			delete(ms.hosts, id)
			m.halt()
		default:
			m.unplug(want[id])
		}
	}
	var errs error
	for _, id := range touched {
		told, ok := ms.specs[id]
		if !ok || told.Power != spec.PowerOn {
			continue
		}
		m := ms.hosts[id]
		if m == nil {
			m = &Machine{id: id, boot: told.Boot, all: ms, web: map[tcpKey]*stream{}, ports: 32768 + uint16(ms.rand.IntN(16384))}
			ms.hosts[id] = m
		}
		m.serve, m.specs = told.Serve, told.Workloads
		m.plug(want[id])
		m.setFault(told.Fault)
		if err := m.setWorkloads(told.Workloads); err != nil && errs == nil {
			errs = err
		}
	}
	return errs
}

// Machine returns a host that is on, nil if it is off or unknown.
func (ms *Machines) Machine(id string) *Machine { return ms.hosts[id] }

// keepUp reads the meters now and then while there are any.
func (ms *Machines) keepUp() {
	if ms.ticks {
		return
	}
	ms.ticks = true
	ms.tl.At(ms.tl.Now()+int64(catchUpEvery), func() {
		ms.ticks = false
		ms.CatchUp()
		if len(ms.meters) > 0 {
			ms.keepUp()
		}
	})
}

// Machine is one host: NICs with their neighbors, servers, clients.
type Machine struct {
	id      string
	boot    uint64
	all     *Machines
	fault   spec.Fault
	halted  bool
	serve   []spec.ServedPort
	nics    []*machineNIC // by device index
	clients []*machineClient
	specs   []spec.Workload
	web     map[tcpKey]*stream
	pings   []*pendingPing
	ports   uint16 // the newest ephemeral port
	ipID    uint16
	service *session // the network's end of a connection, and no host; nil: a host
}

// machineNIC is a NIC of a machine.
type machineNIC struct {
	at        attachment
	mac       frame.MAC
	reachable time.Duration // how long a neighbor is taken as confirmed (RFC 4861, 6.3.2)
	table     map[netip.Addr]*neighbor
	lease     *machineLease // nil: it has its addresses from nobody
}

// Fault is the fault in force.
func (m *Machine) Fault() spec.Fault { return m.fault }

func (m *Machine) now() int64 { return m.all.tl.Now() }

// after runs fn in a while, unless the machine has lost its power by then.
func (m *Machine) after(d time.Duration, fn func()) {
	m.all.tl.At(m.now()+int64(d), func() {
		if !m.halted {
			fn()
		}
	})
}

// halt is a loss of power: nothing more is sent, and nobody is told.
func (m *Machine) halt() {
	m.stopClients(func(*machineClient) bool { return true })
	m.halted = true
	for _, n := range m.nics {
		m.all.tl.Receive(m.id, n.at.index, nil)
	}
	m.nics, m.web, m.pings = nil, nil, nil
}

func (m *Machine) unplug(want []attachment) {
	stays := func(n *machineNIC) bool {
		return slices.ContainsFunc(want, func(a attachment) bool { return a.index == n.at.index && a.sameDevice(&n.at) })
	}
	m.stopClients(func(c *machineClient) bool {
		i := slices.IndexFunc(m.nics, func(n *machineNIC) bool { return n.at.vnic == c.from.vnic })
		return i < 0 || !stays(m.nics[i])
	})
	m.nics = slices.DeleteFunc(m.nics, func(n *machineNIC) bool {
		if stays(n) {
			return false
		}
		m.all.tl.Receive(m.id, n.at.index, nil)
		n.lease.end()
		m.forget(func(a netip.Addr) bool { return slices.Contains(n.at.addrs, a) })
		return true
	})
}

// forget ends the connections whose address has left, as guests' stacks do here:
// connections do not follow an address.
func (m *Machine) forget(gone func(netip.Addr) bool) {
	for _, c := range m.connections() {
		if gone(c.key.local) {
			c.fail(errAddressGone)
		}
	}
}

func (m *Machine) plug(want []attachment) {
	for _, a := range want {
		if i := slices.IndexFunc(m.nics, func(n *machineNIC) bool { return n.at.index == a.index }); i >= 0 {
			n := m.nics[i]
			n.at.forward = a.forward
			if n.lease != nil {
				n.lease.assigned = a.addrs
				a.addrs = n.lease.configured()
			}
			m.readdress(n, a.addrs)
			continue
		}
		n := &machineNIC{
			at: a, mac: frame.MACAt([]byte(a.mac)), table: map[netip.Addr]*neighbor{},
			reachable: baseReachable/2 + time.Duration(m.all.rand.Int64N(int64(baseReachable))),
		}
		m.nics = append(m.nics, n)
		if m.fault != spec.FaultFreeze {
			m.listen(n)
		}
		// A host of the internet has its address from nobody.
		if m.all.Leases && !a.subnet.IsSingleIP() {
			m.lease(n)
		}
	}
	slices.SortFunc(m.nics, func(a, b *machineNIC) int { return a.at.index - b.at.index })
}

// readdress gives a NIC other addresses and ends the connections of those it had.
func (m *Machine) readdress(n *machineNIC, addrs []netip.Addr) {
	old := n.at.addrs
	n.at.addrs = addrs
	m.forget(func(x netip.Addr) bool { return slices.Contains(old, x) && !slices.Contains(addrs, x) })
}

func (m *Machine) listen(n *machineNIC) {
	m.all.tl.Receive(m.id, n.at.index, func(b []byte, _ int64) {
		if m.fault == spec.FaultNone && !m.halted {
			m.onFrame(n, b)
		}
	})
}

// setFault injects a fault, or ends it. Frames that wait in the Port while a
// machine is frozen are read after the thaw, as from a real ring.
func (m *Machine) setFault(f spec.Fault) {
	if m.fault == f {
		return
	}
	was := m.fault
	m.fault = f
	for _, n := range m.nics {
		switch {
		case f == spec.FaultFreeze:
			m.all.tl.Receive(m.id, n.at.index, nil)
		case was == spec.FaultFreeze:
			m.listen(n)
		}
	}
	for _, c := range m.clients {
		c.set(func(k *control) { k.frozen = f == spec.FaultFreeze })
	}
}

// route picks the NIC that a packet leaves by, and its next hop: the NIC that has
// the source, like guests of netstack (see routes).
func (m *Machine) route(src, dst netip.Addr) (n *machineNIC, hop netip.Addr) {
	i := slices.IndexFunc(m.nics, func(n *machineNIC) bool { return slices.Contains(n.at.addrs, src) })
	if i < 0 {
		i = slices.IndexFunc(m.nics, func(n *machineNIC) bool { return n.at.subnet.Contains(dst) })
	}
	if i < 0 && len(m.nics) > 0 {
		i = 0
	}
	if i < 0 {
		return nil, hop
	}
	n = m.nics[i]
	if n.at.subnet.Contains(dst) {
		return n, dst
	}
	return n, n.at.router
}

func (m *Machine) has(a netip.Addr) bool {
	return slices.ContainsFunc(m.nics, func(n *machineNIC) bool { return slices.Contains(n.at.addrs, a) })
}

// source picks where packets to a target leave; see Host.sourceLocked.
func (m *Machine) source(target netip.Addr) (source, bool) {
	if len(m.nics) == 0 {
		return source{}, false
	}
	n := m.nics[0]
	if i := slices.IndexFunc(m.nics, func(n *machineNIC) bool { return n.at.subnet.Contains(target) }); i >= 0 {
		n = m.nics[i]
	}
	if len(n.at.addrs) == 0 {
		return source{}, false
	}
	return source{vnic: n.at.vnic, addr: n.at.addrs[0]}, true
}

// emit sends a packet that build appends behind the header it is given.
func (m *Machine) emit(src, dst netip.Addr, build func(b []byte, h frame.Header) []byte) {
	from, ok4 := frame.IPv4From(src)
	to, ok := frame.IPv4From(dst)
	if !ok || !ok4 {
		return
	}
	m.ipID++
	h := frame.Header{SrcIP: from, DstIP: to, ID: m.ipID, DontFrag: true}
	if m.service != nil {
		h.Src, h.Dst = m.service.router, m.service.guest
		m.service.send(build(nil, h))
		return
	}
	if m.has(dst) {
		// As on any system, a packet to an own address does not leave the host.
		b := build(nil, h)
		m.after(0, func() { m.onPacket(nil, b) })
		return
	}
	n, hop := m.route(src, dst)
	if n == nil {
		return
	}
	h.Src = n.mac
	m.resolve(n, hop, build(nil, h))
}

// put hands a frame to the NIC if its carrier is up.
func (m *Machine) put(n *machineNIC, b []byte) {
	if m.fault == spec.FaultNone && !m.halted {
		m.all.tl.Send(m.id, n.at.index, b)
	}
}
