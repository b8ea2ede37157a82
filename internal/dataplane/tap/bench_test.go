package tap

import (
	"io"
	"strconv"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"enilab/internal/dataplane/verdict"
)

// BenchmarkTapFrame is the cost a frame pays at a tap point: not wanted there,
// refused by the filter, and captured (with the reader taking each burst).
func BenchmarkTapFrame(b *testing.B) {
	tcp, err := CompileFilter("host 192.168.0.42 and tcp port 80")
	if err != nil {
		b.Fatal(err)
	}
	frame := builtFrames(b)[9] // UDP
	frame = append(frame, make([]byte, 64)...)[:64]
	for name, cfg := range map[string]Config{
		"off":      {Points: verdict.GuestRX},
		"filtered": {Points: verdict.AllPoints, Filter: tcp},
		"captured": {Points: verdict.AllPoints},
	} {
		b.Run(name, func(b *testing.B) {
			tap := New(cfg)
			read := func(Packet) {}
			m := meta(1)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				tap.Frame(0, m, nil, frame)
				if i%64 == 63 {
					tap.Flush(0)
					tap.Read(read)
				}
			}
		})
	}
}

func BenchmarkFilterMatch(b *testing.B) {
	frames := builtFrames(b)
	for _, expr := range []string{"tcp", "tcp port 80", "host 192.168.0.42 and udp port 53", "tcp[tcpflags] & (tcp-syn|tcp-rst) != 0"} {
		f, err := CompileFilter(expr)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(expr, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				f.Match(nil, frames[0])
			}
		})
	}
}

// BenchmarkNgWriter compares with pcapgo's writer, which writes no comment.
func BenchmarkNgWriter(b *testing.B) {
	for _, size := range []int{60, 1514} {
		data := make([]byte, size)
		b.Run("enilab/"+strconv.Itoa(size), func(b *testing.B) {
			w, err := NewNgWriter(io.Discard, names2{}, 0, "")
			if err != nil {
				b.Fatal(err)
			}
			p := Packet{Meta: Meta{At: startTime, VNIC: 1, Point: verdict.IngressPre, Verdict: verdict.Reject, Reason: verdict.IngressDenied, Rule: 17}, Length: size, Data: data}
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Packet(p); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run("pcapgo/"+strconv.Itoa(size), func(b *testing.B) {
			w, err := pcapgo.NewNgWriter(io.Discard, layers.LinkTypeEthernet)
			if err != nil {
				b.Fatal(err)
			}
			ci := gopacket.CaptureInfo{Timestamp: time.Unix(0, startTime), Length: size, CaptureLength: size}
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WritePacket(ci, data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
