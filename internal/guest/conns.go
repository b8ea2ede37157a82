package guest

import (
	"bytes"
	"slices"

	"enilab/internal/dataplane/frame"
)

// Conn is one TCP connection of an http workload, from frames. Times are Unix
// nanoseconds of the engine's clock.
type Conn struct {
	LocalPort     uint16
	OpenedAt      int64 // SYN-ACK received; 0: never
	LastReplyAt   int64
	LastResponder string
	ResetAt       int64 // RST received; 0: none
	ClosedAt      int64 // FIN or abandoned by the client; 0: open
}

// maxConnRecords connections of a flow are remembered; the oldest are forgotten.
const maxConnRecords = 4096

// tcpConn is a Conn with what matching its frames takes.
type tcpConn struct {
	Conn
	synAt   int64
	isn     uint32
	asked   bool   // a request has been sent
	lastReq uint32 // TCP sequence number of the newest request
	pending uint64 // number of the request that waits for its response; 0: none
}

// conns follows the connections of one http client and numbers their requests
// in the order in which they leave. A connection is opened for its first
// request, which therefore begins with the SYN: a client that never gets one
// has sent requests all the same, and lost them.
type conns struct {
	live  map[uint16]*tcpConn // newest by local port
	order []*tcpConn
	seq   uint64
}

// segment is one TCP segment of the client, either way.
type segment struct {
	at      int64
	port    uint16 // the client's
	flags   uint8
	seq     uint32
	payload []byte // as far as captured
}

// sent follows a segment that the client sends, and returns the number of the
// request that it begins, or 0. Retransmissions begin nothing.
func (c *conns) sent(s segment) (request uint64) {
	t := c.live[s.port]
	if s.flags&(frame.TCPSyn|frame.TCPAck) == frame.TCPSyn {
		if t == nil || t.isn != s.seq {
			return c.open(s)
		}
		return 0
	}
	if t == nil {
		return 0
	}
	if s.flags&(frame.TCPFin|frame.TCPRst) != 0 && t.ClosedAt == 0 {
		t.ClosedAt = s.at
	}
	if !bytes.HasPrefix(s.payload, []byte("GET ")) || t.asked && int32(s.seq-t.lastReq) <= 0 {
		return 0
	}
	first := !t.asked
	t.asked, t.lastReq = true, s.seq
	if first {
		return 0 // it is what the connection was opened for
	}
	c.seq++
	t.pending = c.seq
	return c.seq
}

// received follows a segment that the client gets, and returns the number of
// the request that it answers, or 0, and who answered.
func (c *conns) received(s segment, name func([]byte) string) (request uint64, responder string) {
	t := c.live[s.port]
	if t == nil {
		return 0, ""
	}
	switch {
	case s.flags&frame.TCPRst != 0:
		if t.ResetAt == 0 {
			t.ResetAt = s.at
		}
		return 0, ""
	case s.flags&frame.TCPSyn != 0:
		if t.OpenedAt == 0 {
			t.OpenedAt = s.at
		}
		return 0, ""
	}
	if s.flags&frame.TCPFin != 0 && t.ClosedAt == 0 {
		t.ClosedAt = s.at
	}
	if t.pending == 0 || !bytes.HasPrefix(s.payload, []byte("HTTP/1.")) {
		return 0, ""
	}
	request, t.pending = t.pending, 0
	t.LastReplyAt, t.LastResponder = s.at, name(headerValue(s.payload, instanceHeader))
	return request, t.LastResponder
}

// open begins a connection and returns the number of its first request.
func (c *conns) open(s segment) uint64 {
	if c.live == nil {
		c.live = map[uint16]*tcpConn{}
	}
	if len(c.order) == maxConnRecords {
		old := c.order[:maxConnRecords/4]
		for _, t := range old {
			if c.live[t.LocalPort] == t {
				delete(c.live, t.LocalPort)
			}
		}
		c.order = slices.Delete(c.order, 0, len(old))
	}
	c.seq++
	t := &tcpConn{Conn: Conn{LocalPort: s.port}, synAt: s.at, isn: s.seq, pending: c.seq}
	c.live[s.port] = t
	c.order = append(c.order, t)
	return c.seq
}

// since returns the connections that were open at or after a time, in the
// order of their first SYN.
func (c *conns) since(at, now int64) []Conn {
	var out []Conn
	for _, t := range c.order {
		r := t.Conn
		// A client that gets no SYN-ACK gives up without a frame.
		if end := t.synAt + int64(httpTimeout); r.OpenedAt == 0 && r.ClosedAt == 0 && end < now {
			r.ClosedAt = end
		}
		if (r.ClosedAt == 0 || r.ClosedAt >= at) && (r.ResetAt == 0 || r.ResetAt >= at) {
			out = append(out, r)
		}
	}
	return out
}

// headerValue finds a header's value in the first bytes of an HTTP message,
// nil if it is not there in full.
func headerValue(b []byte, name string) []byte {
	for {
		_, rest, ok := bytes.Cut(b, []byte("\r\n"))
		if !ok {
			return nil
		}
		line, _, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok || len(line) == 0 {
			return nil
		}
		if k, v, ok := bytes.Cut(line, []byte(":")); ok && bytes.EqualFold(k, []byte(name)) {
			return bytes.TrimSpace(v)
		}
		b = rest
	}
}
