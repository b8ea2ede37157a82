package failover

import "enilab/internal/control"

// Foresight is what a policy would do if whoever has what it moves failed.
type Foresight struct {
	Interface string // that has what it moves; "": nobody
	Owner     string // the instance behind it
	// Notices: somebody can tell that it has failed.
	Notices bool
	To      string // the instance that would take over; "": none
	Why     string // why nobody notices, or nobody takes over
}

// Foresee tells what a policy would do in a State, in which what has failed has
// failed already.
func Foresee(s *control.State, p *control.FailoverPolicy) (f Foresight) {
	n := s.Holder(p)
	if n == nil {
		f.Why = "nobody has what it moves"
		return f
	}
	f.Interface = n.ID
	if n.Attachment != nil {
		f.Owner = n.Attachment.Instance
	}
	if !p.Enabled {
		f.Why = "the policy is disabled"
		return f
	}
	all := candidates(s, p, n)
	if _, why, ok := witness(s, p, all, n); !ok {
		f.Why = why
		return f
	}
	f.Notices = true
	to, why := choose(s, all)
	if to == nil {
		f.Why = why
		return f
	}
	f.To = to.ID
	return f
}
