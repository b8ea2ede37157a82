package dataplane

import (
	"testing"

	"enilab/internal/dataplane/netacl"
)

// BenchmarkTold is the work of one worker and its guests a frame, without
// goroutines: eight senders take turns, and every other one may speak to the
// receiver. Time passes as if the engine were saturated. Routed is the way between
// two subnets, with a route table and a network ACL.
func BenchmarkTold(b *testing.B) {
	for _, x := range []struct {
		name     string
		refused  bool
		routed   bool
		observed bool
	}{
		{"accepted/off", false, false, false}, {"accepted/observer", false, false, true},
		{"refused/off", true, false, false}, {"refused/observer", true, false, true},
		{"routed/off", false, true, false}, {"routed/observer", false, true, true},
	} {
		b.Run(x.name, func(b *testing.B) {
			l := newLab(b, Options{})
			to := eni(1, 10)
			if x.refused {
				to = eni(1, 10, "closed")
			}
			if x.routed {
				to = eni(2, 10)
				l.network(func(n *SubnetSpec) { n.ACL, n.RouteTable = "acl", "rtb" }, []RouteSpec{{Prefix: vpcCIDR}},
					[]netacl.Entry{{Number: 100, Allow: true, Proto: -1, Prefix: anywhere}})
			}
			l.add(to)
			const senders, length = 8, 8
			var from [senders]*Port
			var calls [senders][][]byte
			for i := range from {
				s := eni(1, 20+i)
				l.add(s)
				from[i] = l.Port(s.Host, 0)
				for len(calls[i]) < length {
					calls[i] = append(calls[i], udp(s, to, uint16(1024+len(calls[i])), 53, "0123456789012345678901"))
				}
			}
			if x.observed {
				defer l.Observe(discard{})()
			}
			receiver, w := l.Port(to.Host, 0), l.workers[0]
			sink := func([]byte, int64) {}
			const frameTime = 120 // nanoseconds
			told := l.now
			b.ReportAllocs()
			cpu := cpuTime()
			b.ResetTimer()
			for n := 0; n < b.N; n += senders * length {
				for i, p := range from {
					p.Send(calls[i])
				}
				w.run.Lock()
				w.burst(l.now)
				w.run.Unlock()
				if _, err := receiver.Poll(0, sink); err != nil {
					b.Fatal(err)
				}
				if l.now += senders * length * frameTime; x.observed && l.now-told >= int64(collectInterval) {
					told = l.now
					l.collect(l.now)
				}
			}
			b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/frame")
		})
	}
}
