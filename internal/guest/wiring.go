package guest

import (
	"cmp"
	"net/netip"
	"slices"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// wiring is which NICs hosts have, by what the Deltas said.
type wiring struct {
	ports   fabric
	subnets map[string]spec.Subnet
	specs   map[string]spec.Host
	vnics   map[string]spec.VNIC      // attached ones only: a parked VNIC costs nothing here
	plugged map[string]map[int]string // host, device index: VNIC

	macMu sync.RWMutex
	macs  map[subnetAddr]frame.MAC // of attached VNICs; guarded by macMu
}

type subnetAddr struct {
	subnet string
	addr   netip.Addr
}

func newWiring(f fabric) wiring {
	return wiring{
		ports:   f,
		subnets: map[string]spec.Subnet{},
		specs:   map[string]spec.Host{},
		vnics:   map[string]spec.VNIC{},
		plugged: map[string]map[int]string{},
		macs:    map[subnetAddr]frame.MAC{},
	}
}

// noteLocked records what the Delta says and returns the ids of the hosts it
// concerns, sorted.
func (l *wiring) noteLocked(d spec.Delta) []string {
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

func (l *wiring) detachLocked(id string, touched map[string]bool) {
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
	l.macMu.Lock()
	for _, a := range v.Addrs {
		if k := (subnetAddr{v.Subnet, a}); l.macs[k] == v.MAC {
			delete(l.macs, k)
		}
	}
	l.macMu.Unlock()
}

func (l *wiring) attachLocked(v spec.VNIC, touched map[string]bool) {
	if v.Host == "" {
		return
	}
	l.vnics[v.ID] = v
	touched[v.Host] = true
	if l.plugged[v.Host] == nil {
		l.plugged[v.Host] = map[int]string{}
	}
	l.plugged[v.Host][v.DeviceIndex] = v.ID
	l.macMu.Lock()
	for _, a := range v.Addrs {
		l.macs[subnetAddr{v.Subnet, a}] = v.MAC
	}
	l.macMu.Unlock()
}

// defaultMTU is the IP MTU of a VPC.
const defaultMTU = 9001

// attachmentsLocked returns the NICs that a host has by the Deltas, by index.
func (l *wiring) attachmentsLocked(host string) []attachment {
	var as []attachment
	for index, id := range l.plugged[host] {
		v := l.vnics[id]
		p, ok := l.ports.port(host, index)
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

func (l *wiring) macOf(subnet string, a netip.Addr) (frame.MAC, bool) {
	l.macMu.RLock()
	defer l.macMu.RUnlock()
	mac, ok := l.macs[subnetAddr{subnet, a}]
	return mac, ok
}
