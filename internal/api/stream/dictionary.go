package stream

import (
	"strconv"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

const (
	// maxKnown names of a kind are remembered as told to a client; the oldest
	// is forgotten and told again when it comes up.
	maxKnown = 1 << 17
	// firstRule is the first number given to a rule; 0 is no rule.
	firstRule = 1
	lastRule  = 1<<ruleBits - 1
)

// dictionary is what one client has been told of the numbers in records. VNICs
// and ways keep the engine's numbers, which are never reused. Rule references are wider
// than the record's 24 bits, so rules are numbered for the connection, always
// upward: rows that the client still shows keep their meaning.
type dictionary struct {
	source Source
	roster *roster

	vnics map[uint32]*life // nil: of which the roster knows nothing yet
	rules map[verdict.RuleID]uint32
	ways  map[uint32]struct{}
	// In the order in which they were told, as rings.
	vnicOrder fifo[uint32]
	ruleOrder fifo[verdict.RuleID]
	wayOrder  fifo[uint32]
	nextRule  uint32

	newVNICs, newRules, newWays []dictItem

	lives   map[*life]uint32  // VNICs that the client knows, by what they are over time
	without map[string]uint32 // those of which the roster did not know yet, by id
	newWho  []dictItem
}

// whoNames is whose an interface was from an instant on, Unix nanoseconds: rows of
// that time show it.
type whoNames struct {
	Since    string `json:"since,omitempty"`
	Instance string `json:"instance,omitempty"`
	Name     string `json:"name,omitempty"`
	Device   int    `json:"device,omitempty"`
}

// dictItem is an entry as it is sent.
type dictItem struct {
	I   uint32 `json:"i"`
	ID  string `json:"id,omitempty"`
	MAC string `json:"mac,omitempty"`
	wayNames
	whoNames
}

// wayNames are the parts of a way: routes by their table's id and destination, ACL
// entries by their ACL's id, direction and number, all else by id.
type wayNames struct {
	Route  string `json:"route,omitempty"`
	Onward string `json:"onward,omitempty"`
	Via    string `json:"via,omitempty"`
	Leaves string `json:"leaves,omitempty"`
	Enters string `json:"enters,omitempty"`
	ACLOut string `json:"aclOut,omitempty"`
	ACLIn  string `json:"aclIn,omitempty"`
}

// dictMessage tells a client what numbers mean.
type dictMessage struct {
	Type  string     `json:"type"`
	Kind  string     `json:"kind"`
	Items []dictItem `json:"items"`
}

func newDictionary(s Source, r *roster) *dictionary {
	return &dictionary{
		source: s, roster: r, lives: map[*life]uint32{}, without: map[string]uint32{}, vnics: map[uint32]*life{}, rules: map[verdict.RuleID]uint32{}, ways: map[uint32]struct{}{}, nextRule: firstRule,
	}
}

// vnic makes sure that the client knows a VNIC's number.
func (d *dictionary) vnic(index uint32) {
	if index == 0 {
		return
	}
	if _, known := d.vnics[index]; known {
		return
	}
	if old, full := d.vnicOrder.push(index); full {
		if l := d.vnics[old]; l != nil {
			delete(d.lives, l)
		} else {
			id, _ := d.source.VNICName(old)
			delete(d.without, id)
		}
		delete(d.vnics, old)
	}
	id, mac := d.source.VNICName(index)
	d.newVNICs = append(d.newVNICs, dictItem{I: index, ID: id, MAC: mac.String()})
	d.find(index, id)
}

// find tells the client what a VNIC has been, if that is known by now.
func (d *dictionary) find(index uint32, id string) {
	l := d.roster.life(id)
	d.vnics[index] = l
	if l == nil {
		d.without[id] = index
		return
	}
	delete(d.without, id)
	d.lives[l] = index
	d.who(l)
}

// who has the client told what an interface has been.
func (d *dictionary) who(l *life) {
	for i, f := range d.roster.all(l) {
		since := max(f.Since, 0)
		if i == 0 {
			since = 0 // what was before is not remembered
		}
		d.newWho = append(d.newWho, dictItem{I: d.lives[l], whoNames: whoNames{strconv.FormatInt(since, 10), f.Instance.ID, f.Instance.Name, f.Device}})
	}
}

// catchUp has the client told what has changed of the interfaces that it knows, and
// returns up to which change.
func (d *dictionary) catchUp(from uint64) uint64 {
	changed, next, all := d.roster.news(from)
	if all {
		for index := range d.vnics {
			id, _ := d.source.VNICName(index)
			d.find(index, id)
		}
		return next
	}
	seen := map[*life]bool{}
	for _, l := range changed {
		if id := d.roster.all(l)[0].Interface.ID; len(d.without) > 0 {
			if index, waits := d.without[id]; waits {
				d.find(index, id)
			}
		}
		if _, known := d.lives[l]; known && !seen[l] {
			seen[l] = true
			d.who(l)
		}
	}
	return next
}

// rule returns the client's number for a rule, which it is told if it is new.
func (d *dictionary) rule(id verdict.RuleID) uint32 {
	if id == verdict.RuleNone {
		return 0
	}
	if n, known := d.rules[id]; known {
		return n
	}
	n := d.nextRule
	if d.nextRule++; d.nextRule > lastRule {
		d.nextRule = firstRule
	}
	if old, full := d.ruleOrder.push(id); full {
		delete(d.rules, old)
	}
	d.rules[id] = n
	d.newRules = append(d.newRules, dictItem{I: n, ID: d.source.RuleName(id)})
	return n
}

// way makes sure that the client knows a way's number.
func (d *dictionary) way(id dataplane.WayID) {
	n := id.Number()
	if n == 0 {
		return
	}
	if _, known := d.ways[n]; known {
		return
	}
	if old, full := d.wayOrder.push(n); full {
		delete(d.ways, old)
	}
	d.ways[n] = struct{}{}
	y, name := d.source.Way(id), d.source.RuleName
	d.newWays = append(d.newWays, dictItem{I: n, wayNames: wayNames{
		Route: name(y.Route), Onward: name(y.Onward), Via: name(y.Via), Leaves: name(y.Leaves), Enters: name(y.Enters),
		ACLOut: name(y.ACLOut), ACLIn: name(y.ACLIn),
	}})
}

// news returns the messages that have to go before the next records.
func (d *dictionary) news() []dictMessage {
	var out []dictMessage
	if len(d.newVNICs) > 0 {
		out = append(out, dictMessage{"dict", "vnic", d.newVNICs})
	}
	if len(d.newRules) > 0 {
		out = append(out, dictMessage{"dict", "rule", d.newRules})
	}
	if len(d.newWays) > 0 {
		out = append(out, dictMessage{"dict", "way", d.newWays})
	}
	if len(d.newWho) > 0 {
		out = append(out, dictMessage{"dict", "who", d.newWho})
	}
	d.newVNICs, d.newRules, d.newWays, d.newWho = nil, nil, nil, nil
	return out
}

// fifo remembers the newest maxKnown values.
type fifo[T any] struct {
	ring []T
	next int
}

// push adds v and returns what it took the place of.
func (f *fifo[T]) push(v T) (old T, full bool) {
	if len(f.ring) < maxKnown {
		f.ring = append(f.ring, v)
		return old, false
	}
	old, f.ring[f.next] = f.ring[f.next], v
	f.next = (f.next + 1) % maxKnown
	return old, true
}
