package dataplane

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/secgroup"
	"enilab/internal/dataplane/verdict"
)

const (
	routerA = frame.MAC(0x02_00_00_00_aa_01)
	routerB = frame.MAC(0x02_00_00_00_bb_01)
)

var (
	anywhere = netip.MustParsePrefix("0.0.0.0/0")
	vpcCIDR  = netip.MustParsePrefix("10.0.0.0/16")
)

// lab is an engine that the test steps by hand under a clock of its own, with
// two subnets and the security groups "open" and "closed".
type lab struct {
	*Engine
	t   testing.TB
	now int64
	gen uint64
}

func newLab(t testing.TB, opt Options) *lab {
	l := &lab{t: t, now: 1_700_000_000_000_000_000}
	opt.Now = func() int64 { return l.now }
	if opt.Workers == 0 {
		opt.Workers = 1
	}
	l.Engine = New(opt)
	l.apply(Delta{Subnets: labSubnets(), Groups: labGroups()})
	t.Cleanup(func() { checkInvariant(t, l.Engine) })
	return l
}

func labSubnets() []SubnetSpec {
	return []SubnetSpec{
		{ID: "subnet-a", VPC: "vpc-1", Zone: "a", CIDR: netip.MustParsePrefix("10.0.1.0/24"), VPCCIDRs: []netip.Prefix{vpcCIDR}, Resolver: resolver, RouterMAC: routerA},
		{ID: "subnet-b", VPC: "vpc-1", Zone: "b", CIDR: netip.MustParsePrefix("10.0.2.0/24"), VPCCIDRs: []netip.Prefix{vpcCIDR}, Resolver: resolver, RouterMAC: routerB},
	}
}

// network gives the subnets of the lab what change says, with a route table "rtb"
// and a network ACL "acl" whose entries of both directions are the same.
func (l *lab) network(change func(*SubnetSpec), routes []RouteSpec, entries []netacl.Entry) {
	d := Delta{Subnets: labSubnets()}
	if routes != nil {
		d.RouteTables = []RouteTableSpec{{ID: "rtb", Routes: routes}}
	}
	if entries != nil {
		d.ACLs = []ACLSpec{{ID: "acl", Ingress: entries, Egress: entries}}
	}
	for i := range d.Subnets {
		change(&d.Subnets[i])
	}
	l.apply(d)
}

func labGroups() []GroupSpec {
	all := func(id verdict.RuleID) []RuleSpec {
		return []RuleSpec{{Name: fmt.Sprintf("sgr-%d", id), Rule: secgroup.Rule{ID: id, Proto: secgroup.AllProtocols, Prefix: anywhere}}}
	}
	return []GroupSpec{
		{ID: "open", Ref: 1, Ingress: all(16), Egress: all(17)},
		{ID: "closed", Ref: 2, Egress: all(18)},
		{ID: "mute", Ref: 3, Ingress: all(19)},
	}
}

// checkInvariant is the one checker: sent = delivered + dropped by reason + in flight.
func checkInvariant(t testing.TB, e *Engine) {
	t.Helper()
	if totals := e.Totals(); totals.Unaccounted() != 0 {
		t.Errorf("%d frames unaccounted for: %+v", totals.Unaccounted(), totals)
	}
}

func (l *lab) apply(d Delta) {
	l.t.Helper()
	l.gen++
	d.Generation = l.gen
	if _, err := l.Apply(context.Background(), d); err != nil {
		l.t.Fatal(err)
	}
}

// eni returns a running ENI's spec: eni(1, 10) is 10.0.1.10 on host "i-1-10".
func eni(subnet, n int, groups ...string) VNICSpec {
	if len(groups) == 0 {
		groups = []string{"open"}
	}
	return VNICSpec{
		ID:     fmt.Sprintf("eni-%d-%d", subnet, n),
		MAC:    frame.MAC(0x02_00_00_00_00_00 | subnet<<16 | n),
		Subnet: map[int]string{1: "subnet-a", 2: "subnet-b"}[subnet],
		Addrs:  []netip.Addr{netip.AddrFrom4([4]byte{10, 0, byte(subnet), byte(n)})},
		Groups: groups, SourceDestCheck: true, Host: fmt.Sprintf("i-%d-%d", subnet, n),
	}
}

func on(id string) HostSpec { return HostSpec{ID: id, Power: PowerOn, Boot: 1} }

// add applies ENIs and powers their hosts on.
func (l *lab) add(specs ...VNICSpec) {
	l.t.Helper()
	d := Delta{VNICs: specs}
	seen := map[string]bool{}
	for _, s := range specs {
		if s.Host != "" && !seen[s.Host] {
			seen[s.Host] = true
			d.Hosts = append(d.Hosts, on(s.Host))
		}
	}
	l.apply(d)
}

func ip4(a netip.Addr) frame.IPv4 { ip, _ := frame.IPv4From(a); return ip }

// via returns the header of a frame as a would send it to b.
func via(a, b VNICSpec) frame.Header {
	dst := b.MAC
	if a.Subnet != b.Subnet {
		dst = map[string]frame.MAC{"subnet-a": routerA, "subnet-b": routerB}[a.Subnet]
	}
	return frame.Header{Dst: dst, Src: a.MAC, SrcIP: ip4(a.Addrs[0]), DstIP: ip4(b.Addrs[0]), TTL: 64}
}

func udp(a, b VNICSpec, sport, dport uint16, payload string) []byte {
	return frame.AppendUDP(nil, via(a, b), sport, dport, []byte(payload))
}

// send hands frames to the port of s and runs the engine until nothing moves.
func (l *lab) send(s VNICSpec, frames ...[]byte) int {
	l.t.Helper()
	p := l.Port(s.Host, s.DeviceIndex)
	if p == nil {
		l.t.Fatalf("%s has no port", s.ID)
	}
	n := p.Send(frames)
	l.settle()
	return n
}

// stepWhileHeld runs a burst of from's home while somebody else holds to: what from
// has sent there goes to an inbox.
func (l *lab) stepWhileHeld(from, to VNICSpec) {
	held := l.vnicByID(to.ID)
	held.token.Lock()
	defer held.token.Unlock()
	w := l.vnicByID(from.ID).home
	w.run.Lock()
	defer w.run.Unlock()
	w.burst(l.now)
}

func (l *lab) settle() {
	for l.Step() {
	}
}

// received takes what waits at the port of s.
func (l *lab) received(s VNICSpec) [][]byte {
	l.t.Helper()
	p := l.Port(s.Host, s.DeviceIndex)
	if p == nil {
		l.t.Fatalf("%s has no port", s.ID)
	}
	var out [][]byte
	if _, err := p.Poll(0, func(b []byte, at int64) {
		// Workers that follow each other at a VNIC are a nanosecond apart.
		if at < l.now || at > l.now+1000 {
			l.t.Errorf("delivered at %d, want %d", at, l.now)
		}
		out = append(out, append([]byte(nil), b...))
	}); err != nil {
		l.t.Fatal(err)
	}
	return out
}

func (l *lab) dropped(r verdict.Reason) uint64 { return l.Totals().Dropped[r] }
