package dataplane

import "enilab/internal/dataplane/frame"

// fruitless is how many frames in a turn may be like none of the last before no more are
// compared.
const fruitless = 8

// recents are the last two flows of frames that have passed the sender's checks in a
// turn: a guest sends one frame of a flow after another, mostly. Of a frame that is
// like an earlier one nothing is asked again but what its length decides.
type recents struct {
	tries int // that may still be fruitless
	ports [2]uint32
	at    [2]uint8 // numbers of the frames
	n     int
}

// repetitive reports whether a turn begins as one of one or two flows does: to compare
// each frame of many flows with those before costs more than it gives.
func repetitive(frames []*frame.Buf) bool {
	if len(frames) < 3 {
		return false
	}
	third := frames[2].Ports()
	return third == frames[0].Ports() || third == frames[1].Ports()
}

// add notes a frame, the turn's i-th.
func (a *recents) add(b *frame.Buf, i int) {
	a.ports[1], a.at[1] = a.ports[0], a.at[0]
	a.ports[0], a.at[0] = b.Ports(), uint8(i)
	a.n++
}

// find parses b if it is like one of those noted, whose number it returns.
func (a *recents) find(frames []*frame.Buf, b *frame.Buf, maxFrame int) (at uint8, ok bool) {
	ports := b.Ports()
	switch {
	case a.n > 0 && a.ports[0] == ports:
		at = a.at[0]
	case a.n > 1 && a.ports[1] == ports:
		at = a.at[1]
	default:
		a.tries--
		return 0, false
	}
	if like := frames[at]; b.Len() <= maxFrame && b.Hops|like.Hops == 0 && b.ParseLike(like) {
		return at, true
	}
	a.tries--
	return 0, false
}
