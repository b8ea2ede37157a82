package guest

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"

	"enilab/internal/dataplane/spec"
)

// BenchmarkIdleHosts boots a thousand hosts, each with a stack, a NIC and its
// servers, and reports what one of them holds.
func BenchmarkIdleHosts(b *testing.B) {
	const hosts = 1000
	for b.Loop() {
		r := newRig(b)
		heap, goroutines := heapInUse(), runtime.NumGoroutine()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		d := spec.Delta{Subnets: []spec.Subnet{{
			ID: "subnet-c", VPC: "vpc-1", Zone: "a", CIDR: netip.MustParsePrefix("192.168.64.0/20"),
			VPCCIDRs: []netip.Prefix{netip.MustParsePrefix("192.168.0.0/16")}, RouterMAC: 0x0200000000c1,
		}}}
		for i := range hosts {
			id := fmt.Sprintf("i-%017x", 0x1000+i)
			n := 16 + i // behind the reserved addresses
			addr := netip.AddrFrom4([4]byte{192, 168, byte(64 + n>>8), byte(n)})
			d.Hosts = append(d.Hosts, r.on(id))
			d.VNICs = append(d.VNICs, vnic(fmt.Sprintf("eni-%d", i), 0x10000+i, "subnet-c", id, 0, addr))
		}
		r.apply(d)
		b.ReportMetric(float64(heapInUse()-heap)/hosts, "heap-B/host")
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/hosts, "stack-B/host")
		b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/hosts, "goroutines/host")
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/hosts, "µs/host")
}

// BenchmarkMove moves the service interface between two hosts: engine, stacks
// and routes, until a ping from the client has been answered by the new one.
func BenchmarkMove(b *testing.B) {
	r := newRig(b)
	c := r.lab.Host(clientID)
	i := 0
	for b.Loop() {
		i++
		r.move(serviceAt([]string{hostA, hostB}[i%2]))
		if _, err := c.Ping(r.ctx, clientAddr, service, 9, uint16(i), nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPing is a round trip through two stacks and the engine.
func BenchmarkPing(b *testing.B) {
	r := newRig(b)
	c := r.lab.Host(clientID)
	for b.Loop() {
		if _, err := c.Ping(r.ctx, clientAddr, service, 9, 1, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMeter(b *testing.B) {
	w, m := newWire(), testMeter(spec.WorkloadUDPEcho, 7, 5)
	out, in := echoFrames(w, 5)
	b.ReportAllocs()
	seq := uint32(0)
	for b.Loop() {
		seq++
		m.exchange(out, in, seq)
	}
}

func BenchmarkGenerator(b *testing.B) {
	g := generator{payload: make([]byte, defaultEchoSize)}
	b.ReportAllocs()
	for b.Loop() {
		g.burst(generatorBurst, 1)
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e9/float64(b.N*generatorBurst), "ns/frame")
}
