package rest

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// Timings is how long transitional states last that begin now.
type Timings struct {
	Preset           string   `json:"preset" doc:"What a restart begins with: fast or aws"`
	Operations       []Timing `json:"operations"`
	EndedAttachments float64  `json:"endedAttachmentMs" doc:"How long an ended attachment can still be asked for by its id, as detached"`
	StaleAfterForce  bool     `json:"staleAfterForce" doc:"A forced detach leaves the device index unusable and the metadata stale until stop and start"`
	AnnounceMoves    bool     `json:"announceMoves" doc:"The network tells the guests of a subnet when an address has changed its interface there"`
}

// Timing is how long one operation's transitional state lasts: half of the
// draws fall below the median.
type Timing struct {
	Operation string  `json:"operation" enum:"attach,detach,launch,start,stop,terminate,create-nat-gateway,delete-nat-gateway,associate-cidr-block,disassociate-cidr-block,request-peering,metadata,create-volume,attach-volume,detach-volume,delete-volume,modify-volume,create-snapshot,create-image,create-vpc-endpoint,delete-vpc-endpoint,create-transit-gateway,modify-transit-gateway,delete-transit-gateway,attach-transit-gateway,detach-transit-gateway,change-transit-gateway-route-table"`
	MinMs     float64 `json:"minMs"`
	MedianMs  float64 `json:"medianMs"`
	MaxMs     float64 `json:"maxMs"`
	Changed   bool    `json:"changed" doc:"It is not the preset's"`
}

type putTiming struct {
	MinMs    *float64 `json:"minMs,omitempty" minimum:"0" maximum:"86400000" doc:"Default: medianMs"`
	MedianMs float64  `json:"medianMs" minimum:"0" maximum:"86400000"`
	MaxMs    *float64 `json:"maxMs,omitempty" minimum:"0" maximum:"86400000" doc:"Default: medianMs"`
}

type putTimings struct {
	Preset           *string  `json:"preset,omitempty" enum:"fast,aws" doc:"Everything as this preset has it, before what else is given. What a restart begins with stays, and so does who leases addresses by DHCP"`
	EndedAttachments *float64 `json:"endedAttachmentMs,omitempty" minimum:"0" maximum:"86400000"`
	StaleAfterForce  *bool    `json:"staleAfterForce,omitempty"`
	AnnounceMoves    *bool    `json:"announceMoves,omitempty"`
}

type operationInput struct {
	Operation string `path:"operation" maxLength:"64"`
}

type operationAndBody[T any] struct {
	Operation string `path:"operation" maxLength:"64"`
	Body      T
}

func (s *Server) timingsView(t control.Timing) Timings {
	v := Timings{
		Preset: s.opt.Timing, Operations: []Timing{},
		EndedAttachments: msOf(t.EndedAttachments), StaleAfterForce: t.StaleAfterForce, AnnounceMoves: t.AnnounceMoves,
	}
	preset := s.opt.Control.Preset()
	for _, op := range control.Operations() {
		span := t.Spans[op]
		v.Operations = append(v.Operations, Timing{
			string(op), msOf(span.Min), msOf(span.Median), msOf(span.Max), span != preset.Spans[op],
		})
	}
	return v
}

func msOf(d time.Duration) float64 { return millis(int64(d)) }

func (s *Server) retime(ctx context.Context, change func(control.Timing) (control.Timing, error)) (*output[Timings], error) {
	t, err := s.opt.Control.ChangeTiming(ctx, change)
	if err != nil {
		return nil, problem(err)
	}
	return &output[Timings]{Body: s.timingsView(t)}, nil
}

// knownOperation is for paths, which name what there is.
func knownOperation(name string) (control.Operation, error) {
	op := control.Operation(name)
	if !slices.Contains(control.Operations(), op) {
		return "", missing("operation that takes time", name)
	}
	return op, nil
}

func (s *Server) timingOperations(api huma.API) {
	huma.Register(api, get("timings", "How long transitional states last"), func(context.Context, *struct{}) (*output[Timings], error) {
		return &output[Timings]{Body: s.timingsView(s.state().Timing())}, nil
	})
	huma.Register(api, replace("timings", "Change what is shown of ended attachments, forced detaches and addresses that move"), func(ctx context.Context, in *withBody[putTimings]) (*output[Timings], error) {
		return s.retime(ctx, func(t control.Timing) (control.Timing, error) {
			if name := in.Body.Preset; name != nil {
				announced := t.AnnounceMoves // of neither preset
				t = control.TimingFast
				if *name == "aws" {
					t = control.TimingAWS
				}
				t.AnnounceMoves = announced
			}
			if ms := in.Body.EndedAttachments; ms != nil {
				t.EndedAttachments = duration(*ms)
			}
			if stale := in.Body.StaleAfterForce; stale != nil {
				t.StaleAfterForce = *stale
			}
			if tell := in.Body.AnnounceMoves; tell != nil {
				t.AnnounceMoves = *tell
			}
			return t, nil
		})
	})
	huma.Register(api, operation(http.MethodDelete, "timings", "Go back to the preset", http.StatusOK), func(ctx context.Context, _ *struct{}) (*output[Timings], error) {
		return s.retime(ctx, func(control.Timing) (control.Timing, error) { return s.opt.Control.Preset(), nil })
	})
	huma.Register(api, replace("timings/{operation}", "Change how long one operation's transitional state lasts"), func(ctx context.Context, in *operationAndBody[putTiming]) (*output[Timings], error) {
		op, err := knownOperation(in.Operation)
		if err != nil {
			return nil, err
		}
		span := control.Fixed(duration(in.Body.MedianMs))
		if in.Body.MinMs != nil {
			span.Min = duration(*in.Body.MinMs)
		}
		if in.Body.MaxMs != nil {
			span.Max = duration(*in.Body.MaxMs)
		}
		return s.retime(ctx, func(t control.Timing) (control.Timing, error) { return t.With(op, span), nil })
	})
	huma.Register(api, operation(http.MethodDelete, "timings/{operation}", "Go back to the preset for one operation", http.StatusOK), func(ctx context.Context, in *operationInput) (*output[Timings], error) {
		op, err := knownOperation(in.Operation)
		if err != nil {
			return nil, err
		}
		return s.retime(ctx, func(t control.Timing) (control.Timing, error) {
			return t.With(op, s.opt.Control.Preset().Spans[op]), nil
		})
	})
}
