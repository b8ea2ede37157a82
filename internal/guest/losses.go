package guest

import "time"

const (
	// maxLosses occasions on which a tap lost frames are told apart; of more,
	// the oldest are taken together.
	maxLosses = 64
	// lossSlack is how much later than the newest frame read at the time a
	// frame can have been lost: more than a tap's ring ever holds back.
	lossSlack = int64(time.Second)
)

// losses remembers when a tap lost frames, so that a loss of long ago does not
// cast doubt on every measurement after it.
type losses struct {
	seen  []loss // oldest first
	total uint64
}

type loss struct {
	at int64 // newest frame read when the loss was found
	n  uint64
}

func (l *losses) add(at int64, n uint64) {
	if n == 0 {
		return
	}
	l.total += n
	if len(l.seen) == maxLosses {
		l.seen[1].n += l.seen[0].n
		l.seen = l.seen[:copy(l.seen, l.seen[1:])]
	}
	l.seen = append(l.seen, loss{at, n})
}

// since counts the frames that may have been lost at or after a time.
func (l *losses) since(at int64) (n uint64) {
	for _, x := range l.seen {
		if x.at+lossSlack >= at {
			n += x.n
		}
	}
	return n
}
