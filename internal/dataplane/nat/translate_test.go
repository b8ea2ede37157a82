package nat

import (
	"bytes"
	"testing"

	"enilab/internal/dataplane/frame"
)

var header = frame.Header{Dst: 2, Src: 4, SrcIP: client, DstIP: server, ID: 9}

func load(tb testing.TB, pool *frame.Pool, b []byte) *frame.Buf {
	tb.Helper()
	buf := pool.Get(len(b))
	if buf == nil {
		tb.Fatalf("no buffer for %d bytes", len(b))
	}
	copy(buf.Bytes(), b)
	buf.Parse()
	return buf
}

// exchange builds the frames of one exchange: what src sends dst, and what it
// gets back.
type exchange struct {
	name        string
	ask, answer func(h frame.Header, srcPort uint16) []byte
}

var exchanges = []exchange{
	{
		"tcp",
		func(h frame.Header, port uint16) []byte {
			return frame.AppendTCP(nil, h, frame.Segment{SrcPort: port, DstPort: 80, Seq: 1, Flags: syn}, nil)
		},
		func(h frame.Header, port uint16) []byte {
			return frame.AppendTCP(nil, h, frame.Segment{SrcPort: 80, DstPort: port, Seq: 7, Ack: 2, Flags: syn | ack}, []byte("abc"))
		},
	},
	{
		"udp",
		func(h frame.Header, port uint16) []byte { return frame.AppendUDP(nil, h, port, 53, []byte("abc")) },
		func(h frame.Header, port uint16) []byte { return frame.AppendUDP(nil, h, 53, port, []byte("abcd")) },
	},
	{
		"echo",
		func(h frame.Header, port uint16) []byte {
			return frame.AppendICMPEcho(nil, h, false, port, 3, []byte("abc"))
		},
		func(h frame.Header, port uint16) []byte {
			return frame.AppendICMPEcho(nil, h, true, port, 3, []byte("abc"))
		},
	},
}

// Each exchange, its answer, and errors about both, as they leave and reach a
// gateway: exactly the frames that would be built with the other addresses.
func TestTranslate(t *testing.T) {
	for _, x := range exchanges {
		pool, table := frame.NewPool(32, 0), one()
		out, back := header, header
		buf := load(t, pool, x.ask(header, 40000))
		if o := table.TranslateOut(buf, 0); o != Translated {
			t.Fatalf("%s: %v", x.name, o)
		}
		port := buf.View.SrcPort
		if x.name == "echo" {
			port = buf.View.ICMPID
		}
		same := func(what string, buf *frame.Buf, want []byte) {
			t.Helper()
			if !bytes.Equal(buf.Bytes(), want) {
				t.Errorf("%s, %s:\n got %x\nwant %x", x.name, what, buf.Bytes(), want)
			}
		}
		out.SrcIP = gateway
		same("asking", buf, x.ask(out, port))

		back.SrcIP, back.DstIP = server, client
		arrives := back
		arrives.DstIP = gateway
		buf = load(t, pool, x.answer(arrives, port))
		if o := table.TranslateIn(buf, 0); o != Translated {
			t.Fatalf("%s, answer: %v", x.name, o)
		}
		same("answer", buf, x.answer(back, 40000))

		// A router far outside could not deliver what was asked.
		far := frame.Header{SrcIP: server + 77, DstIP: gateway}
		quote := func(b []byte, n int) []byte { return b[14 : 34+n] }
		for _, n := range []int{8, 20} {
			buf = load(t, pool, frame.AppendICMP(nil, far, 11, 0, 0, quote(x.ask(out, port), min(n, len(x.ask(out, port))-34))))
			if o := table.TranslateIn(buf, 0); o != Translated {
				t.Fatalf("%s, error from outside: %v", x.name, o)
			}
			want := far
			want.DstIP = client
			same("error from outside", buf, frame.AppendICMP(nil, want, 11, 0, 0, quote(x.ask(header, 40000), min(n, len(x.ask(header, 40000))-34))))
		}

		// A router inside could not deliver the answer.
		near := frame.Header{SrcIP: client + 1, DstIP: server}
		buf = load(t, pool, frame.AppendICMP(nil, near, 3, 1, 0, quote(x.answer(back, 40000), 8)))
		if o := table.TranslateOut(buf, 0); o != Translated {
			t.Fatalf("%s, error from inside: %v", x.name, o)
		}
		near.SrcIP = gateway
		same("error from inside", buf, frame.AppendICMP(nil, near, 3, 1, 0, quote(x.answer(arrives, port), 8)))

		// Errors about nothing that went through, or to somebody else.
		stray, other := out, far
		stray.SrcIP++
		other.DstIP++
		for what, b := range map[string][]byte{
			"about another port":    frame.AppendICMP(nil, far, 3, 1, 0, quote(x.ask(out, port-1), 8)),
			"about another address": frame.AppendICMP(nil, far, 3, 1, 0, quote(x.ask(stray, port), 8)),
			"for another host":      frame.AppendICMP(nil, other, 3, 1, 0, quote(x.ask(out, port), 8)),
			"without ports":         frame.AppendICMP(nil, far, 3, 1, 0, quote(x.ask(out, port), 3)),
			"about an error":        frame.AppendICMP(nil, far, 3, 1, 0, frame.AppendICMP(nil, out, 3, 1, 0, nil)[14:]),
		} {
			buf = load(t, pool, b)
			if o := table.TranslateIn(buf, 0); o != NoConnection || !bytes.Equal(buf.Bytes(), b) {
				t.Errorf("%s, error %s: %v", x.name, what, o)
			}
		}
		near.SrcIP, near.DstIP = client, server+1
		b := frame.AppendICMP(nil, near, 3, 1, 0, quote(x.answer(back, 40000), 8))
		if buf = load(t, pool, b); table.TranslateOut(buf, 0) != NoConnection || !bytes.Equal(buf.Bytes(), b) {
			t.Errorf("%s: an error from inside to another host than the sender passes", x.name)
		}
		late := load(t, pool, frame.AppendICMP(nil, far, 3, 1, 0, quote(x.ask(out, port), 8)))
		if o := table.TranslateIn(late, int64(DefaultIdle)); o != NoConnection {
			t.Errorf("%s, error too late: %v", x.name, o)
		}
	}
}

func FuzzTranslate(f *testing.F) {
	for _, x := range exchanges {
		f.Add(x.ask(header, 1), x.answer(frame.Header{SrcIP: server, DstIP: gateway}, FirstPort), uint64(0))
		f.Add(x.ask(header, 1), frame.AppendICMP(nil, header, 3, 1, 0, x.ask(header, 1)[14:]), uint64(351*second))
	}
	f.Fuzz(func(t *testing.T, a, b []byte, wait uint64) {
		table := one()
		pool := frame.NewPool(4, 4)
		now := int64(0)
		for _, raw := range [][]byte{a, b, a} {
			if len(raw) > frame.LargeSize {
				return
			}
			for _, translate := range []func(*frame.Buf, int64) Outcome{table.TranslateOut, table.TranslateIn} {
				buf := load(t, pool, raw)
				was := buf.View
				o := translate(buf, now)
				var fresh frame.View
				if fresh.Parse(buf.Bytes()); fresh != buf.View || o == 0 {
					t.Fatalf("%x is %v: %+v, parsed again %+v", raw, o, buf.View, fresh)
				}
				if o != Translated && !bytes.Equal(raw, buf.Bytes()) {
					t.Fatalf("%x is %v, and changed", raw, o)
				}
				if o == Translated && was.HasL4 && !was.ICMPError() && buf.View.SrcIP == gateway {
					answered(t, table, was, buf.View, now)
				}
				table.Find(&buf.View, wait%2 == 0)
				pool.PutLocal(buf)
			}
			now += int64(wait % uint64(400*second))
			table.Expire(now, int(wait%3))
			table.check(t)
		}
	})
}

// answered checks that the answer to a datagram that left comes back to where
// it came from.
func answered(t *testing.T, table *Table, sent, left frame.View, now int64) {
	t.Helper()
	v := left
	v.SrcIP, v.DstIP, v.SrcPort, v.DstPort = left.DstIP, left.SrcIP, left.DstPort, left.SrcPort
	v.ICMPType, v.TCPFlags, v.Fragment, v.FirstFrag = 0, ack, false, false
	ip, port, o := table.In(&v, now)
	if o != Translated || ip != sent.SrcIP || port != sent.SrcPort && port != sent.ICMPID {
		t.Fatalf("the answer to %+v is %v to %v:%d", sent, o, ip, port)
	}
}
