package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"enilab/internal/drill/report"
	"enilab/internal/drill/trials"
)

// Drill is one of the drills that are part of the server.
type Drill struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	Title       string      `json:"title,omitempty" doc:"Of the page that teaches what it shows"`
	TitleKo     string      `json:"titleKo,omitempty" doc:"The same in Korean"`
	Hypothesis  []DrillLine `json:"hypothesis" doc:"What must hold before the first step and after the last"`
	Steps       []DrillLine `json:"steps"`
	Assertions  []DrillLine `json:"assertions"`
	Strategies  []string    `json:"strategies" doc:"That the file compares; none: what its policies say"`
	Choosable   []string    `json:"choosable" doc:"Strategies that its policies can have"`
	Runs        int         `json:"runs" doc:"That the file asks for"`
	Seed        uint64      `json:"seed" doc:"Of the first run"`
	TakesMs     int64       `json:"takesMs,omitempty" doc:"One run, in the laboratory's own time, with timing fast; none: unknown"`
}

// DrillLine is one line of a drill in words.
type DrillLine struct {
	Line int    `json:"line" doc:"In the file"`
	Text string `json:"text"`
}

// WholeDrill is a drill with its file and its page.
type WholeDrill struct {
	Drill
	Text   string `json:"text" doc:"The file, YAML (docs/scenarios.md)"`
	Page   string `json:"page,omitempty" doc:"What it teaches, Markdown"`
	PageKo string `json:"pageKo,omitempty" doc:"The same in Korean"`
	File   string `json:"file,omitempty" doc:"The page's name below docs/drills"`
}

// Trial is a drill that was, or is being, carried out some number of times.
type Trial struct {
	ID         string         `json:"id"`
	Drill      string         `json:"drill"`
	In         string         `json:"in" enum:"virtual,real,laboratory"`
	Timing     string         `json:"timing" enum:"fast,aws"`
	Seed       uint64         `json:"seed" doc:"Of the first run; the next ones have the next numbers"`
	Runs       int            `json:"runs" doc:"Asked for, of each strategy"`
	Strategies []string       `json:"strategies"`
	State      string         `json:"state" enum:"running,done,stopped,failed"`
	Error      string         `json:"error,omitempty" doc:"Why it is stopped or failed"`
	StartedAt  time.Time      `json:"startedAt"`
	EndedAt    *time.Time     `json:"endedAt,omitempty"`
	Done       int            `json:"done" doc:"Runs that were carried out, of all strategies"`
	Of         int            `json:"of" doc:"Runs in all"`
	Step       int            `json:"step,omitempty" doc:"Steps that are done of the run under way; in the laboratory only"`
	Verdict    string         `json:"verdict,omitempty" enum:"held,failed,inconclusive" doc:"Of the runs so far"`
	Outage     []TrialOutage  `json:"outage" doc:"How long the worst client of a run was without an answer, by strategy"`
	Results    map[string]any `json:"results,omitempty" doc:"What came of it so far: as results.json of enilab run --report, without runs. Of one trial only, not in lists"`
}

// TrialOutage is the headline of one strategy's results.
type TrialOutage struct {
	Strategy string   `json:"strategy" doc:"Empty: what the file's policies say"`
	Verdict  string   `json:"verdict" enum:"held,failed,inconclusive"`
	Runs     int      `json:"runs"`
	P50Ms    *float64 `json:"p50Ms,omitempty" doc:"None: nothing was measured, or it had no end"`
	P99Ms    *float64 `json:"p99Ms,omitempty" doc:"None: as p50Ms, or of fewer than 100 runs"`
}

// StartTrial is a trial to begin.
type StartTrial struct {
	Drill      string   `json:"drill" minLength:"1" maxLength:"64"`
	In         string   `json:"in,omitempty" enum:"virtual,real,laboratory" default:"virtual" doc:"virtual and real: beside the laboratory, which goes on; laboratory: in it, in real time, and what is in it is lost"`
	Runs       int      `json:"runs,omitempty" minimum:"1" maximum:"1000" doc:"Of each strategy; at most 20 in real time. Default: as the file says"`
	Seed       *uint64  `json:"seed,omitempty" doc:"Of the first run. Default: as the file says"`
	Strategies []string `json:"strategies,omitempty" maxItems:"4" uniqueItems:"true" doc:"Default: as the file says"`
	Timing     string   `json:"timing,omitempty" enum:"fast,aws" default:"fast" doc:"In the laboratory it must be the server's"`
	Force      bool     `json:"force,omitempty" doc:"Also in a laboratory that is not empty: what is in it is lost"`
}

// TrialPictures are drawn of results, by the code of the report of enilab run.
type TrialPictures struct {
	Pictures []report.Picture `json:"pictures"`
}

type (
	drillInput struct {
		Name string `path:"name" maxLength:"64"`
	}
	trialInput struct {
		ID   string `path:"id" maxLength:"64"`
		Wait int    `query:"wait" minimum:"0" maximum:"10" doc:"Answer once more runs are done, or it has ended, after so many seconds at most"`
		Done int    `query:"done" minimum:"0" doc:"Runs that the client knows of"`
	}
	picturesInput struct {
		ID   string `path:"id" maxLength:"64"`
		With string `query:"with" maxLength:"64" doc:"Another trial to compare with: every strategy of both, side by side"`
	}
)

func drillView(d trials.Drill) Drill {
	v := Drill{
		Name: d.Name, Description: d.Description, Title: d.English, TitleKo: d.Korean, Strategies: append([]string{}, d.Strategies...),
		Choosable: append([]string{}, d.Choosable...), Runs: d.Runs, Seed: d.Seed, TakesMs: d.Takes.Milliseconds(),
		Hypothesis: []DrillLine{}, Steps: []DrillLine{}, Assertions: []DrillLine{},
	}
	for _, l := range d.Hypothesis {
		v.Hypothesis = append(v.Hypothesis, DrillLine(l))
	}
	for _, l := range d.Steps {
		v.Steps = append(v.Steps, DrillLine(l))
	}
	for _, l := range d.Asserts {
		v.Assertions = append(v.Assertions, DrillLine(l))
	}
	return v
}

func drillName(d trials.Drill) string { return d.Name }
func trialID(t trials.Trial) string   { return t.ID }

func trialView(t trials.Trial) Trial {
	v := Trial{
		ID: t.ID, Drill: t.Drill, In: string(t.In), Timing: t.Timing, Seed: t.Seed, Runs: t.Runs, Strategies: append([]string{}, t.Strategies...),
		State: string(t.State), Error: t.Error, StartedAt: t.StartedAt, Done: t.Progress.Done, Of: t.Progress.Of, Step: t.Progress.Step,
		Verdict: string(t.Verdict), Outage: []TrialOutage{},
	}
	if !t.EndedAt.IsZero() {
		v.EndedAt = &t.EndedAt
	}
	for _, o := range t.Outage {
		one := TrialOutage{Strategy: o.Strategy, Verdict: string(o.Verdict), Runs: o.Runs}
		if o.Measured {
			one.P50Ms = quantileMs(o.P50)
			if o.P99 != nil {
				one.P99Ms = quantileMs(*o.P99)
			}
		}
		v.Outage = append(v.Outage, one)
	}
	if t.Results != nil {
		v.Results = map[string]any{
			"version": t.Results.Version, "time": t.Results.Time, "verdict": t.Results.Verdict, "partial": t.Results.Partial, "variants": t.Results.Variants,
		}
	}
	return v
}

func quantileMs(nanos int64) *float64 {
	if nanos == report.NoEnd {
		return nil
	}
	ms := float64(nanos) / 1e6
	return &ms
}

func (s *Server) drillOperations(api huma.API) {
	huma.Register(api, get("drills", "List the drills that are part of the server"), func(_ context.Context, in *pageInput) (*listOutput[Drill], error) {
		all, err := trials.Drills()
		if err != nil {
			return nil, problem(err)
		}
		return paginate(*in, all, drillName, drillView)
	})
	huma.Register(api, get("drills/{name}", "Get a drill, with its file and the page of what it teaches"), func(_ context.Context, in *drillInput) (*output[WholeDrill], error) {
		d, err := trials.Find(in.Name)
		if err != nil {
			return nil, trialProblem(err, in.Name)
		}
		return &output[WholeDrill]{Body: WholeDrill{Drill: drillView(d), Text: d.Text, Page: d.Page.English, PageKo: d.Page.Korean, File: d.Page.Name}}, nil
	})
	huma.Register(api, get("trials", "List trials of drills: the one under way, then newest first"), func(_ context.Context, in *pageInput) (*listOutput[Trial], error) {
		set, err := s.trials()
		if err != nil {
			return nil, err
		}
		return paginate(*in, set.List(), trialID, trialView)
	})
	start := create("trials", "Carry out a drill some number of times")
	start.Description = "One trial runs at a time; 409 while another does. In virtual time it takes half of one processor at most. The last 50 trials are kept, also " +
		"when the server is started anew."
	huma.Register(api, start, func(ctx context.Context, in *withBody[StartTrial]) (*output[Trial], error) {
		set, err := s.trials()
		if err != nil {
			return nil, err
		}
		t, err := set.Start(ctx, trials.Request{
			Drill: in.Body.Drill, In: trials.Place(in.Body.In), Runs: in.Body.Runs, Seed: in.Body.Seed, Strategies: in.Body.Strategies,
			Timing: in.Body.Timing, Force: in.Body.Force, Forget: s.forget,
		})
		return answerTrial(t, err, in.Body.Drill)
	})
	huma.Register(api, get("trials/{id}", "How far a trial is, and what came of it"), func(ctx context.Context, in *trialInput) (*output[Trial], error) {
		set, err := s.trials()
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
		defer cancel()
		t, err := set.Get(ctx, in.ID, in.Done)
		return answerTrial(t, err, in.ID)
	})
	huma.Register(api, act("trials/{id}/stop", "End a trial; what was carried out is kept"), func(ctx context.Context, in *idInput) (*output[Trial], error) {
		set, err := s.trials()
		if err != nil {
			return nil, err
		}
		t, err := set.Stop(ctx, in.ID)
		return answerTrial(t, err, in.ID)
	})
	huma.Register(api, remove("trials/{id}", "Forget a trial that has ended"), func(_ context.Context, in *idInput) (*struct{}, error) {
		set, err := s.trials()
		if err != nil {
			return nil, err
		}
		return nil, trialProblem(set.Delete(in.ID), in.ID)
	})
	huma.Register(api, get("trials/{id}/pictures", "Draw a trial's results, or those of two side by side"), func(ctx context.Context, in *picturesInput) (*output[TrialPictures], error) {
		set, err := s.trials()
		if err != nil {
			return nil, err
		}
		pictures, err := draw(ctx, set, in.ID, in.With)
		return &output[TrialPictures]{Body: TrialPictures{pictures}}, err
	})
}

// draw draws what is known of a trial, or of two.
func draw(ctx context.Context, set *trials.Set, ids ...string) ([]report.Picture, error) {
	var all []*report.Variant
	var labels []string
	for i, id := range ids {
		if i > 0 && id == "" {
			break
		}
		t, err := set.Get(ctx, id, -1)
		if err != nil {
			return nil, trialProblem(err, id)
		}
		switch {
		case t.Results == nil:
			continue
		case len(ids) < 2 || ids[1] == "":
			return report.Pictures(t.Results), nil
		}
		for _, v := range t.Results.Variants {
			all = append(all, v)
			labels = append(labels, fmt.Sprintf("%c: %s", 'A'+i, v.Label()))
		}
	}
	return report.Compare(all, labels), nil
}

func answerTrial(t trials.Trial, err error, name string) (*output[Trial], error) {
	if err != nil {
		return nil, trialProblem(err, name)
	}
	return &output[Trial]{Body: trialView(t)}, nil
}

func (s *Server) trials() (*trials.Set, error) {
	if s.opt.Trials == nil {
		return nil, newProblem(http.StatusNotImplemented, "", "this server carries out no drills")
	}
	return s.opt.Trials, nil
}

func trialProblem(err error, name string) error {
	var p *Problem
	switch {
	case err == nil, errors.As(err, &p):
		return err
	case errors.Is(err, trials.ErrMissing), errors.Is(err, trials.ErrDrill):
		return newProblem(http.StatusNotFound, "", clip(name)+": "+err.Error())
	case errors.Is(err, trials.ErrBusy), errors.Is(err, trials.ErrRunning):
		return newProblem(http.StatusConflict, "", err.Error())
	case errors.Is(err, trials.ErrRequest):
		return newProblem(http.StatusUnprocessableEntity, "", err.Error())
	}
	return problem(err)
}

// trialReport is the page of enilab run --report. It has styles of its own, and
// nothing that would run or be loaded.
func (s *Server) trialReport(c *fiber.Ctx) error {
	set, err := s.trials()
	if err != nil {
		return err
	}
	t, err := set.Get(c.UserContext(), c.Params("id"), -1)
	if err != nil {
		return trialProblem(err, c.Params("id"))
	}
	results := t.Results
	if results == nil {
		results = &report.Results{Version: s.opt.Version, Time: string(t.In)}
	}
	var b bytes.Buffer
	if err := report.WritePage(&b, results); err != nil {
		return problem(err)
	}
	c.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	c.Set(fiber.HeaderContentType, fiber.MIMETextHTMLCharsetUTF8)
	c.Set(fiber.HeaderCacheControl, "no-store")
	return c.Send(b.Bytes())
}
