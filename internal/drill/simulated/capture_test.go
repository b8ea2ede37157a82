package simulated

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
	"enilab/internal/drill"
	"enilab/internal/virtual"
)

// proof is what a capture tells of one client, found without the laboratory's own
// meters.
type proof struct {
	asked map[uint64]int64 // request: when it left
	heard []heard
	conns []*conn
	flow  uint32 // of UDP echo
}

type heard struct {
	of  uint64
	at  int64
	who string // "": the reply does not say
}

// conn is a TCP connection of the client.
type conn struct {
	port                          uint16
	opened, reset, closed, answer int64
	last                          uint32 // sequence number of the newest request
	asked                         bool
	pending                       uint64
}

// who asks whom, and how.
type conversation struct {
	client, target netip.Addr
	proto          uint8
}

// readProof reads every conversation out of a capture.
func readProof(t *testing.T, data []byte, until int64) map[conversation]*proof {
	t.Helper()
	all := map[conversation]*proof{}
	of := func(client, target netip.Addr, proto uint8) *proof {
		k := conversation{client, target, proto}
		if all[k] == nil {
			all[k] = &proof{asked: map[uint64]int64{}}
		}
		return all[k]
	}
	err := tap.ReadFile(bytes.NewReader(data), func(at int64, _ int, b []byte) error {
		var v frame.View
		if at > until || v.Parse(b) != frame.KindIPv4 || !v.HasL4 {
			return nil
		}
		src, dst, payload := v.SrcIP.Addr(), v.DstIP.Addr(), b[v.Payload:v.End]
		switch v.Proto {
		case frame.ProtoUDP:
			if len(payload) < 47 || string(payload[:4]) != "ENL1" {
				return nil
			}
			seq := binary.BigEndian.Uint64(payload[12:])
			if v.DstPort == 7 {
				of(src, dst, v.Proto).ask(seq, at)
			} else {
				of(dst, src, v.Proto).hear(seq, at, string(bytes.TrimRight(payload[28:47], "\x00")))
			}
		case frame.ProtoICMP:
			// Probes ping too, with identifiers of their own: a client's goes on counting.
			k := uint64(v.ICMPID)<<16 | uint64(binary.BigEndian.Uint16(b[v.L4+6:]))
			switch v.ICMPType {
			case 8:
				of(src, dst, v.Proto).ask(k, at)
			case 0:
				of(dst, src, v.Proto).hear(k, at, "")
			}
		case frame.ProtoTCP:
			if v.DstPort == 80 {
				of(src, dst, v.Proto).sends(&v, at, payload)
			} else if v.SrcPort == 80 {
				of(dst, src, v.Proto).gets(&v, at, payload)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (p *proof) ask(seq uint64, at int64) {
	if _, again := p.asked[seq]; !again { // a frame is in the capture where it leaves and where it arrives
		p.asked[seq] = at
	}
}

func (p *proof) hear(seq uint64, at int64, who string) {
	if !slices.ContainsFunc(p.heard[max(0, len(p.heard)-200):], func(h heard) bool { return h.of == seq }) {
		p.heard = append(p.heard, heard{seq, at, who})
	}
}

func (p *proof) live(port uint16) *conn {
	for _, c := range slices.Backward(p.conns) {
		if c.port == port {
			return c
		}
	}
	return nil
}

func (p *proof) sends(v *frame.View, at int64, payload []byte) {
	c := p.live(v.SrcPort)
	switch {
	case v.TCPFlags&frame.TCPSyn != 0:
		if c == nil || c.closed != 0 || c.reset != 0 {
			n := uint64(len(p.asked) + 1)
			p.conns = append(p.conns, &conn{port: v.SrcPort, pending: n})
			p.ask(n, at)
		}
		return
	case c == nil:
		return
	case v.TCPFlags&(frame.TCPFin|frame.TCPRst) != 0 && c.closed == 0:
		c.closed = at
	}
	if bytes.HasPrefix(payload, []byte("GET ")) && (!c.asked || int32(v.TCPSeq-c.last) > 0) {
		if c.asked {
			c.pending = uint64(len(p.asked) + 1)
			p.ask(c.pending, at)
		}
		c.asked, c.last = true, v.TCPSeq
	}
}

var whoAnswered = regexp.MustCompile(`(?i)instance[^:\r\n]*: (i-[0-9a-f]+)`)

func (p *proof) gets(v *frame.View, at int64, payload []byte) {
	c := p.live(v.DstPort)
	switch {
	case c == nil:
	case v.TCPFlags&frame.TCPRst != 0:
		if c.reset == 0 {
			c.reset = at
		}
	case v.TCPFlags&frame.TCPSyn != 0:
		if c.opened == 0 {
			c.opened = at
		}
	default:
		if v.TCPFlags&frame.TCPFin != 0 && c.closed == 0 {
			c.closed = at
		}
		if c.pending != 0 && bytes.HasPrefix(payload, []byte("HTTP/1.")) {
			who := ""
			if m := whoAnswered.FindSubmatch(payload); m != nil {
				who = string(m[1])
			}
			p.hear(c.pending, at, who)
			c.pending, c.answer = 0, at
		}
	}
}

// traffic is what the capture says of a client's part in a move.
func (p *proof) traffic(m drill.Move, from, to string) (last, first int64, sent, lost uint64) {
	answered := map[uint64]int64{}
	for _, h := range p.heard {
		answered[h.of] = h.at
		if h.who == to && from != to && h.at < m.AcceptedAt {
			continue // of a time in which the new owner had it before
		}
		before := h.at < m.AttachedAt
		if h.who == from {
			before = true
		} else if h.who == to {
			before = false
		}
		if before {
			last = max(last, h.at)
		} else if first == 0 {
			first = h.at
		}
	}
	for seq, at := range p.asked {
		if at < m.StartedAt-int64(time.Second) || at > first {
			continue
		}
		sent++
		if back, ok := answered[seq]; !ok || back-at > int64(time.Second) {
			lost++
		}
	}
	return last, first, sent, lost
}

// connections is what the capture says of the connections in a move.
func (p *proof) connections(m drill.Move) (out drill.TCP) {
	for _, c := range p.conns {
		ended := func(at int64) bool { return at != 0 && at <= m.StartedAt }
		switch {
		case c.opened == 0 || ended(c.reset) || ended(c.closed):
		case c.opened > m.StartedAt:
			if c.opened > m.DetachedAt && c.answer > m.AttachedAt {
				out.Reconnected++
			}
		default:
			out.Open++
			switch {
			case c.reset != 0:
				out.Reset++
			case c.closed != 0:
				out.Closed++
			case c.answer > m.AttachedAt:
				out.Survived++
			}
		}
	}
	return out
}

// TestRecordsAreWhatTheCaptureSays: every number of every record, of the clients'
// counts and of what was dropped is found anew in the run's own capture.
func TestRecordsAreWhatTheCaptureSays(t *testing.T) {
	protos := map[string]uint8{"udp-echo": frame.ProtoUDP, "ping": frame.ProtoICMP, "http": frame.ProtoTCP}
	for _, v := range shipped(t) {
		t.Run(v.String(), func(t *testing.T) {
			for seed := range uint64(3) {
				var lab *virtual.Lab
				path := filepath.Join(t.TempDir(), "run.pcapng")
				run, err := Driver{Watch: func(l *virtual.Lab) { lab = l }}.Run(t.Context(), v.job(seed+1, "aws", path))
				if err != nil {
					t.Fatal(err)
				}
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				addrs, ids := map[string]netip.Addr{}, map[string]string{}
				for _, i := range lab.State().Instances() {
					ids[i.Name()] = i.ID
					if nics := lab.State().InterfacesOf(i.ID); len(nics) > 0 {
						addrs[i.Name()] = nics[0].PrimaryAddress()
					}
				}
				for _, h := range lab.State().InternetHosts() {
					addrs[h.Name], ids[h.Name] = h.Address, h.ID
				}
				for _, m := range run.Moves {
					found := readProof(t, data, m.EndedAt)
					var tcp drill.TCP
					for _, tr := range m.Traffic {
						p := found[conversation{addrs[tr.Client], netip.MustParseAddr(tr.Target), protos[tr.Kind]}]
						if p == nil {
							t.Fatalf("seed %d: nothing of %s %s to %s is in the capture", seed+1, tr.Client, tr.Workload, tr.Target)
						}
						last, first, sent, lost := p.traffic(m, ids[m.From], ids[m.To])
						if last != tr.LastReplyAt || first != tr.FirstReplyAt || first-last != tr.OutageNanos || sent != tr.Sent || lost != tr.Lost {
							t.Errorf("seed %d: %s %s: last reply %d, first %d, sent %d, lost %d in the capture, and in the record %+v",
								seed+1, tr.Client, tr.Workload, last, first, sent, lost, tr)
						}
						if tr.Kind == "http" {
							c := p.connections(m)
							tcp.Open, tcp.Reset, tcp.Closed = tcp.Open+c.Open, tcp.Reset+c.Reset, tcp.Closed+c.Closed
							tcp.Survived, tcp.Reconnected = tcp.Survived+c.Survived, tcp.Reconnected+c.Reconnected
						}
					}
					tcp.ReconnectedAfterNanos = m.TCP.ReconnectedAfterNanos
					if tcp != m.TCP {
						t.Errorf("seed %d: connections %+v in the capture, %+v in the record", seed+1, tcp, m.TCP)
					}
				}
				for reason, n := range run.Dropped {
					if in := strings.Count(string(data), "reason="+reason+" "); uint64(in) != n {
						t.Errorf("seed %d: %d frames dropped for %s in the capture, %d counted", seed+1, in, reason, n)
					}
				}
			}
		})
	}
}
