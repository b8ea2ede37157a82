// Package services serves what a VPC's network offers its guests on the wire
// beside instance metadata: DHCP at the router, DNS at the VPC's base plus two and
// at 169.254.169.253, and the time at 169.254.169.123. It knows frames; what is
// answered is the business of the packages below it.
package services

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/services/dhcp"
	"enilab/internal/services/dns"
	"enilab/internal/services/ntp"
	"enilab/internal/services/stacks"
)

// Options of a Server; Engine and State are required.
type Options struct {
	Engine *dataplane.Engine
	// State is the committed truth.
	State func() *control.State
	// Now is the clock that guests are told; nil: time.Now.
	Now      func() time.Time
	Upstream string // of dns.Options
	// Segments takes the TCP segments for DNS where somebody owns time and calls
	// Step; nil: stacks do.
	Segments func(from *dataplane.Port, b []byte)
}

// service is one of the services: where it answers, and what it does with a frame.
type service struct {
	name string
	at   []linklocal.Endpoint
	take func(l *dataplane.LinkLocal, from *dataplane.Port, d *datagram)
	link *dataplane.LinkLocal
	stop func() // of link
}

// dnsService is the place of DNS among the services.
const dnsService = 1

// Server serves one engine's guests.
type Server struct {
	opt      Options
	services []*service
	resolver *dns.Resolver
	tcp      *stacks.Pool // of DNS

	// Of Run.
	ctx     context.Context // ends with it
	waiting sync.WaitGroup  // for upstream
}

// New returns the one Server of an engine. What guests ask waits until Run runs,
// which also ends it.
func New(opt Options) (*Server, error) {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	s := &Server{opt: opt, resolver: dns.New(dns.Options{State: opt.State, Hosts: func(name string) ([]netip.Addr, bool) { return publicHosts(opt.State(), name) }, Upstream: opt.Upstream})}
	at := linklocal.Served()
	resolver := &service{name: "DNS", take: s.question, at: at[linklocal.NameDNS]}
	s.services = []*service{
		{name: "DHCP", take: s.lease, at: at[linklocal.NameDHCP]},
		resolver,
		{name: "time", take: s.time, at: at[linklocal.NameTime]},
	}
	for i, x := range s.services {
		var err error
		if x.link, x.stop, err = opt.Engine.ServeLinkLocal(x.at...); err != nil {
			for _, y := range s.services[:i] {
				y.stop()
			}
			return nil, fmt.Errorf("serving %s: %w", x.name, err)
		}
	}
	s.tcp = stacks.New(stacks.Options{Link: resolver.link, Port: dns.Port, Addrs: resolverAddrs, Serve: s.serveTCP})
	return s, nil
}

// resolverAddrs are where an attachment finds DNS.
func resolverAddrs(p *dataplane.Port) []frame.IPv4 {
	list := []frame.IPv4{linklocal.DNS}
	if a, ok := frame.IPv4From(p.Subnet().Resolver); ok {
		list = append(list, a)
	}
	return list
}

// Run serves until ctx ends; everything has ended when it returns.
func (s *Server) Run(ctx context.Context) error {
	// What waits for upstream ends before the link that it answers through.
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	s.ctx = asking
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(stacks.SweepEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				s.sweep(s.opt.Now())
			case <-ctx.Done():
				return
			}
		}
	})
	for _, x := range s.services {
		wg.Go(func() {
			var d datagram
			for x.link.Recv(ctx, func(from *dataplane.Port, b []byte) {
				if d.read(b) {
					x.take(x.link, from, &d)
				}
			}) == nil {
			}
		})
	}
	wg.Wait()
	cancel()
	s.waiting.Wait()
	s.tcp.Close()
	for _, x := range s.services {
		x.stop()
	}
	return nil
}

// Step serves what waits, for drivers that own time and call it in place of Run,
// and reports whether anything did. Nobody is asked upstream.
func (s *Server) Step() (worked bool) {
	for _, x := range s.services {
		if !x.link.Waiting() {
			continue // which is so nearly always, and to be cheap
		}
		worked = true
		var d datagram
		x.link.Poll(func(from *dataplane.Port, b []byte) {
			if d.read(b) {
				x.take(x.link, from, &d)
			}
		})
	}
	return worked
}

// DNS is what answers of DNS by TCP are sent through where somebody owns time.
func (s *Server) DNS() *dataplane.LinkLocal { return s.services[dnsService].link }

// Converse answers the first whole question by TCP of a connection's bytes, in the
// VPC that it comes from: how many bytes it took, 0 if there is more to come, and
// the answer, nil if the connection is to end.
func (s *Server) Converse(vpc string, asked []byte) (answer []byte, used int) {
	const length = 2
	if len(asked) < length {
		return nil, 0
	}
	n := int(binary.BigEndian.Uint16(asked))
	switch {
	case n > maxQuestion:
		return nil, len(asked)
	case len(asked) < length+n:
		return nil, 0
	}
	answer, _ = s.resolver.Respond(vpc, asked[length:length+n], false, maxMessage)
	if answer == nil {
		return nil, len(asked)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...), length + n
}

// sweep gives memory back that nobody has used for a while.
func (s *Server) sweep(now time.Time) {
	s.tcp.Sweep(now)
	for _, x := range s.services {
		x.link.Trim()
	}
}

// lease answers a client of DHCP.
func (s *Server) lease(l *dataplane.LinkLocal, from *dataplane.Port, d *datagram) {
	if d.view.Proto != frame.ProtoUDP {
		return
	}
	lease, ok := dhcp.LeaseOf(s.opt.State(), from.VNIC().ID)
	if !ok {
		return // it has gone meanwhile
	}
	a, ok := dhcp.Respond(lease, d.payload)
	if !ok {
		return
	}
	h := frame.Header{Dst: frame.BroadcastMAC, Src: from.Subnet().RouterMAC, DstIP: 1<<32 - 1}
	h.SrcIP, _ = frame.IPv4From(lease.Router)
	if ip, ok := frame.IPv4From(a.To); ok {
		h.Dst, h.DstIP = d.view.Src, ip
	}
	l.Send(from, [][]byte{frame.AppendUDP(nil, h, dhcp.ServerPort, dhcp.ClientPort, a.Message)})
}

const ntpPort = 123

// time answers a client of NTP.
func (s *Server) time(l *dataplane.LinkLocal, from *dataplane.Port, d *datagram) {
	now := s.opt.Now()
	if a := ntp.Answer(d.payload, now, now); a != nil {
		l.Send(from, [][]byte{d.answer(a)})
	}
}

// publicHosts finds the hosts of the modelled internet by the name that a person
// gave them.
func publicHosts(s *control.State, name string) (addrs []netip.Addr, known bool) {
	for _, h := range s.InternetHosts() {
		if strings.EqualFold(h.Name, name) {
			addrs = append(addrs, h.Address)
		}
	}
	return addrs, len(addrs) > 0
}
