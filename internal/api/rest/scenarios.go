package rest

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// Scenarios are what a laboratory can begin with, and what it can be saved as.
// Errors that Refused makes are answered as it says.
type Scenarios interface {
	// List has those that need no file.
	List(ctx context.Context) ([]ShippedScenario, error)
	// Save writes what there is in a region as a scenario.
	Save(region, description string) []byte
	// Load puts a scenario in the place of what there is. forget ends what this
	// package keeps of the laboratory that is no more. What it loads is the start
	// that a reset goes back to from then on.
	Load(ctx context.Context, in LoadScenario, forget func() error) (LoadedScenario, error)
}

// ShippedScenario is one that is part of the binary.
type ShippedScenario struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Drill       bool   `json:"drill" doc:"It has steps, which loading does not play"`
}

// LoadScenario says which scenario: one of the two names it.
type LoadScenario struct {
	Name  string `json:"name,omitempty" maxLength:"255" doc:"Of a scenario that is part of the binary; with text, what errors call the file"`
	Text  string `json:"text,omitempty" doc:"A scenario file (docs/scenarios.md)"`
	Force bool   `json:"force,omitempty" doc:"Also in a laboratory that is not empty: what is in it is lost"`
}

// LoadedScenario is what the laboratory has become.
type LoadedScenario struct {
	Name  string `json:"name"`
	State string `json:"state" enum:"loaded,loading" doc:"loading: it takes longer than a request may, and goes on"`
}

// mediaYAML is RFC 9512's.
const mediaYAML = "application/yaml"

func (s *Server) scenarioOperations(api huma.API) {
	huma.Register(api, get("scenarios", "List the scenarios that are part of the server"), func(ctx context.Context, _ *struct{}) (*listOutput[ShippedScenario], error) {
		if s.opt.Scenarios == nil {
			return &listOutput[ShippedScenario]{Body: list[ShippedScenario]{Items: []ShippedScenario{}}}, nil
		}
		all, err := s.opt.Scenarios.List(ctx)
		if err != nil {
			return nil, problem(err)
		}
		return &listOutput[ShippedScenario]{Body: list[ShippedScenario]{Items: all}}, nil
	})
	op := replace("scenario", "Put a scenario in the place of what there is")
	op.Description = "Its network, policies and workloads are made; its steps are not played (POST /rehearsals plays a drill). " +
		"A laboratory that is not empty is replaced with force only. A reset goes back to what was loaded. " +
		"A text that is no scenario changes nothing, and the answer says line and column."
	huma.Register(api, op, func(ctx context.Context, in *withBody[LoadScenario]) (*output[LoadedScenario], error) {
		if s.opt.Scenarios == nil {
			return nil, newProblem(http.StatusNotImplemented, "", "this server loads no scenarios")
		}
		if (in.Body.Name == "") && (in.Body.Text == "") {
			return nil, newProblem(http.StatusUnprocessableEntity, "", "want a name, such as demo, or the text of a scenario file",
				&huma.ErrorDetail{Location: "body.name", Message: "want a name, such as demo, or the text of a scenario file"})
		}
		loaded, err := s.opt.Scenarios.Load(ctx, in.Body, s.forget)
		return answer(&loaded, err, func(l *LoadedScenario) LoadedScenario { return *l })
	})
}

// saveScenario answers with the laboratory as a scenario file.
func (s *Server) saveScenario(c *fiber.Ctx) error {
	if s.opt.Scenarios == nil {
		return newProblem(http.StatusNotImplemented, "", "this server saves no scenarios")
	}
	region := c.Query("region", s.opt.Region)
	if !knownRegion(region) {
		return newProblem(http.StatusBadRequest, "InvalidParameterValue", "no region "+clip(region)+", want one such as us-east-1",
			&huma.ErrorDetail{Location: "query.region", Message: "want one such as us-east-1", Value: region})
	}
	c.Set(fiber.HeaderContentType, mediaYAML)
	c.Set(fiber.HeaderContentDisposition, `inline; filename="enilab.yaml"`)
	return c.Send(s.opt.Scenarios.Save(region, c.Query("description")))
}
