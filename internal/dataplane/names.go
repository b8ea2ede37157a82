package dataplane

import (
	"sync"
	"sync/atomic"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

const directoryPage = 256

// directory numbers VNICs densely from 1 and never reuses a number: a record
// may name a VNIC long after it is gone. Reads take no lock; writers hold
// Engine.mu.
type directory struct {
	pages atomic.Pointer[[]*[directoryPage]directoryEntry]
	next  uint32 // guarded by Engine.mu
}

type directoryEntry struct {
	label atomic.Pointer[label] // outlives the VNIC
	vnic  atomic.Pointer[vnic]  // nil once removed
}

type label struct {
	id  string
	mac frame.MAC
}

func (d *directory) entry(index uint32) *directoryEntry {
	pages := d.pages.Load()
	if pages == nil || int(index/directoryPage) >= len(*pages) {
		return nil
	}
	return &(*pages)[index/directoryPage][index%directoryPage]
}

// number gives v its index and makes it known.
func (d *directory) number(v *vnic, mac frame.MAC) {
	d.next++
	v.index = d.next
	if d.entry(v.index) == nil {
		var grown []*[directoryPage]directoryEntry
		if pages := d.pages.Load(); pages != nil {
			grown = append(grown, *pages...)
		}
		grown = append(grown, new([directoryPage]directoryEntry))
		d.pages.Store(&grown)
	}
	e := d.entry(v.index)
	e.label.Store(&label{v.id, mac})
	e.vnic.Store(v)
}

func (d *directory) vnic(index uint32) *vnic {
	if e := d.entry(index); e != nil {
		return e.vnic.Load()
	}
	return nil
}

// VNICName resolves the number of a VNIC used in records, also after the VNIC
// is gone; safe for concurrent use. The zero index is "no VNIC".
func (e *Engine) VNICName(index uint32) (id string, mac frame.MAC) {
	if d := e.directory.entry(index); d != nil {
		if l := d.label.Load(); l != nil {
			return l.id, l.mac
		}
	}
	return "", 0
}

// VNICIndex is the inverse of VNICName for VNICs that exist; 0 if id does not.
func (e *Engine) VNICIndex(id string) uint32 {
	if v := e.vnicByID(id); v != nil {
		return v.index
	}
	return 0
}

// ruleNames maps verdict.RuleID to the name that people know, and for kinds that
// the data plane numbers itself the other way too; entries stay, as records may
// name a rule long after it is gone. Numbers may be sparse.
type ruleNames struct {
	m       sync.Map
	numbers map[string]verdict.RuleID // guarded by Engine.mu
	next    uint32                    // guarded by Engine.mu
}

func (n *ruleNames) set(id verdict.RuleID, name string) {
	if old, ok := n.m.Load(id); !ok || old.(string) != name {
		n.m.Store(id, name)
	}
}

// number returns the reference of what is known by a name, which it is given the
// first time.
func (n *ruleNames) number(k verdict.RuleKind, name string) verdict.RuleID {
	id, ok := n.numbers[name]
	if !ok {
		if n.numbers == nil {
			n.numbers = map[string]verdict.RuleID{}
		}
		n.next++
		id = verdict.RuleOf(k, n.next)
		n.numbers[name] = id
		n.m.Store(id, name)
	}
	return id
}

// RuleName returns the sgr- id of a rule, the id and number of an ACL's entry,
// the id and destination of a route, "implicit deny" or "".
func (e *Engine) RuleName(id verdict.RuleID) string {
	switch id {
	case verdict.RuleNone:
		return ""
	case verdict.RuleImplicitDeny:
		return "implicit deny"
	}
	if name, ok := e.rules.m.Load(id); ok {
		return name.(string)
	}
	return ""
}
