package guest

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// wire builds frames between the measured client and its target.
type wire struct{ there, back frame.Header }

func newWire() wire {
	c, _ := frame.IPv4From(clientAddr)
	s, _ := frame.IPv4From(service)
	return wire{
		there: frame.Header{Src: 0x0210, Dst: 0x0242, SrcIP: c, DstIP: s},
		back:  frame.Header{Src: 0x0242, Dst: 0x0210, SrcIP: s, DstIP: c},
	}
}

func (w wire) tcp(m *meter, tx bool, at int64, port uint16, flags uint8, seq uint32, payload string) {
	h, s, p := w.back, frame.Segment{SrcPort: 80, DstPort: port}, verdict.GuestRX
	if tx {
		h, s, p = w.there, frame.Segment{SrcPort: port, DstPort: 80}, verdict.GuestTX
	}
	s.Flags, s.Seq, s.Options = flags, seq, make([]byte, 12) // as much as a timestamp
	m.show(p, at, frame.AppendTCP(nil, h, s, []byte(payload)))
}

// show gives a frame to the meter as its tap would: cut.
func (m *meter) show(p verdict.Point, at int64, b []byte) {
	m.observe(p, at, len(b), b[:min(len(b), meterSnaplen)])
}

func testMeter(kind string, port uint16, id uint32) *meter {
	return newMeter(Flow{}, measure{kind: kind, local: clientAddr, target: service, port: port, id: id})
}

func TestMeterMatchesEchoes(t *testing.T) {
	w, m := newWire(), testMeter(spec.WorkloadUDPEcho, 7, 5)
	payload := make([]byte, 1400) // longer than the tap keeps
	send := func(at int64, e echo) {
		e.put(payload)
		m.show(verdict.GuestTX, at, frame.AppendUDP(nil, w.there, 40000, 7, payload))
	}
	reply := func(at int64, e echo) {
		e.put(payload)
		m.show(verdict.GuestRX, at, frame.AppendUDP(nil, w.back, 7, 40000, payload))
	}
	send(100, echo{kind: echoRequest, flow: 5, seq: 1})
	send(200, echo{kind: echoRequest, flow: 5, seq: 2})
	send(250, echo{kind: echoRequest, flow: 6, seq: 3}) // another start of the client
	reply(300, echo{kind: echoReply, flow: 5, seq: 2, responder: hostB})
	reply(301, echo{kind: echoReply, flow: 6, seq: 1, responder: hostB})
	reply(302, echo{kind: echoRequest, flow: 5, seq: 1}) // the target's own request
	want := []Sample{{Seq: 1, SentAt: 100}, {Seq: 2, SentAt: 200, RepliedAt: 300, Responder: hostB}}
	if got := m.samples.since(0); !slices.Equal(got, want) {
		t.Errorf("samples %+v, want %+v", got, want)
	}
}

func TestMeterExtendsPings(t *testing.T) {
	w, m := newWire(), testMeter(spec.WorkloadPing, 0, 0x1234)
	at := int64(1)
	for seq := range 70_000 {
		m.show(verdict.GuestTX, at, frame.AppendICMPEcho(nil, w.there, false, 0x1234, uint16(seq+1), nil))
		m.show(verdict.GuestTX, at, frame.AppendICMPEcho(nil, w.there, false, 0x9999, uint16(seq+1), nil)) // a probe of the host
		if seq%2 == 0 {
			m.show(verdict.GuestRX, at+1, frame.AppendICMPEcho(nil, w.back, true, 0x1234, uint16(seq+1), nil))
		}
		at += 10
	}
	// The reply to the one before the newest comes last.
	m.show(verdict.GuestRX, at, frame.AppendICMPEcho(nil, w.back, true, 0x1234, uint16(70_000&0xffff), nil))
	s := m.samples.since(0)
	if len(s) != maxSamples || m.samples.sent != 70_000 || m.samples.got != 35_001 {
		t.Fatalf("%d samples kept, %d sent, %d answered", len(s), m.samples.sent, m.samples.got)
	}
	if last := s[len(s)-1]; last.Seq != 70_000 || last.RepliedAt != at {
		t.Errorf("last sample %+v", last)
	}
}

const response = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\nContent-Type: text/plain\r\nX-Instance-Id: " + hostA + "\r\n\r\n" + hostA + "\n"

func TestMeterFollowsConnections(t *testing.T) {
	w, m := newWire(), testMeter(spec.WorkloadHTTP, 80, 0)
	const get = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	const syn, ack, psh, fin, rst = frame.TCPSyn, frame.TCPAck, frame.TCPPsh, frame.TCPFin, frame.TCPRst

	w.tcp(m, true, 10, 1000, syn, 1, "")
	w.tcp(m, true, 11, 1000, syn, 1, "") // retransmitted
	w.tcp(m, false, 12, 1000, syn|ack, 9, "")
	w.tcp(m, true, 13, 1000, ack, 2, "")
	w.tcp(m, true, 14, 1000, ack|psh, 2, get)
	w.tcp(m, true, 15, 1000, ack|psh, 2, get) // retransmitted
	w.tcp(m, false, 16, 1000, ack|psh, 10, response)
	w.tcp(m, false, 17, 1000, ack|psh, 10, response) // retransmitted
	w.tcp(m, true, 20, 1000, ack|psh, 2+uint32(len(get)), get)
	w.tcp(m, true, 21, 2000, syn, 5, "")
	w.tcp(m, false, 22, 2000, syn|ack, 5, "")
	w.tcp(m, true, 23, 2000, ack|psh, 6, get)
	w.tcp(m, false, 30, 1000, rst, 10, "")
	w.tcp(m, false, 31, 2000, ack|psh, 6, response)
	w.tcp(m, true, 32, 2000, fin|ack, 40, "")
	w.tcp(m, true, 40, 1000, syn, 77, "") // the port again
	w.tcp(m, true, 41, 3000, syn, 3, "")  // never answered

	wantConns := []Conn{
		{LocalPort: 1000, OpenedAt: 12, LastReplyAt: 16, LastResponder: hostA, ResetAt: 30},
		{LocalPort: 2000, OpenedAt: 22, LastReplyAt: 31, LastResponder: hostA, ClosedAt: 32},
		{LocalPort: 1000},
		{LocalPort: 3000},
	}
	if got := m.conns.since(0, 50); !slices.Equal(got, wantConns) {
		t.Errorf("connections %+v,\nwant %+v", got, wantConns)
	}
	if got := m.conns.since(33, 50); !slices.Equal(got, wantConns[2:]) {
		t.Errorf("open at 33: %+v", got)
	}
	if got := m.conns.since(0, 50+int64(httpTimeout)); got[3].ClosedAt != 41+int64(httpTimeout) {
		t.Errorf("a connection without an answer is not given up: %+v", got[3])
	}
	wantSamples := []Sample{
		{Seq: 1, SentAt: 10, RepliedAt: 16, Responder: hostA}, // a connection's first begins with its SYN
		{Seq: 2, SentAt: 20},
		{Seq: 3, SentAt: 21, RepliedAt: 31, Responder: hostA},
		{Seq: 4, SentAt: 40}, // attempts that never connect are requests, too
		{Seq: 5, SentAt: 41},
	}
	if got := m.samples.since(0); !slices.Equal(got, wantSamples) {
		t.Errorf("samples %+v,\nwant %+v", got, wantSamples)
	}
}

func TestConnectionRecordsAreBounded(t *testing.T) {
	var c conns
	for i := range 3 * maxConnRecords {
		c.sent(segment{at: int64(i), port: uint16(i), flags: frame.TCPSyn, seq: uint32(i)})
	}
	if len(c.order) > maxConnRecords || len(c.live) > maxConnRecords {
		t.Errorf("%d records, %d live; bound is %d", len(c.order), len(c.live), maxConnRecords)
	}
	if last := c.order[len(c.order)-1]; last.LocalPort != uint16(3*maxConnRecords-1) {
		t.Errorf("newest record is of port %d", last.LocalPort)
	}
}

func TestMeterIgnoresOtherAddresses(t *testing.T) {
	w, m := newWire(), testMeter(spec.WorkloadPing, 0, 1)
	w.there.DstIP++
	m.show(verdict.GuestTX, 1, frame.AppendICMPEcho(nil, w.there, false, 1, 1, nil))
	if m.samples.sent != 0 {
		t.Error("a ping of another target was counted")
	}
}

// echoFrames returns an echo request and its reply, to be numbered by exchange.
func echoFrames(w wire, flow uint32) (out, in []byte) {
	payload := make([]byte, defaultEchoSize)
	echo{kind: echoRequest, flow: flow}.put(payload)
	out = frame.AppendUDP(nil, w.there, 40000, 7, payload)
	echo{kind: echoReply, flow: flow, responder: hostB}.put(payload)
	return out, frame.AppendUDP(nil, w.back, 7, 40000, payload)
}

func (m *meter) exchange(out, in []byte, seq uint32) {
	const at = frame.EthernetLen + 28 + echoSeqAt + 4
	binary.BigEndian.PutUint32(out[at:], seq)
	binary.BigEndian.PutUint32(in[at:], seq)
	m.show(verdict.GuestTX, int64(seq), out)
	m.show(verdict.GuestRX, int64(seq)+1, in)
}

func TestMeterDoesNotAllocate(t *testing.T) {
	m := testMeter(spec.WorkloadUDPEcho, 7, 5)
	out, in := echoFrames(newWire(), 5)
	seq := uint32(0)
	step := func() {
		seq++
		m.exchange(out, in, seq)
	}
	for range maxSamples {
		step()
	}
	if n := testing.AllocsPerRun(1000, step); n != 0 {
		t.Errorf("%g allocations a request", n)
	}
	if m.samples.got != uint64(seq) {
		t.Errorf("%d of %d replies matched", m.samples.got, seq)
	}
}

// FuzzMeter: whatever frames a client's vNIC carries, a meter survives them.
func FuzzMeter(f *testing.F) {
	w := newWire()
	payload := make([]byte, 64)
	echo{kind: echoRequest, flow: 1, seq: 1}.put(payload)
	f.Add(frame.AppendUDP(nil, w.there, 40000, 7, payload), uint16(0))
	f.Add(frame.AppendICMPEcho(nil, w.there, false, 1, 1, nil), uint16(3))
	f.Add(frame.AppendTCP(nil, w.back, frame.Segment{SrcPort: 80, DstPort: 1000, Flags: frame.TCPAck}, []byte(response)), uint16(900))
	kinds := []*meter{testMeter(spec.WorkloadUDPEcho, 7, 1), testMeter(spec.WorkloadPing, 0, 1), testMeter(spec.WorkloadHTTP, 80, 1)}
	f.Fuzz(func(t *testing.T, b []byte, more uint16) {
		for _, m := range kinds {
			for _, p := range []verdict.Point{verdict.GuestTX, verdict.GuestRX} {
				m.observe(p, 1, len(b)+int(more), b)
			}
			m.samples.judge(2)
		}
		headerValue(b, instanceHeader)
	})
}

// TestMeterAgreesWithCapture: the meter's times and numbers are those that a
// capture of the same vNIC shows.
func TestMeterAgreesWithCapture(t *testing.T) {
	r := newRig(t)
	capture := tap.New(tap.Config{Points: verdict.GuestTX | verdict.GuestRX, Workers: r.engine.Workers(), Slots: 1 << 14})
	r.engine.AddTap(capture, []string{"eni-c"})
	defer r.engine.RemoveTap(capture)
	load := udpLoad()
	r.workloads(load)
	f := r.flow("echo")
	r.eventually("replies", func() bool { return r.answered(f, 0, hostA) > 50 })
	load.Paused = true
	r.workloads(load)
	r.eventually("the last reply", func() bool { st := r.lab.Stats()[0]; return st.Sent == st.Received })

	got, _ := r.lab.Samples(f, 0)
	want := map[uint64]Sample{}
	_, lost := capture.Read(func(p tap.Packet) {
		var v frame.View
		if v.Parse(p.Data) != frame.KindIPv4 || v.Proto != frame.ProtoUDP {
			return
		}
		payload := p.Data[v.Payload:v.End]
		e, _ := echoOf(payload)
		s := want[e.seq]
		s.Seq = e.seq
		if p.Point == verdict.GuestTX {
			s.SentAt = p.At
		} else {
			s.RepliedAt, s.Responder = p.At, string(echoResponder(payload))
		}
		want[e.seq] = s
	})
	if lost != 0 || len(got) != len(want) {
		t.Fatalf("%d samples, the capture has %d and lost %d", len(got), len(want), lost)
	}
	for _, s := range got {
		if s != want[s.Seq] {
			t.Errorf("sample %+v, the capture says %+v", s, want[s.Seq])
		}
	}
}

func TestHeaderValue(t *testing.T) {
	for _, c := range []struct{ message, want string }{
		{response, hostA},
		{"HTTP/1.1 200 OK\r\nx-instance-id:  a \r\n\r\n", "a"},
		{"HTTP/1.1 200 OK\r\nX-Instance-Id: cut", ""},
		{"HTTP/1.1 200 OK\r\n\r\nX-Instance-Id: body\r\n", ""},
		{"X-Instance-Id: first line", ""},
		{strings.Repeat("\r\n", 3), ""},
	} {
		if got := string(headerValue([]byte(c.message), instanceHeader)); got != c.want {
			t.Errorf("%q: %q, want %q", c.message, got, c.want)
		}
	}
}

func TestMeasureFiltersCompile(t *testing.T) {
	for _, kind := range []string{spec.WorkloadUDPEcho, spec.WorkloadPing, spec.WorkloadHTTP} {
		m := measure{kind: kind, target: netip.MustParseAddr("10.1.2.3"), port: 8080}
		if _, err := tap.CompileFilter(m.filter()); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
