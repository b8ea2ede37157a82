package frame

import (
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// BenchmarkParse runs Parse and gopacket's preallocated parser side by side:
// machines differ, the ratio does not.
func BenchmarkParse(b *testing.B) {
	frames := []struct {
		name string
		b    []byte
	}{
		{"tcp64", AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80, Flags: TCPAck}, make([]byte, 10))},
		{"udp64", AppendUDP(nil, testHeader, 40000, 5000, make([]byte, 22))},
		{"tcp1514", AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80, Flags: TCPAck}, make([]byte, 1460))},
	}
	for _, f := range frames {
		b.Run(f.name+"/view", func(b *testing.B) {
			var v View
			b.ReportAllocs()
			for b.Loop() {
				if v.Parse(f.b) != KindIPv4 {
					b.Fatal("malformed")
				}
			}
		})
		b.Run(f.name+"/gopacket", func(b *testing.B) {
			var eth layers.Ethernet
			var ip layers.IPv4
			var tcp layers.TCP
			var udp layers.UDP
			var payload gopacket.Payload
			p := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &eth, &ip, &tcp, &udp, &payload)
			p.IgnoreUnsupported = true
			var decoded []gopacket.LayerType
			b.ReportAllocs()
			for b.Loop() {
				if err := p.DecodeLayers(f.b, &decoded); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, n := range []int{18, 1460} {
		payload, buf := make([]byte, n), make([]byte, 0, 2048)
		name := map[int]string{18: "udp60", 1460: "udp1502"}[n]
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				AppendUDP(buf, testHeader, 1, 2, payload)
			}
		})
	}
}

// BenchmarkRewrite translates one side of a frame, as a NAT gateway does.
func BenchmarkRewrite(b *testing.B) {
	frames := []struct {
		name string
		b    []byte
	}{
		{"tcp64", AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80, Flags: TCPAck}, make([]byte, 10))},
		{"udp1514", AppendUDP(nil, testHeader, 40000, 5000, make([]byte, 1472))},
	}
	for _, f := range frames {
		buf := loaded(b, f.b)
		b.Run(f.name+"/address", func(b *testing.B) {
			ip := publicIP
			for b.Loop() {
				buf.SetSrcIP(ip)
				ip++
			}
		})
		b.Run(f.name+"/port", func(b *testing.B) {
			ip := publicIP
			for b.Loop() {
				buf.SetSrc(ip, uint16(ip))
				ip++
			}
		})
	}
	buf := loaded(b, icmpAbout(3, frames[1].b, 8))
	b.Run("inner", func(b *testing.B) {
		ip := publicIP
		for b.Loop() {
			buf.SetInnerSrc(ip, uint16(ip))
			ip++
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	d := NewDecoder()
	f := AppendTCP(nil, testHeader, Segment{SrcPort: 40000, DstPort: 80, Flags: TCPAck}, make([]byte, 1460))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Decode(f); err != nil {
			b.Fatal(err)
		}
	}
}
