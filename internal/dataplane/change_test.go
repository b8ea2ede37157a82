package dataplane

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/verdict"
)

// setting is what TestNothingArrivesUnderAnOldConfiguration changes: one thing a
// Delta.
type setting struct {
	holder  int  // of the public address: 0 nobody, else a or b
	gateway bool // vpc-1 has its internet gateway
	out     bool // subnet-a has a route to it, else a blackhole
	peer    bool // subnet-a has a route to the peer
	nat     bool // subnet-b has a route to the NAT gateway
	public  bool // the NAT gateway has its public address
	open    bool // subnet-a's network ACL lets in what comes to port 9
}

// changing is a cloud with traffic by its internet gateway, its NAT gateway and
// its peering, under a setting.
type changing struct {
	*cloud
	nat VNICSpec
	now setting
}

const floating = "203.0.113.50"

// change draws another setting, and the Delta that leads there.
func (c *changing) change(r *rand.Rand) (setting, Delta) {
	s := c.now
	switch r.IntN(7) {
	case 0:
		s.holder = (s.holder + 1 + r.IntN(2)) % 3
		return s, Delta{VNICs: c.holders(s)}
	case 1:
		if s.gateway = !s.gateway; !s.gateway {
			return s, Delta{RemoveGateways: []string{"igw-1"}}
		}
		return s, Delta{Gateways: []GatewaySpec{{ID: "igw-1", VPC: "vpc-1"}}}
	case 2:
		s.out = !s.out
	case 3:
		s.peer = !s.peer
	case 4:
		s.nat = !s.nat
	case 5:
		s.public = !s.public
		return s, Delta{VNICs: []VNICSpec{c.natOf(s)}}
	case 6:
		s.open = !s.open
		return s, Delta{ACLs: []ACLSpec{aclOf(s)}}
	}
	return s, Delta{RouteTables: c.tablesOf(s)}
}

func (c *changing) holders(s setting) []VNICSpec {
	a, b := c.a, c.b
	a.Public, b.Public = nil, nil
	if s.holder == 1 {
		a.Public = []PublicAddr{{Private: a.Addrs[0], Public: addr(floating)}}
	} else if s.holder == 2 {
		b.Public = []PublicAddr{{Private: b.Addrs[0], Public: addr(floating)}}
	}
	return []VNICSpec{a, b}
}

func (c *changing) natOf(s setting) VNICSpec {
	n := c.nat
	if n.Public = nil; s.public {
		n.Public = []PublicAddr{{Private: n.Addrs[0], Public: addr("203.0.113.99")}}
	}
	return n
}

func aclOf(s setting) ACLSpec {
	all := netacl.Entry{Number: 100, Allow: true, Proto: -1, Prefix: anywhere}
	return ACLSpec{ID: "acl", Egress: []netacl.Entry{all}, Ingress: []netacl.Entry{all,
		{Number: 1, Allow: s.open, Proto: frame.ProtoUDP, Prefix: anywhere, From: 9, To: 9}}}
}

func (c *changing) tablesOf(s setting) []RouteTableSpec {
	one := []RouteSpec{{Prefix: vpcCIDR}, {Prefix: anywhere, Kind: RouteBlackhole}}
	if s.out {
		one[1] = RouteSpec{Prefix: anywhere, Kind: RouteInternet, Via: "igw-1"}
	}
	if s.peer {
		one = append(one, RouteSpec{Prefix: prefix("10.1.0.0/16"), Kind: RoutePeering, VPC: "vpc-2", Via: "pcx-1"})
	}
	private := []RouteSpec{{Prefix: vpcCIDR}}
	if s.nat {
		private = append(private, RouteSpec{Prefix: anywhere, Kind: RouteInterface, MAC: c.nat.MAC, Via: "nat-1"})
	}
	return []RouteTableSpec{{ID: "rtb-1", Routes: one}, {ID: "rtb-private", Routes: private}}
}

// stream is one sort of frames, known by a mark in their payload and by who
// receives them.
type stream struct {
	name     string
	mark     uint32
	from, to *VNICSpec
	frame    []byte                 // nil: another's goes here as well, or an answer to one
	may      []func(s setting) bool // what must hold where it passes, each at its time
}

func (c *changing) streams() []stream {
	holds := func(n int) func(setting) bool { return func(s setting) bool { return s.holder == n } }
	gateway := func(s setting) bool { return s.gateway }
	out := func(s setting) bool { return s.out }
	open := func(s setting) bool { return s.open }
	toPeer := func(s setting) bool { return s.peer }
	toNAT := func(s setting) bool { return s.nat }
	natPublic := func(s setting) bool { return s.public }
	type conditions = []func(setting) bool
	list := []stream{
		{"in to a", 1, &c.w, &c.a, routed(c.w, floating, 1, 8), conditions{holds(1), gateway}},
		{"in to b", 1, &c.w, &c.b, nil, conditions{holds(2), gateway}},
		{"in to port 9 of a", 2, &c.x, &c.a, routed(c.x, floating, 1, 9), conditions{holds(1), gateway, open}},
		{"in to port 9 of b", 2, &c.x, &c.b, nil, conditions{holds(2), gateway, open}},
		{"out from a", 3, &c.a, &c.w, routed(c.a, "198.51.100.1", 2, 8), conditions{holds(1), gateway, out}},
		{"out from b", 4, &c.b, &c.x, routed(c.b, "198.51.100.2", 2, 8), conditions{holds(2), gateway, out}},
		{"a to the peer", 5, &c.a, &c.p, routed(c.a, "10.1.1.10", 3, 8), conditions{toPeer}},
		{"within", 6, &c.b, &c.c, routed(c.b, "10.0.2.12", 3, 8), nil},
		{"out by NAT", 7, &c.c, &c.w, routed(c.c, "198.51.100.1", 4, 8), conditions{toNAT, natPublic, gateway, out}},
		{"back by NAT", markAnswer, &c.w, &c.c, nil, conditions{natPublic, gateway}},
	}
	const payload = frame.EthernetLen + frame.IPv4MinLen + frame.UDPLen
	for _, s := range list {
		if s.frame != nil {
			binary.BigEndian.PutUint32(s.frame[payload:], s.mark)
			binary.BigEndian.PutUint16(s.frame[payload-2:], 0) // no checksum
		}
	}
	return list
}

// TestNothingArrivesUnderAnOldConfiguration changes routes, network ACLs, gateways
// and public addresses as fast as it can while frames cross an internet gateway, a
// NAT gateway and a peering. What the guests find between two changes was
// delivered under the setting before or behind the second: never one before.
func TestNothingArrivesUnderAnOldConfiguration(t *testing.T) {
	for _, workers := range []int{1, 4} {
		c := &changing{cloud: newCloud(t, Options{Workers: workers}), nat: natENI("")}
		c.nat.ID = "eni-nat"
		c.now = setting{holder: 1, gateway: true, out: true, peer: true, nat: true, public: true, open: true}
		subnets := labSubnets()
		subnets[0].RouteTable, subnets[0].ACL, subnets[1].RouteTable = "rtb-1", "acl", "rtb-private"
		c.apply(Delta{RouteTables: c.tablesOf(c.now), ACLs: []ACLSpec{aclOf(c.now)}, Subnets: subnets, VNICs: append(c.holders(c.now), c.natOf(c.now))})
		c.run(t)
	}
}

func (c *changing) run(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	c.Start(ctx)
	streams := c.streams()
	guests := []VNICSpec{c.a, c.b, c.c, c.p, c.w, c.x}
	ports := map[string]*Port{}
	for _, g := range guests {
		ports[g.ID] = c.Port(g.Host, g.DeviceIndex)
	}
	seen := make([]int, len(streams))
	var before setting
	look := func() {
		for _, g := range guests {
			var answers [][]byte
			if _, err := ports[g.ID].Poll(0, func(b []byte, _ int64) {
				if t.Failed() {
					return
				}
				i := which(t, streams, g, b)
				if i < 0 {
					return
				}
				seen[i]++
				for n, may := range streams[i].may {
					if !may(before) && !may(c.now) {
						t.Errorf("%s: a frame has arrived although condition %d holds neither in %+v nor in %+v", streams[i].name, n, before, c.now)
					}
				}
				if streams[i].name == "out by NAT" && len(answers) < 8 {
					answers = append(answers, answerTo(b, c.w))
				}
			}); err != nil {
				t.Error(err)
			}
			if len(answers) > 0 {
				ports[g.ID].Send(answers)
			}
		}
	}
	r := rand.New(rand.NewPCG(11, 12))
	const changes = 3000
	for range changes {
		for _, s := range streams {
			if s.frame != nil {
				ports[s.from.ID].Send(slices.Repeat([][]byte{s.frame}, 1+r.IntN(32)))
			}
		}
		// The workers carry them while this comes into force.
		next, d := c.change(r)
		before, c.now = c.now, next
		d.Generation = c.nextGeneration()
		if _, err := c.Apply(ctx, d); err != nil {
			t.Fatal(err)
		}
		look()
		if t.Failed() {
			break
		}
		if r.IntN(8) == 0 { // lest changes outrun all frames
			<-drained(ctx, c.Engine)
			look()
		}
	}
	<-drained(ctx, c.Engine)
	for _, p := range ports {
		if _, err := p.Poll(0, func([]byte, int64) {}); err != nil {
			t.Error(err)
		}
	}
	cancel()
	c.Wait()
	for i, n := range seen {
		if n == 0 && !t.Failed() {
			t.Errorf("%s: nothing has arrived, the test has seen nothing", streams[i].name)
		}
	}
	checkInvariant(t, c.Engine)
	for id, p := range ports {
		if n := p.send.pool.InFlight(); n != 0 {
			t.Errorf("%d buffers of %s have not come home", n, id)
		}
	}
	for _, w := range c.workers {
		if n := w.own.InFlight(); n != 0 {
			t.Errorf("%d buffers of worker %d have not come home", n, w.id)
		}
	}
	if d := c.Totals().Dropped; d[verdict.Blackhole] == 0 || d[verdict.NoPublicHost] == 0 || d[verdict.NoPublicAddress] == 0 || d[verdict.IngressACLDenied] == 0 {
		t.Errorf("dropped %v: the changes have not been felt", d)
	}
}

// which finds the stream of a frame that g has received; an ICMP error has none.
func which(t *testing.T, streams []stream, g VNICSpec, b []byte) int {
	var v frame.View
	if v.Parse(b) != frame.KindIPv4 || v.Proto != frame.ProtoUDP {
		return -1
	}
	mark := binary.BigEndian.Uint32(b[v.Payload:])
	i := slices.IndexFunc(streams, func(s stream) bool { return s.mark == mark && s.to.ID == g.ID })
	if i < 0 {
		t.Errorf("%s received a frame of stream %d: %+v", g.ID, mark, v)
	}
	return i
}

const markAnswer = 9

// answerTo is what w sends back to whoever sent b.
func answerTo(b []byte, w VNICSpec) []byte {
	var v frame.View
	v.Parse(b)
	h := frame.Header{Dst: routerInternet, Src: w.MAC, SrcIP: v.DstIP, DstIP: v.SrcIP, TTL: 64}
	return frame.AppendUDP(nil, h, v.DstPort, v.SrcPort, binary.BigEndian.AppendUint32(nil, markAnswer))
}
