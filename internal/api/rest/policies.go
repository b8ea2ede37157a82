package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// FailoverPolicy says who takes over a network interface when its instance
// fails.
type FailoverPolicy struct {
	ID                 string       `json:"id"`
	NetworkInterfaceID string       `json:"networkInterfaceId"`
	Standbys           []string     `json:"standbys" doc:"Instances in order of preference"`
	Probe              Probe        `json:"probe"`
	FailBack           bool         `json:"failBack" doc:"Return when the first owner has recovered"`
	Enabled            bool         `json:"enabled"`
	Status             PolicyStatus `json:"status"`
}

// Probe is a policy's health check.
type Probe struct {
	Type            string  `json:"type" enum:"icmp,tcp,http"`
	FromInterfaceID string  `json:"fromInterfaceId" maxLength:"64" doc:"The interface that sends it"`
	Port            int     `json:"port,omitempty" minimum:"0" maximum:"65535"`
	Path            string  `json:"path,omitempty" maxLength:"1024"`
	IntervalMs      float64 `json:"intervalMs,omitempty" minimum:"0" maximum:"3600000"`
	TimeoutMs       float64 `json:"timeoutMs,omitempty" minimum:"0" maximum:"3600000"`
	Misses          int     `json:"misses,omitempty" minimum:"0" maximum:"100" doc:"Consecutive misses that mean failure"`
}

type putPolicy struct {
	NetworkInterfaceID string   `json:"networkInterfaceId" maxLength:"64"`
	Standbys           []string `json:"standbys" maxItems:"100"`
	Probe              Probe    `json:"probe"`
	FailBack           bool     `json:"failBack,omitempty"`
	Enabled            *bool    `json:"enabled,omitempty" doc:"Default: true"`
}

func (b putPolicy) policy(id string) control.FailoverPolicy {
	return control.FailoverPolicy{
		ID: id, NetworkInterface: b.NetworkInterfaceID, Standbys: b.Standbys,
		Probe: control.Probe{
			Type: control.ProbeType(b.Probe.Type), From: b.Probe.FromInterfaceID, Port: b.Probe.Port, Path: b.Probe.Path,
			Interval: duration(b.Probe.IntervalMs), Timeout: duration(b.Probe.TimeoutMs), Misses: b.Probe.Misses,
		},
		FailBack: b.FailBack, Enabled: b.Enabled == nil || *b.Enabled,
	}
}

func duration(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func (s *Server) policyView(p *control.FailoverPolicy) FailoverPolicy {
	return FailoverPolicy{
		ID: p.ID, NetworkInterfaceID: p.NetworkInterface, Standbys: append([]string{}, p.Standbys...),
		Probe: Probe{
			Type: string(p.Probe.Type), FromInterfaceID: p.Probe.From, Port: p.Probe.Port, Path: p.Probe.Path,
			IntervalMs: millis(int64(p.Probe.Interval)), TimeoutMs: millis(int64(p.Probe.Timeout)), Misses: p.Probe.Misses,
		},
		FailBack: p.FailBack, Enabled: p.Enabled, Status: s.policyStatus(p),
	}
}

func (s *Server) policyStatus(p *control.FailoverPolicy) PolicyStatus {
	if s.opt.PolicyStatus != nil {
		if st, ok := s.opt.PolicyStatus(p.ID); ok {
			return st
		}
	}
	st := PolicyStatus{State: "disabled", Candidates: []Candidate{}}
	if p.Enabled {
		st.State = "watching"
	}
	return st
}

func policyID(p *control.FailoverPolicy) string { return p.ID }

func (s *Server) failoverOperations(api huma.API) {
	huma.Register(api, get("failover-policies", "List failover policies"), func(_ context.Context, in *pageInput) (*listOutput[FailoverPolicy], error) {
		return paginate(*in, s.state().Policies(), policyID, s.policyView)
	})
	huma.Register(api, get("failover-policies/{id}", "Get a failover policy"), func(_ context.Context, in *idInput) (*output[FailoverPolicy], error) {
		return found(s.state().Policy(in.ID), "failover policy", in.ID, s.policyView)
	})
	huma.Register(api, create("failover-policies", "Give a network interface a failover policy"), func(ctx context.Context, in *withBody[putPolicy]) (*output[FailoverPolicy], error) {
		p, err := s.opt.Control.PutPolicy(ctx, in.Body.policy(""))
		return answer(p, err, s.policyView)
	})
	huma.Register(api, replace("failover-policies/{id}", "Replace a failover policy"), func(ctx context.Context, in *idAndBody[putPolicy]) (*output[FailoverPolicy], error) {
		p, err := s.opt.Control.PutPolicy(ctx, in.Body.policy(in.ID))
		return answer(p, err, s.policyView)
	})
	huma.Register(api, remove("failover-policies/{id}", "Delete a failover policy"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeletePolicy(ctx, in.ID))
	})
	huma.Register(api, get("failovers", "List failover records, newest first"), func(_ context.Context, in *pageInput) (*listOutput[Failover], error) {
		return paginate(*in, s.state().Failovers(), failoverID, failoverView)
	})
	huma.Register(api, get("failovers/{id}", "Get a failover record"), func(_ context.Context, in *idInput) (*output[Failover], error) {
		return found(s.state().Failover(in.ID), "failover", in.ID, failoverView)
	})
}
