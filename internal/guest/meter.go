package guest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// Flow names one measured client: a workload of a host towards a target.
type Flow struct {
	Host     string
	VNIC     string
	Workload string
	Kind     string
	Target   netip.Addr
	Port     uint16 // 0: ping
}

// measure tells a meter which frames are its client's.
type measure struct {
	kind   string
	local  netip.Addr
	target netip.Addr
	port   uint16
	id     uint32  // flow id of udp-echo; gives the identifier of ping
	rate   float64 // requests per second at the start
}

// slots has room for a tenth of a second: a meter competes with the guests
// for the processor.
func (m measure) slots() int {
	const framesPerRequest = 4 // http: request, response, and their acknowledgements
	return int(min(max(m.rate*framesPerRequest/10, minSlots), maxSlots))
}

// filter is the measure in the tap's language.
func (m measure) filter() string {
	switch m.kind {
	case spec.WorkloadPing:
		return fmt.Sprintf("icmp and host %s", m.target)
	case spec.WorkloadHTTP:
		return fmt.Sprintf("tcp and port %d and host %s", m.port, m.target)
	}
	return fmt.Sprintf("udp and port %d and host %s", m.port, m.target)
}

const (
	// meterSnaplen holds the longest headers, the echo header, and the headers
	// of our web server's response.
	meterSnaplen = 256
	// minSlots and maxSlots bound how many frames wait for the meter per
	// worker; more are counted as missed.
	minSlots = 1 << 10
	maxSlots = 1 << 14
	// maxFrame is the longest frame the data plane carries.
	maxFrame = frame.LargeSize
)

// meter measures one client from the frames at its vNIC.
type meter struct {
	flow    Flow
	measure measure
	tap     *tap.Tap
	stop    chan struct{}
	done    chan struct{}

	mu      sync.Mutex // guards what follows
	samples samples
	conns   conns
	missed  losses // frames that the tap lost
	newest  int64  // time of the newest frame read
	lastTx  uint64 // ping: newest sequence number, extended
	view    frame.View
	// whole gives the parser a frame of its length on the wire: behind the
	// captured bytes it is zero, and stays so.
	whole []byte
	names map[string]string // responders seen, so that a reply costs no string
}

func newMeter(f Flow, m measure) *meter {
	return &meter{
		flow: f, measure: m, stop: make(chan struct{}), done: make(chan struct{}),
		whole: make([]byte, maxFrame), names: map[string]string{},
	}
}

// follow reads the tap until stop is closed.
func (m *meter) follow() {
	defer close(m.done)
	for {
		select {
		case <-m.tap.Ready():
			m.catchUp()
		case <-m.stop:
			m.catchUp()
			return
		}
	}
}

func (m *meter) catchUp() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readLocked()
}

// readLocked takes in every frame that the workers have published: whoever
// asks for numbers calls it first and does not depend on follow's turn. mu
// makes follow and the askers the one reader that a tap has.
func (m *meter) readLocked() {
	_, lost := m.tap.Read(func(p tap.Packet) {
		m.newest = p.At
		m.observe(p.Point, p.At, p.Length, p.Data)
	})
	m.missed.add(m.newest, lost)
}

// observe takes one frame at the client's vNIC: its time, length on the wire
// and first bytes. It allocates nothing but rings. Guarded by mu.
func (m *meter) observe(p verdict.Point, at int64, length int, b []byte) {
	if length < len(b) || length > len(m.whole) || len(b) > meterSnaplen {
		return
	}
	clear(m.whole[copy(m.whole, b):meterSnaplen])
	v := &m.view
	if v.Parse(m.whole[:length]) != frame.KindIPv4 || !v.HasL4 {
		return
	}
	payload := m.whole[min(int(v.Payload), len(b)):min(int(v.End), len(b))]
	tx := p == verdict.GuestTX
	src, dst := v.SrcIP.Addr(), v.DstIP.Addr()
	if !tx {
		src, dst = dst, src
	}
	if src != m.measure.local || dst != m.measure.target {
		return
	}
	switch {
	case m.measure.kind == spec.WorkloadUDPEcho && v.Proto == frame.ProtoUDP:
		m.observeEcho(tx, at, payload)
	case m.measure.kind == spec.WorkloadPing && v.Proto == frame.ProtoICMP:
		m.observePing(tx, at)
	case m.measure.kind == spec.WorkloadHTTP && v.Proto == frame.ProtoTCP:
		m.observeHTTP(tx, at, payload)
	}
}

func (m *meter) observeEcho(tx bool, at int64, payload []byte) {
	port := m.view.DstPort
	if !tx {
		port = m.view.SrcPort
	}
	e, ok := echoOf(payload)
	if !ok || e.flow != m.measure.id || port != m.measure.port {
		return
	}
	switch {
	case tx && e.kind == echoRequest:
		m.samples.request(e.seq, at)
	case !tx && e.kind == echoReply:
		m.samples.reply(e.seq, at, m.name(echoResponder(payload)))
	}
}

func (m *meter) observePing(tx bool, at int64) {
	const reply, request = 0, 8
	v := &m.view
	if v.ICMPID != pingID(m.measure.id) || v.ICMPCode != 0 {
		return
	}
	seq := binary.BigEndian.Uint16(m.whole[v.L4+6:])
	switch {
	case tx && v.ICMPType == request:
		m.lastTx = extend(m.lastTx, seq)
		m.samples.request(m.lastTx, at)
	case !tx && v.ICMPType == reply:
		m.samples.reply(extend(m.lastTx, seq), at, "")
	}
}

// extend returns the number nearest to last whose low 16 bits are seq.
func extend(last uint64, seq uint16) uint64 {
	return last + uint64(int64(int16(seq-uint16(last))))
}

func (m *meter) observeHTTP(tx bool, at int64, payload []byte) {
	v := &m.view
	s := segment{at: at, flags: v.TCPFlags, seq: v.TCPSeq, payload: payload}
	if tx && v.DstPort == m.measure.port {
		s.port = v.SrcPort
		if n := m.conns.sent(s); n != 0 {
			m.samples.request(n, at)
		}
	}
	if !tx && v.SrcPort == m.measure.port {
		s.port = v.DstPort
		if n, who := m.conns.received(s, m.name); n != 0 {
			m.samples.reply(n, at, who)
		}
	}
}

// maxNames bounds the responders remembered: a forged reply may name anybody.
const maxNames = 256

func (m *meter) name(b []byte) string {
	if s, ok := m.names[string(b)]; ok {
		return s
	}
	if len(m.names) == maxNames {
		clear(m.names)
	}
	s := string(b)
	m.names[s] = s
	return s
}
