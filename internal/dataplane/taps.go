package dataplane

import (
	"slices"

	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// tapping is where a tap listens.
type tapping struct {
	t     *tap.Tap
	order uint64              // of AddTap, so that sets are built the same way every time
	vnics map[string]struct{} // the VNICs it names
	host  string              // the host whose VNICs it follows, or ""
	all   bool                // everywhere
}

// names reports whether the tap is at a VNIC in particular.
func (at *tapping) names(v *vnic, host string) bool {
	_, named := at.vnics[v.id]
	return named || at.host != "" && at.host == host
}

// hostOf returns the host that a VNIC is attached to, or "".
func hostOf(v *vnic) string {
	if c := v.config.Load(); c != nil {
		return c.spec.Host
	}
	return ""
}

// AddTap starts handing frames that t wants to t, at the given VNICs (nil:
// all, present and future). The engine calls t.Frame from workers' and guests' goroutines.
func (e *Engine) AddTap(t *tap.Tap, vnics []string) {
	at := tapping{t: t, all: vnics == nil, vnics: map[string]struct{}{}}
	for _, id := range vnics {
		at.vnics[id] = struct{}{}
	}
	e.addTap(at)
}

// AddHostTap is AddTap at every VNIC that is attached to a host, and follows
// attachments: a VNIC that comes is seen from its first frame there, one that
// goes from then on no more.
func (e *Engine) AddHostTap(t *tap.Tap, host string) { e.addTap(tapping{t: t, host: host}) }

func (e *Engine) addTap(at tapping) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.tapOrder++
	at.order = e.state.tapOrder
	e.taps[at.t] = at
	e.retapLocked(at)
}

// RemoveTap ends it; when it returns no worker calls t any more.
func (e *Engine) RemoveTap(t *tap.Tap) {
	e.mu.Lock()
	defer e.mu.Unlock()
	at, ok := e.taps[t]
	if !ok {
		return
	}
	delete(e.taps, t)
	e.retapLocked(at)
	// A burst under way may still use the old sets; after a visit it has ended.
	for _, w := range e.workers {
		w.visit(func() {})
	}
}

// retapLocked rebuilds the sets that a tap at "at" belongs to.
func (e *Engine) retapLocked(at tapping) {
	if at.all {
		e.everybody.Store(e.tapSetLocked(nil, ""))
	}
	for _, v := range e.state.vnics {
		if host := hostOf(v); at.all || at.names(v, host) {
			v.taps.Store(e.vnicTapsLocked(v, host))
		}
	}
}

// vnicTapsLocked returns the set of a VNIC that a tap names, else nil.
func (e *Engine) vnicTapsLocked(v *vnic, host string) *tapSet {
	for _, at := range e.taps {
		if at.names(v, host) {
			return e.tapSetLocked(v, host)
		}
	}
	return nil
}

// tapSetLocked returns the taps at a VNIC, or with nil those everywhere.
func (e *Engine) tapSetLocked(v *vnic, host string) *tapSet {
	var in []tapping
	for _, at := range e.taps {
		if at.all || v != nil && at.names(v, host) {
			in = append(in, at)
		}
	}
	if len(in) == 0 {
		return nil
	}
	slices.SortFunc(in, func(a, b tapping) int { return int(a.order) - int(b.order) })
	set := &tapSet{}
	for _, at := range in {
		set.taps = append(set.taps, at.t)
		for _, p := range [...]verdict.Point{verdict.GuestTX, verdict.EgressPost, verdict.IngressPre, verdict.GuestRX} {
			if at.t.Wants(p) {
				set.points |= p
			}
		}
	}
	return set
}
