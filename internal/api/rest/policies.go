package rest

import (
	"context"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// FailoverPolicy says who takes over a network interface when its instance
// fails.
type FailoverPolicy struct {
	ID                 string   `json:"id"`
	NetworkInterfaceID string   `json:"networkInterfaceId"`
	Standbys           []string `json:"standbys" doc:"Instances in order of preference"`
	Probe              Probe    `json:"probe"`
	FailBack           bool     `json:"failBack" doc:"Return when the first owner has recovered"`
	Enabled            bool     `json:"enabled"`
	PolicyTerms
	Scope  string       `json:"scope" enum:"subnet,zone,region" doc:"How far the strategy reaches"`
	Status PolicyStatus `json:"status"`
}

// PolicyTerms say what a policy moves, and under which conditions.
type PolicyTerms struct {
	Strategy      string        `json:"strategy,omitempty" enum:"eni,address,eip,route" doc:"What moves: the interface (default), secondary addresses, an Elastic IP, or routes"`
	Addresses     []string      `json:"addresses,omitempty" maxItems:"100" doc:"Of the strategy address: secondary private addresses of the interface"`
	AllocationID  string        `json:"allocationId,omitempty" maxLength:"64" doc:"Of the strategy eip: the Elastic IP, which the interface has"`
	Routes        []PolicyRoute `json:"routes,omitempty" maxItems:"50" doc:"Of the strategy route: routes that lead to the interface"`
	Fence         string        `json:"fence,omitempty" enum:"none,stop,detach" doc:"What is done to the former owner first"`
	FenceOptional bool          `json:"fenceOptional,omitempty" doc:"Go on when fencing fails"`
	HoldDownMs    float64       `json:"holdDownMs,omitempty" minimum:"0" maximum:"86400000" doc:"How long after a failover nothing moves, and how long the owner before must answer to get it back"`
	NeverFailBack bool          `json:"neverFailBack,omitempty" doc:"Refuse a fail-back by hand too"`
}

// PolicyRoute is one route that a policy replaces.
type PolicyRoute struct {
	RouteTableID string `json:"routeTableId" maxLength:"64"`
	Destination  string `json:"destination" maxLength:"64" doc:"A block, or the id of a prefix list"`
}

func (b PolicyTerms) terms() (control.Terms, error) {
	t := control.Terms{
		Strategy: control.Strategy(b.Strategy), Allocation: b.AllocationID, Fence: control.Fence(b.Fence),
		FenceOptional: b.FenceOptional, HoldDown: duration(b.HoldDownMs), NeverBack: b.NeverFailBack,
	}
	for _, r := range b.Routes {
		t.Routes = append(t.Routes, control.PolicyRoute{Table: r.RouteTableID, Destination: r.Destination})
	}
	for _, text := range b.Addresses {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return t, &control.Error{Code: "InvalidParameterValue", Field: "addresses", Message: "'" + text + "' is not an IP address."}
		}
		t.Addresses = append(t.Addresses, a)
	}
	return t, nil
}

func termsView(t control.Terms) PolicyTerms {
	v := PolicyTerms{
		Strategy: string(t.Strategy), Addresses: views(t.Addresses, netip.Addr.String), AllocationID: t.Allocation, Fence: string(t.Fence),
		FenceOptional: t.FenceOptional, HoldDownMs: millis(int64(t.HoldDown)), NeverFailBack: t.NeverBack,
	}
	for _, r := range t.Routes {
		v.Routes = append(v.Routes, PolicyRoute{RouteTableID: r.Table, Destination: r.Destination})
	}
	return v
}

// Probe is a policy's health check.
type Probe struct {
	Type            string  `json:"type" enum:"icmp,tcp,http"`
	FromInterfaceID string  `json:"fromInterfaceId" maxLength:"64" doc:"The interface that sends it, or an internet host"`
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
	PolicyTerms
}

func (s *Server) putPolicy(ctx context.Context, id string, b putPolicy) (*control.FailoverPolicy, error) {
	p := b.policy(id)
	var err error
	if p.Terms, err = b.terms(); err != nil {
		return nil, err
	}
	return s.opt.Control.PutPolicy(ctx, p)
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
		FailBack: p.FailBack, Enabled: p.Enabled, PolicyTerms: termsView(p.Terms), Scope: p.Strategy.Scope(), Status: s.policyStatus(p),
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
		p, err := s.putPolicy(ctx, "", in.Body)
		return answer(p, err, s.policyView)
	})
	huma.Register(api, replace("failover-policies/{id}", "Replace a failover policy"), func(ctx context.Context, in *idAndBody[putPolicy]) (*output[FailoverPolicy], error) {
		p, err := s.putPolicy(ctx, in.ID, in.Body)
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
