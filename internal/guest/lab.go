package guest

import (
	"cmp"
	"context"
	"errors"
	"hash/fnv"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/tcpip"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
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
	fabric  fabric
	clock   func() int64
	seed    uint64
	starts  atomic.Uint64 // clients started so far
	dhcp    bool
	leasing sync.WaitGroup // clients of DHCP

	// applying serialises Plane.Apply; taken before mu, never inside it.
	applying sync.Mutex

	// What the Deltas said. Guarded by applying.
	subnets map[string]spec.Subnet
	specs   map[string]spec.Host
	vnics   map[string]spec.VNIC      // attached ones only: a parked VNIC costs nothing here
	plugged map[string]map[int]string // host, device index: VNIC
	closed  bool

	// mu guards what readers look up.
	mu     sync.RWMutex
	hosts  map[string]*Host
	meters map[Flow]*meter
	macs   map[subnetAddr]frame.MAC // of attached VNICs
}

type subnetAddr struct {
	subnet string
	addr   netip.Addr
}

// NewLab returns a lab without hosts.
func NewLab(opt Options) *Lab {
	l := newLab(engineFabric{opt.Engine}, opt.Now, opt.Seed)
	l.dhcp = opt.DHCP
	return l
}

func newLab(f fabric, now func() int64, seed uint64) *Lab {
	return &Lab{
		fabric: f, clock: now, seed: seed,
		subnets: map[string]spec.Subnet{},
		specs:   map[string]spec.Host{},
		vnics:   map[string]spec.VNIC{},
		plugged: map[string]map[int]string{},
		hosts:   map[string]*Host{},
		meters:  map[Flow]*meter{},
		macs:    map[subnetAddr]frame.MAC{},
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

// noteLocked records what the Delta says and returns the ids of the hosts it
// concerns, sorted.
func (l *Lab) noteLocked(d spec.Delta) []string {
	touched := map[string]bool{}
	for _, s := range d.Subnets {
		l.subnets[s.ID] = s
	}
	for _, v := range d.VNICs {
		l.detachLocked(v.ID, touched)
		l.attachLocked(v, touched)
	}
	for _, id := range d.RemoveVNICs {
		l.detachLocked(id, touched)
	}
	for _, h := range d.Hosts {
		l.specs[h.ID] = h
		touched[h.ID] = true
	}
	for _, id := range d.RemoveHosts {
		delete(l.specs, id)
		touched[id] = true
	}
	for _, id := range d.RemoveSubnets {
		delete(l.subnets, id)
	}
	ids := make([]string, 0, len(touched))
	for id := range touched {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (l *Lab) detachLocked(id string, touched map[string]bool) {
	v, ok := l.vnics[id]
	if !ok {
		return
	}
	delete(l.vnics, id)
	touched[v.Host] = true
	// Another VNIC of the same Delta may have taken the index already.
	if at := l.plugged[v.Host]; at[v.DeviceIndex] == id {
		delete(at, v.DeviceIndex)
		if len(at) == 0 {
			delete(l.plugged, v.Host)
		}
	}
	l.mu.Lock()
	for _, a := range v.Addrs {
		if k := (subnetAddr{v.Subnet, a}); l.macs[k] == v.MAC {
			delete(l.macs, k)
		}
	}
	l.mu.Unlock()
}

func (l *Lab) attachLocked(v spec.VNIC, touched map[string]bool) {
	if v.Host == "" {
		return
	}
	l.vnics[v.ID] = v
	touched[v.Host] = true
	if l.plugged[v.Host] == nil {
		l.plugged[v.Host] = map[int]string{}
	}
	l.plugged[v.Host][v.DeviceIndex] = v.ID
	l.mu.Lock()
	for _, a := range v.Addrs {
		l.macs[subnetAddr{v.Subnet, a}] = v.MAC
	}
	l.mu.Unlock()
}

// defaultMTU is the IP MTU of a VPC.
const defaultMTU = 9001

// attachmentsLocked returns the NICs that a host has by the Deltas, by index.
func (l *Lab) attachmentsLocked(host string) []attachment {
	var as []attachment
	for index, id := range l.plugged[host] {
		v := l.vnics[id]
		p, ok := l.fabric.port(host, index)
		subnet, known := l.subnets[v.Subnet]
		if !ok || !known {
			continue // a later Delta has taken it away from the engine already
		}
		mtu := v.MTU
		if mtu == 0 {
			mtu = defaultMTU
		}
		as = append(as, attachment{
			index: index, vnic: v.ID, mac: tcpip.LinkAddress(v.MAC.HardwareAddr()), mtu: mtu,
			subnet: neighbours(&subnet, &v), subnetID: subnet.ID, router: routerOf(&subnet),
			routerMAC: subnet.RouterMAC, addrs: slices.Concat(v.Addrs, v.Overlay), forward: !v.SourceDestCheck, port: p,
		})
	}
	slices.SortFunc(as, func(a, b attachment) int { return cmp.Compare(a.index, b.index) })
	return as
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
	h := fnv.New32a()
	var b []byte
	b = strconv.AppendUint(b, l.seed, 16)
	b = append(append(append(b, ' '), host...), ' ')
	b = append(append(b, workload...), ' ')
	b = strconv.AppendUint(b, l.starts.Add(1), 16)
	_, _ = h.Write(b)
	return h.Sum32()
}

func (l *Lab) macOf(subnet string, a netip.Addr) (frame.MAC, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	mac, ok := l.macs[subnetAddr{subnet, a}]
	return mac, ok
}
