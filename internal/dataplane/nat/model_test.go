package nat

import (
	"net/netip"
	"testing"

	"enilab/internal/dataplane/frame"

	"pgregory.net/rapid"
)

// model is the table as one would explain it: a list of connections with all
// that has happened to each, searched from end to end.
type model struct {
	own   []frame.IPv4
	conns []*modelConn
	pass  map[modelDatagram]modelPass // datagrams whose first fragment has come through
}

type modelEnds struct {
	proto                 uint8
	local                 netip.Addr // of either family inside, of IPv4 outside
	remote                frame.IPv4
	localPort, remotePort uint16
}

type modelConn struct {
	inside  modelEnds
	own     frame.IPv4
	port    uint16
	history []modelStep
	last    int64
}

type modelStep struct {
	out   bool
	flags uint8
}

type modelDatagram struct {
	out      bool
	src, dst netip.Addr
	id       uint16
}

type modelPass struct {
	to    netip.Addr
	until int64
}

func (c *modelConn) outside() modelEnds {
	e := c.inside
	e.local, e.localPort = c.own.Addr(), c.port
	return e
}

// closed: a reset, or FIN both ways.
func (c *modelConn) closed() bool {
	finOut, finIn := false, false
	for _, s := range c.history {
		if s.flags&rst != 0 {
			return true
		}
		finOut = finOut || s.out && s.flags&fin != 0
		finIn = finIn || !s.out && s.flags&fin != 0
	}
	return finOut && finIn
}

func (c *modelConn) live(now int64) bool {
	if c.closed() {
		return now < c.last+10*second
	}
	return now < c.last+350*second
}

func (m *model) find(now int64, is func(*modelConn) bool) *modelConn {
	for _, c := range m.conns {
		if c.live(now) && is(c) {
			return c
		}
	}
	return nil
}

func (m *model) live(now int64) (n int) {
	for _, c := range m.conns {
		if c.live(now) {
			n++
		}
	}
	return n
}

// to counts the connections under an own address to the destination of e.
func (m *model) to(own frame.IPv4, e modelEnds, now int64) (n int) {
	for _, c := range m.conns {
		if c.live(now) && c.own == own && c.inside.proto == e.proto && c.inside.remote == e.remote && c.inside.remotePort == e.remotePort {
			n++
		}
	}
	return n
}

var (
	anyProto = rapid.SampledFrom([]uint8{1, 6, 6, 17, 17, 47})
	anyFlags = rapid.SampledFrom([]uint8{syn, syn, syn | ack, ack, ack, fin | ack, rst, syn | rst, 0})
)

// anyView draws a datagram between two ends; local is the side that asks for
// an echo.
func anyView(t *rapid.T, e modelEnds, fromLocal bool) frame.View {
	local, four := frame.IPv4From(e.local)
	if !four { // see over6
		ip, _ := frame.IPv6From(e.local)
		local = frame.IPv4(ip.Lo)
	}
	v := datagram(e.proto, local, e.remote, e.localPort, e.remotePort)
	if !fromLocal {
		v = datagram(e.proto, e.remote, local, e.remotePort, e.localPort)
	}
	switch e.proto {
	case 1:
		v.SrcPort, v.DstPort, v.ICMPID = 0, 0, e.localPort
		right, wrong := uint8(8), uint8(0)
		if !fromLocal {
			right, wrong = 0, 8
		}
		if v.ICMPType = right; rapid.IntRange(0, 7).Draw(t, "wrong type") == 0 {
			v.ICMPType = wrong
		}
	case 6:
		v.TCPFlags = anyFlags.Draw(t, "flags")
	}
	if rapid.IntRange(0, 7).Draw(t, "fragment") == 0 {
		v = piece(v, rapid.Bool().Draw(t, "first"), rapid.Uint16Range(1, 3).Draw(t, "ip id"))
	}
	return v
}

// unasked is the outcome that needs no table, 0 if there is none.
func unasked(v *frame.View, out bool) Outcome {
	switch {
	case v.Proto == 47:
		return Unsupported
	case v.Proto != 17 && v.Fragment:
		return Fragmented
	case v.Proto == 1 && (v.ICMPType == 8) != out:
		return Unsupported
	}
	return 0
}

// outAs is leave, and if quick by PassOut as far as that knows.
func (t *Table) outAs(tb interface{ Fatalf(string, ...any) }, quick bool, v *frame.View, six bool, now int64) (frame.IPv4, uint16, Outcome) {
	if quick && !six && v.HasL4 && !v.Fragment && v.Proto != frame.ProtoICMP {
		if ip, port, ok := t.PassOut(v, t.Find(v, true), now); ok {
			return ip, port, Translated
		}
	}
	return t.leave(tb, v, six, now)
}

// inAs is enter, and if quick by PassIn as far as that knows.
func (t *Table) inAs(tb interface{ Fatalf(string, ...any) }, quick bool, v *frame.View, now int64) (netip.Addr, uint16, Outcome) {
	if quick && v.HasL4 && !v.Fragment && v.Proto != frame.ProtoICMP {
		if ip, port, ok := t.PassIn(v, t.Find(v, false), now); ok {
			return ip.Addr(), port, Translated
		}
	}
	return t.enter(tb, v, now)
}

// Hosts of both families are behind one gateway.
func TestTableAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int{0, 0, 6}).Draw(t, "limit")
		m := &model{own: []frame.IPv4{gateway, gateway + 1}, pass: map[modelDatagram]modelPass{}}
		table := New(Config{Addresses: m.own, MaxEntries: limit, Seed: rapid.Uint64().Draw(t, "seed")})
		table.perDest = rapid.SampledFrom([]int{2, 3, 100}).Draw(t, "ports")
		now := int64(1)
		anyInside := func(t *rapid.T) modelEnds {
			e := modelEnds{
				proto:  anyProto.Draw(t, "proto"),
				remote: server + frame.IPv4(rapid.IntRange(0, 1).Draw(t, "server")), localPort: rapid.Uint16Range(1, 3).Draw(t, "port"),
			}
			host := client + frame.IPv4(rapid.IntRange(0, 2).Draw(t, "client"))
			if e.local = host.Addr(); rapid.Bool().Draw(t, "IPv6") {
				e.local = host6(host).Addr()
			}
			if e.proto != 1 {
				e.remotePort = rapid.Uint16Range(80, 81).Draw(t, "remote port")
			}
			return e
		}
		anyOutside := func(t *rapid.T) modelEnds {
			if len(m.conns) == 0 || rapid.IntRange(0, 7).Draw(t, "stranger") == 0 {
				e := anyInside(t)
				e.local, e.localPort = gateway.Addr(), uint16(rapid.IntRange(FirstPort, FirstPort+3).Draw(t, "own port"))
				return e
			}
			return rapid.SampledFrom(m.conns).Draw(t, "connection").outside()
		}
		// saw ends what both ways have in common.
		saw := func(c *modelConn, v *frame.View, out bool, src, to netip.Addr) {
			c.history, c.last = append(c.history, modelStep{out, v.TCPFlags}), now
			if v.Fragment {
				m.pass[modelDatagram{out, src, v.DstIP.Addr(), v.IPID}] = modelPass{to, now + 2*second}
			}
		}
		later := func(t *rapid.T, v *frame.View, out bool, src, ip netip.Addr, o Outcome) {
			p, ok := m.pass[modelDatagram{out, src, v.DstIP.Addr(), v.IPID}]
			if ok = ok && now < p.until; ok != (o == Translated) || ok && ip != p.to || !ok && o != NoFirstFragment {
				t.Fatalf("a later fragment is %v to %v, want %t to %v", o, ip, ok, p.to)
			}
		}
		send := func(t *rapid.T) {
			e := anyInside(t)
			v := anyView(t, e, true)
			held := map[frame.IPv4]int{} // with those that have ended and not been collected
			for _, own := range m.own {
				d := keyOf(own, e.remote, e.proto, 0, e.remotePort)
				held[own] = table.counts.count(table.hash.of(d), d)
			}
			length := table.Len()
			ip, port, o := table.outAs(t, rapid.Bool().Draw(t, "quick"), &v, e.local.Is6(), now)
			if want := unasked(&v, true); want != 0 || !v.HasL4 {
				if want != 0 && o != want {
					t.Fatalf("%+v is %v, want %v", v, o, want)
				} else if want == 0 {
					later(t, &v, true, e.local, ip.Addr(), o)
				}
				return
			}
			c := m.find(now, func(c *modelConn) bool { return c.inside == e })
			begins := v.TCPFlags&(syn|ack|rst) == syn
			if c != nil && c.closed() && begins {
				c.history = nil
			}
			if c == nil {
				if e.proto == 6 && !begins {
					if o != NoConnection {
						t.Fatalf("a segment out of the blue is %v", o)
					}
					return
				}
				switch o {
				case Full:
					if limit == 0 || length < limit {
						t.Fatalf("full with %d of %d", length, limit)
					}
					return
				case NoPort:
					for _, own := range m.own {
						if held[own] < table.perDest {
							t.Fatalf("no port, and %v has %d", own, held[own])
						}
					}
					return
				}
				if limit != 0 && m.live(now) >= limit {
					t.Fatalf("took connection %d of %d", m.live(now)+1, limit)
				}
				c = &modelConn{inside: e, own: ip, port: port}
				if n := m.to(ip, e, now); n >= table.perDest || port < FirstPort {
					t.Fatalf("%v:%d is the port of connection %d", ip, port, n+1)
				}
				if ip == m.own[1] && held[m.own[0]] < table.perDest {
					t.Fatalf("the second address is in use when the first holds %d", held[m.own[0]])
				}
				if m.find(now, func(other *modelConn) bool { return other.outside() == c.outside() }) != nil {
					t.Fatalf("%v:%d is taken", ip, port)
				}
				m.conns = append(m.conns, c)
			}
			if o != Translated || ip != c.own || port != c.port {
				t.Fatalf("%+v is %v by %v:%d, want %v:%d", v, o, ip, port, c.own, c.port)
			}
			saw(c, &v, true, e.local, c.own.Addr())
		}
		receive := func(t *rapid.T) {
			e := anyOutside(t)
			v := anyView(t, e, false)
			ip, port, o := table.inAs(t, rapid.Bool().Draw(t, "quick"), &v, now)
			if want := unasked(&v, false); want != 0 || !v.HasL4 {
				if want != 0 && o != want {
					t.Fatalf("%+v is %v, want %v", v, o, want)
				} else if want == 0 {
					later(t, &v, false, v.SrcIP.Addr(), ip, o)
				}
				return
			}
			c := m.find(now, func(c *modelConn) bool { return c.outside() == e })
			if c == nil || c.closed() && v.TCPFlags&(syn|ack|rst) == syn {
				if o != NoConnection {
					t.Fatalf("%+v is %v to %v:%d", v, o, ip, port)
				}
				return
			}
			if o != Translated || ip != c.inside.local || port != c.inside.localPort {
				t.Fatalf("%+v is %v to %v:%d, want %v", v, o, ip, port, c.inside)
			}
			saw(c, &v, false, v.SrcIP.Addr(), c.inside.local)
		}
		t.Repeat(map[string]func(*rapid.T){
			"send": send, "send2": send, "receive": receive, "receive2": receive,
			"time": func(t *rapid.T) {
				now += rapid.SampledFrom([]int64{1, second, 2 * second, 9 * second, 10 * second, 349 * second, 350 * second}).Draw(t, "passes")
			},
			"expire": func(t *rapid.T) { table.Expire(now, rapid.IntRange(0, 10).Draw(t, "steps")) },
			"expire all": func(t *rapid.T) {
				if table.Expire(now, 1<<30); table.Len() != m.live(now) {
					t.Fatalf("%d connections are left, want %d", table.Len(), m.live(now))
				}
			},
			"": func(t *rapid.T) {
				table.check(t)
				n := 0
				table.Flows(now, func(f Flow) {
					n++
					inside := modelEnds{f.Proto, f.Inside, f.Remote, f.InsidePort, f.RemotePort}
					c := m.find(now, func(c *modelConn) bool { return c.inside == inside })
					if c == nil || f.Outside != c.own || f.OutsidePort != c.port || (f.State == TCPClosing) != c.closed() {
						t.Fatalf("listed %+v, want %+v", f, c)
					}
				})
				if n != m.live(now) {
					t.Fatalf("%d are listed, want %d", n, m.live(now))
				}
			},
		})
	})
}
