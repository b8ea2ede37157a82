package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
	"enilab/internal/dataplane/tap"
	"enilab/internal/dataplane/verdict"
)

// Capture is a recording of frames.
type Capture struct {
	ID                  string     `json:"id"`
	State               string     `json:"state" enum:"recording,stopped"`
	Comment             string     `json:"comment"`
	Filter              string     `json:"filter"`
	Points              []string   `json:"points"`
	NetworkInterfaceIDs []string   `json:"networkInterfaceIds,omitempty"`
	InstanceID          string     `json:"instanceId,omitempty"`
	All                 bool       `json:"all,omitempty"`
	Snaplen             int        `json:"snaplen" doc:"Bytes kept of a frame; 0: all"`
	RingBytes           int        `json:"ringBytes"`
	MaxFrames           uint64     `json:"maxFrames,omitempty"`
	MaxBytes            uint64     `json:"maxBytes,omitempty"`
	MaxSeconds          int        `json:"maxSeconds,omitempty"`
	Frames              uint64     `json:"frames" doc:"Recorded since the start"`
	Bytes               uint64     `json:"bytes" doc:"Of them, as kept"`
	Evicted             uint64     `json:"evicted" doc:"Frames that went to make room for newer ones"`
	Lost                uint64     `json:"lost" doc:"Frames missed because a worker's ring was full"`
	StartedAt           time.Time  `json:"startedAt"`
	StoppedAt           *time.Time `json:"stoppedAt,omitempty"`
	StopReason          string     `json:"stopReason,omitempty" enum:"requested,max_frames,max_bytes,max_duration"`
}

type startCapture struct {
	NetworkInterfaceID string   `json:"networkInterfaceId,omitempty" maxLength:"64"`
	InstanceID         string   `json:"instanceId,omitempty" maxLength:"64" doc:"The interfaces attached to it, as they come and go"`
	Points             []string `json:"points,omitempty" maxItems:"4" doc:"Of guest_tx, egress_post, ingress_pre, guest_rx; default: all"`
	Filter             string   `json:"filter,omitempty" maxLength:"4096" doc:"A pcap-filter expression"`
	Snaplen            int      `json:"snaplen,omitempty" minimum:"0" maximum:"65535"`
	RingBytes          int      `json:"ringBytes,omitempty" minimum:"0" maximum:"268435456" doc:"Memory for frames; default: 16 MiB"`
	MaxFrames          uint64   `json:"maxFrames,omitempty"`
	MaxBytes           uint64   `json:"maxBytes,omitempty"`
	MaxSeconds         int      `json:"maxSeconds,omitempty" minimum:"0" maximum:"2592000"`
	Comment            string   `json:"comment,omitempty" maxLength:"1024"`
}

func captureID(c *capture) string { return c.about.ID }

func captureView(c *capture) Capture {
	a, st := c.about, c.status()
	v := Capture{
		ID: a.ID, State: st.State(), Comment: a.Comment, Filter: a.Filter, Points: append([]string{}, a.Points...),
		InstanceID: a.Instance, All: a.All, Snaplen: a.Snaplen, RingBytes: a.RingBytes,
		MaxFrames: a.MaxFrames, MaxBytes: a.MaxBytes, MaxSeconds: a.MaxSeconds,
		Frames: st.Frames, Bytes: st.Bytes, Evicted: st.Evicted, Lost: st.Lost,
		StartedAt: time.Unix(0, st.Started).UTC(), StopReason: string(st.StopReason),
	}
	if !a.All {
		v.NetworkInterfaceIDs = a.Interfaces
	}
	if st.Stopped != 0 {
		at := time.Unix(0, st.Stopped).UTC()
		v.StoppedAt = &at
	}
	return v
}

func (s *Server) captureOperations(api huma.API) {
	huma.Register(api, get("captures", "List captures, newest first"), func(_ context.Context, in *pageInput) (*listOutput[Capture], error) {
		return paginate(*in, s.captures.all(), captureID, captureView)
	})
	huma.Register(api, get("captures/{id}", "Get a capture"), func(_ context.Context, in *idInput) (*output[Capture], error) {
		return found(s.captures.get(in.ID), "capture", in.ID, captureView)
	})
	huma.Register(api, create("captures", "Start a capture"), func(_ context.Context, in *struct{ Body *startCapture }) (*output[Capture], error) {
		var spec startCapture
		if in.Body != nil {
			spec = *in.Body
		}
		about, filter, points, err := s.resolveCapture(spec, "body")
		if err != nil {
			return nil, err
		}
		c, err := s.captures.start(about, filter, points)
		return answer(c, err, captureView)
	})
	huma.Register(api, act("captures/{id}/stop", "Stop a capture; its frames stay"), func(_ context.Context, in *idInput) (*output[Capture], error) {
		c := s.captures.get(in.ID)
		if c != nil && c.tap != nil {
			c.tap.Stop()
		}
		return found(c, "capture", in.ID, captureView)
	})
	huma.Register(api, remove("captures/{id}", "Stop a capture and forget it"), func(_ context.Context, in *idInput) (*struct{}, error) {
		if !s.captures.remove(in.ID) {
			return nil, missing("capture", in.ID)
		}
		return nil, nil
	})
}

// resolveCapture checks what a request asks for, in its body or query.
func (s *Server) resolveCapture(in startCapture, where string) (about aboutCapture, filter *tap.Filter, points verdict.Point, err error) {
	about = aboutCapture{
		Comment: in.Comment, Filter: in.Filter, Instance: in.InstanceID, Snaplen: in.Snaplen, RingBytes: in.RingBytes,
		MaxFrames: in.MaxFrames, MaxBytes: in.MaxBytes, MaxSeconds: in.MaxSeconds,
	}
	if about.Interfaces, err = s.captureScope(in); err != nil {
		return about, nil, 0, err
	}
	about.All = in.NetworkInterfaceID == "" && in.InstanceID == ""
	if in.Filter != "" {
		if filter, err = tap.CompileFilter(in.Filter); err != nil {
			return about, nil, 0, wrong(where+".filter", err.Error(), in.Filter)
		}
	}
	if points, err = parsePoints(in.Points, where); err != nil {
		return about, nil, 0, err
	}
	about.Points = pointNames(points)
	return about, filter, points, nil
}

func (s *Server) captureScope(in startCapture) ([]string, error) {
	st := s.state()
	switch {
	case in.NetworkInterfaceID != "" && in.InstanceID != "":
		return nil, newProblem(http.StatusBadRequest, "", "give networkInterfaceId or instanceId, not both")
	case in.NetworkInterfaceID != "":
		if st.NetworkInterface(in.NetworkInterfaceID) == nil {
			return nil, missing("network interface", in.NetworkInterfaceID)
		}
		return []string{in.NetworkInterfaceID}, nil
	case in.InstanceID != "":
		if st.Instance(in.InstanceID) == nil {
			return nil, missing("instance", in.InstanceID)
		}
		return views(st.InterfacesOf(in.InstanceID), func(n *control.NetworkInterface) string { return n.ID }), nil
	}
	return nil, nil
}

var tapPoints = [...]verdict.Point{verdict.GuestTX, verdict.EgressPost, verdict.IngressPre, verdict.GuestRX}

func parsePoints(names []string, where string) (verdict.Point, error) {
	if len(names) == 0 {
		return verdict.AllPoints, nil
	}
	var points verdict.Point
	for _, name := range names {
		found := false
		for _, p := range tapPoints {
			if p.String() == strings.TrimSpace(name) {
				points, found = points|p, true
			}
		}
		if !found {
			return 0, wrong(where+".points", "want guest_tx, egress_post, ingress_pre or guest_rx", name)
		}
	}
	return points, nil
}

func pointNames(points verdict.Point) []string {
	var names []string
	for _, p := range tapPoints {
		if points&p != 0 {
			names = append(names, p.String())
		}
	}
	return names
}
