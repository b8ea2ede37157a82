package guest

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"enilab/internal/dataplane/spec"
)

func (m *Machine) serves(port uint16) bool {
	if m.service != nil {
		return port == m.service.of.Port
	}
	return port == httpPort || slices.Contains(m.serve, spec.ServedPort{Protocol: "tcp", Port: port})
}

// answerHTTP is the server's end: GET / gets the instance id, as identify answers.
func (m *Machine) answerHTTP(c *stream, b []byte) {
	c.buf = append(c.buf, b...)
	for {
		head, rest, whole := bytes.Cut(c.buf, []byte("\r\n\r\n"))
		if !whole {
			if len(c.buf) > httpHeader {
				c.close()
			}
			return
		}
		c.buf = slices.Clone(rest)
		line, _, _ := bytes.Cut(head, []byte("\r\n"))
		text, body := "200 OK", m.id+"\n"
		if !bytes.HasPrefix(line, []byte("GET / ")) {
			text, body = "404 Not Found", "404 page not found\n"
		}
		c.write([]byte("HTTP/1.1 " + text + "\r\nContent-Length: " + strconv.Itoa(len(body)) +
			"\r\nContent-Type: text/plain\r\n" + instanceHeader + ": " + m.id + "\r\n\r\n" + body))
		if bytes.EqualFold(headerValue(append(slices.Clip(head), "\r\n\r\n"...), "Connection"), []byte("close")) {
			c.close()
			return
		}
	}
}

// expire ends a server's connection whose client has gone without a word.
func (c *stream) expire() {
	c.m.after(httpIdle, func() {
		if c.state == gone {
			return
		}
		if c.m.now()-c.used >= int64(httpIdle) {
			c.close()
			return
		}
		c.expire()
	})
}

// Answer is what a machine's server said.
type Answer struct {
	Status int
	Body   string
}

// complete reads one response out of what has come, false if there is more to come.
func complete(b []byte) (a Answer, n int, ok bool) {
	head, rest, whole := bytes.Cut(b, []byte("\r\n\r\n"))
	if !whole || len(head) < len("HTTP/1.1 200") {
		return a, 0, false
	}
	a.Status, _ = strconv.Atoi(string(head[9:12]))
	length, _ := strconv.Atoi(string(headerValue(b, "Content-Length")))
	if len(rest) < length {
		return a, 0, false
	}
	a.Body = string(rest[:length])
	return a, len(head) + 4 + length, true
}

// Connect opens a connection and calls done once: with nil when it is open.
func (m *Machine) Connect(from, to netip.Addr, port uint16, timeout time.Duration, done func(error)) {
	m.request(from, to, port, "", timeout, func(_ Answer, err error) { done(err) })
}

// Get asks for a path by HTTP on a connection of its own and calls done once.
// Without an address to ask from the machine picks one as its clients do.
func (m *Machine) Get(from, to netip.Addr, port uint16, path string, timeout time.Duration, done func(Answer, error)) {
	m.request(from, to, port, path, timeout, done)
}

func (m *Machine) request(from, to netip.Addr, port uint16, path string, timeout time.Duration, done func(Answer, error)) {
	if !from.IsValid() {
		own, ok := m.source(to)
		if !ok {
			done(Answer{}, errNoAddress)
			return
		}
		from = own.addr
	}
	c := m.dial(from, to, port)
	over := false
	end := func(a Answer, err error) {
		if !over {
			over = true
			c.close()
			done(a, err)
		}
	}
	c.onEnd = func(err error) { end(Answer{}, err) }
	c.onOpen = func() {
		if path == "" {
			end(Answer{}, nil)
			return
		}
		c.write(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, netip.AddrPortFrom(to, port)))
	}
	c.onData = func(b []byte) {
		c.buf = append(c.buf, b...)
		if a, _, ok := complete(c.buf); ok {
			end(a, nil)
		}
	}
	m.all.tl.At(m.now()+int64(timeout), func() { end(Answer{}, errNoAnswer) })
}

// webLane is one keep-alive connection of an http client: the state machine of
// runHTTP.
type webLane struct {
	lane    *lane
	request []byte
	conn    *stream
	backoff time.Duration
	round   uint64 // of requests; a timeout of an earlier one does nothing
}

func (w *webLane) send() {
	c := w.lane.c
	w.lane.busy = true
	w.deadline()
	if w.conn != nil {
		w.conn.write(w.request)
		return
	}
	conn := c.m.dial(c.from.addr, c.spec.Target, c.spec.Port)
	w.conn = conn
	conn.onOpen = func() {
		w.deadline() // connecting has its own
		conn.write(w.request)
	}
	conn.onData = func(b []byte) {
		conn.buf = append(conn.buf, b...)
		a, n, ok := complete(conn.buf)
		switch {
		case !ok && len(conn.buf) > maxResponse, ok && a.Status != 200:
			w.failed()
		case ok:
			conn.buf = slices.Clone(conn.buf[n:])
			w.backoff = 0
			w.round++
			w.lane.free(0)
		}
	}
	conn.onEnd = func(error) {
		if w.conn != conn {
			return
		}
		if w.lane.busy {
			w.failed()
		} else {
			w.conn = nil // found at the next request
		}
	}
}

func (w *webLane) deadline() {
	w.round++
	round := w.round
	w.lane.c.m.after(httpTimeout, func() {
		if w.round == round && w.lane.busy {
			w.failed()
		}
	})
}

func (w *webLane) failed() {
	w.round++
	w.close()
	w.backoff = min(max(2*w.backoff, backoffMin), backoffMax)
	w.lane.free(w.backoff)
}

func (w *webLane) close() {
	if conn := w.conn; conn != nil {
		w.conn = nil
		conn.close()
	}
}
