package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// Move is what a move did, or in a dry run would be allowed to do.
type Move struct {
	NetworkInterface *NetworkInterface `json:"networkInterface,omitempty"`
	DeviceIndex      *int              `json:"deviceIndex,omitempty"`
	AcceptedAt       string            `json:"acceptedAt,omitempty" doc:"Unix nanoseconds"`
	DetachedAt       string            `json:"detachedAt,omitempty" doc:"Unix nanoseconds: nothing more reached the old instance"`
	AttachedAt       string            `json:"attachedAt,omitempty" doc:"Unix nanoseconds: frames reach the new instance"`
	FailoverID       string            `json:"failoverId,omitempty" doc:"The record that measures this move"`
	Allowed          bool              `json:"allowed,omitempty" doc:"Dry run of one target"`
	Items            []MoveVerdict     `json:"items,omitempty" doc:"Dry run of several targets"`
}

// MoveVerdict is whether a target would be accepted now.
type MoveVerdict struct {
	InstanceID  string `json:"instanceId"`
	Allowed     bool   `json:"allowed"`
	DeviceIndex *int   `json:"deviceIndex,omitempty" doc:"Where it would be attached"`
	Code        string `json:"code,omitempty" doc:"EC2's error code"`
	Message     string `json:"message,omitempty"`
}

type moveInterface struct {
	InstanceID  string   `json:"instanceId,omitempty" maxLength:"64"`
	DeviceIndex *int     `json:"deviceIndex,omitempty" minimum:"0" doc:"Default: the present one if it is free there, else the lowest free one"`
	Force       bool     `json:"force,omitempty"`
	FailBack    bool     `json:"failBack,omitempty" doc:"Record it as a fail-back: instanceId is where the newest record took the interface from"`
	DryRun      bool     `json:"dryRun,omitempty"`
	Targets     []string `json:"targets,omitempty" maxItems:"1000" doc:"Instances to judge in a dry run, instead of instanceId"`
}

type moveInput struct {
	ID     string `path:"id" maxLength:"64"`
	DryRun bool   `query:"dryRun" doc:"Only tell whether the move would be accepted"`
	Body   moveInterface
}

func (s *Server) moveOperations(api huma.API) {
	huma.Register(api, act("network-interfaces/{id}/move", "Move a network interface to another instance"),
		func(ctx context.Context, in *moveInput) (*output[Move], error) {
			b := in.Body
			dry := in.DryRun || b.DryRun
			switch {
			case len(b.Targets) > 0 && !dry:
				return nil, newProblem(http.StatusBadRequest, "", "targets are for a dry run; a move has one instanceId")
			case len(b.Targets) > 0 && b.InstanceID != "":
				return nil, newProblem(http.StatusBadRequest, "", "give instanceId or targets, not both")
			case len(b.Targets) > 0:
				return &output[Move]{Body: Move{Items: s.judgeMoves(ctx, in)}}, nil
			case dry:
				r, err := s.opt.Control.Move(ctx, moveOf(in, b.InstanceID, true))
				if err != nil {
					return nil, problem(err)
				}
				return &output[Move]{Body: Move{Allowed: true, DeviceIndex: &r.DeviceIndex}}, nil
			}
			r, failover, err := s.opt.Moves.Move(ctx, moveOf(in, b.InstanceID, false))
			if err != nil {
				return nil, problem(err)
			}
			n := s.interfaceView(s.state())(r.Interface)
			return &output[Move]{Body: Move{
				NetworkInterface: &n, DeviceIndex: &r.DeviceIndex, FailoverID: failover,
				AcceptedAt: instant(r.AcceptedAt), DetachedAt: instant(r.DetachedAt), AttachedAt: instant(r.AttachedAt),
			}}, nil
		})
}

func moveOf(in *moveInput, instance string, dry bool) control.MoveInput {
	m := control.MoveInput{Interface: in.ID, Instance: instance, DeviceIndex: -1, Force: in.Body.Force, DryRun: dry}
	if in.Body.FailBack {
		m.Kind = control.KindFailBack
	}
	if in.Body.DeviceIndex != nil {
		m.DeviceIndex = *in.Body.DeviceIndex
	}
	return m
}

func (s *Server) judgeMoves(ctx context.Context, in *moveInput) []MoveVerdict {
	return views(in.Body.Targets, func(target string) MoveVerdict {
		v := MoveVerdict{InstanceID: target}
		r, err := s.opt.Control.Move(ctx, moveOf(in, target, true))
		var refusal *control.Error
		switch {
		case err == nil:
			v.Allowed, v.DeviceIndex = true, &r.DeviceIndex
		case errors.As(err, &refusal):
			v.Code, v.Message = refusal.Code, refusal.Message
		default:
			v.Message = err.Error()
		}
		return v
	})
}

// instant keeps nanoseconds from JavaScript's numbers, which cannot hold them.
func instant(at int64) string {
	if at == 0 {
		return ""
	}
	return strconv.FormatInt(at, 10)
}
