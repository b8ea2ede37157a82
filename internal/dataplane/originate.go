package dataplane

import (
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// Buffers that a worker has for frames of the network's own. A frame that finds
// none is counted as originated, and lost as no_buffer.
const (
	ownSmall = 256
	ownLarge = 64
)

// originate counts a frame that the network itself made for v.
func (w *worker) originate(v *vnic) {
	w.total.originated++
	v.pending.originated++
}

// emit sends a frame of the network's own to v, whose rules and table judge it as
// any other's. build appends it to an empty slice with room for n bytes. It
// arrives with the next burst: emit may be called in the midst of a stage.
func (w *worker) emit(v *vnic, n int, build func(b []byte) []byte) {
	w.originate(v)
	b := w.own.Get(n)
	if b == nil {
		w.lose(v, verdict.NoBuffer, n)
		return
	}
	b.SetLen(len(build(b.Bytes()[:0])))
	b.Parse()
	b.Dst = v.index
	w.post(v, b)
}

// sendTooBig tells the sender of b how long a frame may be there (RFC 1191), from
// the router's address in its subnet.
func (w *worker) sendTooBig(v *vnic, c *config, b *frame.Buf, mtu uint16) {
	net, view := c.subnet.current.Load(), &b.View
	if !view.MayError() {
		return
	}
	h := frame.Header{Dst: c.mac, Src: net.routerMAC, SrcIP: net.routerIP, DstIP: view.SrcIP, TOS: frame.InternetworkControl}
	w.emit(v, frame.ICMPErrorLen(view), func(to []byte) []byte {
		return frame.AppendICMPError(to, h, frame.ICMPUnreachable, frame.FragmentationNeeded, uint32(mtu), view, b.Bytes())
	})
}
