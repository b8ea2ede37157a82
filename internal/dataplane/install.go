package dataplane

import (
	"slices"

	"enilab/internal/dataplane/verdict"
)

// install puts one change into force. It runs in a visit, and w holds the VNIC:
// nothing moves there meanwhile. The engine's mu is held.
func (w *worker) install(c change) {
	v, old, next := c.v, c.old, c.next
	moved := old != nil && old.port != nil && (next == nil || next.port != old.port)
	if moved {
		w.closePort(v, old.port)
	}
	if v.wire != nil {
		w.unwire(c, moved)
	}
	if moved || next == nil || next.fate == verdict.InstanceStopped {
		v.flows = nil
	}
	if next == nil {
		v.config.Store(nil)
		w.e.directory.entry(v.index).vnic.Store(nil)
		return
	}
	if v.nat != nil && !next.nat {
		v.nat = nil
	} else if v.nat != nil && !slices.Equal(old.spec.Addrs, next.spec.Addrs) {
		// What is sent from an address that is another's now would be answered there.
		for _, ip := range addresses(old.spec.Addrs) {
			if !next.owns(ip) {
				v.nat.Drop(ip)
			}
		}
		v.nat.SetAddresses(addresses(next.spec.Addrs))
	}
	v.config.Store(next)
	if old != nil && old.spec.Host != next.spec.Host {
		v.taps.Store(w.e.vnicTapsLocked(v, next.spec.Host)) // a tap may follow a host
	}
	if p := next.port; p != nil && !moved {
		p.tx.Lock() // see Send
		p.fate.Store(uint32(next.fate))
		p.tx.Unlock()
		if next.fate != verdict.Delivered {
			w.dropUnsent(v, p, next.fate)
		}
		if c.reboot {
			w.flush(v, p)
		}
		p.signal() // a guest that thaws finds what waited for it
	}
}

// closePort ends p: what its guest had handed over is dropped with the
// attachment, what waited for the guest is flushed.
func (w *worker) closePort(v *vnic, p *Port) {
	p.tx.Lock()
	p.tx.closed = true
	p.fate.Store(uint32(verdict.Detached))
	p.tx.Unlock()
	w.dropUnsent(v, p, verdict.Detached)
	p.rx.Lock()
	p.rx.closed = true
	p.rx.Unlock()
	w.flush(v, p)
	close(p.closed)
}

// dropUnsent drops what p's guest had handed over. It is part of the change
// that takes the guest its network: left to the next burst, a frame would be
// seen to leave a guest after it was said to stand still. p takes none any more.
func (w *worker) dropUnsent(v *vnic, p *Port, why verdict.Reason) {
	p.tx.Lock()
	unsent := p.tx.q
	p.tx.q = queue{}
	p.txLen.Add(-int32(unsent.n))
	p.tx.Unlock()
	for b := unsent.pop(); b != nil; b = unsent.pop() {
		b.Src = v.index
		b.Parse() // for whoever captures by a filter
		w.refuse(v, b, ended(verdict.StepSend, why), 0)
	}
}

// flush drops what waits for p's guest.
func (w *worker) flush(v *vnic, p *Port) {
	p.rx.Lock()
	unread := p.rx.q
	p.rx.q = queue{}
	p.rxLen.Add(-int32(unread.n))
	p.rx.Unlock()
	for b := unread.pop(); b != nil; b = unread.pop() {
		w.refuse(v, b, ended(verdict.StepDelivery, verdict.RxFlushed), b.Dst)
	}
}

// drain takes in everything that workers have handed over, and reports whether w
// has handed on anything that was sent on before, since it was asked last.
func (w *worker) drain() (relayed bool) {
	w.begin(w.e.opt.Now())
	w.mu.Lock()
	w.received.move(&w.inbox, w.inbox.n)
	w.mu.Unlock()
	for n := w.received.take(w.turn[:]); n > 0; n = w.received.take(w.turn[:]) {
		w.arrive(w.turn[:n], true)
		clear(w.turn[:n])
	}
	w.end()
	relayed, w.relayed = w.relayed, false
	return relayed
}

// keepWarm remembers that p's pool may hold memory.
func (w *worker) keepWarm(p *Port) {
	if !p.warm {
		p.warm = true
		w.warm = append(w.warm, p)
		w.tabled.Store(true)
	}
}

// keepTable remembers that v has a table.
func (w *worker) keepTable(v *vnic) {
	if !v.tabled {
		v.tabled = true
		w.tables = append(w.tables, v)
		w.tabled.Store(true)
	}
}

// keep is the housekeeping: it ends flows nobody asks for, and gives back the
// memory of tables and pools that have become idle. It visits only what is in
// use, and the lists it goes through shrink with it.
func (w *worker) keep(now int64) {
	w.keepAt = now + keepInterval
	tables := w.tables[:0]
	for _, v := range w.tables {
		if !v.token.TryLock() {
			tables = append(tables, v) // it is not idle
			continue
		}
		if v.flows != nil {
			if v.flows.Expire(now, keepBuckets); v.flows.Len() == 0 {
				v.flows = nil
			}
		}
		if v.nat != nil {
			if v.nat.Expire(now, keepBuckets); v.nat.Len() == 0 {
				v.nat = nil
			}
		}
		if v.tabled = v.flows != nil || v.nat != nil; v.tabled {
			tables = append(tables, v)
		}
		v.token.Unlock()
	}
	clear(w.tables[len(tables):])
	w.tables = tables
	warm := w.warm[:0]
	for _, p := range w.warm {
		if p.v.token.TryLock() {
			idle := p.trim()
			p.warm = !idle
			p.v.token.Unlock() // another worker may list it from here on
			if idle {
				continue
			}
		}
		warm = append(warm, p)
	}
	w.own.Trim()
	clear(w.warm[len(warm):])
	w.warm = warm
	w.tabled.Store(len(w.tables) > 0 || len(w.warm) > 0)
}
