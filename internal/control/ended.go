package control

import "time"

// tableEnded holds attachments that have ended and can still be asked for by
// id. It is derived and in memory only: a restart forgets it.
const tableEnded = "ended_attachments"

// maxEnded bounds the ended attachments that are remembered. Beyond it the
// oldest is forgotten.
const maxEnded = 1000

// ended is one of them. Its State is Detached and its StateAt the end.
type ended struct {
	Attachment
	Ordinal   uint64 // they leave in the order in which they came
	Interface string
	Until     time.Time // when it is forgotten
}

// end remembers an attachment that is over, for as long as the timing says.
func (t *tx) end(n *NetworkInterface, a *Attachment) {
	if t.timing.EndedAttachments <= 0 {
		return
	}
	e := &ended{Attachment: *a, Interface: n.ID, Until: t.now.Add(t.timing.EndedAttachments)}
	e.State, e.StateAt, e.StateUntil = Detached, t.now, time.Time{}
	if last, ok := t.Last(tableEnded, byOrdinal).(*ended); ok {
		e.Ordinal = last.Ordinal + 1
	}
	t.put(tableEnded, e)
	for {
		o := get[*ended](t, tableEnded, byOrdinal)
		if e.Ordinal-o.Ordinal < maxEnded && t.now.Before(o.Until) {
			return
		}
		t.remove(tableEnded, o)
	}
}

// EndedAttachment returns the ENI of an attachment that ended not long before
// now, and shows it with that attachment, as detached; nil if there is none or
// the ENI is no more.
func (s *State) EndedAttachment(id string, now time.Time) *NetworkInterface {
	e := firstIn[*ended](s.db, tableEnded, byID, id)
	if e == nil || !now.Before(e.Until) {
		return nil
	}
	n := s.NetworkInterface(e.Interface)
	if n == nil {
		return nil
	}
	c, a := *n, e.Attachment
	c.Attachment = &a
	return &c
}
