package dataplane

import (
	"fmt"
	"net/netip"
	"slices"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// natted is one connection through a NAT gateway.
type natted struct {
	gateway               string
	proto                 uint8
	inside, remote, own   netip.Addr
	insidePort, port, far uint16 // ICMP: identifiers, and 0
}

// tooLong ends a frame that its way does not take, and tells who may not fragment:
// the VNIC where it was, whose guest or NAT gateway knows what it is about.
func (m *model) tooLong(at VNICSpec, f sent, mtu int) []fate {
	switch {
	case mtu == 8500: // a transit gateway
		return []fate{{verdict.TooBig, at.ID, f}}
	case !f.dontFragment:
		return []fate{{verdict.Fragmented, at.ID, f}}
	}
	about := f
	return append([]fate{{verdict.TooBig, at.ID, f}}, m.arrive(VNICSpec{}, at, sent{
		etherType: frame.EtherTypeIPv4, proto: frame.ProtoICMP, srcIP: m.router(at.Subnet), dstIP: f.srcIP, about: &about, mtu: mtu,
	}, false, nil, 0)...)
}

// natOut gives f, from inside, an address and port of a NAT gateway.
func (m *model) natOut(v VNICSpec, f *sent) verdict.Reason {
	if f.about != nil {
		if f.about.proto == frame.ProtoICMP && !f.about.reply {
			return verdict.NATNoConnection
		}
		// A message about what came in through the gateway, of pings only replies.
		for _, n := range m.nats {
			if n.gateway == v.ID && n.proto == f.about.proto && n.inside == f.about.dstIP && n.insidePort == f.about.dport &&
				n.remote == f.about.srcIP && (n.proto == frame.ProtoICMP || n.far == f.about.sport) {
				about := *f.about
				about.dstIP, about.dport = n.own, n.port
				if n.proto == frame.ProtoICMP {
					about.sport = n.port
				}
				f.srcIP, f.about = n.own, &about
				return verdict.Delivered
			}
		}
		return verdict.NATNoConnection
	}
	if f.proto == frame.ProtoICMP && f.reply {
		return verdict.NATUnsupported
	}
	n := natted{gateway: v.ID, proto: f.proto, inside: f.srcIP, insidePort: f.sport, remote: f.dstIP}
	if f.proto == frame.ProtoUDP {
		n.far = f.dport
	}
	i := slices.IndexFunc(m.nats, func(o natted) bool {
		n.own, n.port = o.own, o.port
		return n == o
	})
	if i < 0 {
		n.own = v.Addrs[0]
		n.port = m.port(v.ID, n)
		for _, o := range m.nats {
			if o.gateway == n.gateway && o.proto == n.proto && o.own == n.own && o.port == n.port && o.remote == n.remote && o.far == n.far {
				m.wrong = fmt.Sprintf("%+v and %+v have one port", o, n)
			}
		}
		if n.port < 1024 {
			m.wrong = fmt.Sprintf("port %d is below 1024", n.port)
		}
		m.nats = append(m.nats, n)
	}
	f.srcIP, f.sport = n.own, n.port
	if f.proto == frame.ProtoICMP {
		f.dport = n.port
	}
	return verdict.Delivered
}

// natIn gives f, an answer to a NAT gateway, the address and port inside.
func (m *model) natIn(v VNICSpec, f *sent) verdict.Reason {
	if f.proto == frame.ProtoICMP && f.about == nil && !f.reply {
		return verdict.NATUnsupported
	}
	for _, n := range m.nats {
		switch {
		case n.gateway != v.ID || n.own != f.dstIP:
		case f.about != nil: // about what went out through the gateway, of pings only queries
			far := uint16(0)
			if f.about.proto == frame.ProtoUDP {
				far = f.about.dport
			}
			query := f.about.proto != frame.ProtoICMP || !f.about.reply
			if query && n.proto == f.about.proto && n.own == f.about.srcIP && n.port == f.about.sport && n.remote == f.about.dstIP && n.far == far {
				about := *f.about
				about.srcIP, about.sport = n.inside, n.insidePort
				if about.proto == frame.ProtoICMP {
					about.dport = n.insidePort
				}
				f.dstIP, f.about = n.inside, &about
				return verdict.Delivered
			}
		case n.proto == f.proto && n.remote == f.srcIP && n.port == f.dport && (f.proto == frame.ProtoICMP || n.far == f.sport):
			f.dstIP, f.dport = n.inside, n.insidePort
			if f.proto == frame.ProtoICMP {
				f.sport = n.insidePort
			}
			return verdict.Delivered
		}
	}
	return verdict.NATNoConnection
}
