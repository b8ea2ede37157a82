package failover

import (
	"net/netip"

	"enilab/internal/control"
)

// callMoves finds moves that were made by separate detach and attach calls, as
// EC2's clients make them. The zero value has seen nothing.
type callMoves struct{ pending[*callMove] } // by ENI

// callMove is an ENI on its way from one instance to another.
type callMove struct {
	eni, from, to string
	before        []fact
	public        []netip.Addr
	times         instants
	after         *control.NetworkInterface
}

func (m *callMove) move() move {
	return move{
		kind: control.KindMove, moved: wholly(m.eni), from: m.from, to: m.to,
		private: addresses(m.after), public: m.public, before: m.before, times: m.times,
		notes: []string{"moved by separate detach and attach calls"},
	}
}

// observe takes one commit and returns the moves it completes.
func (c *callMoves) observe(n control.Notice, s *control.State) (done []*callMove) {
	for _, e := range n.Commit.Events {
		if e.Type == "network-interface.moved" {
			c.forget(e.Resource) // in one call, which whoever made it records
		}
	}
	for _, ch := range n.Commit.Changes {
		if ch.Table != control.TableNetworkInterface {
			continue
		}
		before, _ := ch.Before.(*control.NetworkInterface)
		after, _ := ch.After.(*control.NetworkInterface)
		switch {
		case after == nil:
			c.forget(ch.ID)
		case before != nil && leaves(before, after):
			c.leave(s, before, n)
		case after.Attachment != nil && (before == nil || before.Attachment == nil):
			m := c.left[ch.ID]
			if m == nil {
				continue
			}
			c.forget(ch.ID)
			if m.from == after.Attachment.Instance {
				continue // back where it was: no move
			}
			m.to, m.after, m.times.attached = after.Attachment.Instance, after, n.Ack.At
			done = append(done, m)
		}
	}
	return done
}

// leaves reports whether an attachment stops carrying frames in this change.
func leaves(before, after *control.NetworkInterface) bool {
	a := before.Attachment
	if a == nil || a.State == control.Detaching {
		return false
	}
	b := after.Attachment
	return b == nil || b.ID == a.ID && b.State == control.Detaching
}

func (c *callMoves) leave(s *control.State, n *control.NetworkInterface, notice control.Notice) {
	c.remember(n.ID, &callMove{
		eni: n.ID, from: n.Attachment.Instance, before: identify(s, n), public: publicAddresses(s, n),
		times: instants{
			fault:    brokenAt(s, n.Attachment.Instance),
			accepted: notice.Commit.At.UnixNano(), detached: notice.Ack.At,
		},
	})
}
