package dataplane

import (
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/nat"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// A NAT gateway is a VNIC without a guest. A frame that reaches it is translated
// and sent on from its subnet: by that subnet's routes and ACL, which lead what
// comes from inside to the internet gateway, and answers back inside. Its table
// is the VNIC's, as a connection table is.

// throughNAT takes frames that have reached the NAT gateway behind v, which w
// holds, through its table, and returns those that go on.
func (w *worker) throughNAT(v *vnic, c *config, frames []*frame.Buf) []*frame.Buf {
	if v.nat == nil {
		v.nat = nat.New(nat.Config{Addresses: addresses(c.spec.Addrs), Seed: w.e.opt.Seed})
		w.keepTable(v)
	}
	net := c.subnet.current.Load()
	s := &w.staged
	for i, b := range frames {
		s.nats[i] = v.nat.Find(&b.View, !c.owns(b.View.DstIP))
	}
	n := 0
	acl, watched := net.acl.program(), w.watched(v)
	s.unsettled = !watched && !w.observed
	for i, b := range frames {
		if s.unsettled {
			if w.passNAT(v, c, b, s.nats[i]) {
				b.Way |= wayTranslated
				b.View.Dst, b.View.Src = net.routerMAC, c.mac
				frames[n] = b
				n++
				continue
			}
			s.settle(frames[:n])
		}
		w.traceBefore(b)
		was := tap.EndsOf(&b.View)
		if w.observed {
			b.KeepSent()
		}
		if watched {
			// The entry that let it in: ingress has gone on to other frames since.
			if w.told = (tap.Why{}); b.Crossed {
				w.told.Entry, _ = acl.Match(conntrack.Ingress, &b.View)
			}
		}
		inside, o := !c.owns(b.View.DstIP), nat.NoConnection
		switch {
		case b.View.Kind != frame.KindIPv4:
			o = nat.Unsupported
		case inside:
			o = v.nat.TranslateOut(b, w.now)
		default:
			o = v.nat.TranslateIn(b, w.now)
		}
		if why := natReason(o); why != verdict.Delivered {
			if w.observed && b.Crossed {
				w.entered, _ = acl.Match(conntrack.Ingress, &b.View)
			}
			if why == verdict.NATNoConnection && inside && b.View.Proto == frame.ProtoTCP {
				// Its connection was silent for too long, or never there (VPC User
				// Guide, "Troubleshoot NAT gateways").
				if r := w.reset(v, c, net, b); r != nil {
					w.refuse(v, b, ended(verdict.StepNAT, why), v.index)
					frames[n] = r
					n++
					continue
				}
			}
			w.refuse(v, b, ended(verdict.StepNAT, why), v.index)
			continue
		}
		if watched {
			w.told.Was, w.told.Now = was, tap.EndsOf(&b.View)
		}
		b.Way |= wayTranslated
		w.pass(v, b, verdict.RuleNone, verdict.IngressPre)
		// From here it is sent by the gateway.
		b.SetMACs(net.routerMAC, c.mac)
		frames[n] = b
		n++
	}
	w.told, w.entered = tap.Why{}, verdict.RuleNone
	return w.forward(v, c, frames[:n])
}

// passNAT translates a frame of a connection that goes on as it is in its View alone,
// not in its bytes: where it goes from here, more of it may change. False: all is yet to
// be done.
func (w *worker) passNAT(v *vnic, c *config, b *frame.Buf, at uint32) bool {
	view := &b.View
	if b.Trace != 0 || view.Kind != frame.KindIPv4 || !plain(view) {
		return false
	}
	var ok bool
	if c.owns(view.DstIP) {
		ip, port, passed := v.nat.PassIn(view, at, w.now)
		if ok = passed; ok {
			view.DstIP, view.DstPort = ip, port
		}
	} else {
		ip, port, passed := v.nat.PassOut(view, at, w.now)
		if ok = passed; ok {
			view.SrcIP, view.SrcPort = ip, port
		}
	}
	return ok
}

// settle brings frames' bytes up to their Views; from now on those of this turn are.
func (s *stages) settle(frames []*frame.Buf) {
	for _, b := range frames {
		b.Settle()
	}
	s.unsettled = false
}

// reset makes the reset with which a NAT gateway answers b, as if its peer had
// sent it. nil: there is no buffer.
func (w *worker) reset(v *vnic, c *config, net *subnetVersion, b *frame.Buf) *frame.Buf {
	r := w.own.Get(frame.TCPResetLen)
	if r == nil {
		w.originate(v)
		w.lose(v, verdict.NoBuffer, frame.TCPResetLen)
		return nil
	}
	if _, due := frame.AppendTCPReset(r.Bytes()[:0], &b.View); !due {
		w.own.PutLocal(r)
		return nil
	}
	w.originate(v)
	r.Parse()
	r.SetMACs(net.routerMAC, c.mac)
	r.Src = v.index
	return r
}

func natReason(o nat.Outcome) verdict.Reason {
	switch o {
	case nat.Translated:
		return verdict.Delivered
	case nat.Unsupported, nat.Fragmented, nat.NoFirstFragment:
		return verdict.NATUnsupported
	case nat.NoPort:
		return verdict.NATPortsExhausted
	case nat.Full:
		return verdict.ConntrackFull
	}
	return verdict.NATNoConnection
}
