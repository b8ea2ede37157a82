package conntrack

import (
	"testing"

	"enilab/internal/dataplane/frame"
)

// far returns flow n of many, each with a remote host of its own.
func far(n int) seen {
	f := udp(Egress, 1)
	f.view.DstIP += frame.IPv4(n)
	return over6(f)
}

// A Probe whose addresses have gone leads nowhere, even if others have come in their
// place, and with the same ports.
func TestProbeOfAddressesThatHaveGone(t *testing.T) {
	table := New(Config{Seed: 1})
	table.insert(far(0), 0, true, 1)
	probes := []Probe{table.probe(far(0)), table.probe(over4(udp(Egress, 1)))}
	table.Warm(probes)
	table.Expire(30*second, 10)
	if table.Len() != 0 || table.pairs.Len() != 0 {
		t.Fatalf("%d entries, %d pairs", table.Len(), table.pairs.Len())
	}
	for n := 1; n < 100; n++ {
		table.insert(far(n), 30*second, true, 1)
		p, f := probes[0], far(0)
		p.Frames = 1
		v, b := f.wire()
		if table.Pass([]Probe{p}, f.dir, 30*second, &aws, 1) != 0 || table.UpdateProbed6(&p, KeyOf6(&v, b, f.dir), &v, f.dir, 30*second, &aws, 1) != nil {
			t.Fatalf("with %d others a flow that has gone lets frames pass", n)
		}
	}
}

// One flow ends to make room for the fragments behind it: what was its own goes too.
func TestFragmentsOfAFlowThatEnds(t *testing.T) {
	for _, over := range []func(seen) seen{over4, over6} {
		table := New(Config{MaxEntries: 1})
		f := over(udp(Egress, 1)).fragment(true, 9)
		table.insert(over(udp(Egress, 1)), 0, true, 1)
		var none Timeouts
		if f.six {
			v, b := f.wire()
			if e := table.Update6(KeyOf6(&v, b, f.dir), &v, f.dir, 1, &none, 1); e != nil {
				t.Errorf("%+v has not ended", e)
			}
		} else if e := table.Update(f.key(), &f.view, f.dir, 1, &none, 1); e != nil {
			t.Errorf("%+v has not ended", e)
		}
		checkOrder(t, table)
	}
}

// A full table refuses both families alike, and keeps nothing of what it refuses.
func TestFullTableKeepsNoAddresses(t *testing.T) {
	table := New(Config{MaxEntries: 4})
	for n := range 4 {
		table.insert(nth(n), 0, true, 1)
	}
	for n := range 1000 {
		if table.insert(far(n), 0, true, 1) != nil {
			t.Fatal("a full table took a flow")
		}
	}
	if table.pairs.Len() != 0 {
		t.Errorf("%d pairs of addresses of no flow", table.pairs.Len())
	}
	if table.insert(far(0), 31*second, true, 1) == nil || table.pairs.Len() != 1 {
		t.Error("a table whose flows have ended refuses one")
	}
}

// The other family's ICMP has no meaning in IPv6, nor ICMPv6 in IPv4: no replies, no flags.
func TestICMPOfTheOtherFamily(t *testing.T) {
	four, six := at(Egress, frame.ProtoICMPv6), at(Egress, frame.ProtoICMP)
	six.six, six.view.Kind, six.view.HasL4, four.view.HasL4 = true, frame.KindIPv6, false, false
	for _, f := range []seen{four, six} {
		table := New(Config{})
		if e := table.insert(f, 0, true, 1); e.State() != Other || e.flags&flagOneWay != 0 {
			t.Errorf("%+v of %+v", e, f)
		}
		table.Each(0, func(info FlowInfo) {
			if info.ICMPType != 0 || info.ICMPID != 0 || info.Local.Is6() != f.six || info.Remote.Is6() != f.six {
				t.Errorf("listed %+v", info)
			}
		})
	}
}

func TestRelated6RefusesForgery(t *testing.T) {
	e, about := over6(icmp(Ingress, 3, 3, 0)), over6(udp(Egress, 1))
	v, b := e.quoted(about, 0)
	if _, ok := RelatedKey6(&v, b, Ingress); !ok {
		t.Fatal("a good one is refused")
	}
	length := int(about.view.End - about.view.L3)
	for cut := length - frame.IPv6Len - 3; cut <= length; cut++ { // the ports are four bytes
		v, b := e.quoted(about, cut)
		if _, ok := RelatedKey6(&v, b, Ingress); ok {
			t.Errorf("took %d bytes less", cut)
		}
	}
	for _, c := range []struct {
		name  string
		error seen
		about seen
		flip  int // byte of the quotation
	}{
		{"version 4", e, about, 0},
		{"from another host", e, about, 23},
		{"about a later fragment", e, about.fragment(false, 1), -1},
		{"about an error", e, over6(icmp(Egress, 3, 3, 0)), -1},
		{"an echo", over6(icmp(Ingress, 8, 3, 0)), about, -1},
	} {
		v, b := c.error.quoted(c.about, 0)
		if c.flip >= 0 {
			b[int(v.Payload)+c.flip] ^= 0x30
		}
		if k, ok := RelatedKey6(&v, b, Ingress); ok || k != (Key6{}) {
			t.Errorf("%s: %+v, %v", c.name, k, ok)
		}
	}
}

// Whatever comes in a frame, its key names its ends, and the way back has the same.
func FuzzKeyOf6(f *testing.F) {
	echo := over6(icmp(Egress, 8, 0, 7))
	for _, s := range []seen{over6(udp(Egress, 1)), over6(udp(Egress, 1)).fragment(false, 3), over6(udp(Egress, 1)).fragment(true, 3), echo} {
		v, b := s.wire()
		b[12], b[13] = 0x86, 0xdd
		b[v.L3+5] = uint8(v.End - v.L3 - frame.IPv6Len)
		f.Add(b)
	}
	v, b := over6(icmp(Ingress, 3, 3, 0)).quoted(echo, 0)
	b[12], b[13], b[v.L3+5], b[v.L4] = 0x86, 0xdd, uint8(v.End-v.L3-frame.IPv6Len), 1
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var v frame.View
		if v.Parse(b) != frame.KindIPv6 {
			return
		}
		out, in := KeyOf6(&v, b, Egress), KeyOf6(&v, b, Ingress)
		if out.Local() != v.SrcIP6(b) || out.Remote() != v.DstIP6(b) || in.Local() != out.Remote() || in.Remote() != out.Local() {
			t.Fatalf("keys %+v and %+v of %x", out, in, b)
		}
		table := New(Config{Seed: 1})
		e := table.Insert6(out, &v, Egress, 0, &aws, 16, true, 1)
		if e == nil || table.Update6(out, &v, Egress, 0, &aws, 1) == nil {
			t.Fatalf("%x has no entry of its own", b)
		}
		if !table.entryOf(out).Key().IPv6() || table.entryOf(in) != nil && v.SrcIP6(b) != v.DstIP6(b) {
			t.Fatalf("%x is its own way back", b)
		}
		if k, ok := RelatedKey6(&v, b, Ingress); ok && k.Local() != v.DstIP6(b) {
			t.Fatalf("an error to another host is about %+v", k)
		}
		checkOrder(t, table)
	})
}

func (t *Table) entryOf(k Key6) *Entry { return t.lookup(t.narrow(k)) }

// As TestSteadyStateDoesNotAllocate, each flow with addresses of its own.
func TestSteadyState6DoesNotAllocate(t *testing.T) {
	const flows = 1000
	table := New(Config{Seed: 1})
	v, b := over6(udp(Egress, 1)).wire()
	now, next := int64(0), uint64(0)
	step := func() {
		now += 30 * second / flows
		frame.IPv6{Hi: next, Lo: 1}.Put(b[v.L3+24:])
		k := KeyOf6(&v, b, Egress)
		if table.Update6(k, &v, Egress, now, &aws, 1) != nil || table.Insert6(k, &v, Egress, now, &aws, 16, true, 1) == nil ||
			table.Update6(k, &v, Ingress, now, &aws, 1) == nil || table.Related6(k, now, 1) == nil {
			t.Fatal("a flow is not judged once")
		}
		table.Expire(now, 64)
		next++
	}
	for range 8 * flows {
		step()
	}
	if n := testing.AllocsPerRun(2*flows, step); n != 0 {
		t.Errorf("%v allocations a flow", n)
	}
	if table.Len() < flows || table.Len() > flows+flows/4 || table.pairs.Len() != table.Len() {
		t.Errorf("%d entries of %d pairs, want about %d", table.Len(), table.pairs.Len(), flows)
	}
}
