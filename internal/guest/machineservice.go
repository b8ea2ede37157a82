package guest

import (
	"slices"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
)

// ServiceOptions are of a service of the network itself that is spoken to by TCP, in
// virtual time; all are required.
type ServiceOptions struct {
	Link *dataplane.LinkLocal // what answers are sent through
	Port uint16               // where it is served; other ports are refused by RST
	// Converse answers the first whole request in a connection's bytes: how many of
	// them it took, 0 if there is more to come, and the answer; end ends the
	// connection behind it.
	Converse func(from *dataplane.Port, asked []byte) (answer []byte, used int, end bool)
}

// Service is one service of the network in virtual time: what a pool of netstack's
// stacks is in real time, over machines' small TCP.
type Service struct {
	of   ServiceOptions
	all  *Machines
	ends map[*dataplane.Port]*Machine
}

// NewService returns a service to those on the same engine.
func (ms *Machines) NewService(of ServiceOptions) *Service {
	return &Service{of: of, all: ms, ends: map[*dataplane.Port]*Machine{}}
}

// session is the network's end of the connections of one attachment.
type session struct {
	*Service
	port          *dataplane.Port
	guest, router frame.MAC
}

func (s *session) send(b []byte) { s.of.Link.Send(s.port, [][]byte{b}) }

// Take takes a frame of an attachment, of which it keeps no byte.
func (s *Service) Take(from *dataplane.Port, b []byte) {
	var v frame.View
	if v.Parse(b) != frame.KindIPv4 || !v.HasL4 || v.Fragment || v.Proto != frame.ProtoTCP || !intact(&v, b) {
		return
	}
	m := s.ends[from]
	if m == nil {
		s.sweep()
		m = &Machine{id: "network", all: s.all, web: map[tcpKey]*stream{}, service: &session{Service: s, port: from, guest: v.Src, router: v.Dst}}
		s.ends[from] = m
	}
	m.onTCP(&v, v.SrcIP.Addr(), v.DstIP.Addr(), b, b[v.Payload:v.End])
}

// sweep forgets attachments that have ended.
func (s *Service) sweep() {
	for p, m := range s.ends {
		select {
		case <-p.Closed():
			m.halted = true
			delete(s.ends, p)
		default:
		}
	}
}

// converse answers what has come over a connection.
func (s *session) converse(c *stream, b []byte) {
	c.buf = append(c.buf, b...)
	for len(c.buf) > 0 {
		answer, used, end := s.of.Converse(s.port, c.buf)
		if used == 0 {
			if len(c.buf) > httpHeader {
				c.close()
			}
			return
		}
		c.buf = slices.Clone(c.buf[used:])
		if len(answer) > 0 {
			c.write(answer)
		}
		if end {
			c.close()
			return
		}
	}
}
