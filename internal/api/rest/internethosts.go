package rest

import (
	"context"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// InternetHost is a machine on the modelled internet.
type InternetHost struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Address   string       `json:"address" doc:"Its public IPv4 address"`
	Fault     string       `json:"fault" doc:"The injected failure: freeze, link, stop or empty"`
	FaultAt   *time.Time   `json:"faultAt,omitempty"`
	Workloads []Workload   `json:"workloads"`
	Serve     []ServedPort `json:"serve" doc:"Ports it serves beside UDP echo on 7 and HTTP on 80"`
	CreatedAt time.Time    `json:"createdAt"`
}

type createInternetHost struct {
	Name      string       `json:"name" maxLength:"64" doc:"Unique among the internet hosts"`
	Address   string       `json:"address" maxLength:"64" example:"192.0.2.10" doc:"A public IPv4 address that nobody has"`
	Workloads []Workload   `json:"workloads,omitempty" maxItems:"64"`
	Serve     []ServedPort `json:"serve,omitempty" maxItems:"64"`
}

func internetHostView(h *control.InternetHost) InternetHost {
	v := InternetHost{
		ID: h.ID, Name: h.Name, Address: h.Address.String(), Fault: string(h.Fault),
		Workloads: views(h.Workloads, workloadView), Serve: views(h.Serve, servedView), CreatedAt: h.CreatedAt,
	}
	if h.Fault != control.FaultNone {
		v.FaultAt = &h.FaultAt
	}
	return v
}

func internetHostID(h *control.InternetHost) string { return h.ID }

func (s *Server) internetOperations(api huma.API) {
	huma.Register(api, get("internet-hosts", "List the hosts of the modelled internet"), func(_ context.Context, in *pageInput) (*listOutput[InternetHost], error) {
		return paginate(*in, s.state().InternetHosts(), internetHostID, internetHostView)
	})
	huma.Register(api, get("internet-hosts/{id}", "Get an internet host"), func(_ context.Context, in *idInput) (*output[InternetHost], error) {
		return found(s.state().InternetHost(in.ID), "internet host", in.ID, internetHostView)
	})
	huma.Register(api, create("internet-hosts", "Put a host on the modelled internet"), func(ctx context.Context, in *withBody[createInternetHost]) (*output[InternetHost], error) {
		b := in.Body
		workloads, err := workloadSpecs(b.Workloads)
		if err != nil {
			return nil, err
		}
		h, err := s.opt.Control.CreateInternetHost(ctx, control.CreateInternetHostInput{
			Name: b.Name, Address: b.Address, Workloads: workloads, Serve: servedPorts(b.Serve),
		})
		return answer(h, err, internetHostView)
	})
	huma.Register(api, remove("internet-hosts/{id}", "Take a host off the modelled internet"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeleteInternetHost(ctx, in.ID))
	})
	huma.Register(api, act("internet-hosts/{id}/fail", "Inject a failure into an internet host"), func(ctx context.Context, in *idAndOptional[failInstance]) (*output[InternetHost], error) {
		mode := control.Fault(in.body().Mode)
		if mode == control.FaultNone {
			mode = control.FaultFreeze
		}
		h, err := s.opt.Control.FailInternetHost(ctx, in.ID, mode)
		return answer(h, err, internetHostView)
	})
	huma.Register(api, act("internet-hosts/{id}/recover", "Clear the injected failure of an internet host"), func(ctx context.Context, in *idInput) (*output[InternetHost], error) {
		h, err := s.opt.Control.RecoverInternetHost(ctx, in.ID)
		return answer(h, err, internetHostView)
	})
	huma.Register(api, replace("internet-hosts/{id}/workloads", "Replace what runs in an internet host"), func(ctx context.Context, in *idAndBody[[]Workload]) (*output[InternetHost], error) {
		workloads, err := workloadSpecs(in.Body)
		if err != nil {
			return nil, err
		}
		h, err := s.opt.Control.SetInternetWorkloads(ctx, in.ID, workloads)
		return answer(h, err, internetHostView)
	})
	huma.Register(api, replace("internet-hosts/{id}/serve", "Replace the ports that an internet host serves"), func(ctx context.Context, in *idAndBody[[]ServedPort]) (*output[InternetHost], error) {
		h, err := s.opt.Control.SetInternetServe(ctx, in.ID, servedPorts(in.Body))
		return answer(h, err, internetHostView)
	})
}
