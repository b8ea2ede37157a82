package nat

import "enilab/internal/dataplane/frame"

// RelatedOut finds the connection that an ICMP error from inside is about: it
// quotes a datagram that came in through the gateway. The error's source becomes
// ip, and the quoted destination ip and port (RFC 5508, REQ-5). b is the frame
// that v describes.
//
// Related changes nothing: an error must not keep alive the connection that it
// ends. It returns false for what is no error, for errors about anything but a
// connection, and for errors sent to another host than the one that caused them.
func (t *Table) RelatedOut(v *frame.View, b []byte, now int64) (ip frame.IPv4, port uint16, ok bool) {
	q, ok := v.Inner(b)
	if !ok || q.SrcIP != v.DstIP {
		return 0, 0, false
	}
	k, ok := toLocal(&q, echoReply)
	if !ok {
		return 0, 0, false
	}
	i, ok := t.findInside(k)
	if !ok || t.flows.at(i).expired(now) {
		return 0, 0, false
	}
	f := t.flows.at(i)
	return f.own, f.port, true
}

// RelatedIn finds the connection that an ICMP error from outside is about: it
// quotes a datagram that went out through the gateway. The error's destination
// becomes ip, and the quoted source ip and port (RFC 5508, REQ-4).
func (t *Table) RelatedIn(v *frame.View, b []byte, now int64) (ip frame.IPv4, port uint16, ok bool) {
	q, ok := v.Inner(b)
	if !ok || q.SrcIP != v.DstIP {
		return 0, 0, false
	}
	k, ok := fromLocal(&q, echoRequest)
	if !ok {
		return 0, 0, false
	}
	i, ok := t.findOutside(k)
	if !ok || t.flows.at(i).expired(now) {
		return 0, 0, false
	}
	f := t.flows.at(i)
	return f.key.local(), f.key.localPort(), true
}

// TranslateOut does to a frame from inside what Out or RelatedOut say, whichever
// is asked; the frame is unchanged unless the outcome is Translated.
func (t *Table) TranslateOut(b *frame.Buf, now int64) Outcome {
	v := &b.View
	if v.ICMPError() && !v.Fragment {
		ip, port, ok := t.RelatedOut(v, b.Bytes(), now)
		if !ok {
			return NoConnection
		}
		b.SetInnerDst(ip, port)
		b.SetSrcIP(ip)
		return Translated
	}
	ip, port, o := t.Out(v, now)
	if o == Translated {
		b.SetSrc(ip, port)
	}
	return o
}

// TranslateIn does to a frame from outside what In or RelatedIn say.
func (t *Table) TranslateIn(b *frame.Buf, now int64) Outcome {
	v := &b.View
	if v.ICMPError() && !v.Fragment {
		ip, port, ok := t.RelatedIn(v, b.Bytes(), now)
		if !ok {
			return NoConnection
		}
		b.SetInnerSrc(ip, port)
		b.SetDstIP(ip)
		return Translated
	}
	ip, port, o := t.In(v, now)
	if o == Translated {
		b.SetDst(ip, port)
	}
	return o
}
