package conntrack

import "enilab/internal/dataplane/frame"

// The connection as a middle box sees it, by flags alone:
//
//	SYN ─► opening ─► SYN,ACK from the called side ─► ACK from the caller ─► established
//	any state ─► RST, or FIN from both sides ─► closing
//	closing ─► SYN ─► judged anew (Entry.closedTo)
//
// Sequence numbers are not checked: AWS describes tracking by the five-tuple,
// and frames inside the fabric come from a guest whose addresses are pinned.

// beginTCP sets the state after the first segment seen, which need not be the
// connection's first.
func (e *Entry) beginTCP(flags uint8, dir Direction) {
	caller := dir
	switch {
	case flags&frame.TCPSyn == 0:
		e.state = TCPEstablished
	case flags&frame.TCPAck != 0:
		// The answer to a SYN that this table has not seen, or has lost by a move.
		e.state, caller = TCPOpening, dir.Reverse()
	default:
		e.state = TCPOpening
	}
	if caller == Ingress {
		e.flags |= flagTCPRemote
	}
}

// stepTCP advances the state by one segment.
func (e *Entry) stepTCP(flags uint8, dir Direction) {
	if flags&frame.TCPRst != 0 {
		e.state = TCPClosing
		return
	}
	if e.state == TCPOpening {
		byCaller := (dir == Ingress) == (e.flags&flagTCPRemote != 0)
		switch {
		case !byCaller && flags&frame.TCPSyn != 0:
			// With or without ACK: both may call at once (RFC 9293, 3.5).
			e.flags |= flagAnswered
		case byCaller && flags&frame.TCPAck != 0 && e.flags&flagAnswered != 0:
			e.state = TCPEstablished
		}
	}
	if flags&frame.TCPFin != 0 {
		e.flags |= flagFinEgress << dir
	}
	if e.flags&flagFinBoth == flagFinBoth {
		e.state = TCPClosing
	}
}
