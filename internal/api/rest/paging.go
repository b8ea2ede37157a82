package rest

import (
	"net/http"
	"strconv"
)

// pageInput is the query of every list.
type pageInput struct {
	Limit     int    `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many items at most"`
	NextToken string `query:"nextToken" maxLength:"64" doc:"The nextToken of the page before"`
}

// list is the body of every list.
type list[T any] struct {
	Items     []T    `json:"items"`
	NextToken string `json:"nextToken,omitempty" doc:"Asks for the page that follows; absent on the last"`
}

type listOutput[T any] struct{ Body list[T] }

type output[T any] struct{ Body T }

type idInput struct {
	ID string `path:"id" maxLength:"64"`
}

type withBody[T any] struct{ Body T }

type idAndBody[T any] struct {
	ID   string `path:"id" maxLength:"64"`
	Body T
}

// paginate cuts all, which is in a stable order, at the token: the id of the
// first item of the page. That item may be gone by then; offsets would skip or
// repeat others instead, so the caller is told to begin again.
func paginate[R, T any](in pageInput, all []R, id func(R) string, view func(R) T) (*listOutput[T], error) {
	from := 0
	if in.NextToken != "" {
		if from = indexOf(all, id, in.NextToken); from < 0 {
			return nil, newProblem(http.StatusBadRequest, "InvalidNextToken",
				"the nextToken "+strconv.Quote(in.NextToken)+" names no item (any more): begin without one")
		}
	}
	rest := all[from:]
	out := &listOutput[T]{Body: list[T]{Items: make([]T, 0, min(in.Limit, len(rest)))}}
	for i, r := range rest {
		if i == in.Limit {
			out.Body.NextToken = id(r)
			break
		}
		out.Body.Items = append(out.Body.Items, view(r))
	}
	return out, nil
}

func indexOf[R any](all []R, id func(R) string, want string) int {
	for i, r := range all {
		if id(r) == want {
			return i
		}
	}
	return -1
}

func views[R, T any](all []R, view func(R) T) []T {
	out := make([]T, 0, len(all))
	for _, r := range all {
		out = append(out, view(r))
	}
	return out
}
