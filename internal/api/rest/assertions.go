package rest

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/answers"
	"enilab/internal/control"
)

// Assertion says that one end must reach another, or must not, and whether that is
// so now.
type Assertion struct {
	ID          string        `json:"id"`
	Name        string        `json:"name"`
	SourceID    string        `json:"sourceId"`
	Destination string        `json:"destination" doc:"An id, or an IPv4 address"`
	Protocol    string        `json:"protocol" enum:"tcp,udp,icmp"`
	Port        int           `json:"port,omitempty"`
	MustNot     bool          `json:"mustNot" doc:"It must not be reached"`
	ETag        string        `json:"etag" doc:"Changes whenever the assertion does, for If-Match; not with what is found"`
	State       AssertedState `json:"state"`
}

// AssertedState is what is found of an assertion.
type AssertedState struct {
	answers.Asserted
	Revision uint64 `json:"revision" doc:"Of the state of the laboratory in which it was asked"`
}

type putAssertion struct {
	Name        string `json:"name" maxLength:"1024" doc:"Unique, for people: \"web must reach db\""`
	SourceID    string `json:"sourceId" maxLength:"64" doc:"Of an instance, a network interface or an internet host"`
	Destination string `json:"destination" maxLength:"64" doc:"The id of one of those, or an IPv4 address"`
	Protocol    string `json:"protocol,omitempty" enum:"tcp,udp,icmp" default:"tcp"`
	Port        int    `json:"port,omitempty" minimum:"0" maximum:"65535" doc:"Of TCP and UDP"`
	MustNot     bool   `json:"mustNot,omitempty" doc:"It must not be reached: no answer may come back"`
}

// DraftedAssertion is an assertion before and after a draft.
type DraftedAssertion struct {
	answers.Asserted
	Name  string `json:"name"`
	Held  bool   `json:"held" doc:"It holds now"`
	Turns bool   `json:"turns" doc:"It holds now, and would not under the draft"`
}

type etagged[T any] struct {
	ETag string `header:"ETag"`
	Body T
}

type replaceAssertion struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The etag of what was seen; 412 if it is another by now"`
	Body    putAssertion
}

type removeAssertion struct {
	ID      string `path:"id" maxLength:"64"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The etag of what was seen; 412 if it is another by now"`
}

// unless refuses to change what is not as it was seen.
func unless(match string) func(*control.Assertion) error {
	return func(a *control.Assertion) error {
		if now := etag(a); match == "" || match == "*" || strings.Trim(match, `"`) == now {
			return nil
		}
		return newProblem(http.StatusPreconditionFailed, "", a.ID+" has been changed since you looked at it: nothing was changed; look again, then repeat the call")
	}
}

// assertedState is what was found last: assertions are a function of the State, so
// that whoever asks between two changes asks the engine once.
type assertedState struct {
	mu       sync.Mutex
	revision uint64                      // guarded by mu
	found    map[string]answers.Asserted // guarded by mu; nil: nothing yet
}

func (s *Server) assertions(st *control.State) map[string]answers.Asserted {
	s.asserted.mu.Lock()
	defer s.asserted.mu.Unlock()
	if s.asserted.found == nil || s.asserted.revision < st.Revision() {
		s.asserted.revision, s.asserted.found = st.Revision(), map[string]answers.Asserted{}
		for _, a := range answers.Assert(st, st.Assertions()) {
			s.asserted.found[a.ID] = a
		}
	}
	return s.asserted.found
}

func (s *Server) assertionView(st *control.State) func(*control.Assertion) Assertion {
	found := s.assertions(st)
	return func(a *control.Assertion) Assertion {
		f, ok := found[a.ID]
		if !ok { // of a newer State than what was found
			f = answers.Assert(st, []*control.Assertion{a})[0]
		}
		return Assertion{
			ID: a.ID, Name: a.Name, SourceID: a.Source, Destination: a.Destination, Protocol: a.Protocol, Port: a.Port, MustNot: a.MustNot,
			ETag: etag(a), State: AssertedState{f, st.Revision()},
		}
	}
}

func (b putAssertion) assertion(id string) control.Assertion {
	return control.Assertion{
		ID: id, Name: b.Name, Source: b.SourceID, Destination: b.Destination, Protocol: b.Protocol, Port: b.Port, MustNot: b.MustNot,
	}
}

// draftedAssertions are those that are red before or after a draft.
func (s *Server) draftedAssertions(turn control.Turn) []DraftedAssertion {
	all := turn.After.Assertions()
	now := s.assertions(turn.Before)
	out := []DraftedAssertion{}
	for i, f := range answers.Assert(turn.After, all) {
		held := now[f.ID].Holds
		if !held || !f.Holds {
			d := DraftedAssertion{Asserted: f, Name: all[i].Name, Held: held, Turns: held && !f.Holds}
			if d.Turns {
				out = append([]DraftedAssertion{d}, out...)
			} else {
				out = append(out, d)
			}
		}
	}
	return out
}

func (s *Server) assertionOperations(api huma.API) {
	one := func(a *control.Assertion) *etagged[Assertion] {
		return &etagged[Assertion]{`"` + etag(a) + `"`, s.assertionView(s.state())(a)}
	}
	huma.Register(api, get("assertions", "List what must be reached and what must not, and whether it is so"),
		func(_ context.Context, in *pageInput) (*listOutput[Assertion], error) {
			st := s.state()
			return paginate(*in, st.Assertions(), func(a *control.Assertion) string { return a.ID }, s.assertionView(st))
		})
	huma.Register(api, get("assertions/{id}", "Get an assertion, and whether it holds"), func(_ context.Context, in *idInput) (*etagged[Assertion], error) {
		a := s.state().Assertion(in.ID)
		if a == nil {
			return nil, missing("assertion", in.ID)
		}
		return one(a), nil
	})
	huma.Register(api, create("assertions", "Assert that one end must reach another, or must not"), func(ctx context.Context, in *withBody[putAssertion]) (*etagged[Assertion], error) {
		a, err := s.opt.Control.PutAssertion(ctx, in.Body.assertion(""), nil)
		if err != nil {
			return nil, problem(err)
		}
		return one(a), nil
	})
	huma.Register(api, replace("assertions/{id}", "Replace an assertion"), func(ctx context.Context, in *replaceAssertion) (*etagged[Assertion], error) {
		a, err := s.opt.Control.PutAssertion(ctx, in.Body.assertion(in.ID), unless(in.IfMatch))
		if err != nil {
			return nil, problem(err)
		}
		return one(a), nil
	})
	huma.Register(api, remove("assertions/{id}", "Delete an assertion"), func(ctx context.Context, in *removeAssertion) (*struct{}, error) {
		return nil, problem(s.opt.Control.DeleteAssertion(ctx, in.ID, unless(in.IfMatch)))
	})
}
