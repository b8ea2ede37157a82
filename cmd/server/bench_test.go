package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// subject is the built binary under measurement.
type subject struct {
	b     *testing.B
	cmd   *exec.Cmd
	url   string
	ready time.Duration // from exec to the first good answer of /healthz
}

// launch runs the binary until the benchmark ends or kill is called.
func launch(b *testing.B, args ...string) *subject {
	b.Helper()
	bin, err := built()
	if err != nil {
		b.Fatal(err)
	}
	s := &subject{b: b, cmd: exec.Command(bin, args...)}
	var errs bytes.Buffer
	s.cmd.Stderr = &errs
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	begun := time.Now()
	if err := s.cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.kill)
	lost := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer lost.Stop()
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	_, url, ok := strings.Cut(strings.TrimSpace(line), "enilab is at ")
	if err != nil || !ok {
		s.kill()
		b.Fatalf("no address, but %q: %v\n%s", line, err, errs.String())
	}
	s.url = strings.TrimSuffix(url, "/")
	if line, err = lines.ReadString('\n'); err != nil || line != "Ready.\n" {
		s.kill()
		b.Fatalf("not ready, but %q: %v\n%s", line, err, errs.String())
	}
	s.call("GET", "/healthz", nil, nil)
	s.ready = time.Since(begun)
	return s
}

func (s *subject) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// call sends in as JSON, unless it is nil, and decodes the answer into out: a
// pointer for JSON, or *[]byte for what it is, or nil.
func (s *subject) call(method, path string, in, out any) {
	s.b.Helper()
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			s.b.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	q, err := http.NewRequestWithContext(s.b.Context(), method, s.url+path, body)
	if err != nil {
		s.b.Fatal(err)
	}
	q.Header.Set("Content-Type", "application/json")
	r, err := http.DefaultClient.Do(q)
	if err != nil {
		s.b.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode/100 != 2 {
		s.b.Fatalf("%s %s: %s, %v\n%s", method, path, r.Status, err, text)
	}
	switch out := out.(type) {
	case nil:
	case *[]byte:
		*out = text
	default:
		if err := json.Unmarshal(text, out); err != nil {
			s.b.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}

func percentile(d []time.Duration, p int) float64 {
	slices.Sort(d)
	return float64(d[(len(d)-1)*p/100].Nanoseconds()) / 1e6
}

// BenchmarkStartToReady starts the binary on a fresh directory until /healthz
// is good.
func BenchmarkStartToReady(b *testing.B) {
	for _, scenario := range []string{"none", "demo"} {
		b.Run("scenario="+scenario, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				s := launch(b, serveArgs(b.TempDir(), "--scenario", scenario)...)
				took = append(took, s.ready)
				s.kill()
			}
			b.ReportMetric(percentile(took, 50), "p50-ms")
			b.ReportMetric(percentile(took, 100), "max-ms")
			b.ReportMetric(0, "ns/op") // has the end of the process in it
		})
	}
}

// moving is the demo without its policy and clients: three instances in one
// zone, and 10,000 frames a second to the interface that moves.
const moving = `
vpcs:
  - {name: lab, cidr: 192.168.0.0/16}
subnets:
  - {name: lab-a, vpc: lab, cidr: 192.168.0.0/24, zone: 1}
securityGroups:
  - name: discard
    vpc: lab
    description: UDP discard from the VPC
    ingress:
      - {protocol: udp, ports: 9, from: 192.168.0.0/16}
instances:
  - {name: one, type: t3.medium, subnet: lab-a, ip: 192.168.0.21, groups: [discard]}
  - {name: two, type: t3.medium, subnet: lab-a, ip: 192.168.0.22, groups: [discard]}
  - name: client
    type: t3.medium
    subnet: lab-a
    ip: 192.168.0.10
    groups: [discard]
    workloads:
      - {name: frames, kind: frames, target: 192.168.0.42, port: 9, rate: 10000}
networkInterfaces:
  - {name: eth1, subnet: lab-a, ip: 192.168.0.42, groups: [discard], attach: {instance: one, deviceIndex: 1}}
`

// arrived waits until the interface's guests have taken more frames.
func (s *subject) arrived(eni string, more uint64) {
	s.b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(patience)
	var first uint64
	for {
		var n struct{ Counters struct{ RxFrames uint64 } }
		s.call("GET", "/api/v1/network-interfaces/"+eni, nil, &n)
		if first == 0 {
			first = n.Counters.RxFrames + 1
		}
		if n.Counters.RxFrames >= first+more {
			return
		}
		if time.Now().After(deadline) {
			s.b.Fatalf("%s takes no frames", eni)
		}
		<-tick.C
	}
}

func (s *subject) dropped() map[string]uint64 {
	s.b.Helper()
	var st struct {
		Counters struct{ Dropped map[string]uint64 }
	}
	s.call("GET", "/api/v1/status", nil, &st)
	return st.Counters.Dropped
}

// differences words what the counters have gained.
func differences(before, after map[string]uint64) string {
	var out []string
	for reason, n := range after {
		if n -= before[reason]; n > 0 {
			out = append(out, fmt.Sprintf("%d %s", n, reason))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}
