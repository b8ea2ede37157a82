package dataplane

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/netacl"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// quietCloud is a NAT cloud whose subnets let no UDP out to port 7, and none in to 5.
func quietCloud(t testing.TB) *cloud {
	l := newNATCloud(t, Options{})
	but := func(port int32) []netacl.Entry {
		return []netacl.Entry{
			{Number: 90, Proto: frame.ProtoUDP, From: port, To: port, Prefix: anywhere},
			{Number: 100, Allow: true, Proto: -1, Prefix: anywhere},
		}
	}
	subnets := labSubnets()
	subnets[0].RouteTable, subnets[1].RouteTable = "rtb-1", "rtb-private"
	subnets[0].ACL, subnets[1].ACL = "acl", "acl"
	l.apply(Delta{Subnets: subnets, ACLs: []ACLSpec{{ID: "acl", Egress: but(7), Ingress: but(5)}}})
	return l
}

// TestQuietTurnsAreWatchedOnes: the same frames through a NAT gateway, an internet gateway
// and a peering in bursts that nobody watches, and in bursts that somebody watches, whose
// addresses are rewritten one after another. What arrives, byte for byte and in order, what
// is counted and what the gateway knows afterwards is the same.
func TestQuietTurnsAreWatchedOnes(t *testing.T) {
	rewritten := 0
	rapid.Check(t, func(rt *rapid.T) {
		quiet, watched := quietCloud(t), quietCloud(t)
		watched.AddTap(tap.New(tap.Config{Points: verdict.AllPoints, Workers: 1}), nil)
		c := quiet
		ends := []VNICSpec{c.a, c.c, c.p, c.w, c.x}
		ask := func(rt *rapid.T, from VNICSpec, known bool) []byte {
			to := "198.51.100.1"
			if rapid.IntRange(0, 5).Draw(rt, "to whom") == 0 {
				to = rapid.SampledFrom([]string{"198.51.100.2", "203.0.113.20", "10.1.1.10", "198.51.100.9", "10.0.1.10"}).Draw(rt, "to")
			}
			port := rapid.SampledFrom([]uint16{53, 53, 53, 7, 5}).Draw(rt, "port")
			sport := rapid.Uint16Range(1, 5).Draw(rt, "from port")
			size := 8 * rapid.IntRange(0, 3).Draw(rt, "length")
			if known {
				return frame.AppendUDP(nil, toRouter(from, "198.51.100.1"), sport, 53, make([]byte, size))
			}
			switch rapid.SampledFrom([]string{"udp", "udp", "udp", "unsummed", "tcp", "tcp", "icmp", "fragment", "long"}).Draw(rt, "kind") {
			case "tcp":
				flags := rapid.SampledFrom([]uint8{frame.TCPAck, frame.TCPAck, frame.TCPSyn, frame.TCPFin | frame.TCPAck, frame.TCPRst}).Draw(rt, "flags")
				return frame.AppendTCP(nil, toRouter(from, to), frame.Segment{SrcPort: sport, DstPort: port, Flags: flags}, make([]byte, size))
			case "icmp":
				return frame.AppendICMPEcho(nil, toRouter(from, to), false, sport, 1, nil)
			case "long":
				f := frame.AppendUDP(nil, toRouter(from, to), sport, port, make([]byte, 2000))
				f[frame.EthernetLen+6] |= 0x40 // the pieces of one that may be cut go by an inbox, past others
				return f
			case "fragment":
				f := routed(from, to, sport, port)
				f[frame.EthernetLen+6] |= 0x20 // more follow; the header's checksum is not looked at
				return f
			case "unsummed":
				f := frame.AppendUDP(nil, toRouter(from, to), sport, port, make([]byte, size))
				f[frame.EthernetLen+frame.IPv4MinLen+6], f[frame.EthernetLen+frame.IPv4MinLen+7] = 0, 0
				return f
			}
			return frame.AppendUDP(nil, toRouter(from, to), sport, port, make([]byte, size))
		}
		var arrived [][]byte // at hosts of the internet, in the last turn
		for range rapid.IntRange(1, 8).Draw(rt, "turns") {
			from := rapid.SampledFrom([]VNICSpec{c.c, c.c, c.c, c.a, c.p}).Draw(rt, "sender")
			known := rapid.IntRange(0, 2).Draw(rt, "known") == 0
			var frames [][]byte
			for range rapid.IntRange(1, 12).Draw(rt, "different") {
				f := ask(rt, from, known)
				for range rapid.IntRange(1, 4).Draw(rt, "times") {
					frames = append(frames, f)
				}
			}
			if answers := answersOf(rt, c.w, arrived); len(answers) > 0 && rapid.Bool().Draw(rt, "answer") {
				from, frames = c.w, answers
			}
			idle := rapid.SampledFrom([]int64{1, 1, 1e9, 31e9, 200e9, 351e9}).Draw(rt, "idle")
			for _, l := range []*cloud{quiet, watched} {
				l.now += idle
				l.send(from, frames...)
			}
			for _, s := range ends {
				got, want := quiet.received(s), watched.received(s)
				if s.ID == c.w.ID {
					arrived = got
				}
				if !slices.EqualFunc(got, want, slices.Equal) {
					rt.Fatalf("%s receives %d frames, and %d if somebody watches, or others", s.ID, len(got), len(want))
				}
				if got, want := flowsOf(rt, quiet.lab, s), flowsOf(rt, watched.lab, s); !slices.Equal(got, want) {
					rt.Fatalf("flows of %s\n        %s\nwatched %s", s.ID, got, want)
				}
			}
			if got, want := quiet.natFlows(rt), watched.natFlows(rt); !slices.Equal(got, want) {
				rt.Fatalf("the NAT gateway's connections\n        %s\nwatched %s", got, want)
			} else if len(got) > 0 && len(arrived) > 1 {
				rewritten++
			}
			if got, want := quiet.Totals(), watched.Totals(); got != want {
				rt.Fatalf("        %+v\nwatched %+v", got, want)
			}
		}
	})
	if rewritten == 0 {
		t.Error("no turn of a NAT gateway's was taken")
	}
}

// answersOf are what a host of the internet answers to plain frames.
func answersOf(t *rapid.T, w VNICSpec, arrived [][]byte) (out [][]byte) {
	for _, f := range arrived {
		var v frame.View
		if v.Parse(f); !plain(&v) {
			continue
		}
		h := toRouter(w, v.SrcIP.String())
		if v.Proto == frame.ProtoUDP {
			out = append(out, frame.AppendUDP(nil, h, v.DstPort, v.SrcPort, []byte("answer")))
		} else {
			out = append(out, frame.AppendTCP(nil, h, frame.Segment{SrcPort: v.DstPort, DstPort: v.SrcPort, Flags: frame.TCPAck | v.TCPFlags}, nil))
		}
	}
	return out
}

func (l *cloud) natFlows(t *rapid.T) (out []string) {
	flows, _, err := l.NATFlows("eni-nat", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	slices.Sort(out)
	return out
}
