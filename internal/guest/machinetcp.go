package guest

import (
	"cmp"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"enilab/internal/dataplane/frame"
)

// A small TCP (RFC 9293) for what machines say: messages of one segment, one way
// at a time, retransmitted with a timeout that doubles (RFC 6298), ended by FIN, a
// reset, or silence.
const (
	firstRTO  = time.Second            // RFC 6298, 2.1
	leastRTO  = 200 * time.Millisecond // as netstack and Linux
	tcpWindow = 64<<10 - 1
	// segmentMost is what a segment carries: what fits a VPC's MTU. What machines say
	// on the internet is shorter than any MTU.
	segmentMost = 8 << 10
)

var (
	errReset   = errors.New("connection reset by peer")
	errRefused = errors.New("connection was refused")
	errSilence = errors.New("connection timed out")
	errEnded   = errors.New("the peer has closed the connection")
)

type tcpKey struct {
	local, remote netip.Addr
	lport, rport  uint16
}

type streamState uint8

const (
	synSent streamState = iota
	synReceived
	established
	gone
)

// stream is one end of a connection.
type stream struct {
	m     *Machine
	key   tcpKey
	state streamState

	una, nxt, rcv uint32
	out           []byte // sent and not acknowledged, behind a SYN if that is not either
	fin           bool   // a FIN has been sent behind out
	finTaken      bool   // the peer's FIN has come
	orphan        bool   // its owner has given it up

	rto    time.Duration
	round  uint64 // of the retransmission timer
	oldest int64  // when what is not acknowledged was first sent

	used   int64 // when it last took data
	onOpen func()
	onData func([]byte)
	onEnd  func(error) // once; not for an orphan
	buf    []byte      // of the owner's
}

// connections are the machine's, in an order that does not depend on the map.
func (m *Machine) connections() []*stream {
	return slices.SortedFunc(maps.Values(m.web), func(a, b *stream) int {
		return cmp.Or(a.key.local.Compare(b.key.local), cmp.Compare(a.key.lport, b.key.lport),
			a.key.remote.Compare(b.key.remote), cmp.Compare(a.key.rport, b.key.rport))
	})
}

// dial begins a connection.
func (m *Machine) dial(from, to netip.Addr, port uint16) *stream {
	key := tcpKey{local: from, remote: to, lport: m.ephemeral(), rport: port}
	for m.web[key] != nil {
		key.lport = m.ephemeral()
	}
	c := m.newStream(key, synSent)
	c.transmit(frame.TCPSyn, c.una, nil)
	c.arm()
	return c
}

func (m *Machine) newStream(key tcpKey, state streamState) *stream {
	c := &stream{m: m, key: key, state: state, una: m.all.rand.Uint32(), rto: firstRTO, used: m.now()}
	c.nxt = c.una + 1
	m.web[key] = c
	return c
}

func (c *stream) transmit(flags uint8, seq uint32, payload []byte) {
	s := frame.Segment{SrcPort: c.key.lport, DstPort: c.key.rport, Seq: seq, Flags: flags, Window: tcpWindow}
	if flags&frame.TCPAck != 0 {
		s.Ack = c.rcv
	}
	c.m.emit(c.key.local, c.key.remote, func(b []byte, h frame.Header) []byte { return frame.AppendTCP(b, h, s, payload) })
}

// write sends a message.
func (c *stream) write(b []byte) {
	c.out = append(c.out, b...)
	for part := range slices.Chunk(b, segmentMost) {
		seq := c.nxt
		c.nxt += uint32(len(part))
		c.transmit(frame.TCPAck|frame.TCPPsh, seq, part)
	}
	c.arm()
}

// close gives the connection up. It ends in the background: what was sent, the
// FIN included, is retransmitted for a while (see orphanTimeout).
func (c *stream) close() {
	if c.state == gone || c.orphan {
		return
	}
	c.orphan = true
	if c.state != established {
		c.drop()
		return
	}
	if !c.fin {
		c.fin = true
		seq := c.nxt
		c.nxt++
		c.transmit(frame.TCPFin|frame.TCPAck, seq, nil)
		c.arm()
	}
}

// arm starts the retransmission timer if none runs.
func (c *stream) arm() {
	if c.oldest != 0 {
		return
	}
	c.oldest = c.m.now()
	c.wait()
}

func (c *stream) wait() {
	c.round++
	round := c.round
	c.m.after(c.rto, func() {
		if c.round == round && c.state != gone {
			c.retransmit()
		}
	})
}

func (c *stream) retransmit() {
	if c.m.now()-c.oldest >= int64(orphanTimeout) {
		c.fail(errSilence)
		return
	}
	switch first := c.out[:min(len(c.out), segmentMost)]; {
	case c.state == synSent:
		c.transmit(frame.TCPSyn, c.una, nil)
	case c.state == synReceived:
		c.transmit(frame.TCPSyn|frame.TCPAck, c.una, nil)
	case c.fin && len(first) == len(c.out):
		c.transmit(frame.TCPFin|frame.TCPAck|frame.TCPPsh, c.una, first)
	default:
		c.transmit(frame.TCPAck|frame.TCPPsh, c.una, first)
	}
	c.rto *= 2
	c.wait()
}

// drop forgets the connection without a word to the peer.
func (c *stream) drop() {
	c.state = gone
	c.round++
	if c.m.web[c.key] == c {
		delete(c.m.web, c.key)
	}
}

func (c *stream) fail(err error) {
	if c.state == gone {
		return
	}
	c.drop()
	if c.onEnd != nil && !c.orphan {
		c.onEnd(err)
	}
}

// onTCP takes a segment for the machine.
func (m *Machine) onTCP(v *frame.View, src, dst netip.Addr, b, payload []byte) {
	key := tcpKey{local: dst, remote: src, lport: v.DstPort, rport: v.SrcPort}
	c := m.web[key]
	switch {
	case c != nil:
		c.segment(v, payload)
	case v.TCPFlags&(frame.TCPSyn|frame.TCPAck|frame.TCPRst) == frame.TCPSyn && m.serves(v.DstPort):
		c := m.newStream(key, synReceived)
		c.rcv = v.TCPSeq + 1
		c.onData = func(b []byte) { m.answerHTTP(c, b) }
		if m.service != nil {
			c.onData = func(b []byte) { m.service.converse(c, b) }
		}
		c.transmit(frame.TCPSyn|frame.TCPAck, c.una, nil)
		c.arm()
		c.expire()
	default:
		reset, due := frame.AppendTCPReset(nil, v)
		if !due {
			return
		}
		if m.service != nil {
			m.service.send(reset)
		} else if n, hop := m.route(dst, src); n != nil {
			m.resolve(n, hop, reset)
		}
	}
}

// segment takes a segment of the connection.
func (c *stream) segment(v *frame.View, payload []byte) {
	flags := v.TCPFlags
	if flags&frame.TCPRst != 0 {
		switch {
		case c.state == synSent && v.TCPAckNo == c.nxt:
			c.fail(errRefused)
		case c.state != synSent && v.TCPSeq == c.rcv:
			c.fail(errReset)
		}
		return
	}
	if c.state == synSent {
		if flags&(frame.TCPSyn|frame.TCPAck) != frame.TCPSyn|frame.TCPAck || v.TCPAckNo != c.nxt {
			return
		}
		c.rcv = v.TCPSeq + 1
	}
	if flags&frame.TCPSyn != 0 && c.state != synSent {
		if c.state == synReceived && v.TCPSeq+1 == c.rcv {
			c.transmit(frame.TCPSyn|frame.TCPAck, c.una, nil)
		} else {
			c.transmit(frame.TCPAck, c.nxt, nil) // RFC 5961, 4
		}
		return
	}
	if flags&frame.TCPAck == 0 {
		return
	}
	if acked := v.TCPAckNo - c.una; acked > 0 && acked <= c.nxt-c.una {
		c.acknowledged(acked)
	}
	if c.state == gone || flags&frame.TCPSyn != 0 {
		return
	}
	c.take(v, payload)
}

func (c *stream) acknowledged(n uint32) {
	c.m.confirm(c.key.local, c.key.remote)
	opened := c.state != established
	if opened {
		n-- // the SYN
		c.una++
		client := c.state == synSent
		c.state = established
		if client {
			c.transmit(frame.TCPAck, c.nxt, nil)
		}
	}
	data := min(n, uint32(len(c.out)))
	c.out = c.out[data:]
	c.una += n
	c.rto, c.oldest = leastRTO, 0
	c.round++
	if c.una != c.nxt {
		c.arm()
	} else if c.fin && c.finTaken {
		c.drop()
		return
	}
	if opened && c.onOpen != nil {
		c.onOpen()
	}
}

// take takes what a segment carries, if it is what comes next.
func (c *stream) take(v *frame.View, payload []byte) {
	fin := v.TCPFlags&frame.TCPFin != 0
	if len(payload) == 0 && !fin {
		return
	}
	if v.TCPSeq != c.rcv {
		c.transmit(frame.TCPAck, c.nxt, nil) // a repetition, or something is missing before it
		return
	}
	c.used = c.m.now()
	c.rcv += uint32(len(payload))
	if fin {
		c.rcv++
		c.finTaken = true
	}
	sent := c.nxt
	if len(payload) > 0 && c.onData != nil && !c.orphan {
		c.onData(payload)
	}
	if c.state != gone && c.nxt == sent {
		c.transmit(frame.TCPAck, c.nxt, nil)
	}
	if !fin || c.state == gone {
		return
	}
	if c.fin && c.una == c.nxt {
		c.drop()
		return
	}
	onEnd, orphan := c.onEnd, c.orphan
	c.close()
	if onEnd != nil && !orphan {
		onEnd(errEnded)
	}
}
