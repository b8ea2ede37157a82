package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/api/apifault"
)

// APIFault makes calls of an API fail, be throttled or hang.
type APIFault struct {
	ID        string    `json:"id"`
	API       string    `json:"api"`
	Operation string    `json:"operation"`
	Kind      string    `json:"kind"`
	When      string    `json:"when"`
	Code      string    `json:"code,omitempty" doc:"The error that is answered"`
	Message   string    `json:"message,omitempty"`
	Status    int       `json:"status,omitempty"`
	HangMs    float64   `json:"hangMs,omitempty"`
	Calls     int       `json:"calls,omitempty" doc:"Calls that are hit in all; absent: until it is deleted"`
	Share     float64   `json:"share" doc:"Part of the calls that is hit"`
	Seed      uint64    `json:"seed" doc:"Whether the n-th call is hit depends on the seed and n alone"`
	Roles     []string  `json:"roles,omitempty" doc:"ARNs of the IAM roles whose calls are hit; absent: everybody's"`
	Seen      uint64    `json:"seen" doc:"Calls that have come to it"`
	Injected  uint64    `json:"injected" doc:"Of them hit"`
	Spent     bool      `json:"spent" doc:"It hits nothing any more"`
	CreatedAt time.Time `json:"createdAt"`
}

type createAPIFault struct {
	API       string  `json:"api,omitempty" enum:"ec2,admin" default:"ec2"`
	Operation string  `json:"operation" maxLength:"128" doc:"An EC2 action, an operationId of this API, or * for all"`
	Kind      string  `json:"kind" enum:"fail,throttle,hang"`
	When      string  `json:"when,omitempty" enum:"before,after" default:"before" doc:"Before the effect, or after it, so that the answer is late or lost"`
	Code      string  `json:"code,omitempty" maxLength:"128" doc:"Error code of fail"`
	Message   string  `json:"message,omitempty" maxLength:"1024"`
	Status    int     `json:"status,omitempty" minimum:"0" maximum:"599" doc:"Default: the API's for the code"`
	HangMs    float64 `json:"hangMs,omitempty" minimum:"0" maximum:"600000" doc:"How long hang holds a call"`
	Calls     int     `json:"calls,omitempty" minimum:"0" maximum:"1000000000" doc:"Hit so many calls; default: until it is deleted"`
	Share     float64 `json:"share,omitempty" minimum:"0" maximum:"1" doc:"Hit this part of the calls; default: all"`
	Seed      uint64  `json:"seed,omitempty" maximum:"9007199254740991" doc:"Default: the laboratory's"`
}

func apiFaultView(f apifault.Fault) APIFault {
	return APIFault{
		ID: f.ID, API: string(f.API), Operation: f.Operation, Kind: string(f.Kind), When: string(f.When),
		Code: f.Code, Message: f.Message, Status: f.Status, HangMs: millis(int64(f.Hang)), Calls: f.Calls,
		Share: f.Share, Seed: f.Seed, Roles: f.Roles, Seen: f.Seen, Injected: f.Injected, Spent: f.Spent(), CreatedAt: f.CreatedAt,
	}
}

func (s *Server) apiFaultOperations(api huma.API) {
	huma.Register(api, get("api-faults", "List the faults injected into API calls, oldest first"), func(_ context.Context, in *pageInput) (*listOutput[APIFault], error) {
		return paginate(*in, s.opt.APIFaults.List(), func(f apifault.Fault) string { return f.ID }, apiFaultView)
	})
	huma.Register(api, create("api-faults", "Make API calls fail, be throttled or hang"), func(_ context.Context, in *withBody[createAPIFault]) (*output[APIFault], error) {
		b := in.Body
		f, err := s.opt.APIFaults.Add(apifault.Fault{
			API: apifault.API(b.API), Operation: b.Operation, Kind: apifault.Kind(b.Kind), When: apifault.When(b.When),
			Code: b.Code, Message: b.Message, Status: b.Status, Hang: duration(b.HangMs), Calls: b.Calls,
			Share: b.Share, Seed: b.Seed,
		})
		if err != nil {
			return nil, problem(err)
		}
		return &output[APIFault]{Body: apiFaultView(f)}, nil
	})
	huma.Register(api, get("api-faults/{id}", "Get a fault and how often it has hit"), func(_ context.Context, in *idInput) (*output[APIFault], error) {
		for _, f := range s.opt.APIFaults.List() {
			if f.ID == in.ID {
				return &output[APIFault]{Body: apiFaultView(f)}, nil
			}
		}
		return nil, missing("API fault", in.ID)
	})
	huma.Register(api, remove("api-faults/{id}", "End a fault"), func(_ context.Context, in *idInput) (*struct{}, error) {
		if !s.opt.APIFaults.Remove(in.ID) {
			return nil, missing("API fault", in.ID)
		}
		return nil, nil
	})
	huma.Register(api, operation(http.MethodDelete, "api-faults", "End every fault", http.StatusNoContent), func(context.Context, *struct{}) (*struct{}, error) {
		s.opt.APIFaults.Clear()
		return nil, nil
	})
}
