package guest

import (
	"context"
	"net/netip"
	"sync/atomic"
	"testing"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
)

// TestForwardingFollowsTheCheck: a guest whose NIC has no source/destination
// check passes on what a route leads to it for somebody else, and stops when the
// check is back.
func TestForwardingFollowsTheCheck(t *testing.T) {
	r := newRig(t)
	detour := vnic("eni-a", 0x0221, "subnet-a", hostA, 0, ownA)
	detour.SourceDestCheck = false
	b := spec.Subnet{
		ID: "subnet-b", VPC: "vpc-1", Zone: "b", CIDR: netip.MustParsePrefix("192.168.1.0/24"),
		VPCCIDRs: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}, RouterMAC: 0x0200000000b1, RouteTable: "rtb-b",
	}
	r.apply(spec.Delta{
		RouteTables: []spec.RouteTable{{ID: "rtb-b", Routes: []spec.Route{
			{Prefix: netip.MustParsePrefix("192.168.0.0/16")},
			{Prefix: netip.MustParsePrefix("192.168.0.0/24"), Kind: spec.RouteInterface, MAC: detour.MAC},
		}}},
		Subnets: []spec.Subnet{b}, VNICs: []spec.VNIC{detour},
	})
	far := r.lab.Host(farHost)
	if who, _, err := getOn(t, r.ctx, far, farAddr, netip.AddrPortFrom(clientAddr, httpPort)); err != nil || who != clientID {
		t.Fatalf("by way of an appliance: answered by %q, %v", who, err)
	}
	if c, _ := r.engine.VNICCounters("eni-a"); c.TxFrames == 0 {
		t.Error("the appliance has sent nothing: the way did not lead through it")
	}
	// The data plane's own check would keep the frames from the guest: only the
	// guest is told that it is back.
	detour.SourceDestCheck = true
	r.lab.applying.Lock()
	err := r.lab.applyLocked(spec.Delta{VNICs: []spec.VNIC{detour}})
	r.lab.applying.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if who, _, err := getOn(t, r.brief(), far, farAddr, netip.AddrPortFrom(clientAddr, httpPort)); err == nil {
		t.Errorf("%s answers by way of a guest that does not forward", who)
	}
}

// TestEachNICAnswersThroughItself: of two NICs in two subnets each answers what
// came in by it, though the asker is a neighbour of the other.
func TestEachNICAnswersThroughItself(t *testing.T) {
	r := newRig(t)
	outside := netip.MustParseAddr("192.168.1.21")
	r.apply(spec.Delta{VNICs: []spec.VNIC{vnic("eni-out", 0x0321, "subnet-b", hostA, 2, outside)}})
	frames := func(id string) uint64 {
		c, _ := r.engine.VNICCounters(id)
		return c.TxFrames
	}
	inside := frames("eni-a") + frames("eni-service")
	client := r.lab.Host(clientID)
	if _, err := client.Ping(r.ctx, clientAddr, outside, 5, 1, nil); err != nil {
		t.Errorf("ping: %v", err)
	}
	if who, _, err := getOn(t, r.ctx, client, clientAddr, netip.AddrPortFrom(outside, httpPort)); err != nil || who != hostA {
		t.Errorf("HTTP is answered by %q, %v", who, err)
	}
	if reply, _ := exchangeOn(r, client, clientAddr, outside, echoPort, []byte("hello")); string(reply) != "hello" {
		t.Errorf("UDP is answered with %q", reply)
	}
	if frames("eni-out") == 0 || frames("eni-a")+frames("eni-service") != inside {
		t.Errorf("%d frames left by the NIC that was asked, %d by the others", frames("eni-out"), frames("eni-a")+frames("eni-service")-inside)
	}
}

// anyPort is a fabric in which every NIC has a Port that nobody reads.
type anyPort struct{ engineFabric }

type mutePort struct{}

func (mutePort) Send(f [][]byte) int { return len(f) }

func (mutePort) Recv(ctx context.Context, _ int, _ func([]byte, int64)) (int, error) {
	<-ctx.Done()
	return 0, ctx.Err()
}

func (anyPort) port(string, int) (port, bool) { return mutePort{}, true }

// TestInternetHostStandsAlone: a guest of the internet has its address alone and
// everybody else behind the router that its subnet names.
func TestInternetHostStandsAlone(t *testing.T) {
	l := newLab(anyPort{}, monotonic(), 1)
	own, router := netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("169.254.0.1")
	err := l.applyLocked(spec.Delta{
		Subnets: []spec.Subnet{{
			ID: "internet", VPC: spec.InternetVPC, CIDR: anywhere, RouterMAC: frame.MAC(0x0600a9fe0001), RouterIP: router,
		}},
		VNICs: []spec.VNIC{{
			ID: "inet-00000001", MAC: frame.MAC(0x0600c000020a), Subnet: "internet", Addrs: []netip.Addr{own}, SourceDestCheck: true,
			MTU: 1500, Host: "inet-00000001",
		}},
		Hosts: []spec.Host{{ID: "inet-00000001", Power: spec.PowerOn, Boot: 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h := l.Host("inet-00000001")
	defer h.close()
	table := h.stack.GetRouteTable()
	if len(table) != 2 || table[0].Destination != subnetOf(netip.PrefixFrom(own, 32)) || table[1].Gateway != address(router) {
		t.Errorf("its routes are %v", table)
	}
	if s, ok := h.sourceLocked(netip.MustParseAddr("192.0.2.11")); !ok || s.addr != own {
		t.Errorf("it speaks to a host beside it from %v, %v", s, ok)
	}
}

// fedPort hands its NIC the frames that next gives, until it has none, and looks
// at what the NIC sends.
type fedPort struct {
	next func() []byte
	sent func(b []byte)
	fed  chan struct{} // closed when next has no more
}

func (p *fedPort) Send(frames [][]byte) int {
	for _, b := range frames {
		p.sent(b)
	}
	return len(frames)
}

func (p *fedPort) Recv(ctx context.Context, _ int, fn func([]byte, int64)) (int, error) {
	b := p.next()
	if b == nil {
		close(p.fed)
		<-ctx.Done()
		return 0, ctx.Err()
	}
	fn(b, 0)
	return 1, nil
}

// TestForwardingKeepsThePacketsTTL: what a guest passes on has one hop less than
// it came with, whatever passes the other way meanwhile; what has no hop left to
// lose is discarded, and its sender hears of it (RFC 1812, section 5.3.1).
func TestForwardingKeepsThePacketsTTL(t *testing.T) {
	const frames = 4000
	s, err := newStack()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Destroy()
	var nics [2]*nic
	var passed, exceeded atomic.Int32
	ready := make(chan struct{})
	for i := range nics {
		own, peer := frame.MAC(0x0200_0000_0010+i), frame.MAC(0x0200_0000_0020+i)
		from, to := netip.AddrFrom4([4]byte{10, 0, byte(i), 9}), netip.AddrFrom4([4]byte{10, 0, byte(1 - i), 9})
		src, _ := frame.IPv4From(from)
		dst, _ := frame.IPv4From(to)
		given := 0
		p := &fedPort{fed: make(chan struct{})}
		p.next = func() []byte {
			<-ready
			if given == frames {
				return nil
			}
			given++
			h := frame.Header{Dst: own, Src: peer, SrcIP: src, DstIP: dst}
			h.ID, h.TTL = uint16(given), uint8(1+given%200)
			return frame.AppendUDP(nil, h, 1000, 2000, nil)
		}
		p.sent = func(b []byte) {
			var v frame.View
			if v.Parse(b); v.Proto == frame.ProtoICMP {
				exceeded.Add(1)
				return
			}
			h := b[v.L3:]
			if id := uint16(h[4])<<8 | uint16(h[5]); uint16(h[8]) != id%200 {
				t.Errorf("frame %d came with a TTL of %d and leaves with %d", id, 1+id%200, h[8])
			}
			passed.Add(1)
		}
		n, err := plug(s, attachment{
			index: i, vnic: "eni", mac: tcpip.LinkAddress(own.HardwareAddr()), mtu: 1500, subnet: netip.PrefixFrom(from, 24).Masked(), router: from.Prev(),
			addrs: []netip.Addr{from.Next()}, forward: true, port: p,
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		defer n.unplug()
		if err := s.AddStaticNeighbor(n.id, ipv4.ProtocolNumber, address(from), tcpip.LinkAddress(peer.HardwareAddr())); err != nil {
			t.Fatal(err)
		}
		nics[i] = n
	}
	s.SetRouteTable(routes(nics[:]))
	close(ready)
	for _, n := range nics {
		<-n.at.port.(*fedPort).fed
	}
	if last := int32(2 * frames / 200); passed.Load() != 2*frames-last || exceeded.Load() != last {
		t.Errorf("of %d frames %d left and %d were answered, want all but %d to leave and those to be answered",
			2*frames, passed.Load(), exceeded.Load(), last)
	}
}
