package rest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/api/stream"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/filter"
)

// RecordedFrame is a frame that has passed, or was to, as the recording has it: it
// is kept for the page and other clients of the stream while one is connected.
type RecordedFrame struct {
	Cursor      uint64    `json:"cursor" doc:"As the stream numbers it, within a process's life"`
	At          time.Time `json:"at"`
	Source      string    `json:"source" doc:"Behind gateways, if they have translated it"`
	Destination string    `json:"destination"`
	SourcePort  *uint16   `json:"sourcePort,omitempty"`
	Port        *uint16   `json:"port,omitempty"`
	ICMPType    *uint8    `json:"icmpType,omitempty"`
	ICMPCode    *uint8    `json:"icmpCode,omitempty"`
	Protocol    string    `json:"protocol" doc:"Or the EtherType of what is no IPv4"`
	Length      uint16    `json:"length"`
	Verdict     string    `json:"verdict" enum:"accept,reject,lost,control"`
	Reason      string    `json:"reason"`
	TCPFlags    string    `json:"tcpFlags,omitempty" doc:"As tcpdump writes them"`
	// Both are "" where there is none: of a frame that found no receiver, or that the network made.
	SourceInterfaceID      string `json:"sourceInterfaceId,omitempty" doc:"Interface of the sender, or its id as a host of the internet"`
	DestinationInterfaceID string `json:"destinationInterfaceId,omitempty"`
}

// FrameWhy is what decided about a recorded frame, by the names of its time.
type FrameWhy struct {
	RecordedFrame
	ReasonText string `json:"reasonText"`
	Code       string `json:"code,omitempty" doc:"AWS Reachability Analyzer's code, where one fits"`
	Translated bool   `json:"translated" doc:"A gateway has changed its addresses"`
	Hops       []Hop  `json:"hops" doc:"As far as the recording knows: the rule is the one that decided last, at the receiver if both sides passed it"`
}

type frameInput struct {
	Cursor uint64 `path:"cursor" doc:"Of the recording"`
}

type framesInput struct {
	Filter string `query:"filter" maxLength:"2000" doc:"Which frames, as docs/filters.md has it; default: all"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"How many"`
	At     string `query:"at" pattern:"^[0-9]{1,19}$" doc:"From this instant on, Unix nanoseconds, in order of time"`
	After  uint64 `query:"after" doc:"Those behind this cursor, in order"`
	Before uint64 `query:"before" doc:"Those in front of this cursor, the newest first"`
	Flow   uint64 `query:"flow" doc:"Only frames of the flow of this one, both directions"`
}

// RecordedFrames is part of the recording: the newest frames first, unless asked
// otherwise.
type RecordedFrames struct {
	Items  []RecordedFrame `json:"items"`
	Oldest uint64          `json:"oldest" doc:"The oldest cursor on record"`
	Next   uint64          `json:"next" doc:"The cursor that the next frame will have"`
	From   *time.Time      `json:"from,omitempty" doc:"When the oldest frame on record was"`
	To     *time.Time      `json:"to,omitempty" doc:"When the newest was"`
}

func (s *Server) frameOperations(api huma.API) {
	huma.Register(api, get("frames", "Frames of the recording"),
		func(_ context.Context, in *framesInput) (*output[RecordedFrames], error) {
			out, err := s.recordedFrames(in)
			if err != nil {
				return nil, err
			}
			return &output[RecordedFrames]{Body: *out}, nil
		})
	huma.Register(api, get("frames/{cursor}", "A frame that has passed: its bytes, as sent and as they ended, and what they say"),
		func(_ context.Context, in *frameInput) (*output[FrameDetail], error) {
			f, err := s.recorded(in.Cursor)
			if err != nil {
				return nil, err
			}
			return &output[FrameDetail]{Body: s.frameDetail(&f)}, nil
		})
	huma.Register(api, get("frames/{cursor}/why", "Why a frame that has passed, passed, or did not"),
		func(_ context.Context, in *frameInput) (*output[FrameWhy], error) {
			f, err := s.recorded(in.Cursor)
			if err != nil {
				return nil, err
			}
			return &output[FrameWhy]{Body: s.frameWhy(in.Cursor, &f.Record)}, nil
		})
	huma.Register(api, get("frames/{cursor}/flow", "The connection of a frame that has passed, as each end's table knows it now"),
		func(_ context.Context, in *frameInput) (*output[FrameFlow], error) {
			f, err := s.recorded(in.Cursor)
			if err != nil {
				return nil, err
			}
			out, err := s.frameFlow(&f)
			return &output[FrameFlow]{Body: out}, err
		})
}

// recorded finds a frame of the recording, or says why it is not there, and what has it.
func (s *Server) recorded(cursor uint64) (stream.Frame, error) {
	f, oldest, next, ok := s.hub.Frame(cursor)
	switch {
	case ok:
		return f, nil
	case cursor < oldest:
		p := newProblem(http.StatusGone, "", fmt.Sprintf("frame %d is not on record any more: the oldest is %d", cursor, oldest))
		// Its instant went with it: what is known is that a capture goes back so far.
		if since := s.captures.since(); since != "" {
			p.Detail += "; capture " + since + " goes back furthest and may have it"
			p.Errors = append(p.Errors, &huma.ErrorDetail{Location: "capture", Message: "goes back furthest", Value: since})
		}
		return f, p
	}
	return f, newProblem(http.StatusNotFound, "", fmt.Sprintf("there is no frame %d yet: the next is %d; frames are recorded while the page is open or a client of the stream is connected", cursor, next))
}

func (s *Server) recordedFrames(in *framesInput) (*RecordedFrames, error) {
	out := &RecordedFrames{Items: []RecordedFrame{}}
	out.Oldest, out.Next = s.hub.Span()
	for _, end := range []struct {
		cursor uint64
		at     **time.Time
	}{{out.Oldest, &out.From}, {out.Next - 1, &out.To}} {
		if f, _, _, ok := s.hub.Frame(end.cursor); ok {
			at := time.Unix(0, f.At).UTC()
			*end.at = &at
		}
	}
	if in.At != "" && (in.After != 0 || in.Before != 0) || in.After != 0 && in.Before != 0 {
		return nil, newProblem(http.StatusBadRequest, "", "want one of at, after and before, which each say where to begin")
	}
	from, back := out.Next, true
	switch {
	case in.At != "":
		at, err := strconv.ParseInt(in.At, 10, 64)
		if err != nil {
			return nil, wrong("query.at", "want an instant in Unix nanoseconds", in.At)
		}
		from, back = s.hub.At(at), false
	case in.After != 0:
		from, back = in.After+1, false
	case in.Before != 0:
		from = in.Before - 1
	}
	same := func(*stream.Frame) bool { return true }
	if in.Flow != 0 {
		of, err := s.recorded(in.Flow)
		if err != nil {
			return nil, err
		}
		same = flowOf(&of).has
	}
	var q *filter.Query
	if in.Filter != "" {
		var err error
		if q, err = readFilter(in.Filter); err != nil {
			return nil, err
		}
	}
	s.hub.Walk(q, from, back, func(f *stream.Frame) bool {
		if same(f) {
			out.Items = append(out.Items, s.recordedFrame(f.Cursor, &f.Record))
		}
		return len(out.Items) < in.Limit
	})
	return out, nil
}

func (s *Server) recordedFrame(cursor uint64, r *dataplane.Record) RecordedFrame {
	f := RecordedFrame{
		Cursor: cursor, At: time.Unix(0, r.At).UTC(), Source: r.SrcIP.String(), Destination: r.DstIP.String(), Protocol: protocolName(int(r.Proto)),
		Length: r.Length, Verdict: r.Verdict.String(), Reason: r.Reason.String(),
	}
	f.SourceInterfaceID, _ = s.opt.Engine.VNICName(r.SrcVNIC)
	f.DestinationInterfaceID, _ = s.opt.Engine.VNICName(r.DstVNIC)
	switch {
	case r.EtherType != frame.EtherTypeIPv4:
		f.Protocol = fmt.Sprintf("0x%04x", r.EtherType)
	case r.Proto == frame.ProtoICMP:
		typ, code := uint8(r.SrcPort>>8), uint8(r.SrcPort)
		f.ICMPType, f.ICMPCode = &typ, &code
	case r.Proto == frame.ProtoTCP, r.Proto == frame.ProtoUDP:
		src, dst := r.SrcPort, r.DstPort
		f.SourcePort, f.Port = &src, &dst
		if r.Proto == frame.ProtoTCP {
			f.TCPFlags = frame.TCPFlagNames(r.TCPFlags)
		}
	}
	return f
}

// frameWhy tells of a record station by station, as a trace of the frame would.
func (s *Server) frameWhy(cursor uint64, r *dataplane.Record) FrameWhy {
	e := s.opt.Engine
	way, name := e.Way(r.Way), e.RuleName
	src, _ := e.VNICName(r.SrcVNIC)
	dst, _ := e.VNICName(r.DstVNIC)
	left := name(way.Leaves)
	out := FrameWhy{RecordedFrame: s.recordedFrame(cursor, r), ReasonText: r.Reason.Text(), Code: codeOf(r.Reason, left), Translated: r.Way.Translated()}
	end := func(h *Hop, at verdict.Point) bool {
		h.Verdict = "pass"
		if r.Step.Point() != at {
			return false
		}
		h.Step, h.Verdict, h.Reason, h.Code, h.Rule, h.Detail = r.Step.String(), r.Verdict.String(), r.Reason.String(), out.Code, name(r.Rule), r.Reason.Text()
		return true
	}
	add := func(h Hop, at verdict.Point) bool {
		done := end(&h, at)
		out.Hops = append(out.Hops, h)
		return done
	}
	if add(Hop{Station: "egress", NetworkInterfaceID: src, Route: name(way.Route), Onward: name(way.Onward), Via: name(way.Via), NetworkACLEntry: name(way.ACLOut),
		Detail: "left its interface"}, verdict.GuestTX) {
		return out
	}
	fabric := Hop{Station: "fabric", NetworkInterfaceID: src, Route: name(way.Route), Onward: name(way.Onward), Via: name(way.Via), Detail: "went to " + dst}
	for _, g := range []verdict.RuleID{way.Leaves, way.Enters} {
		if g != verdict.RuleNone {
			fabric.Gateways = append(fabric.Gateways, name(g))
		}
	}
	if add(fabric, verdict.EgressPost) {
		return out
	}
	ingress := Hop{Station: "ingress", NetworkInterfaceID: dst, NetworkACLEntry: name(way.ACLIn), Detail: "arrived at its interface"}
	if r.Step.Point() == verdict.GuestRX {
		ingress.Rule = name(r.Rule)
		ingress.Detail = "passed its network ACL and security groups"
	}
	if add(ingress, verdict.IngressPre) {
		return out
	}
	add(Hop{Station: "delivery", NetworkInterfaceID: dst, Detail: "placed in the guest's receive queue"}, verdict.GuestRX)
	last := &out.Hops[len(out.Hops)-1]
	last.Rule = ""
	return out
}
