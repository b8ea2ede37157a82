package guest

import (
	"context"

	"enilab/internal/dataplane/frame"
)

const (
	// discardPort is where generated frames go unless told otherwise (RFC 863).
	discardPort = 9
	// generatorPort is where they come from.
	generatorPort = 49152
	// generatorBurst frames share one call of Port.Send.
	generatorBurst = 64
)

// generator builds bursts of UDP frames with numbered echo requests as payload.
type generator struct {
	header           frame.Header
	srcPort, dstPort uint16
	flow             uint32
	seq              uint64
	payload          []byte
	frames           [][]byte
}

// burst returns the next n frames, n <= generatorBurst; they are valid until
// the next call.
func (g *generator) burst(n int, now int64) [][]byte {
	if g.frames == nil {
		g.frames = make([][]byte, generatorBurst)
	}
	for i := range g.frames[:n] {
		g.seq++
		echo{kind: echoRequest, flow: g.flow, seq: g.seq, sent: now}.put(g.payload)
		g.header.ID = uint16(g.seq)
		g.frames[i] = frame.AppendUDP(g.frames[i][:0], g.header, g.srcPort, g.dstPort, g.payload)
	}
	return g.frames[:n]
}

// runFrames sends UDP frames straight into the Port, without the stack and
// without ARP: the lab knows the MAC of every attached interface of the
// subnet, now, and the router takes the rest.
func (c *client) runFrames(ctx context.Context, n *nic) {
	env := c.host.env
	src, _ := frame.IPv4From(c.from.addr)
	to, _ := frame.IPv4From(c.spec.Target)
	g := generator{
		header:  frame.Header{Src: frame.MACAt([]byte(n.at.mac)), SrcIP: src, DstIP: to, DontFrag: true},
		srcPort: generatorPort, dstPort: c.spec.Port, flow: c.id, payload: make([]byte, c.spec.Size),
	}
	near := n.at.subnet.Contains(c.spec.Target)
	c.pace(ctx, 0, func(due int) {
		g.header.Dst = n.at.routerMAC
		if near {
			if mac, ok := env.macOf(n.at.subnetID, c.spec.Target); ok {
				g.header.Dst = mac
			}
		}
		for due > 0 {
			b := g.burst(min(due, generatorBurst), env.now())
			n.link.send(b)
			due -= len(b)
		}
	})
}
