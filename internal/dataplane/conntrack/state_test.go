package conntrack

import (
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
)

const (
	syn    = frame.TCPSyn
	synAck = frame.TCPSyn | frame.TCPAck
	ack    = frame.TCPAck
	fin    = frame.TCPFin | frame.TCPAck
	rst    = frame.TCPRst
)

// The first frame of each script is admitted by the rules, the others must hit.
func TestStates(t *testing.T) {
	e, i := Egress, Ingress
	for _, c := range []struct {
		name   string
		frames []seen
		want   State
		idle   time.Duration
	}{
		{"syn", []seen{tcp(e, syn)}, TCPOpening, aws.TCPOpening},
		{"syn repeated", []seen{tcp(e, syn), tcp(e, syn)}, TCPOpening, aws.TCPOpening},
		{"syn, syn-ack", []seen{tcp(e, syn), tcp(i, synAck)}, TCPOpening, aws.TCPOpening},
		{"ack without answer", []seen{tcp(e, syn), tcp(e, ack)}, TCPOpening, aws.TCPOpening},
		{"ack by the called side", []seen{tcp(e, syn), tcp(i, synAck), tcp(i, ack)}, TCPOpening, aws.TCPOpening},
		{"handshake out", []seen{tcp(e, syn), tcp(i, synAck), tcp(e, ack)}, TCPEstablished, aws.TCPEstablished},
		{"handshake in", []seen{tcp(i, syn), tcp(e, synAck), tcp(i, ack)}, TCPEstablished, aws.TCPEstablished},
		{"simultaneous open", []seen{tcp(e, syn), tcp(i, syn), tcp(e, synAck), tcp(i, synAck)}, TCPEstablished, aws.TCPEstablished},
		{"first seen at syn-ack", []seen{tcp(i, synAck), tcp(e, ack)}, TCPEstablished, aws.TCPEstablished},
		{"only syn-ack", []seen{tcp(i, synAck)}, TCPOpening, aws.TCPOpening},
		{"mid-stream", []seen{tcp(i, ack)}, TCPEstablished, aws.TCPEstablished},
		{"mid-stream fin", []seen{tcp(i, fin)}, TCPEstablished, aws.TCPEstablished},
		{"mid-stream rst", []seen{tcp(i, rst)}, TCPClosing, aws.TCPClosing},
		{"half closed", []seen{tcp(e, ack), tcp(e, fin), tcp(i, ack), tcp(e, fin)}, TCPEstablished, aws.TCPEstablished},
		{"closed", []seen{tcp(e, ack), tcp(e, fin), tcp(i, fin), tcp(e, ack)}, TCPClosing, aws.TCPClosing},
		{"reset", []seen{tcp(e, ack), tcp(i, rst), tcp(e, ack)}, TCPClosing, aws.TCPClosing},
		{"refused", []seen{tcp(e, syn), tcp(i, rst|ack)}, TCPClosing, aws.TCPClosing},
		{"syn in an established connection", []seen{tcp(e, ack), tcp(e, syn)}, TCPEstablished, aws.TCPEstablished},

		{"udp", []seen{udp(e, 1)}, UDPSingle, aws.UDP},
		{"udp one way", []seen{udp(e, 1), udp(e, 1), udp(e, 1)}, UDPSingle, aws.UDP},
		{"udp transaction", []seen{udp(e, 1), udp(i, 1)}, UDPSingle, aws.UDP},
		{"udp one answer to two", []seen{udp(e, 1), udp(e, 1), udp(i, 1)}, UDPSingle, aws.UDP},
		{"udp stream", []seen{udp(e, 1), udp(i, 1), udp(e, 1), udp(i, 1)}, UDPStream, aws.UDPStream},

		{"ping", []seen{icmp(e, 8, 0, 7), icmp(i, 0, 0, 7), icmp(e, 8, 0, 7)}, ICMPQuery, aws.ICMP},
		{"timestamp", []seen{icmp(i, 13, 0, 7), icmp(e, 14, 0, 7)}, ICMPQuery, aws.ICMP},
		{"gre", []seen{at(e, 47), at(i, 47)}, Other, aws.Other},
		{"first fragment", []seen{udp(e, 1).fragment(true, 9)}, UDPSingle, aws.UDP},
		{"later fragment", []seen{udp(e, 1).fragment(true, 9), udp(e, 1).fragment(false, 9)}, Fragment, fragmentLife},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, over func(seen) seen) {
				if c.frames[0].view.ICMPType == 13 && over(c.frames[0]).six {
					return // ICMPv6 has none
				}
				table := New(Config{})
				entry := table.insert(over(c.frames[0]), 0, true, 1)
				for n, f := range c.frames[1:] {
					if entry = table.update(over(f), int64(n), 2); entry == nil {
						t.Fatalf("frame %d has no entry", n+1)
					}
				}
				last := int64(max(0, len(c.frames)-2))
				if entry.State() != c.want {
					t.Errorf("state %v, want %v", entry.State(), c.want)
				}
				f := over(c.frames[len(c.frames)-1])
				if table.related(f, last+int64(c.idle)-1, 2) == nil {
					t.Errorf("ended before %v idle", c.idle)
				}
				before := table.Len()
				if table.update(f, last+int64(c.idle), 2) != nil || table.Len() != before-1 {
					t.Errorf("still there after %v idle", c.idle)
				}
			})
		})
	}
}

// Frames that run under the key of an entry that does not vouch for them.
func TestNewFlowsUnderOldKeys(t *testing.T) {
	e, i := Egress, Ingress
	for _, c := range []struct {
		name   string
		frames []seen // all but the last hit
	}{
		{"syn after close, same caller", []seen{tcp(e, ack), tcp(e, fin), tcp(i, fin), tcp(e, syn)}},
		{"syn after close, other caller", []seen{tcp(e, ack), tcp(e, fin), tcp(i, fin), tcp(i, syn)}},
		{"syn after reset", []seen{tcp(e, syn), tcp(i, rst), tcp(e, syn)}},
		{"both ping with one identifier", []seen{icmp(e, 8, 0, 7), icmp(i, 8, 0, 7)}},
		{"ping against a stray reply", []seen{icmp(i, 0, 0, 7), icmp(e, 8, 0, 7)}},
		{"other identifier", []seen{icmp(e, 8, 0, 7), icmp(i, 0, 0, 8)}},
		{"icmp message back", []seen{icmp(i, 3, 1, 0), icmp(e, 3, 1, 0)}},
		{"other code", []seen{icmp(i, 3, 1, 0), icmp(i, 3, 4, 0)}},
		{"other port", []seen{udp(e, 1), udp(i, 2)}},
		{"fragment of another datagram", []seen{udp(e, 1).fragment(true, 9), udp(e, 1).fragment(false, 8)}},
		{"fragment the other way", []seen{udp(e, 1).fragment(true, 9), udp(i, 1).fragment(false, 9)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, over func(seen) seen) {
				table := New(Config{})
				table.insert(over(c.frames[0]), 0, true, 1)
				last := len(c.frames) - 1
				for n, f := range c.frames[1:last] {
					if table.update(over(f), 0, 1) == nil {
						t.Fatalf("frame %d has no entry", n+1)
					}
				}
				f := over(c.frames[last])
				if table.update(f, 0, 1) != nil {
					t.Fatal("passed without being judged")
				}
				if got := table.insert(f, 0, true, 1); got == nil || got.AdmittedBy() != f.dir || got.Packets(f.dir) != 1 {
					t.Errorf("the new flow is not there: %+v", got)
				}
			})
		})
	}
}

func TestUntracked(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		request, reply := over(udp(Ingress, 80)), over(udp(Egress, 80))
		table := New(Config{})
		table.insert(request, 0, false, 1)
		if table.update(reply, 1, 1) == nil {
			t.Fatal("no entry under the rules that made it")
		}
		if table.update(request, 2, 2) != nil || table.update(reply, 2, 2) != nil {
			t.Fatal("an untracked flow survived a change of rules without being judged")
		}
		if table.related(request, 2, 2) != nil {
			t.Fatal("an error about a stale flow passes")
		}
		// The reply passes by its own rule; that must not let requests in again.
		if table.insert(reply, 3, true, 2) == nil {
			t.Fatal("no entry for the reply")
		}
		if table.update(request, 4, 2) != nil {
			t.Fatal("a reply renewed the permission to send requests")
		}
		if e := table.insert(request, 5, true, 2); e == nil || !e.Tracked() {
			t.Fatal("the request was not judged anew")
		}
		if table.update(reply, 6, 3) == nil {
			t.Fatal("a tracked flow did not survive a change of rules")
		}
	})
}

func TestCounters(t *testing.T) {
	eachFamily(t, func(t *testing.T, over func(seen) seen) {
		table := New(Config{})
		e := table.insert(over(udp(Egress, 1)), 0, true, 1)
		e.packetsLo[Egress] = 1<<32 - 1
		e = table.update(over(udp(Egress, 1)), 1, 1)
		e = table.update(over(udp(Ingress, 1)), 2, 1)
		if got := e.Packets(Egress); got != 1<<32 {
			t.Errorf("egress packets %d, want 1<<32", got)
		}
		if e.Packets(Ingress) != 1 || e.Bytes(Ingress) != 100 || e.Bytes(Egress) != 200 {
			t.Errorf("counted %d packets and %d bytes in, %d bytes out", e.Packets(Ingress), e.Bytes(Ingress), e.Bytes(Egress))
		}
		if e.Rule() != 16 {
			t.Errorf("rule %d", e.Rule())
		}
	})
}

func TestOrDefault(t *testing.T) {
	got := Timeouts{UDP: 45 * time.Second, ICMP: -1}.OrDefault()
	want := DefaultTimeouts()
	want.UDP = 45 * time.Second
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
