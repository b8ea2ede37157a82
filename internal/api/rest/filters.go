package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/filter"
)

type checkFilter struct {
	Filter string `json:"filter" maxLength:"20000" doc:"As docs/filters.md has it; empty: everything"`
}

// FilterCheck says whether a filter can be read, and of what is on record how much
// it and each of its conditions let through.
type FilterCheck struct {
	Filter  string       `json:"filter"`
	Valid   bool         `json:"valid"`
	Error   *FilterFault `json:"error,omitempty"`
	Records uint64       `json:"records" doc:"On record now, while the page is open or a client of the stream is connected"`
	Matched uint64       `json:"matched"`
	Terms   []FilterTerm `json:"terms"`
}

// FilterFault is what cannot be read of a filter.
type FilterFault struct {
	At      int               `json:"at" doc:"In characters, from 0"`
	Length  int               `json:"length"`
	Code    string            `json:"code" doc:"Stable; args are what its words are about"`
	Args    map[string]string `json:"args"`
	Problem string            `json:"problem"`
	Hint    string            `json:"hint" doc:"What would be right"`
}

// FilterTerm is one condition of a filter.
type FilterTerm struct {
	At      int    `json:"at" doc:"In characters, from 0"`
	Length  int    `json:"length"`
	Field   string `json:"field" doc:"\"\" of a word that is looked for in every name"`
	Matched uint64 `json:"matched" doc:"Records that fulfil it by itself"`
}

type completeFilter struct {
	Filter string `query:"filter" maxLength:"2000" doc:"As far as it is typed"`
	At     int    `query:"at" minimum:"0" maximum:"2000" doc:"Where the caret is, in characters"`
}

// FilterCompletions is what could stand at a caret.
type FilterCompletions struct {
	From    int                 `json:"from" doc:"A completion takes the place of the characters from here"`
	To      int                 `json:"to" doc:"and before here"`
	Field   string              `json:"field" doc:"Whose value it is; \"\": a field's name or a word"`
	Records uint64              `json:"records" doc:"How many of the newest were looked at"`
	Items   []filter.Completion `json:"items"`
}

// FilterField is something that can be asked.
type FilterField struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Example string `json:"example"`
}

// FilterFields is everything that can be asked.
type FilterFields struct {
	Items []FilterField `json:"items"`
}

func (s *Server) filterOperations(api huma.API) {
	huma.Register(api, act("filters/check", "Say whether a filter can be read, and how much of what is on record it lets through"),
		func(_ context.Context, in *withBody[checkFilter]) (*output[FilterCheck], error) {
			out := FilterCheck{Filter: in.Body.Filter, Terms: []FilterTerm{}}
			q, fault := filter.Parse(in.Body.Filter, time.Now().UnixNano())
			if fault != nil {
				out.Error = faultView(fault)
				return &output[FilterCheck]{Body: out}, nil
			}
			t := s.hub.Tally(q)
			out.Valid, out.Records, out.Matched = true, t.Records, t.Matched
			for i, term := range q.Terms {
				out.Terms = append(out.Terms, FilterTerm{term.At, term.Length, term.Field, t.Terms[i]})
			}
			return &output[FilterCheck]{Body: out}, nil
		})
	huma.Register(api, get("filters/complete", "Say what could stand at a place of a filter, by what is on record"),
		func(_ context.Context, in *completeFilter) (*output[FilterCompletions], error) {
			p := filter.At(in.Filter, in.At)
			items, n := s.hub.Complete(p)
			if items == nil {
				items = []filter.Completion{}
			}
			return &output[FilterCompletions]{Body: FilterCompletions{p.From, p.To, p.Field, n, items}}, nil
		})
	huma.Register(api, get("filters/fields", "List what a filter can ask of a frame"),
		func(context.Context, *struct{}) (*output[FilterFields], error) {
			var out FilterFields
			for _, f := range filter.Fields {
				out.Items = append(out.Items, FilterField{f.Name, f.Text, f.Example})
			}
			return &output[FilterFields]{Body: out}, nil
		})
}

func faultView(e *filter.Error) *FilterFault {
	return &FilterFault{e.At, e.Length, e.Code, e.Args, e.Problem, e.Hint}
}

// readFilter reads a filter that a request gives by a query parameter.
func readFilter(text string) (*filter.Query, error) {
	q, fault := filter.Parse(text, time.Now().UnixNano())
	if fault == nil {
		return q, nil
	}
	p := newProblem(http.StatusBadRequest, "", "filter: "+fault.Error())
	p.Errors = append(p.Errors, &huma.ErrorDetail{Message: fault.Problem, Location: "query.filter", Value: text})
	return nil, p
}
