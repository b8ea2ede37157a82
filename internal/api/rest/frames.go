package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
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
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"1000" doc:"How many, the newest first"`
}

// RecordedFrames is the newest of the recording.
type RecordedFrames struct {
	Items []RecordedFrame `json:"items"`
}

func (s *Server) frameOperations(api huma.API) {
	huma.Register(api, get("frames", "The newest frames of the recording"),
		func(_ context.Context, in *framesInput) (*output[RecordedFrames], error) {
			q, err := readFilter(in.Filter)
			if err != nil {
				return nil, err
			}
			out := RecordedFrames{Items: []RecordedFrame{}}
			for _, c := range s.hub.Matching(q, in.Limit) {
				if r, _, _, ok := s.hub.Record(c); ok {
					out.Items = append(out.Items, recordedFrame(c, &r))
				}
			}
			return &output[RecordedFrames]{Body: out}, nil
		})
	huma.Register(api, get("frames/{cursor}/why", "Why a frame that has passed, passed, or did not"),
		func(_ context.Context, in *frameInput) (*output[FrameWhy], error) {
			r, oldest, next, ok := s.hub.Record(in.Cursor)
			switch {
			case ok:
				return &output[FrameWhy]{Body: s.frameWhy(in.Cursor, &r)}, nil
			case in.Cursor < oldest:
				return nil, newProblem(http.StatusGone, "", fmt.Sprintf("frame %d is not on record any more: the oldest is %d", in.Cursor, oldest))
			}
			return nil, newProblem(http.StatusNotFound, "", fmt.Sprintf("there is no frame %d yet: the next is %d; frames are recorded while the page is open or a client of the stream is connected", in.Cursor, next))
		})
}

func recordedFrame(cursor uint64, r *dataplane.Record) RecordedFrame {
	f := RecordedFrame{
		Cursor: cursor, At: time.Unix(0, r.At).UTC(), Source: r.SrcIP.String(), Destination: r.DstIP.String(), Protocol: protocolName(int(r.Proto)),
		Length: r.Length, Verdict: r.Verdict.String(), Reason: r.Reason.String(),
	}
	switch {
	case r.EtherType != frame.EtherTypeIPv4:
		f.Protocol = fmt.Sprintf("0x%04x", r.EtherType)
	case r.Proto == frame.ProtoICMP:
		typ, code := uint8(r.SrcPort>>8), uint8(r.SrcPort)
		f.ICMPType, f.ICMPCode = &typ, &code
	case r.Proto == frame.ProtoTCP, r.Proto == frame.ProtoUDP:
		src, dst := r.SrcPort, r.DstPort
		f.SourcePort, f.Port = &src, &dst
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
	out := FrameWhy{RecordedFrame: recordedFrame(cursor, r), ReasonText: r.Reason.Text(), Code: codeOf(r.Reason, left), Translated: r.Way.Translated()}
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
