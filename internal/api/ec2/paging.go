package ec2

import (
	"encoding/base64"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
)

// defaultPage bounds MaxResults where the model says nothing.
var defaultPage = struct{ Min, Max int }{5, 1000}

// page is a part of a list that begins after the last row of the part before.
// Tokens carry that row's place and what was asked where, so that they fit no other
// question, and rows that come or go meanwhile shift nothing.
type page struct {
	size  int // 0: everything
	query string
	after string
}

// page reads MaxResults and NextToken. ids are those given in the request,
// under name: they cannot be paged.
func (c *call) page(max *int, token *string, name string, ids []string) (*page, error) {
	p := new(page)
	if max != nil {
		bounds, ok := model.PageSizes[c.action]
		if !ok {
			bounds = defaultPage
		}
		switch {
		case len(ids) > 0:
			return nil, combination("The parameter %s cannot be used with the parameter maxResults", name) // unverified: the text
		case *max < bounds.Min:
			return nil, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value greater than %d.", *max, bounds.Min) // unverified: the text
		case *max > bounds.Max:
			return nil, invalid("Value ( %d ) for parameter maxResults is invalid. Expecting a value less than %d.", *max, bounds.Max) // unverified: the text
		}
		p.size = *max
	}
	sum := digest(c.params, "MaxResults", "NextToken", "DryRun")
	p.query = c.region.Name + "\x00" + c.action + "\x00" + string(sum[:12]) + "\x00"
	if t := query.Value(token); t != "" {
		raw, err := base64.RawURLEncoding.DecodeString(t)
		after, ok := strings.CutPrefix(string(raw), p.query)
		if err != nil || !ok {
			return nil, query.Refuse("InvalidNextToken", "The token '%s' is invalid", clip(t))
		}
		p.after = after
	}
	return p, nil
}

func (p *page) token(last string) *string {
	return new(base64.RawURLEncoding.EncodeToString([]byte(p.query + last)))
}

// place orders rows as the State lists them: by creation, then id.
func place(created time.Time, id string) string {
	return fmt.Sprintf("%020d/%s", created.UnixNano(), id)
}

// cutPage returns the rows of one page that are to be kept, and the token of
// the next page, nil if this is the last. rows are sorted by key.
func cutPage[T any](p *page, rows []T, key func(T) string, keep func(T) bool) ([]T, *string) {
	if p.after != "" {
		rows = rows[sort.Search(len(rows), func(i int) bool { return key(rows[i]) > p.after }):]
	}
	var out []T
	for _, r := range rows {
		if !keep(r) {
			continue
		}
		if p.size > 0 && len(out) == p.size {
			return out, p.token(key(out[len(out)-1]))
		}
		out = append(out, r)
	}
	return out, nil
}

// sorted brings rows found by id or by an index into the order of pages.
func sorted[T any](rows []T, key func(T) string) []T {
	slices.SortFunc(rows, func(a, b T) int { return strings.Compare(key(a), key(b)) })
	return rows
}
