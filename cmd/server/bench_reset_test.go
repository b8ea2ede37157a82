package main

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"
)

// BenchmarkReset takes the built binary back to an empty laboratory from 1,000
// network interfaces, parked or in 100 running instances, through the API.
func BenchmarkReset(b *testing.B) {
	const total, hosts = 1000, 100
	for _, attached := range []bool{false, true} {
		b.Run(fmt.Sprintf("attached=%t", attached), func(b *testing.B) {
			s := launch(b, serveArgs(b.TempDir())...)
			http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 8
			var took []time.Duration
			for b.Loop() {
				b.StopTimer()
				var vpc, subnet struct{ ID string }
				s.call("POST", "/api/v1/vpcs", map[string]any{"cidr": "10.0.0.0/16"}, &vpc)
				s.call("POST", "/api/v1/subnets", map[string]any{"vpcId": vpc.ID, "cidr": "10.0.0.0/20"}, &subnet)
				enis := s.each(total, func(int) string {
					var n struct{ ID string }
					s.call("POST", "/api/v1/network-interfaces", map[string]any{"subnetId": subnet.ID}, &n)
					return n.ID
				})
				if attached {
					ids := s.each(hosts, func(int) string {
						var i struct{ ID string }
						s.call("POST", "/api/v1/instances", map[string]any{"subnetId": subnet.ID, "type": "c5.18xlarge"}, &i)
						return i.ID
					})
					s.running(ids)
					// Each has ten with its primary one.
					s.each(total-hosts, func(k int) string {
						s.call("POST", "/api/v1/network-interfaces/"+enis[k]+"/attach",
							map[string]any{"instanceId": ids[k%hosts], "deviceIndex": 1 + k/hosts}, nil)
						return ""
					})
				}
				b.StartTimer()
				begun := time.Now()
				s.call("POST", "/api/v1/reset", nil, nil)
				took = append(took, time.Since(begun))
			}
			b.ReportMetric(percentile(took, 50), "p50-ms")
			b.ReportMetric(percentile(took, 100), "max-ms")
			b.ReportMetric(0, "ns/op") // said above
		})
	}
}

// each calls f for 0 to n-1, eight at a time, and returns the results in order.
func (s *subject) each(n int, f func(int) string) []string {
	out := make([]string, n)
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for k := w; k < n; k += 8 {
				out[k] = f(k)
			}
		})
	}
	wg.Wait()
	return out
}

// running waits until instances run.
func (s *subject) running(ids []string) {
	s.b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		pending := 0
		for _, id := range ids {
			var i struct{ State string }
			s.call("GET", "/api/v1/instances/"+id, nil, &i)
			if i.State == "pending" {
				pending++
			}
		}
		if pending == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.b.Fatalf("%d instances do not run", pending)
		}
	}
}
