//go:build judge && linux

package judge

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"

	"golang.org/x/sys/unix"
)

// kernel is a topology made of Linux namespaces:
//
//	stage     the guests' ends of all links, where frames are sent and seen
//	ENI       one each: source/destination check and security groups with
//	          connection tracking, forwarding between guest and wire
//	NAT       one each: source NAT and nothing else
//	subnet    a bridge, and the subnet's router behind it: its route table, and
//	          its network ACL where it is left and entered
//	core      one a VPC: who has which address; the way to gateways and peers
//	gateway   one an internet gateway: stateless translation, its route table
//	internet  its hosts, and who has which public address
//
// A destination MAC is the label of what a route says: of the ENI, the gateway or
// the peer that a frame shall reach, whatever its destination address is.
type kernel struct {
	stage
	topology *topology
	all      []*namespace
	guests   map[string]string // links in the stage by ENI
	cores    map[string]*namespace
	count    int
	err      error // the first
}

// build makes t's namespaces. The caller's thread is locked, and is in the stage
// when build returns.
func build(t *topology) (*kernel, error) {
	k := &kernel{topology: t, guests: map[string]string{}, cores: map[string]*namespace{}}
	k.stage.namespace = k.namespace("stage")
	k.stage.ipf("link add name probe0 type veth peer name probe1\nlink set probe0 up\nlink set probe1 up")
	internet := k.namespace("internet")
	for i := range t.Subnets {
		s := &t.Subnets[i]
		if s.VPC == spec.InternetVPC {
			continue
		}
		if k.cores[s.VPC] == nil {
			k.cores[s.VPC] = k.namespace("core of " + s.VPC)
		}
		k.subnet(s)
	}
	for i := range t.Gateways {
		k.gateway(&t.Gateways[i], internet)
	}
	k.peering("vpc-1", "vpc-2")
	k.hosts(internet)
	if k.err != nil {
		return k, k.err
	}
	for _, n := range k.all {
		if err := n.configure(); err != nil {
			return k, err
		}
	}
	for _, n := range k.all {
		if err := n.running(); err != nil {
			return k, err
		}
	}
	if err := k.stage.enter(); err != nil {
		return k, err
	}
	// The kernel starts a link's queue after saying that it runs, under the lock
	// that this change wants too.
	if err := run("link set lo up", "ip", "-batch", "-"); err != nil {
		return k, err
	}
	return k, k.open(k.guests)
}

func (k *kernel) close() {
	k.stage.close()
	for _, n := range k.all {
		n.file.Close()
	}
}

// namespace makes one; after an error it only looks so.
func (k *kernel) namespace(name string) *namespace {
	n := &namespace{name: name}
	if k.err == nil {
		if n, k.err = newNamespace(name); k.err == nil {
			k.all = append(k.all, n)
			return n
		}
		n = &namespace{name: name}
	}
	return n
}

func (k *kernel) number() int {
	k.count++
	return k.count
}

// mac returns one that nobody has.
func (k *kernel) mac() frame.MAC { return frame.MAC(0x02_00_00_03_00_00 + k.number()) }

// name returns a link's that no other has.
func (k *kernel) name(kind string) string { return fmt.Sprintf("%s%d", kind, k.number()) }

// link joins two namespaces by a cable.
func (k *kernel) link(a *namespace, aName string, aMAC frame.MAC, b *namespace, bName string, bMAC frame.MAC) {
	if k.err != nil {
		return
	}
	k.stage.ipf("link add name %s address %s netns %s type veth peer name %s address %s netns %s", aName, aMAC, a.path(), bName, bMAC, b.path())
	a.ipf("link set %s up", aName)
	b.ipf("link set %s up", bName)
}

// hop returns the next hop of a route that leads to mac on a link of n. No ARP is
// asked anywhere.
func (k *kernel) hop(n *namespace, link string, mac frame.MAC) string {
	i := k.number()
	ip := netip.AddrFrom4([4]byte{169, 254, byte(i >> 8), byte(i)})
	n.ipf("neigh add %s lladdr %s dev %s nud permanent", ip, mac, link)
	return fmt.Sprintf("via %s dev %s onlink", ip, link)
}

// label leads what comes in for mac, by a link of n that takes labels, to next,
// whatever its destination address is.
func (k *kernel) label(n *namespace, mac frame.MAC, next string) {
	i := k.number()
	n.ipf("rule add pref 50 fwmark %d lookup %d\nroute add default %s table %d", i, i+1000, next, i+1000)
	n.labels = append(n.labels, fmt.Sprintf("ether daddr %s meta mark set %d meta pkttype set host", mac, i))
}

// labelled returns the chain that sets a namespace's labels.
func labelled(n *namespace) string {
	if len(n.labels) == 0 {
		return ""
	}
	return fmt.Sprintf("table netdev labels {\n chain in {\n type filter hook ingress devices = { %s } priority 0; policy accept;\n %s\n }\n}\n",
		strings.Join(n.takes, ", "), strings.Join(n.labels, "\n "))
}

func vpcNumber(vpc string) int          { return int(vpc[len(vpc)-1] - '0') }
func gatewayLabel(vpc string) frame.MAC { return frame.MAC(0x02_00_00_04_00_00 | vpcNumber(vpc)) }
func peerLabel(vpc string) frame.MAC    { return frame.MAC(0x02_00_00_05_00_00 | vpcNumber(vpc)) }

// in are the interfaces for which ok holds.
func (t *topology) in(ok func(v *spec.VNIC) bool) (out []*spec.VNIC) {
	for i := range t.VNICs {
		if v := &t.VNICs[i]; ok(v) {
			out = append(out, v)
		}
	}
	return out
}

func (t *topology) byMAC(mac frame.MAC) *spec.VNIC {
	for _, v := range t.in(func(v *spec.VNIC) bool { return v.MAC == mac }) {
		return v
	}
	return nil
}

// route adds one of table 100; next is a hop or a kind of route.
func route(n *namespace, p netip.Prefix, next string) {
	if strings.HasPrefix(next, "via") {
		n.ipf("route add %s %s table 100", p, next)
	} else {
		n.ipf("route add %s %s table 100", next, p)
	}
}

// pin keeps the caller's locked thread on one of the processors that it may use.
func pin() (undo func(), err error) {
	var before, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, fmt.Errorf("reading the processors allowed: %w", err)
	}
	for cpu := range len(before) * 64 {
		if before.IsSet(cpu) {
			one.Set(cpu)
			if err := unix.SchedSetaffinity(0, &one); err != nil {
				return nil, fmt.Errorf("staying on one processor: %w", err)
			}
			return func() { _ = unix.SchedSetaffinity(0, &before) }, nil
		}
	}
	return nil, errors.New("no processor to run on")
}
