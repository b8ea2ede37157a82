package predict

import (
	"net/netip"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/spec"
	"enilab/internal/dataplane/verdict"
)

// limitedBroadcast is by what a host without an address asks the router.
const limitedBroadcast frame.IPv4 = 1<<32 - 1

// place tells whether an address is one at which the network answers the guests of a
// subnet itself.
func (n *Network) place(of *subnet, ip frame.IPv4) (at linklocal.Place, addr frame.IPv4) {
	const linkLocalNet = 169<<8 | 254
	switch {
	case n.Services == nil || ip == 0 || of.vpc.internet:
	case ip>>16 == linkLocalNet:
		at, addr = linklocal.Fixed, ip
	case of.spec.Resolver.IsValid() && ip.Addr() == of.spec.Resolver:
		at = linklocal.Resolver
	case ip.Addr() == routerOf(of.spec):
		at = linklocal.Router
	}
	return at, addr
}

// routerOf is the router's address in a subnet.
func routerOf(s *spec.Subnet) netip.Addr {
	if s.RouterIP.IsValid() {
		return s.RouterIP
	}
	return s.CIDR.Masked().Addr().Next()
}

// service is who answers a packet, "" for nobody at this port. at is Nowhere if it
// goes on: only what is for the router, or the broadcast that asks it, is for a service.
func (n *Network) service(of *subnet, f *frame.View) (at linklocal.Place, name string) {
	var addr frame.IPv4
	switch f.Dst {
	case of.spec.RouterMAC:
		at, addr = n.place(of, f.DstIP)
	case frame.BroadcastMAC:
		if ip, ok := frame.IPv4From(routerOf(of.spec)); ok {
			at, addr = n.place(of, ip)
		}
	}
	if at == linklocal.Nowhere || !n.Services.Has(at, addr) {
		return linklocal.Nowhere, ""
	}
	if f.Proto == frame.ProtoTCP || f.Proto == frame.ProtoUDP {
		name = n.Services.Find(at, addr, f.Proto, f.DstPort)
	}
	return at, name
}

// served ends the way of a packet that the network answers itself, or nobody at that
// address, and of a broadcast that nobody takes.
func (w *walk) served(v *vnic, name string) {
	if w.detail {
		w.path.Legs = append(w.path.Legs, Leg{
			From: v.spec.ID, Subnet: v.net.spec.ID, Was: ends(&w.f), Now: ends(&w.f), MTU: vpcMTU, Service: name, Assumed: w.path.Reason != verdict.Delivered,
		})
	}
	switch {
	case name != "":
		w.path.Service = name
		if w.path.Reason == verdict.Delivered {
			w.path.Reason, w.path.At = verdict.LinkLocal, v.spec.ID
		}
	case w.f.Dst == frame.BroadcastMAC:
		w.stop(v, verdict.Broadcast, 0, "")
	default:
		w.stop(v, verdict.NoService, 0, "")
	}
}
