package dataplane

import (
	"math/rand/v2"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/predict"
)

// drawQuestion is a packet of a connection that nobody has used before: question q
// of a world has ports of its own.
func (m *model) drawQuestion(seed, q uint64) (VNICSpec, predict.Packet) {
	r := rand.New(rand.NewPCG(seed, q))
	one := func(of []VNICSpec) VNICSpec { return of[r.IntN(len(of))] }
	guests := slices.DeleteFunc(slices.Clone(m.vnics), func(v VNICSpec) bool { return v.NAT != nil })
	if r.IntN(10) > 0 {
		guests = slices.DeleteFunc(guests, func(v VNICSpec) bool { return m.state(v) != verdict.Delivered })
	}
	from, to := one(guests), one(m.vnics)
	p := predict.Packet{
		Src: from.Addrs[r.IntN(len(from.Addrs))], Dst: to.Addrs[r.IntN(len(to.Addrs))],
		Proto:   []uint8{frame.ProtoUDP, frame.ProtoUDP, frame.ProtoTCP, frame.ProtoICMP}[r.IntN(4)],
		SrcPort: uint16(20000 + q), DstPort: uint16(1 + r.IntN(6)), DontFrag: r.IntN(2) > 0,
	}
	if len(to.Public) > 0 && r.IntN(2) > 0 {
		p.Dst = to.Public[r.IntN(len(to.Public))].Public
	}
	if p.Proto == frame.ProtoICMP {
		p.DstPort = p.SrcPort
	}
	switch r.IntN(20) {
	case 0:
		p.Src = p.Dst
	case 3, 4, 5:
		if !from.SourceDestCheck {
			p.Src = one(m.vnics).Addrs[0]
		}
	case 1:
		p.Dst = netip.AddrFrom4([4]byte{10, 0, byte(r.IntN(3)), 250})
	case 6, 7:
		m.drawService(r, from, &p)
	case 2:
		p.Size = []int{1500, 1501, 8501, 9001, 9002}[r.IntN(5)]
	}
	return from, p
}

// drawService makes p one for a service of the network, or nearly.
func (m *model) drawService(r *rand.Rand, from VNICSpec, p *predict.Packet) {
	n := m.subnets[from.Subnet]
	router := n.CIDR.Masked().Addr().Next()
	if n.RouterIP.IsValid() {
		router = n.RouterIP
	}
	resolver := vpcCIDR.Addr().Next().Next()
	p.Dst = []netip.Addr{
		linklocal.Metadata.Addr(), linklocal.DNS.Addr(), linklocal.Time.Addr(), resolver, router, broadcastAddr,
		netip.MustParseAddr("169.254.169.250"),
	}[r.IntN(7)]
	p.Proto = []uint8{frame.ProtoUDP, frame.ProtoUDP, frame.ProtoTCP, frame.ProtoICMP}[r.IntN(4)]
	p.DstPort = []uint16{67, 53, 123, 80, 67, 53, 123, 9}[r.IntN(8)]
	switch {
	case p.Proto == frame.ProtoICMP:
		p.DstPort = p.SrcPort
	case p.Dst == router || p.Dst == broadcastAddr:
		if r.IntN(3) == 0 {
			p.Src = netip.IPv4Unspecified()
		}
	}
}
