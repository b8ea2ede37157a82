package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// watched is a laboratory of pairs whose generators send at a rate in all.
func watched(pairs, rate int) string {
	var y strings.Builder
	y.WriteString("vpcs: [{name: lab, cidr: 10.0.0.0/16}]\nsubnets: [{name: a, vpc: lab, cidr: 10.0.0.0/22, zone: 1}]\n" +
		"securityGroups:\n  - {name: all, vpc: lab, description: all, ingress: [{protocol: all, from: 10.0.0.0/16}]}\ninstances:\n")
	for i := range pairs {
		fmt.Fprintf(&y, "  - {name: r%d, subnet: a, ip: 10.0.1.%d, groups: [all]}\n", i, i+10)
		fmt.Fprintf(&y, "  - {name: s%d, subnet: a, ip: 10.0.2.%d, groups: [all], workloads: [{name: w, kind: frames, target: 10.0.1.%d, rate: %d}]}\n",
			i, i+10, i+10, rate/pairs)
	}
	return y.String()
}

// BenchmarkWatchedByPages is what a hundred pages cost the server at 10,000 frames
// a second: its processor time for each frame, with none, one and a hundred of
// them in turn. The pages are connections that read and throw away; what that
// costs is this process's time, not the server's.
func BenchmarkWatchedByPages(b *testing.B) {
	const rate = 10_000
	file := filepath.Join(b.TempDir(), "watched.yaml")
	if err := os.WriteFile(file, []byte(watched(20, rate)), 0o600); err != nil {
		b.Fatal(err)
	}
	s := launch(b, "serve", "--listen", "127.0.0.1:0", "--data", b.TempDir(), "--scenario", file)
	counts := []int{0, 1, 100}
	spent := make([]time.Duration, len(counts))
	frames := make([]uint64, len(counts))
	for b.Loop() {
		for i, pages := range counts {
			leave := s.watch(pages)
			time.Sleep(500 * time.Millisecond) // what joining costs is not what watching does
			cpu, n := s.cpu(), s.delivered()
			time.Sleep(3 * time.Second)
			spent[i] += s.cpu() - cpu
			frames[i] += s.delivered() - n
			leave()
		}
	}
	for i, pages := range counts {
		b.ReportMetric(float64(spent[i].Nanoseconds())/float64(frames[i]), fmt.Sprintf("cpu-ns/frame(%d)", pages))
	}
	// Of the machine, which the data plane has to itself when nobody watches.
	wall := 3 * time.Second * time.Duration(b.N)
	b.ReportMetric(100*float64(spent[2]-spent[0])/float64(wall), "%-of-a-core-for-100")
	b.ReportMetric(0, "ns/op")
}

// watch connects so many pages, which read what they are sent.
func (s *subject) watch(pages int) (leave func()) {
	s.b.Helper()
	var reading sync.WaitGroup
	conns := make([]*websocket.Conn, 0, pages)
	for range pages {
		c, r, err := websocket.DefaultDialer.DialContext(s.b.Context(), "ws"+strings.TrimPrefix(s.url, "http")+"/api/v1/stream", nil)
		if err != nil {
			s.b.Fatal(err)
		}
		_ = r.Body.Close()
		conns = append(conns, c)
		reading.Go(func() {
			for {
				_, m, err := c.NextReader()
				if err != nil {
					return
				}
				_, _ = io.Copy(io.Discard, m)
			}
		})
	}
	return func() {
		for _, c := range conns {
			_ = c.Close()
		}
		reading.Wait()
	}
}

func (s *subject) delivered() uint64 {
	var status struct {
		Counters struct {
			Delivered uint64 `json:"delivered"`
		} `json:"counters"`
	}
	s.call("GET", "/api/v1/status", nil, &status)
	return status.Counters.Delivered
}
