package guest

import (
	"bytes"
	"context"

	"gvisor.dev/gvisor/pkg/tcpip"
)

// runEcho sends echo requests. Replies are thrown away: the meter reads them
// from the frames.
func (c *client) runEcho(ctx context.Context, ep tcpip.Endpoint) {
	defer ep.Close()
	var (
		seq     uint64
		payload = make([]byte, c.spec.Size)
		reader  bytes.Reader
		opts    = tcpip.WriteOptions{To: &tcpip.FullAddress{Addr: address(c.spec.Target), Port: c.spec.Port}}
	)
	c.pace(ctx, 0, func(n int) {
		drain(ep)
		for range n {
			seq++
			echo{kind: echoRequest, flow: c.id, seq: seq, sent: c.host.env.now()}.put(payload)
			reader.Reset(payload)
			// No route, no neighbour, no room: the request is lost, as the
			// meter will find; the client goes on at its rate.
			_, _ = ep.Write(&reader, opts)
		}
	})
}

// runPing sends ICMP echo requests under the identifier that the socket is
// bound to. Sequence numbers wrap after 65,535; the meter extends them.
func (c *client) runPing(ctx context.Context, ep tcpip.Endpoint) {
	defer ep.Close()
	var seq uint16
	payload := make([]byte, c.spec.Size)
	c.pace(ctx, 0, func(n int) {
		drain(ep)
		for range n {
			seq++
			_ = writeEchoRequest(ep, c.spec.Target, seq, payload)
		}
	})
}

// pingID is the ICMP identifier of a client; never 0, which a socket reads as
// "any".
func pingID(id uint32) uint16 {
	if low := uint16(id); low != 0 {
		return low
	}
	return uint16(id>>16) | 1
}
