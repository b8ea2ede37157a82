package rest

import (
	"context"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humafiber"

	"enilab/internal/api/apifault"
	"enilab/internal/api/hangup"
)

// spared are the parts of the API that no fault hits: by them a person sees
// what is going on and ends it.
var spared = []string{"api-faults", "impairments", "timings", "quotas", "status", "events", "reset", "rehearsals"}

func faultable(op *huma.Operation) bool {
	return !slices.ContainsFunc(op.Tags, func(tag string) bool { return slices.Contains(spared, tag) })
}

// declareOperations tells the faults what there is to hit.
func (s *Server) declareOperations(doc *huma.OpenAPI) {
	var names []string
	for _, path := range doc.Paths {
		for _, op := range []*huma.Operation{path.Get, path.Post, path.Put, path.Delete, path.Patch} {
			if op != nil && faultable(op) {
				names = append(names, op.OperationID)
			}
		}
	}
	s.opt.APIFaults.Declare(apifault.Admin, names, statusOf)
}

// badDay injects faults into the operations registered after it.
func (s *Server) badDay(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		op := ctx.Operation()
		if !faultable(op) {
			next(ctx)
			return
		}
		hit := s.opt.APIFaults.Begin(apifault.Admin, op.OperationID, "", "")
		if hit == nil {
			next(ctx)
			return
		}
		if err := inject(ctx, hit, apifault.Before); err != nil {
			answerFault(api, ctx, err)
			return
		}
		if hit.Hangs() {
			// The time that a call was held is not its own.
			fresh, cancel := context.WithTimeout(apifault.Fresh(ctx.Context()), commandTime)
			defer cancel()
			ctx = huma.WithContext(ctx, fresh)
		}
		next(ctx)
		if err := inject(ctx, hit, apifault.After); err != nil {
			answerFault(api, ctx, err)
		}
	}
}

func inject(ctx huma.Context, hit *apifault.Call, side apifault.When) error {
	if !hit.Hangs() {
		return hit.Inject(ctx.Context(), side)
	}
	conn := humafiber.Unwrap(ctx).Context().Conn()
	watched, stop := hangup.Watch(apifault.Fresh(ctx.Context()), conn)
	defer stop()
	return hit.Inject(watched, side)
}

// answerFault answers in place of whatever has been answered already.
func answerFault(api huma.API, ctx huma.Context, err error) {
	humafiber.Unwrap(ctx).Response().ResetBody()
	p := newProblem(http.StatusInternalServerError, "", err.Error())
	if a, ok := err.(*apifault.Answer); ok {
		p = newProblem(a.Status, a.Code, a.Message)
	}
	ctx.SetStatus(p.Status)
	ctx.SetHeader("Content-Type", "application/problem+json")
	// A body that cannot be written has nobody to read it.
	_ = api.Marshal(ctx.BodyWriter(), "application/json", p)
}
