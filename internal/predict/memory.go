package predict

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Memory is what connection tables and NAT gateways remember of the packets of one
// question: an answer passes as part of the connection that was asked for. The nil
// Memory remembers nothing.
type Memory struct {
	flows []flow
	nats  []natted
}

type flow struct {
	at      *vnic
	key     conntrack.Key
	rule    verdict.RuleID
	oneWay  bool // a reply that nobody asked for: vouches for its own direction only
	dir     conntrack.Direction
	tracked bool
}

// natted is a connection through a NAT gateway.
type natted struct {
	at                      *vnic
	proto                   uint8
	inside, own, remote     frame.IPv4
	insidePort, port, rport uint16
}

// reset forgets all, and keeps the room.
func (m *Memory) reset() { m.flows, m.nats = m.flows[:0], m.nats[:0] }

func (m *Memory) flow(at *vnic, k conntrack.Key, dir conntrack.Direction) *flow {
	if m == nil {
		return nil
	}
	for i := range m.flows {
		if f := &m.flows[i]; f.at == at && f.key == k && (!f.oneWay || f.dir == dir) {
			return f
		}
	}
	return nil
}

// firstPort stands for the port that a NAT gateway gives a connection, any from
// 1024 to 65535 (VPC User Guide, "NAT gateway basics"); what is asked for the
// others, too, is in Ephemeral.
const firstPort = 49152

// natOut gives f an address and port of the NAT gateway at.
func (m *Memory) natOut(at *vnic, f *frame.View) verdict.Reason {
	port := &f.SrcPort
	switch {
	case f.Proto == frame.ProtoICMP && f.ICMPType == echoRequest:
		port = &f.ICMPID
	case f.Proto == frame.ProtoTCP && f.TCPFlags&frame.TCPAck != 0:
		return verdict.NATNoConnection // a connection begins with a SYN
	case f.Proto != frame.ProtoTCP && f.Proto != frame.ProtoUDP:
		return verdict.NATUnsupported
	}
	n := natted{at: at, proto: f.Proto, inside: f.SrcIP, insidePort: *port, own: at.addrs[0], port: firstPort, remote: f.DstIP, rport: f.DstPort}
	if m != nil {
		m.nats = append(m.nats, n)
	}
	f.SrcIP, *port = n.own, n.port
	return verdict.Delivered
}

// natIn gives f, an answer to the NAT gateway at, the address and port inside.
func (m *Memory) natIn(at *vnic, f *frame.View) verdict.Reason {
	port := &f.DstPort
	switch {
	case f.Proto == frame.ProtoICMP && f.ICMPType == echoReply:
		port = &f.ICMPID
	case f.Proto != frame.ProtoTCP && f.Proto != frame.ProtoUDP:
		return verdict.NATUnsupported
	}
	if m != nil {
		for _, n := range m.nats {
			if n.at == at && n.proto == f.Proto && n.own == f.DstIP && n.remote == f.SrcIP && n.port == *port && n.rport == f.SrcPort {
				f.DstIP, *port = n.inside, n.insidePort
				return verdict.Delivered
			}
		}
	}
	return verdict.NATNoConnection
}
