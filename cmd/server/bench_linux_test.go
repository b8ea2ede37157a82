package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkIdle holds the traffic still for ten seconds and reports what the
// process keeps of memory and uses of one core. Of the resident memory, the
// anonymous part is its own; the rest is the binary's file, which the system
// can drop.
func BenchmarkIdle(b *testing.B) {
	for _, scenario := range []string{"none", "demo"} {
		b.Run("scenario="+scenario, func(b *testing.B) {
			s := launch(b, serveArgs(b.TempDir(), "--scenario", scenario)...)
			s.call("PUT", "/api/v1/traffic", map[string]any{"paused": true}, nil)
			b.ResetTimer()
			var cpu, wall time.Duration
			for range b.N {
				begun, used := time.Now(), s.cpu()
				rest := time.NewTimer(10 * time.Second)
				<-rest.C
				cpu += s.cpu() - used
				wall += time.Since(begun)
			}
			b.ReportMetric(100*cpu.Seconds()/wall.Seconds(), "cpu-%")
			b.ReportMetric(s.memory("VmRSS"), "RSS-MiB")
			b.ReportMetric(s.memory("RssAnon"), "anon-MiB")
			b.ReportMetric(0, "ns/op") // is the wait
		})
	}
}

// cpu is what the process has used of all cores, in ticks of 10 ms.
func (s *subject) cpu() time.Duration {
	s.b.Helper()
	text := s.proc("stat")
	// Fields are counted behind the name, which may have spaces: utime is the 12th.
	f := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	const utime, stime = 11, 12
	var ticks int64
	for _, i := range []int{utime, stime} {
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			s.b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ, 100 on every Linux
}

// memory is a field of the process's status, in MiB.
func (s *subject) memory(field string) float64 {
	s.b.Helper()
	for line := range strings.Lines(s.proc("status")) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				s.b.Fatal(err)
			}
			return kib / 1024
		}
	}
	s.b.Fatalf("no %s in /proc", field)
	return 0
}

func (s *subject) proc(name string) string {
	s.b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, name))
	if err != nil {
		s.b.Fatal(err)
	}
	return string(text)
}
