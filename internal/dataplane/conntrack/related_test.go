package conntrack

import (
	"encoding/binary"
	"testing"

	"enilab/internal/dataplane/frame"
)

// cause builds the front of the datagram that an error is about.
func cause(f seen) []byte {
	b := make([]byte, 28)
	b[0] = 0x45
	b[9] = f.view.Proto
	f.view.SrcIP.Put(b[12:])
	f.view.DstIP.Put(b[16:])
	if f.view.Proto == frame.ProtoICMP {
		b[20], b[21] = f.view.ICMPType, f.view.ICMPCode
		binary.BigEndian.PutUint16(b[24:], f.view.ICMPID)
		return b
	}
	binary.BigEndian.PutUint16(b[20:], f.view.SrcPort)
	binary.BigEndian.PutUint16(b[22:], f.view.DstPort)
	return b
}

func TestRelated(t *testing.T) {
	for _, c := range []struct {
		name  string
		flow  seen
		error seen
		about seen
		want  bool
	}{
		{"port unreachable for our request", udp(Egress, 1), icmp(Ingress, 3, 3, 0), udp(Egress, 1), true},
		{"port unreachable for theirs", udp(Ingress, 1), icmp(Egress, 3, 3, 0), udp(Ingress, 1), true},
		{"fragmentation needed", tcp(Egress, syn), icmp(Ingress, 3, 4, 0), tcp(Egress, 0), true},
		{"time exceeded for our ping", icmp(Egress, 8, 0, 7), icmp(Ingress, 11, 0, 0), icmp(Egress, 8, 0, 7), true},
		{"unreachable for our reply", icmp(Ingress, 8, 0, 7), icmp(Ingress, 3, 1, 0), icmp(Egress, 0, 0, 7), true},
		{"redirect for gre", at(Egress, 47), icmp(Ingress, 5, 1, 0), at(Egress, 47), true},
		{"another port", udp(Egress, 1), icmp(Ingress, 3, 3, 0), udp(Egress, 2), false},
		{"another ping", icmp(Egress, 8, 0, 7), icmp(Ingress, 11, 0, 0), icmp(Egress, 8, 0, 8), false},
		{"about a frame that came in", udp(Egress, 1), icmp(Ingress, 3, 3, 0), udp(Ingress, 1), false},
		{"about an error", icmp(Egress, 3, 3, 0), icmp(Ingress, 3, 1, 0), icmp(Egress, 3, 3, 0), false},
		{"not an error", udp(Egress, 1), icmp(Ingress, 8, 0, 0), udp(Egress, 1), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			eachFamily(t, func(t *testing.T, over func(seen) seen) {
				table := New(Config{})
				f := over(c.flow)
				before := *table.insert(f, 0, true, 1)
				if got := table.about(over(c.error), over(c.about)); (got != nil) != c.want {
					t.Fatalf("related: %+v, want one: %v", got, c.want)
				}
				if *table.entry(f) != before {
					t.Error("the look-up changed the flow")
				}
			})
		})
	}
}

// about returns the flow that an error is about.
func (t *Table) about(e, about seen) *Entry {
	if e.six {
		v, b := e.quoted(about, 0)
		if key, ok := RelatedKey6(&v, b, e.dir); ok {
			return t.Related6(key, second, 1)
		}
		return nil
	}
	if key, ok := RelatedKey(&e.view, cause(about), e.dir); ok {
		return t.Related(key, second, 1)
	}
	return nil
}

// From a router on the way: the error's source is neither end of the flow.
func TestRelatedFromRouter(t *testing.T) {
	e := icmp(Ingress, 11, 0, 0)
	e.view.SrcIP = remote + 100
	key, ok := RelatedKey(&e.view, cause(udp(Egress, 1)), Ingress)
	if !ok || key != udp(Egress, 1).key() {
		t.Errorf("key %+v, %v", key, ok)
	}
}

func TestRelatedRefusesForgery(t *testing.T) {
	e := icmp(Ingress, 3, 3, 0)
	good := cause(udp(Egress, 1))
	for n := range 24 {
		if _, ok := RelatedKey(&e.view, good[:n], Ingress); ok {
			t.Errorf("took %d bytes", n)
		}
	}
	for _, c := range []struct {
		name string
		at   int
		b    byte
	}{
		{"version 6", 0, 0x65},
		{"header too short", 0, 0x44},
		{"header longer than the rest", 0, 0x4f},
		{"later fragment", 7, 1},
		{"from another host", 15, 99},
	} {
		b := append([]byte(nil), good...)
		b[c.at] = c.b
		if _, ok := RelatedKey(&e.view, b, Ingress); ok {
			t.Errorf("took %s", c.name)
		}
	}
}

func FuzzRelatedKey(f *testing.F) {
	f.Add(cause(udp(Egress, 1)), uint8(3), uint32(local), true)
	f.Add(cause(icmp(Egress, 8, 0, 7)), uint8(11), uint32(local), true)
	f.Add(cause(tcp(Ingress, syn)), uint8(3), uint32(remote), false)
	f.Add([]byte{0x4f}, uint8(12), uint32(0), true)
	f.Fuzz(func(t *testing.T, b []byte, typ uint8, dst uint32, in bool) {
		e := icmp(Egress, typ, 0, 0)
		if in {
			e.dir = Ingress
		}
		e.view.DstIP = frame.IPv4(dst)
		key, ok := RelatedKey(&e.view, b, e.dir)
		if !ok {
			if key != (Key{}) {
				t.Fatalf("refused, but with key %+v", key)
			}
			return
		}
		src := key.Remote()
		if in {
			src = key.Local()
		}
		if src != frame.IPv4(dst) || key.Proto() != b[9] || key.Fragment() {
			t.Fatalf("key %+v does not fit %x", key, b)
		}
	})
}
