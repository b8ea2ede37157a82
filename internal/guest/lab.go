package guest

import (
	"context"
	"errors"
	"hash/fnv"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
)

// Options of a Lab.
type Options struct {
	Engine *dataplane.Engine
	Now    func() int64 // the engine's clock, Unix ns
	Seed   uint64       // of flow identifiers
	// DHCP: guests lease the addresses of their NICs, where they are else given
	// them with the NIC. Somebody must serve it in the data plane.
	DHCP bool
}

// fabric is the part of the engine that guests use.
type fabric interface {
	port(host string, index int) (port, bool)
	addTap(t *tap.Tap, vnic string)
	removeTap(t *tap.Tap)
	workers() int
}

// engineFabric is the real fabric.
type engineFabric struct{ e *dataplane.Engine }

func (f engineFabric) port(host string, index int) (port, bool) {
	p := f.e.Port(host, index)
	return p, p != nil
}
func (f engineFabric) addTap(t *tap.Tap, vnic string) { f.e.AddTap(t, []string{vnic}) }
func (f engineFabric) removeTap(t *tap.Tap)           { f.e.RemoveTap(t) }
func (f engineFabric) workers() int                   { return f.e.Workers() }

// Lab runs the guests of every host. It follows the Deltas that the engine has
// applied: the engine first, so that a guest never waits for a Port.
type Lab struct {
	*Meters
	wiring  // guarded by applying
	seed    uint64
	starts  atomic.Uint64 // clients started so far
	dhcp    bool
	leasing sync.WaitGroup // clients of DHCP

	// applying serialises Plane.Apply; taken before mu, never inside it.
	applying sync.Mutex

	closed bool // guarded by applying

	// mu guards what readers look up.
	mu    sync.RWMutex
	hosts map[string]*Host
}

// NewLab returns a lab without hosts.
func NewLab(opt Options) *Lab {
	l := newLab(engineFabric{opt.Engine}, opt.Now, opt.Seed)
	l.dhcp = opt.DHCP
	return l
}

func newLab(f fabric, now func() int64, seed uint64) *Lab {
	return &Lab{
		Meters: newMeters(f, now), wiring: newWiring(f), seed: seed, hosts: map[string]*Host{},
	}
}

// Run supervises the guests until ctx ends; all have ended when it returns.
// Deltas may be applied before, and start guests at once.
func (l *Lab) Run(ctx context.Context) error {
	<-ctx.Done()
	l.alone(func() {
		l.closed = true
		l.mu.Lock()
		hosts := l.hosts
		l.hosts = map[string]*Host{}
		l.mu.Unlock()
		for _, h := range hosts {
			h.close()
		}
	})
	l.leasing.Wait() // one may have waited for its turn
	return nil
}

func (l *Lab) leases() bool { return l.dhcp }

func (l *Lab) alone(fn func()) {
	l.applying.Lock()
	defer l.applying.Unlock()
	fn()
}

func (l *Lab) spawn(f func()) { l.leasing.Go(f) }

// Host returns a running host, nil if it is off or unknown.
func (l *Lab) Host(id string) *Host {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.hosts[id]
}

// applyLocked brings the guests in line with a Delta that the engine has in
// force. NICs leave their old hosts before any is plugged, so that no address
// is ever on two stacks.
func (l *Lab) applyLocked(d spec.Delta) error {
	touched := l.noteLocked(d)
	if l.closed {
		return nil
	}
	want := make(map[string][]attachment, len(touched))
	for _, id := range touched {
		told, ok := l.specs[id]
		on := ok && told.Power == spec.PowerOn
		if on {
			want[id] = l.attachmentsLocked(id)
		}
		h := l.Host(id)
		switch {
		case h == nil:
		case !on || h.boot != told.Boot:
			l.mu.Lock()
			delete(l.hosts, id)
			l.mu.Unlock()
			h.close()
		default:
			h.unplug(want[id])
		}
	}
	var errs []error
	for _, id := range touched {
		told, ok := l.specs[id]
		if !ok || told.Power != spec.PowerOn {
			continue
		}
		h := l.Host(id)
		if h == nil {
			h = newHost(id, told.Boot, l)
			l.mu.Lock()
			l.hosts[id] = h
			l.mu.Unlock()
		}
		h.setFault(told.Fault)
		errs = append(errs, h.setServe(told.Serve), h.plug(want[id]), h.setWorkloads(told.Workloads))
	}
	return errors.Join(errs...)
}

// neighbours are the addresses that a NIC reaches without the router. A host of
// the internet has none: its address stands alone, as a cloud's machine has it.
func neighbours(n *spec.Subnet, v *spec.VNIC) netip.Prefix {
	if n.VPC == spec.InternetVPC {
		return netip.PrefixFrom(v.Addrs[0], v.Addrs[0].BitLen())
	}
	return n.CIDR
}

func routerOf(n *spec.Subnet) netip.Addr {
	if n.RouterIP.IsValid() {
		return n.RouterIP
	}
	return n.CIDR.Masked().Addr().Next()
}

func (l *Lab) now() int64 { return l.clock() }

// flowID mixes seed, names and a count of starts: replies to an earlier start
// of the same client must not look like its own.
func (l *Lab) flowID(host, workload string) uint32 {
	return flowID(l.seed, host, workload, l.starts.Add(1))
}

func flowID(seed uint64, host, workload string, start uint64) uint32 {
	h := fnv.New32a()
	var b []byte
	b = strconv.AppendUint(b, seed, 16)
	b = append(append(append(b, ' '), host...), ' ')
	b = append(append(b, workload...), ' ')
	b = strconv.AppendUint(b, start, 16)
	_, _ = h.Write(b)
	return h.Sum32()
}
