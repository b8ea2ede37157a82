package stream

import (
	"math"
	"slices"
	"sync"

	"enilab/internal/control"
	"enilab/internal/filter"
)

const (
	// maxLives of an interface are remembered; the oldest is then taken for all
	// that were before.
	maxLives = 64
	// maxGone interfaces that are no more are remembered.
	maxGone = 4096
	// maxRosterLog changes can be told to a client one by one; one that is further
	// behind is told all anew.
	maxRosterLog = 4096
)

// roster knows what each interface was at any instant since it was begun: records
// outlive owners and names.
type roster struct {
	mu   sync.RWMutex
	of   map[string]*life // guarded by mu, as all below; by interface or internet host
	next uint32           // number of the next Facts
	gone []string         // of interfaces that are no more, the oldest first
	log  []*life          // whose Facts changed, in order
	told uint64           // number of the first in log
}

// life is an interface over time, oldest first.
type life struct{ facts []*filter.Facts }

// restart forgets everything and begins with a State.
func (r *roster) restart(s *control.State) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of, r.gone = map[string]*life{}, nil
	r.told, r.log = r.told+uint64(len(r.log))+1, nil
	r.allLocked(s, math.MinInt64)
}

func (r *roster) allLocked(s *control.State, at int64) {
	for _, n := range s.NetworkInterfaces() {
		r.setLocked(interfaceFacts(s, n), at)
	}
	for _, h := range s.InternetHosts() {
		r.setLocked(hostFacts(h), at)
	}
}

// commit takes in what a commit changed. s is at least as new.
func (r *roster) commit(s *control.State, c control.Commit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil {
		return
	}
	at := c.At.UnixNano()
	for _, ch := range c.Changes {
		switch ch.Table {
		case control.TableNetworkInterface:
			r.interfaceLocked(s, ch.ID, at)
		case control.TableInstance:
			for _, n := range s.InterfacesOf(ch.ID) {
				r.setLocked(interfaceFacts(s, n), at)
			}
		case control.TableNATGateway:
			if g := s.NATGateway(ch.ID); g != nil {
				r.interfaceLocked(s, g.Interface, at)
			}
		case control.TableInternetHost:
			if h := s.InternetHost(ch.ID); h != nil {
				r.setLocked(hostFacts(h), at)
			} else {
				r.endLocked(s, ch.ID)
			}
		case control.TableSecurityGroup, control.TableSubnet, control.TableVPC:
			if renamed(ch) {
				r.allLocked(s, at)
			}
		}
	}
}

// missed is after commits that nobody told of.
func (r *roster) missed(s *control.State, at int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of != nil {
		r.allLocked(s, at)
	}
}

func (r *roster) interfaceLocked(s *control.State, id string, at int64) {
	if n := s.NetworkInterface(id); n != nil {
		r.setLocked(interfaceFacts(s, n), at)
	} else {
		r.endLocked(s, id)
	}
}

// setLocked notes what an interface is from an instant on, if that is news.
func (r *roster) setLocked(f filter.Facts, at int64) {
	l := r.of[f.Interface.ID]
	if l == nil {
		l = &life{}
		r.of[f.Interface.ID] = l
		at = math.MinInt64 // nothing else was it before
	} else if last := l.facts[len(l.facts)-1]; same(last, &f) {
		return
	}
	f.N, f.Since = r.next, at
	r.next++
	if len(l.facts) == maxLives {
		l.facts = slices.Delete(l.facts, 0, 1)
	}
	// Readers of an older slice go on with it.
	l.facts = append(slices.Clip(l.facts), &f)
	if len(r.log) == maxRosterLog {
		half := len(r.log) / 2
		r.told += uint64(half)
		r.log = append([]*life(nil), r.log[half:]...)
	}
	r.log = append(r.log, l)
}

func (r *roster) endLocked(s *control.State, id string) {
	if r.of[id] == nil || slices.Contains(r.gone, id) {
		return
	}
	r.gone = append(r.gone, id)
	if len(r.gone) > maxGone {
		// A snapshot may have brought it back.
		if s.NetworkInterface(r.gone[0]) == nil && s.InternetHost(r.gone[0]) == nil {
			delete(r.of, r.gone[0])
		}
		r.gone = r.gone[1:]
	}
}

// news returns whose Facts changed from a number on, and where to go on; all says
// that the log does not reach back so far.
func (r *roster) news(from uint64) (lives []*life, next uint64, all bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	next = r.told + uint64(len(r.log))
	if from == next {
		return nil, next, false
	}
	if from < r.told || from > next {
		return nil, next, true
	}
	return slices.Clone(r.log[from-r.told:]), next, false
}

// life returns an interface's; nil if nothing is known of it.
func (r *roster) life(id string) *life {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.of[id]
}

// all returns what is known of a life.
func (r *roster) all(l *life) []*filter.Facts {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return l.facts
}

// at is what it was at an instant; the roster's lock is held.
func (l *life) at(at int64) *filter.Facts {
	for i := len(l.facts) - 1; i > 0; i-- {
		if l.facts[i].Since <= at {
			return l.facts[i]
		}
	}
	return l.facts[0]
}

func renamed(c control.Change) bool {
	name := func(row any) string {
		switch row := row.(type) {
		case *control.SecurityGroup:
			return row.Name
		case *control.Subnet:
			return row.Tags["Name"]
		case *control.VPC:
			return row.Tags["Name"]
		}
		return ""
	}
	return c.Before != nil && c.After != nil && name(c.Before) != name(c.After)
}

func same(a, b *filter.Facts) bool {
	return a.Interface == b.Interface && a.MAC == b.MAC && a.Device == b.Device && a.Instance == b.Instance && a.Subnet == b.Subnet &&
		a.VPC == b.VPC && a.Zone == b.Zone && slices.Equal(a.Groups, b.Groups)
}

func interfaceFacts(s *control.State, n *control.NetworkInterface) filter.Facts {
	f := filter.Facts{
		Interface: filter.Named{ID: n.ID, Name: n.Tags["Name"]}, MAC: n.MAC.String(), Zone: n.Zone,
		Subnet: filter.Named{ID: n.Subnet}, VPC: filter.Named{ID: n.VPC},
	}
	if sub := s.Subnet(n.Subnet); sub != nil {
		f.Subnet.Name = sub.Tags["Name"]
	}
	if v := s.VPC(n.VPC); v != nil {
		f.VPC.Name = v.Tags["Name"]
	}
	for _, id := range n.Groups {
		g := filter.Named{ID: id}
		if group := s.SecurityGroup(id); group != nil {
			g.Name = group.Name
		}
		f.Groups = append(f.Groups, g)
	}
	// As the data plane has it: one that is being detached is nobody's.
	if a := n.Attachment; a != nil && a.State != control.Detaching && a.State != control.Detached {
		f.Instance, f.Device = filter.Named{ID: a.Instance}, a.DeviceIndex
		if i := s.Instance(a.Instance); i != nil {
			f.Instance.Name = i.Name()
		}
	} else if g := s.NATGatewayOf(n); g != nil {
		f.Instance = filter.Named{ID: g.ID, Name: g.Tags["Name"]}
	}
	return f
}

func hostFacts(h *control.InternetHost) filter.Facts {
	id := filter.Named{ID: h.ID, Name: h.Name}
	return filter.Facts{Interface: id, Instance: id}
}
