package conntrack

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"

	"pgregory.net/rapid"
)

// model is the table as one would explain it: a map from flow to everything
// that has happened to it, from which all else follows.
type model struct {
	flows map[modelKey]*modelFlow
}

// modelKey names the two sides; asker is the side an ICMP query came from, or
// a fragment.
type modelKey struct {
	local, remote         netip.Addr
	proto                 uint8
	localPort, remotePort uint16
	what                  string
	number                uint16
	asker                 Direction
}

type modelFlow struct {
	history []seen
	last    int64
	rule    verdict.RuleID
	tracked bool
	gen     uint32
}

func keyInModel(f seen) modelKey {
	v := &f.view
	k := modelKey{local: f.host(v.SrcIP), remote: f.host(v.DstIP), proto: v.Proto}
	srcPort, dstPort := v.SrcPort, v.DstPort
	if f.dir == Ingress {
		k.local, k.remote = k.remote, k.local
		srcPort, dstPort = dstPort, srcPort
	}
	switch {
	case f.later() && f.six:
		// Of IPv6 it is not known what the datagram holds.
		k.proto, k.what, k.number, k.asker = 0, "fragment", v.IPID, f.dir
	case f.later() && v.Proto != 47:
		k.what, k.number, k.asker = "fragment", v.IPID, f.dir
	case v.Proto == 6 || v.Proto == 17:
		k.localPort, k.remotePort = srcPort, dstPort
	case v.Proto == 1 && v.ICMPType == 8, v.Proto == 58 && v.ICMPType == 128:
		k.what, k.number, k.asker = "echo", v.ICMPID, f.dir
	case v.Proto == 1 && v.ICMPType == 0, v.Proto == 58 && v.ICMPType == 129:
		k.what, k.number, k.asker = "echo", v.ICMPID, f.dir.Reverse()
	case v.Proto == 1, v.Proto == 58:
		k.what, k.number, k.asker = "message", uint16(v.ICMPType)<<8|uint16(v.ICMPCode), f.dir
	}
	return k
}

// later: a fragment that is not its datagram's first.
func (f seen) later() bool { return f.view.Fragment && !f.view.FirstFrag }

func (m *modelFlow) state() State {
	first := m.history[0].view
	switch {
	case m.history[0].later() && (first.Proto != 47 || m.history[0].six):
		return Fragment
	case first.Proto == 1, first.Proto == 58:
		return ICMPQuery
	case first.Proto == 17:
		if m.count(Egress) >= 2 && m.count(Ingress) >= 2 {
			return UDPStream
		}
		return UDPSingle
	case first.Proto == 6:
		return m.tcpState()
	}
	return Other
}

func (m *modelFlow) count(d Direction) (n uint64) {
	for _, f := range m.history {
		if f.dir == d {
			n++
		}
	}
	return n
}

func (m *modelFlow) tcpState() State {
	has := func(flag uint8) func(seen) bool {
		return func(f seen) bool { return f.view.TCPFlags&flag != 0 }
	}
	fins := map[Direction]bool{}
	for _, f := range m.history {
		if has(frame.TCPRst)(f) {
			return TCPClosing
		}
		if has(frame.TCPFin)(f) {
			fins[f.dir] = true
		}
	}
	if len(fins) == 2 {
		return TCPClosing
	}
	first := m.history[0]
	if !has(frame.TCPSyn)(first) {
		return TCPEstablished
	}
	caller := first.dir
	if has(frame.TCPAck)(first) {
		caller = caller.Reverse()
	}
	answer := slices.IndexFunc(m.history, func(f seen) bool { return f.dir != caller && has(frame.TCPSyn)(f) })
	if answer >= 0 && slices.ContainsFunc(m.history[answer:], func(f seen) bool { return f.dir == caller && has(frame.TCPAck)(f) }) {
		return TCPEstablished
	}
	return TCPOpening
}

func (m *modelFlow) ends() int64 {
	return m.last + int64(map[State]time.Duration{
		TCPOpening: 30 * time.Second, TCPEstablished: 432000 * time.Second, TCPClosing: 10 * time.Second,
		UDPSingle: 30 * time.Second, UDPStream: 180 * time.Second, ICMPQuery: 30 * time.Second,
		Other: 600 * time.Second, Fragment: 2 * time.Second,
	}[m.state()])
}

// vouches reports whether the flow lets f pass without asking the rules.
func (m *modelFlow) vouches(f seen) bool {
	switch v := &f.view; {
	case m.state() == TCPClosing:
		return v.TCPFlags&frame.TCPSyn == 0 || v.TCPFlags&(frame.TCPAck|frame.TCPRst) != 0
	case m.state() == ICMPQuery && (m.history[0].view.ICMPType == 0 || m.history[0].view.ICMPType == 129):
		return f.dir == m.history[0].dir
	}
	return true
}

func (m *model) live(now int64) (n int) {
	for _, f := range m.flows {
		if now < f.ends() {
			n++
		}
	}
	return n
}

func (m *model) update(f seen, now int64, gen uint32) *modelFlow {
	k := keyInModel(f)
	flow := m.flows[k]
	if flow == nil || now >= flow.ends() {
		delete(m.flows, k)
		return nil
	}
	if !flow.tracked && flow.gen != gen || !flow.vouches(f) {
		return nil
	}
	flow.history, flow.last = append(flow.history, f), now
	return flow
}

func (m *model) insert(f seen, now int64, rule verdict.RuleID, tracked bool, gen uint32) *modelFlow {
	k := keyInModel(f)
	if old := m.flows[k]; old != nil && now < old.ends() && !old.tracked && old.gen != gen && old.history[0].dir != f.dir && old.vouches(f) {
		return old
	}
	m.flows[k] = &modelFlow{[]seen{f}, now, rule, tracked, gen}
	return m.flows[k]
}

var anyFrame = rapid.Custom(func(t *rapid.T) seen {
	dir := rapid.SampledFrom([]Direction{Egress, Ingress}).Draw(t, "dir")
	f := at(dir, rapid.SampledFrom([]uint8{1, 6, 6, 6, 17, 17, 47}).Draw(t, "proto"))
	if other := frame.IPv4(rapid.IntRange(0, 1).Draw(t, "remote host")); dir == Egress {
		f.view.DstIP += other
	} else {
		f.view.SrcIP += other
	}
	switch f.view.Proto {
	case 1:
		f.view.ICMPType = rapid.SampledFrom([]uint8{0, 8, 8, 3}).Draw(t, "type")
		if f.view.ICMPType == 3 {
			f.view.ICMPCode = rapid.Uint8Range(0, 1).Draw(t, "code")
		} else {
			f.view.ICMPID = rapid.Uint16Range(0, 1).Draw(t, "id")
		}
	case 6, 17:
		f = f.ports(rapid.Uint16Range(1, 2).Draw(t, "local"), rapid.Uint16Range(1, 2).Draw(t, "remote"))
	}
	if f.view.Proto == 6 {
		f.view.TCPFlags = rapid.SampledFrom([]uint8{syn, synAck, ack, ack, fin, rst, rst | ack, syn | frame.TCPFin, 0}).Draw(t, "flags")
	}
	if rapid.IntRange(0, 7).Draw(t, "fragment") == 0 {
		f = f.fragment(rapid.Bool().Draw(t, "first"), rapid.Uint16Range(0, 2).Draw(t, "ip id"))
	}
	if rapid.Bool().Draw(t, "IPv6") {
		f = over6(f)
	}
	return f
})

// Flows of both families are in one table.
func TestTableAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{0, 0, 5, 20}).Draw(t, "limit")
		table := New(Config{MaxEntries: limit, Seed: rapid.Uint64().Draw(t, "seed")})
		m := &model{flows: map[modelKey]*modelFlow{}}
		now, gen := int64(1), uint32(1)
		pass := func(t *rapid.T) {
			f := anyFrame.Draw(t, "frame")
			if limit != 0 && f.view.Fragment {
				return // whether a full table had room for the fragments is not in the model
			}
			got, want := table.update(f, now, gen), m.update(f, now, gen)
			known := got != nil
			if got == nil && want == nil && rapid.IntRange(0, 3).Draw(t, "allowed") > 0 {
				rule, tracked := verdict.RuleID(rapid.IntRange(16, 20).Draw(t, "rule")), rapid.Bool().Draw(t, "tracked")
				live := m.live(now)
				got = table.insertBy(f, now, rule, tracked, gen)
				if got == nil {
					if limit == 0 || table.Len() < limit {
						t.Fatalf("refused with %d entries of %d", table.Len(), limit)
					}
					return
				}
				if want = m.insert(f, now, rule, tracked, gen); limit != 0 && m.live(now) > max(live, limit) {
					t.Fatalf("took flow %d of %d", live+1, limit)
				}
			}
			compare(t, got, want, now)
			if repeated := rapid.IntRange(0, 3).Draw(t, "repeated"); repeated > 0 && known && want != nil && got.steady() &&
				!f.view.Fragment && f.view.TCPFlags&(frame.TCPSyn|frame.TCPFin|frame.TCPRst) == 0 {
				// What is counted together is what each frame would have been.
				p := []Probe{table.probe(f)}
				p[0].Frames, p[0].Bytes = uint32(repeated), uint64(repeated)*uint64(f.view.End-f.view.L3)
				table.Warm(p)
				if n := table.Pass(p, f.dir, now, &aws, gen); n != 1 || !p[0].Passed || p[0].Rule != want.rule {
					t.Fatalf("a known flow does not pass: %+v", p[0])
				}
				for range repeated {
					want = m.update(f, now, gen)
				}
				compare(t, table.entry(f), want, now)
			}
			if want != nil && f.view.Fragment && f.view.FirstFrag && (f.view.Proto != 47 || f.six) && (want.tracked || want.gen == gen) {
				later := f.fragment(false, f.view.IPID)
				m.flows[keyInModel(later)] = &modelFlow{[]seen{later}, now, want.rule, want.tracked, want.gen}
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"frame":  pass,
			"frame2": pass,
			"frame3": pass,
			"time": func(t *rapid.T) {
				now += int64(rapid.SampledFrom([]time.Duration{1, time.Second, 2 * time.Second, 10 * time.Second, 31 * time.Second, 180 * time.Second, 432001 * time.Second}).Draw(t, "idle"))
			},
			"rules":  func(*rapid.T) { gen++ },
			"expire": func(t *rapid.T) { table.Expire(now, rapid.IntRange(-1, 40).Draw(t, "slots")) },
			"flush": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					n := table.Len()
					if got := table.Flush(); got != n {
						t.Fatalf("flushed %d of %d", got, n)
					}
					clear(m.flows)
				}
			},
			"": func(t *rapid.T) { check(t, table, m, now) },
		})
		for range 3 {
			table.Expire(now, 1<<20)
		}
		if got := table.Len(); got != m.live(now) {
			t.Fatalf("%d entries after expiry, %d flows live", got, m.live(now))
		}
	})
}

func compare(t *rapid.T, got *Entry, want *modelFlow, now int64) {
	if (got == nil) != (want == nil) {
		t.Fatalf("entry %+v, model %+v", got, want)
	}
	if got == nil || got.State() == Fragment {
		return
	}
	if got.State() != want.state() || got.deadline != want.ends() || got.Rule() != want.rule || got.Tracked() != want.tracked ||
		got.AdmittedBy() != want.history[0].dir || got.Packets(Egress) != want.count(Egress) || got.Packets(Ingress) != want.count(Ingress) ||
		got.Bytes(Egress) != 100*want.count(Egress) {
		t.Fatalf("at %d entry %+v, model %+v in state %v until %d", now, got, want, want.state(), want.ends())
	}
}

// check compares what Each tells with the live flows of the model, and the
// table's own order.
func check(t *rapid.T, table *Table, m *model, now int64) {
	listed := 0
	ends := map[[2]netip.Addr]int{}
	table.Each(now, func(f FlowInfo) {
		listed++
		ends[[2]netip.Addr{f.Local, f.Remote}]++
		if f.Expires <= 0 || f.State == 0 {
			t.Fatalf("listed %+v", f)
		}
	})
	for k, f := range m.flows {
		if now < f.ends() {
			ends[[2]netip.Addr{k.local, k.remote}]--
		}
	}
	for pair, n := range ends {
		if n != 0 {
			t.Fatalf("%d flows too many are listed between %v", n, pair)
		}
	}
	if live := m.live(now); listed != live || table.Len() < live {
		t.Fatalf("%d flows listed, %d entries, %d live", listed, table.Len(), live)
	}
	checkOrder(t, table)
}

// checkOrder holds the table to what its parts promise each other.
func checkOrder(t interface{ Fatalf(string, ...any) }, table *Table) {
	if 2*table.n > len(table.cur) {
		t.Fatalf("%d entries in %d slots", table.n, len(table.cur))
	}
	pairs := map[pair]bool{}
	for number := range uint32(table.n) {
		k := table.at(number).key
		if k.IPv6() {
			p, ok := table.pairs.Value(k.pair())
			if !ok {
				t.Fatalf("the addresses of entry %d are gone", number)
			}
			pairs[p] = true
		}
		if at, ok := table.find(table.hash.of(k), k); !ok || at != number {
			t.Fatalf("entry %d is found at %d, %v", number, at, ok)
		}
		if _, ok := table.cur.slot(table.hash.of(k), number); !ok && (table.old == nil || number < table.moved) {
			t.Fatalf("entry %d of %d moved is not in the index", number, table.moved)
		}
	}
	if table.pairs != nil && table.pairs.Len() != len(pairs) || table.pairs == nil && len(pairs) > 0 {
		t.Fatalf("holds other pairs of addresses than %v", pairs)
	}
	for _, x := range []index{table.cur, table.old} {
		seen := map[uint32]bool{}
		for _, s := range x {
			if number := s&numberMask - 1; s != 0 && (int(number) >= table.n || seen[number]) {
				t.Fatalf("slot %#x among %d entries, there before: %v", s, table.n, seen[number])
			} else if s != 0 {
				seen[number] = true
			}
		}
	}
}
