package dataplane

import (
	"context"
	"errors"
	"sync"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/linklocal"
	"enilab/internal/dataplane/verdict"
)

// Bounds of LinkLocal. A frame that finds the queue full is dropped as
// linklocal_allowance_exceeded; an answer that finds no buffer as no_buffer.
const (
	linkLocalQueue = 1024
	linkLocalSmall = 4096
	linkLocalLarge = 512
)

// ErrServing is returned by ServeLinkLocal when somebody answers there already.
var ErrServing = errors.New("one of the endpoints is being served already")

// LinkLocal is the network's end of one of its own services: frames that guests
// send to the service's endpoints wait in it, and what is sent through it goes to
// the guest that asked. Both ways pass by security groups, network ACLs and
// connection tables, and are in no flow record; source checks hold. It knows
// frames, not what they ask.
type LinkLocal struct {
	e     *Engine
	ready chan struct{} // capacity 1: the queue has become non-empty

	mu sync.Mutex
	q  []asked // guarded by mu; at most linkLocalQueue

	pool struct {
		sync.Mutex
		*frame.Pool
	}
	taken []asked // of Recv; one caller at a time
}

// asked is a frame and the attachment that it came from.
type asked struct {
	from *Port
	b    *frame.Buf
}

// registry tells which LinkLocal answers where.
type registry = linklocal.Registry[*LinkLocal]

// ServeLinkLocal has a service answer at endpoints from now on, by whoever reads
// the LinkLocal, until stop is called, which must be after Recv and Poll have
// returned. Without it nobody holds the addresses. A frame on its way to the
// service when that ends is gone, as with one that crashes; it has been counted
// as taken.
func (e *Engine) ServeLinkLocal(at ...linklocal.Endpoint) (l *LinkLocal, stop func(), err error) {
	l = &LinkLocal{e: e, ready: make(chan struct{}, 1)}
	l.pool.Pool = frame.NewPool(linkLocalSmall, linkLocalLarge)
	e.serving.Lock()
	defer e.serving.Unlock()
	next, ok := e.services.Load().With(l, at...)
	if !ok {
		return nil, nil, ErrServing
	}
	e.services.Store(next)
	return l, func() {
		e.serving.Lock()
		defer e.serving.Unlock()
		e.services.Store(e.services.Load().Without(l))
		for _, w := range e.workers {
			w.visit(func() {}) // a burst under way may still be asking
		}
		l.take()
		l.giveBack()
	}, nil
}

// place tells whether an address is one at which the network answers itself.
// What stands for the internet has no such services.
func (n *subnetVersion) place(ip frame.IPv4) (at linklocal.Place, addr frame.IPv4) {
	const linkLocalNet = 169<<8 | 254
	switch {
	case ip == 0:
		return linklocal.Nowhere, 0
	case ip>>16 == linkLocalNet:
		at, addr = linklocal.Fixed, ip
	case ip == n.resolverIP:
		at = linklocal.Resolver
	case ip == n.routerIP:
		at = linklocal.Router
	default:
		return linklocal.Nowhere, 0
	}
	if n.spec.VPC == InternetVPC {
		return linklocal.Nowhere, 0
	}
	return at, addr
}

// service finds who answers a frame of a guest. at is Nowhere for a frame that
// goes on: only those to the router are for a service, since a guest that hands
// one to a neighbour means the neighbour, and a broadcast that a host without an
// address asks the router by. l is nil where nothing answers at this port.
func (w *worker) service(net *subnetVersion, view *frame.View) (at linklocal.Place, l *LinkLocal) {
	var addr frame.IPv4
	switch {
	case view.Kind != frame.KindIPv4:
		return linklocal.Nowhere, nil
	case view.Dst == net.routerMAC:
		at, addr = net.place(view.DstIP)
	case view.Dst == frame.BroadcastMAC && view.DstIP == limitedBroadcast:
		at, addr = net.place(net.routerIP)
	}
	if at == linklocal.Nowhere || !w.services.Has(at, addr) {
		return linklocal.Nowhere, nil
	}
	if view.HasL4 && !view.Fragment && (view.Proto == frame.ProtoTCP || view.Proto == frame.ProtoUDP) {
		l = w.services.Find(at, addr, view.Proto, view.DstPort)
	}
	return at, l
}

// limitedBroadcast is 255.255.255.255.
const limitedBroadcast frame.IPv4 = 1<<32 - 1

// judgeService decides on a frame that may be for a service: it goes on if it is not.
func (w *worker) judgeService(c *config, view *frame.View) ruling {
	if w.services == nil {
		return ruling{}
	}
	switch at, l := w.service(c.subnet.current.Load(), view); {
	case at == linklocal.Nowhere:
		return ruling{}
	case l == nil:
		return ended(verdict.StepService, verdict.NoService)
	}
	return ruling{next: taken, step: verdict.StepService, why: verdict.LinkLocal}
}

// judgeBroadcast decides on a frame to more than one. What asks the router by
// broadcast is the only one that a VPC takes, from an own address or from none.
func (w *worker) judgeBroadcast(c *config, view *frame.View) ruling {
	r := w.judgeService(c, view)
	switch {
	case r.next != taken:
		return ended(verdict.StepSender, verdict.Broadcast)
	case c.check && view.SrcIP != 0 && !c.owns(view.SrcIP):
		return ended(verdict.StepSender, verdict.SpoofedIP)
	}
	return r
}

// unnumbered reports whether a frame comes from a host that has no address yet,
// and asks the router for one.
func (w *worker) unnumbered(c *config, view *frame.View) bool {
	if view.SrcIP != 0 || w.services == nil {
		return false
	}
	at, l := w.service(c.subnet.current.Load(), view)
	return at == linklocal.Router && l != nil
}

// toService takes a frame of v's guest to the service that it is for, as r has it.
func (w *worker) toService(v *vnic, c *config, b *frame.Buf, r ruling) {
	_, l := w.service(c.subnet.current.Load(), &b.View)
	if l == nil {
		// The registry and the subnet are this burst's: nothing can have changed.
		panic("dataplane: a service vanished within a burst")
	}
	if !v.services.Take(w.now) {
		w.refuse(v, b, ended(verdict.StepService, verdict.LinkLocalExceeded), 0)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.q) == linkLocalQueue {
		w.refuse(v, b, ended(verdict.StepService, verdict.LinkLocalExceeded), 0)
		return
	}
	// Counted before anybody can read it; the buffer is the reader's then.
	w.consume(v, b, r, 0)
	l.q = append(l.q, asked{c.port, b})
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// Recv waits for frames and calls fn for each with the attachment that it came
// from and its bytes, which are valid only during the call. It returns an error
// once ctx has ended. One caller at a time.
func (l *LinkLocal) Recv(ctx context.Context, fn func(from *Port, b []byte)) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if l.Poll(fn) > 0 {
			return nil
		}
		select {
		case <-l.ready:
		case <-ctx.Done():
		}
	}
}

// Poll is Recv without waiting, for drivers that own time. It returns how many
// frames there were.
func (l *LinkLocal) Poll(fn func(from *Port, b []byte)) int {
	l.take()
	defer l.giveBack()
	for _, a := range l.taken {
		fn(a.from, a.b.Bytes())
	}
	return len(l.taken)
}

// Waiting reports whether Poll would find frames.
func (l *LinkLocal) Waiting() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.q) > 0
}

func (l *LinkLocal) take() {
	l.mu.Lock()
	l.taken, l.q = l.q, l.taken[:0]
	l.mu.Unlock()
}

func (l *LinkLocal) giveBack() {
	for i, a := range l.taken {
		frame.Return([]*frame.Buf{a.b})
		l.taken[i] = asked{}
	}
	l.taken = l.taken[:0]
}

// Send gives frames of the network's own to the guest at p, as far as it can
// take them, and returns how many it took. Those are counted as originated, as
// those that it cannot take are, with the reason. After a detach p takes none:
// what one owner of an ENI asked for never reaches the next.
func (l *LinkLocal) Send(p *Port, frames [][]byte) (taken int) {
	var q queue
	var unbuffered [][]byte
	l.pool.Lock()
	for _, f := range frames {
		b := l.pool.Get(len(f))
		if b == nil {
			unbuffered = append(unbuffered, f)
			continue
		}
		copy(b.Bytes(), f)
		q.push(b)
	}
	l.pool.Unlock()
	w := p.v.home
	w.visit(func() {
		w.begin(l.e.opt.Now())
		defer w.end()
		w.hold(p.v)
		defer w.leave(p.v)
		for _, f := range unbuffered {
			w.originate(p.v)
			w.lose(p.v, verdict.NoBuffer, len(f))
		}
		for b := q.pop(); b != nil; b = q.pop() {
			if w.answer(p, b) {
				taken++
			}
		}
	})
	return taken
}

// answer places a frame of the services in the queue of p's guest.
func (w *worker) answer(p *Port, b *frame.Buf) bool {
	v := p.v
	b.Parse()
	b.Dst = v.index
	w.originate(v)
	c := v.config.Load()
	why := verdict.Detached
	if c != nil && c.port == p {
		why = w.room(c)
	}
	if why != verdict.Delivered {
		w.refuse(v, b, ended(verdict.StepDelivery, why), v.index)
		return false
	}
	b.At = w.now
	w.pass(v, b, verdict.RuleNone, verdict.GuestRX)
	w.place(p, b)
	return true
}

// lose counts a frame towards v that got no buffer.
func (w *worker) lose(v *vnic, why verdict.Reason, length int) {
	w.total.drop(why)
	v.pending.drop(why)
	if w.observed {
		w.count(0, v.index, why.Verdict(), length)
	}
}

// ofService reports whether a frame of v, which may be nil, is one of those that
// no flow record has: traffic with instance metadata, the Amazon DNS server, the
// time service, DHCP and the router's own address (VPC User Guide, "Flow log
// limitations").
func ofService(v *vnic, view *frame.View) bool {
	if view.Kind != frame.KindIPv4 {
		return false
	}
	for _, ip := range [...]frame.IPv4{view.SrcIP, view.DstIP} {
		switch ip {
		case linklocal.Metadata, linklocal.DNS, linklocal.Time:
			return true
		}
	}
	if v == nil {
		return false
	}
	c := v.config.Load()
	if c == nil {
		return false
	}
	net := c.subnet.current.Load()
	own := func(ip frame.IPv4) bool {
		at, _ := net.place(ip)
		return at == linklocal.Resolver || at == linklocal.Router
	}
	const dhcpServer = 67
	return own(view.SrcIP) || own(view.DstIP) ||
		view.DstIP == limitedBroadcast && view.Proto == frame.ProtoUDP && view.HasL4 && view.DstPort == dhcpServer
}

// Trim gives back the memory of the services' buffers if none is in use.
func (l *LinkLocal) Trim() {
	l.pool.Lock()
	defer l.pool.Unlock()
	l.pool.Trim()
}

// answersAt reports whether the network answers at ip itself, other than as the
// router.
func (w *worker) answersAt(net *subnetVersion, ip frame.IPv4) bool {
	at, addr := net.place(ip)
	return at != linklocal.Nowhere && w.services.Has(at, addr)
}
