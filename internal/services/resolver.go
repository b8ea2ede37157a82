package services

import (
	"encoding/binary"
	"io"
	"net"
	"time"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/services/stacks"
)

const (
	// ipAndUDP is what an answer has around it in a packet.
	ipAndUDP   = frame.IPv4MinLen + frame.UDPLen
	defaultMTU = 9001 // of a VPC

	// maxMessage of DNS by TCP (RFC 1035, section 4.2.2), and how long a question may
	// be: one has a name and a few options.
	maxMessage  = 1<<16 - 1
	maxQuestion = 4 << 10
	// silence ends a connection; RFC 7766, section 6.2.3, asks for seconds.
	silence = 10 * time.Second
	// perConn questions end one.
	perConn = 1024
)

// question answers one by UDP, or gives a segment to the stack that has the
// connection.
func (s *Server) question(l *dataplane.LinkLocal, from *dataplane.Port, d *datagram) {
	vnic, subnet := from.VNIC(), from.Subnet()
	if d.view.Proto == frame.ProtoTCP {
		if vpc := s.opt.State().VPC(subnet.VPC); vpc != nil && vpc.DNSSupport {
			if s.opt.Segments != nil {
				s.opt.Segments(from, d.frame)
			} else {
				s.tcp.Take(from, &d.view, d.frame, s.opt.Now())
			}
		}
		return
	}
	mtu := vnic.MTU
	if mtu <= 0 {
		mtu = defaultMTU
	}
	answer, wait := s.resolver.Respond(subnet.VPC, d.payload, true, mtu-ipAndUDP)
	if wait == nil {
		if answer != nil {
			l.Send(from, [][]byte{d.answer(answer)})
		}
		return
	}
	back := *d
	back.frame, back.payload = nil, nil
	s.waiting.Go(func() {
		if a := wait.Answer(s.ctx); a != nil {
			answer = a
		}
		if answer != nil {
			l.Send(from, [][]byte{back.answer(answer)})
		}
	})
}

// serveTCP serves the connections of one attachment.
func (s *Server) serveTCP(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return // the listener's end
		}
		go s.converse(c.(*stacks.Conn))
	}
}

// converse answers the questions of one connection in turn.
func (s *Server) converse(c *stacks.Conn) {
	defer c.Close()
	vpc := c.Subnet().VPC
	var length [2]byte
	for range perConn {
		if c.SetDeadline(time.Now().Add(silence)) != nil {
			return
		}
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint16(length[:])
		if n > maxQuestion {
			return
		}
		message := make([]byte, n)
		if _, err := io.ReadFull(c, message); err != nil {
			return
		}
		answer, wait := s.resolver.Respond(vpc, message, false, maxMessage)
		if wait != nil {
			if a := wait.Answer(c.Context()); a != nil {
				answer = a
			}
		}
		if answer == nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}
