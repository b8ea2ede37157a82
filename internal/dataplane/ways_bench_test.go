package dataplane

import (
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
)

// BenchmarkWays compares what a frame of 64 bytes costs by its way, 64 flows of
// one sender in bursts, one worker stepped by hand: compare the rows of one run.
func BenchmarkWays(b *testing.B) {
	for _, way := range []struct {
		name string
		ends func(l *cloud) (from, to VNICSpec, mac frame.MAC)
	}{
		{"subnet", func(l *cloud) (from, to VNICSpec, mac frame.MAC) { return l.a, l.b, l.b.MAC }},
		{"routed", func(l *cloud) (from, to VNICSpec, mac frame.MAC) { return l.a, l.c, routerA }},
		{"peering", func(l *cloud) (from, to VNICSpec, mac frame.MAC) { return l.a, l.p, routerA }},
		{"internet", func(l *cloud) (from, to VNICSpec, mac frame.MAC) { return l.a, l.w, routerA }},
		{"nat", func(l *cloud) (from, to VNICSpec, mac frame.MAC) { return l.c, l.w, routerB }},
	} {
		b.Run(way.name, func(b *testing.B) {
			l := newNATCloud(b, Options{})
			allow := []netacl.Entry{
				{Number: 90, Proto: frame.ProtoTCP, From: 22, To: 22, Prefix: anywhere},
				{Number: 100, Allow: true, Proto: -1, Prefix: anywhere},
			}
			subnets := labSubnets()
			subnets[0].RouteTable, subnets[1].RouteTable = "rtb-1", "rtb-private"
			subnets[0].ACL, subnets[1].ACL = "acl-a", "acl-b"
			l.apply(Delta{Subnets: subnets, ACLs: []ACLSpec{
				{ID: "acl-a", Ingress: allow, Egress: allow}, {ID: "acl-b", Ingress: allow, Egress: allow},
			}})
			from, to, mac := way.ends(l)
			h := toRouter(from, to.Addrs[0].String())
			h.Dst = mac
			frames := make([][]byte, burstFrames)
			for i := range frames {
				frames[i] = frame.AppendUDP(nil, h, uint16(1024+i), 53, make([]byte, 22))
			}
			out, in := l.Port(from.Host, 0), l.Port(to.Host, 0)
			b.ResetTimer()
			for done := 0; done < b.N; done += burstFrames {
				l.now += 1000
				out.Send(frames)
				l.settle()
				n := 0
				for n < burstFrames {
					m, err := in.Poll(0, func([]byte, int64) {})
					if err != nil || m == 0 {
						b.Fatalf("%d of %d frames arrived (%v): %v", n, burstFrames, err, l.Totals().Dropped)
					}
					n += m
				}
			}
		})
	}
}
