package hangup

import (
	"io"
	"net"
	"time"
)

// What is read off a lingering connection, at most: more than that is no
// mistake of a client's that has to be explained to it.
const (
	lingerBytes = 64 << 20
	lingerTime  = 2 * time.Second
)

// Linger makes the connection wait for the client when the server closes it.
// It is for an answer that comes before the request was read: a connection that
// is closed with unread bytes is reset, and the reset takes the answer away from
// a client that is still writing (RFC 9112, section 9.6). A connection that
// Listener has not made does not linger.
func Linger(nc net.Conn) {
	if c, ok := nc.(*conn); ok {
		c.lingers.Store(true)
	}
}

// Cut closes a connection at once, also one that lingers.
func Cut(nc net.Conn) error {
	if c, ok := nc.(*conn); ok {
		return c.Conn.Close()
	}
	return nc.Close()
}

// Close says that nothing more comes, and if the connection lingers, reads on
// until the client has closed its side too or the bound is reached.
func (c *conn) Close() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if ok && c.lingers.Swap(false) && half.CloseWrite() == nil &&
		c.Conn.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.Conn, lingerBytes)
	}
	return c.Conn.Close()
}
