package rest

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"
)

// Rehearsals carry out drills in the laboratory, one at a time, and have it for
// themselves meanwhile. Errors that Refused makes are answered as it says.
type Rehearsals interface {
	// Begin empties the laboratory and begins a drill in it. forget ends what this
	// package keeps of the laboratory that is no more.
	Begin(ctx context.Context, in StartRehearsal, forget func() error) (Rehearsal, error)
	// Get tells how far it is, after it has ended or wait has passed.
	Get(ctx context.Context, id string, wait time.Duration) (Rehearsal, bool)
	// Capture writes the frames of one that has ended as pcapng.
	Capture(id string) (write func(io.Writer) error, ok bool)
	// End breaks it off if it is not over, takes the laboratory back to its start and
	// forgets it.
	End(ctx context.Context, id string) (ok bool, err error)
}

// Refused is a refusal with the HTTP status that it is answered with.
func Refused(status int, detail string) error { return newProblem(status, "", detail) }

// Rehearsal is a drill that is or was carried out in this laboratory.
type Rehearsal struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	State string `json:"state" enum:"playing,done,broken-off" doc:"broken-off: there is no run, see error"`
	Step  int    `json:"step" doc:"Steps that are done"`
	Steps int    `json:"steps" doc:"Of so many"`
	Error string `json:"error,omitempty" doc:"Why it was broken off"`
	Run   any    `json:"run,omitempty" doc:"What was observed, once it is done: as observed of enilab run --json"`
}

// StartRehearsal is a drill to carry out.
type StartRehearsal struct {
	Name     string   `json:"name" minLength:"1" maxLength:"255" doc:"What errors call the file"`
	Text     string   `json:"text" minLength:"1" doc:"The file (docs/drills.md)"`
	Set      []string `json:"set,omitempty" maxItems:"1000" doc:"Values to change, KEY=VALUE each"`
	Strategy string   `json:"strategy,omitempty" maxLength:"64" doc:"Of the failover policies; default: as the file says"`
	Timing   string   `json:"timing" enum:"fast,aws" doc:"Must be the server's"`
	Number   int      `json:"number,omitempty" minimum:"0" doc:"Of the run"`
	Seed     uint64   `json:"seed,omitempty" doc:"Of the run, for its record: ids and hashes are by the server's own"`
	Capture  bool     `json:"capture,omitempty" doc:"Keep its frames"`
	Force    bool     `json:"force,omitempty" doc:"Also in a laboratory that is not empty: what is in it is lost"`
}

type rehearsalInput struct {
	ID   string `path:"id" maxLength:"64"`
	Wait int    `query:"wait" minimum:"0" maximum:"10" doc:"Answer once it has ended, after so many seconds at most"`
}

func (s *Server) rehearsalOperations(api huma.API) {
	huma.Register(api, create("rehearsals", "Empty the laboratory and carry out a drill in it"), func(ctx context.Context, in *withBody[StartRehearsal]) (*output[Rehearsal], error) {
		if s.opt.Rehearsals == nil {
			return nil, newProblem(http.StatusNotImplemented, "", "this server carries out no drills")
		}
		r, err := s.opt.Rehearsals.Begin(ctx, in.Body, s.forget)
		return answer(&r, err, func(r *Rehearsal) Rehearsal { return *r })
	})
	huma.Register(api, get("rehearsals/{id}", "How far a drill is, and what was observed"), func(ctx context.Context, in *rehearsalInput) (*output[Rehearsal], error) {
		if s.opt.Rehearsals != nil {
			if r, ok := s.opt.Rehearsals.Get(ctx, in.ID, time.Duration(in.Wait)*time.Second); ok {
				return &output[Rehearsal]{Body: r}, nil
			}
		}
		return nil, missing("rehearsal", in.ID)
	})
	huma.Register(api, remove("rehearsals/{id}", "Break a drill off or forget it, and take everything back to the start"), func(ctx context.Context, in *idInput) (*struct{}, error) {
		if s.opt.Rehearsals != nil {
			ok, err := s.opt.Rehearsals.End(ctx, in.ID)
			if err == nil && ok {
				err = s.forget()
			}
			if err != nil || ok {
				return nil, problem(err)
			}
		}
		return nil, missing("rehearsal", in.ID)
	})
}

// forget ends what is kept of a laboratory that is no more.
func (s *Server) forget() error {
	s.captures.clear()
	return s.forgetTrouble()
}

// rehearsed streams the frames of a drill.
func (s *Server) rehearsed(c *fiber.Ctx) error {
	id := c.Params("id")
	if s.opt.Rehearsals != nil {
		if write, ok := s.opt.Rehearsals.Capture(id); ok {
			c.Set(fiber.HeaderContentDisposition, `attachment; filename="enilab-`+id+`.pcapng"`)
			s.streamBody(c, formatPcapNg, func(_ context.Context, w io.Writer, _ func() error) error { return write(w) })
			return nil
		}
	}
	return missing("capture of a rehearsal", id)
}
