package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"enilab/internal/dataplane/tap"
)

// moved is one move as the API has answered it, in Unix nanoseconds.
type moved struct{ accepted, attached int64 }

// BenchmarkMoveAPI moves an interface back and forth through the API of the
// built binary, with 10,000 frames a second on their way to it. When frames
// arrived, and which are missing, is read from the capture of its guests'
// queue, as anybody could.
func BenchmarkMoveAPI(b *testing.B) {
	file := filepath.Join(b.TempDir(), "moving.yaml")
	if err := os.WriteFile(file, []byte(moving), 0o600); err != nil {
		b.Fatal(err)
	}
	s := launch(b, serveArgs(b.TempDir(), "--scenario", file)...)
	var v view
	s.call("GET", "/api/v1/topology", nil, &v)
	hosts, eni := map[string]string{}, ""
	for _, i := range v.Instances {
		hosts[i.Name] = i.ID
	}
	for _, n := range v.Nics {
		if n.PrivateIps[0].Address == "192.168.0.42" {
			eni = n.ID
		}
	}
	var capture struct {
		ID                    string
		Frames, Evicted, Lost uint64
	}
	s.call("POST", "/api/v1/captures", map[string]any{
		"networkInterfaceId": eni, "points": []string{"guest_rx"}, "filter": "udp dst port 9", "snaplen": 64, "ringBytes": 256 << 20,
	}, &capture)

	rng := rand.New(rand.NewPCG(1, 1))
	before := s.dropped()
	var moves []moved
	var request []time.Duration
	b.ResetTimer()
	for i := range b.N {
		b.StopTimer()
		s.arrived(eni, 200)
		// Else every move would follow upon a burst of the generator.
		pause := time.NewTimer(time.Duration(rng.Int64N(int64(2 * time.Millisecond))))
		<-pause.C
		b.StartTimer()
		var r struct{ AcceptedAt, AttachedAt string }
		begun := time.Now()
		s.call("POST", "/api/v1/network-interfaces/"+eni+"/move", map[string]any{"instanceId": hosts[[]string{"two", "one"}[i%2]]}, &r)
		request = append(request, time.Since(begun))
		moves = append(moves, moved{instantOf(b, r.AcceptedAt), instantOf(b, r.AttachedAt)})
	}
	b.StopTimer()
	s.arrived(eni, 200)
	after := s.dropped()
	s.call("POST", "/api/v1/captures/"+capture.ID+"/stop", nil, nil)
	s.call("GET", "/api/v1/captures/"+capture.ID, nil, &capture)
	if capture.Lost > 0 || capture.Evicted > 0 {
		b.Fatalf("the capture is incomplete: %+v", capture)
	}
	var text []byte
	s.call("GET", "/api/v1/captures/"+capture.ID+"/pcapng", nil, &text)

	first, missing, flushed := arrivals(b, text, moves)
	var switched []time.Duration
	for _, m := range moves {
		switched = append(switched, time.Duration(m.attached-m.accepted))
	}
	b.Logf("%d moves, %d frames: %s", b.N, capture.Frames, differences(before, after))
	b.ReportMetric(percentile(first, 50), "first-p50-ms")
	b.ReportMetric(percentile(first, 99), "first-p99-ms")
	b.ReportMetric(percentile(switched, 50), "switch-p50-ms")
	b.ReportMetric(percentile(switched, 99), "switch-p99-ms")
	b.ReportMetric(percentile(request, 99), "request-p99-ms")
	b.ReportMetric(float64(missing+flushed)/float64(b.N), "lost/move")
}

func instantOf(b *testing.B, s string) int64 {
	b.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// arrivals reads from a capture of guest_rx how long after its acceptance each
// move had its first frame delivered, how many sequence numbers never came,
// and how many frames a guest left in its queue: these are in the file twice,
// as queued and as flushed.
func arrivals(b *testing.B, file []byte, moves []moved) (first []time.Duration, missing, flushed int) {
	b.Helper()
	const seqAt = 14 + 20 + 8 + 12 // Ethernet, IPv4, UDP, the payload's sequence number
	var last uint64
	if err := tap.ReadFile(bytes.NewReader(file), func(at int64, _ int, f []byte) error {
		seq := binary.BigEndian.Uint64(f[seqAt:])
		if last != 0 && seq <= last {
			flushed++
			return nil
		}
		if last != 0 {
			missing += int(seq - last - 1)
		}
		last = seq
		if n := len(first); n < len(moves) && at >= moves[n].attached {
			first = append(first, time.Duration(at-moves[n].accepted))
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	if len(first) != len(moves) {
		b.Fatalf("frames after %d of %d moves", len(first), len(moves))
	}
	return first, missing, flushed
}
