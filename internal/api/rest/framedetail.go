package rest

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"enilab/internal/api/stream"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// FrameDetail is all that the recording knows of a frame.
type FrameDetail struct {
	FrameWhy
	Ended    *HexFrame   `json:"ended,omitempty" doc:"The frame where its fate was decided, the first 1,522 bytes of a longer one; absent if newer frames have taken its place in memory"`
	Sent     *HexFrame   `json:"sent,omitempty" doc:"As its guest sent it, if a router or gateway has rewritten it since"`
	Notes    []FrameNote `json:"notes" doc:"What an expert would notice"`
	Earlier  *uint64     `json:"earlier,omitempty" doc:"The frame of the same flow in front of it, either direction"`
	Later    *uint64     `json:"later,omitempty" doc:"The one behind it"`
	Captures []string    `json:"captures" doc:"Captures that were recording it, as far as they have it still"`
}

// FrameNote is something about a frame that is worth noticing.
type FrameNote struct {
	Kind   string  `json:"kind" enum:"retransmission,reset,reset-by-network,gratuitous-arp,bad-checksum,cut,icmp-error"`
	Text   string  `json:"text"`
	Cursor *uint64 `json:"cursor,omitempty" doc:"The frame that it repeats"`
}

// maxLookBack bounds how many records are gone through for a frame of the same flow.
const maxLookBack = 20_000

// flowEnds are the two ends of a flow in one order, whichever way a frame goes.
type flowEnds struct {
	proto uint8
	a, b  uint64 // address and port
}

// flowNames are the ends by which a flow is known: as sent, and behind gateways.
type flowNames [2]flowEnds

func endsOf(src, dst frame.IPv4, sport, dport uint16, proto uint8) flowEnds {
	a, b := uint64(src)<<16|uint64(sport), uint64(dst)<<16|uint64(dport)
	return flowEnds{proto, min(a, b), max(a, b)}
}

// recordEnds are those of a record; of ICMP the identifier stands for both ports.
func recordEnds(r *dataplane.Record) flowEnds {
	sport, dport := r.SrcPort, r.DstPort
	if r.Proto == frame.ProtoICMP {
		sport = dport
	}
	return endsOf(r.SrcIP, r.DstIP, sport, dport, r.Proto)
}

func flowOf(f *stream.Frame) flowNames {
	names := flowNames{recordEnds(&f.Record)}
	names[1] = names[0]
	if !f.Way.Translated() || f.AsSent == nil {
		return names
	}
	var v frame.View
	if b := f.Whole(); v.Parse(b) == frame.KindIPv4 || f.Kept < f.Length {
		sport, dport := v.SrcPort, v.DstPort
		if v.Proto == frame.ProtoICMP {
			sport, dport = v.ICMPID, v.ICMPID
		}
		names[1] = endsOf(v.SrcIP, v.DstIP, sport, dport, v.Proto)
	}
	return names
}

// has reports whether a frame belongs to the flow: a translated one shares the ends on one
// side of the gateway with the frames of the other direction.
func (n flowNames) has(f *stream.Frame) bool {
	own := recordEnds(&f.Record)
	if own == n[0] || own == n[1] {
		return true
	}
	if !f.Way.Translated() {
		return false
	}
	other := flowOf(f)[1]
	return other == n[0] || other == n[1]
}

func (s *Server) frameDetail(f *stream.Frame) FrameDetail {
	out := FrameDetail{FrameWhy: s.frameWhy(f.Cursor, &f.Record), Notes: []FrameNote{}, Captures: []string{}}
	if f.AsEnded != nil {
		out.Ended = hexFrame(f.AsEnded, int(f.Length))
		if b := f.Whole(); b != nil {
			out.Sent = hexFrame(b, int(f.Length))
		}
	}
	flow := flowOf(f)
	if f.EtherType == frame.EtherTypeIPv4 {
		out.Earlier, out.Later = s.nextOfFlow(flow, f.Cursor-1, true), s.nextOfFlow(flow, f.Cursor+1, false)
	}
	out.Notes = append(out.Notes, s.notesOf(f, out.Ended)...)
	out.Captures = append(out.Captures, s.captures.having(f, s.opt.Engine)...)
	return out
}

// hexFrame takes the kept bytes of a frame apart. What cannot be decoded to its end is
// shown as far as it can.
func hexFrame(b []byte, length int) *HexFrame {
	tree, _ := frame.NewDecoder().Decode(b)
	if len(b) < length {
		// What a header announces is not there because it was not kept.
		tree.Layers = slices.DeleteFunc(tree.Layers, func(l frame.Layer) bool { return l.Name == "malformed" })
		for _, l := range tree.Layers {
			for i := range l.Fields {
				if f := &l.Fields[i]; f.Name == "checksum" {
					f.Value, _, _ = strings.Cut(f.Value, " ")
					f.Value += " (not checked: the frame is cut)"
				}
			}
		}
		tree.Length = length
	}
	return &HexFrame{Hex: hex.EncodeToString(b), Tree: tree}
}

func (s *Server) nextOfFlow(flow flowNames, from uint64, back bool) (found *uint64) {
	left := maxLookBack
	s.hub.Walk(nil, from, back, func(f *stream.Frame) bool {
		if flow.has(f) && f.EtherType == frame.EtherTypeIPv4 {
			found = &f.Cursor
		}
		left--
		return found == nil && left > 0
	})
	return found
}

// notesOf is what is worth noticing about a frame.
func (s *Server) notesOf(f *stream.Frame, ended *HexFrame) []FrameNote {
	var (
		notes []FrameNote
		v     frame.View
	)
	if f.AsEnded == nil {
		return nil
	}
	if f.Kept < f.Length {
		return []FrameNote{{Kind: "cut", Text: "the first " + strconv.Itoa(int(f.Kept)) + " of " + strconv.Itoa(int(f.Length)) + " bytes are kept"}}
	}
	switch v.Parse(f.AsEnded); v.Kind {
	case frame.KindARP:
		if v.SrcIP == v.DstIP {
			notes = append(notes, FrameNote{Kind: "gratuitous-arp", Text: "a host announces that it has " + v.SrcIP.String()})
		}
	case frame.KindIPv4:
		for _, l := range ended.Tree.Layers {
			if slices.ContainsFunc(l.Fields, func(f frame.Field) bool {
				return strings.HasSuffix(f.Name, "checksum") && strings.HasSuffix(f.Value, "(wrong)")
			}) {
				notes = append(notes, FrameNote{Kind: "bad-checksum", Text: "the checksum of " + l.Name + " is wrong"})
			}
		}
		if v.ICMPError() {
			notes = append(notes, FrameNote{Kind: "icmp-error", Text: "an error about the frame that it quotes"})
		}
		if v.HasL4 && v.Proto == frame.ProtoTCP {
			notes = append(notes, s.tcpNotes(f, &v)...)
		}
	}
	return notes
}

func (s *Server) tcpNotes(f *stream.Frame, v *frame.View) (notes []FrameNote) {
	if v.TCPFlags&frame.TCPRst != 0 {
		sender, _ := s.opt.Engine.VNICName(f.SrcVNIC)
		if s.isNAT(sender) {
			notes = append(notes, FrameNote{Kind: "reset-by-network", Text: "the NAT gateway has made this reset: it knows no such connection"})
		} else {
			notes = append(notes, FrameNote{Kind: "reset", Text: "the sender ends the connection at once"})
		}
	}
	if v.Payload == v.End && v.TCPFlags&(frame.TCPSyn|frame.TCPFin) == 0 || f.Reason == verdict.RxFlushed {
		return notes // an acknowledgement may well come twice; a flushed frame has two records
	}
	own, left := recordEnds(&f.Record), maxLookBack
	s.hub.Walk(nil, f.Cursor-1, true, func(o *stream.Frame) bool {
		var ov frame.View
		if left--; o.SrcVNIC == f.SrcVNIC && o.SrcPort == f.SrcPort && recordEnds(&o.Record) == own && o.AsEnded != nil &&
			ov.Parse(o.AsEnded) == frame.KindIPv4 && ov.TCPSeq == v.TCPSeq && ov.End-ov.Payload == v.End-v.Payload && ov.TCPFlags&^frame.TCPAck == v.TCPFlags&^frame.TCPAck {
			notes = append(notes, FrameNote{Kind: "retransmission", Text: "the same segment was sent before", Cursor: &o.Cursor})
			return false
		}
		return left > 0
	})
	return notes
}

// isNAT reports whether an interface is a NAT gateway's.
func (s *Server) isNAT(id string) bool {
	for _, g := range s.state().NATGateways() {
		if g.Interface == id && id != "" {
			return true
		}
	}
	return false
}

// having returns the captures that were recording where and when a frame passed, and
// have not let frames of its time go.
func (cs *captures) having(f *stream.Frame, e Engine) []string {
	var ids []string
	src, _ := e.VNICName(f.SrcVNIC)
	dst, _ := e.VNICName(f.DstVNIC)
	for _, c := range cs.all() {
		st := c.status()
		if f.At < st.Started || st.Stopped != 0 && f.At > st.Stopped || st.Evicted > 0 || c.about.Filter != "" {
			continue
		}
		for _, id := range c.about.Interfaces {
			if id == src || id == dst {
				ids = append(ids, c.about.ID)
				break
			}
		}
		if c.about.All {
			ids = append(ids, c.about.ID)
		}
	}
	return ids
}
