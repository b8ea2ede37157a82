package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// resetOperation is this API's own way to reset.
func (s *Server) resetOperation(api huma.API) {
	op := operation(http.MethodPost, "reset", "Take everything back to the start, in one step", http.StatusNoContent)
	op.Description = "The start is the scenario that the server was started with, or nothing: then a region gets its default VPC " +
		"when it is first asked for, as at first. Captures, records, faults, impairments, timings and client tokens go too. " +
		"The event log and the counters of the process go on."
	huma.Register(api, op, func(ctx context.Context, _ *struct{}) (*struct{}, error) {
		return nil, s.reset(ctx)
	})
}

// resetAs answers a reset asked for in the way of another product.
func (s *Server) resetAs(body any) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if err := s.reset(c.UserContext()); err != nil {
			return err
		}
		return c.JSON(body)
	}
}

func (s *Server) reset(ctx context.Context) error {
	if err := s.opt.Reset(ctx); err != nil {
		return problem(err)
	}
	if err := s.forgetTrouble(); err != nil {
		return err
	}
	s.captures.clear()
	return nil
}

// forgetTrouble ends what was done on purpose to a laboratory that is no more.
func (s *Server) forgetTrouble() error {
	s.opt.APIFaults.Forget()
	return problem(s.opt.Impairments.Clear())
}
