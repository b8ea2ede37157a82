package rest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/tap"
)

// CapturedFrame is a frame of a capture's file.
type CapturedFrame struct {
	Number      int       `json:"number" doc:"From 1, as Wireshark counts the file's frames; of a capture that records, as long as its ring is not full"`
	At          time.Time `json:"at"`
	Interface   string    `json:"interface" doc:"Where it was seen"`
	Length      int       `json:"length"`
	Source      string    `json:"source"`
	Destination string    `json:"destination"`
	SourcePort  *uint16   `json:"sourcePort,omitempty"`
	Port        *uint16   `json:"port,omitempty"`
	Protocol    string    `json:"protocol"`
	TCPFlags    string    `json:"tcpFlags,omitempty" doc:"As tcpdump writes them"`
	Summary     string    `json:"summary"`
	Comment     string    `json:"comment" doc:"What was decided about it, as the file says"`
	Verdict     string    `json:"verdict" doc:"accept, reject, lost or control"`
	Point       string    `json:"point" doc:"guest_tx, egress_post, ingress_pre or guest_rx"`
}

// CapturedFrames is a part of a capture.
type CapturedFrames struct {
	Items []CapturedFrame `json:"items"`
	Total int             `json:"total" doc:"Frames in the file"`
}

// CapturedDetail is a frame of a capture taken apart.
type CapturedDetail struct {
	CapturedFrame
	Frame HexFrame `json:"frame"`
}

type capturedInput struct {
	ID    string `path:"id" maxLength:"64"`
	After int    `query:"after" minimum:"0" doc:"Those behind this number"`
	Limit int    `query:"limit" default:"500" minimum:"1" maximum:"1000" doc:"How many"`
}

type capturedOneInput struct {
	ID     string `path:"id" maxLength:"64"`
	Number int    `path:"number" minimum:"1"`
}

func (s *Server) capturePacketOperations(api huma.API) {
	huma.Register(api, get("captures/{id}/frames", "The frames of a capture, in the order of its file"),
		func(_ context.Context, in *capturedInput) (*output[CapturedFrames], error) {
			out := CapturedFrames{Items: []CapturedFrame{}}
			err := s.readCapture(in.ID, func(f tap.Stored) error {
				if out.Total = f.Number; f.Number > in.After && len(out.Items) < in.Limit {
					out.Items = append(out.Items, capturedFrame(&f))
				}
				return nil
			})
			return &output[CapturedFrames]{Body: out}, err
		})
	huma.Register(api, get("captures/{id}/frames/{number}", "A frame of a capture, taken apart"),
		func(_ context.Context, in *capturedOneInput) (*output[CapturedDetail], error) {
			var out *CapturedDetail
			err := s.readCapture(in.ID, func(f tap.Stored) error {
				if f.Number < in.Number {
					return nil
				}
				out = &CapturedDetail{CapturedFrame: capturedFrame(&f), Frame: *hexFrame(f.Data, f.Length)}
				return tap.ErrEnough
			})
			if err == nil && out == nil {
				err = missing("frame of the capture", fmt.Sprint(in.Number))
			}
			if err != nil {
				return nil, err
			}
			return &output[CapturedDetail]{Body: *out}, nil
		})
}

// readCapture reads what a capture holds as its file has it.
func (s *Server) readCapture(id string, fn func(tap.Stored) error) error {
	rec := s.captures.get(id)
	if rec == nil {
		return missing("capture", id)
	}
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(s.captures.write(rec, formatPcapNg, w)) }()
	defer func() { _ = r.Close() }()
	if err := tap.ReadStored(r, fn); err != nil {
		return newProblem(http.StatusConflict, "", "reading capture "+id+": "+err.Error())
	}
	return nil
}

// write writes what a capture holds in a format.
func (cs *captures) write(c *capture, format captureFormat, w io.Writer) error {
	switch {
	case c.tap == nil:
		return writeSaved(cs.dir, c.about.ID, format, w)
	case format == formatPcap:
		return c.tap.WritePcap(w)
	}
	return c.tap.WriteNg(w)
}

// cut writes those frames of a capture that were within a window, as pcapng.
func (cs *captures) cut(c *capture, from, to int64, w io.Writer) error {
	r, pw := io.Pipe()
	go func() { _ = pw.CloseWithError(cs.write(c, formatPcapNg, pw)) }()
	defer func() { _ = r.Close() }()
	return tap.Cut(r, w, from, to)
}

func capturedFrame(f *tap.Stored) CapturedFrame {
	var v frame.View
	v.Parse(f.Data)
	out := CapturedFrame{
		Number: f.Number, At: time.Unix(0, f.At).UTC(), Interface: f.Interface, Length: f.Length, Comment: f.Comment,
		Summary: string(v.AppendSummary(nil, f.Data)), Verdict: commentWord(f.Comment, "verdict"), Point: commentWord(f.Comment, "point"),
		Source: v.Src.String(), Destination: v.Dst.String(), Protocol: fmt.Sprintf("0x%04x", v.EtherType),
	}
	switch v.Kind {
	case frame.KindARP:
		out.Source, out.Destination, out.Protocol = v.SrcIP.String(), v.DstIP.String(), "arp"
	case frame.KindIPv4:
		out.Source, out.Destination, out.Protocol = v.SrcIP.String(), v.DstIP.String(), protocolName(int(v.Proto))
		if v.HasL4 && (v.Proto == frame.ProtoTCP || v.Proto == frame.ProtoUDP) {
			src, dst := v.SrcPort, v.DstPort
			out.SourcePort, out.Port = &src, &dst
		}
		if v.HasL4 && v.Proto == frame.ProtoTCP {
			out.TCPFlags = frame.TCPFlagNames(v.TCPFlags)
		}
	}
	return out
}

// commentWord returns the value of a name in a frame's comment that holds no blank.
func commentWord(comment, name string) string {
	for word := range strings.FieldsSeq(comment) {
		if value, ok := strings.CutPrefix(word, name+"="); ok {
			return value
		}
	}
	return ""
}
