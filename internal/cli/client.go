package cli

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"enilab/internal/api/rest"
)

const (
	// callTime is how long one call may take; the server itself gives up sooner.
	callTime = 30 * time.Second
	// maxProblem bounds what is read of an error.
	maxProblem = 1 << 20
	pageSize   = "1000"
)

// client speaks to one laboratory.
type client struct {
	base, token string
	from        string // who said that it is there
	http        *http.Client
}

func newClient(endpoint, token, from string) (*client, error) {
	base, inURL, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	return &client{base: base, token: cmp.Or(token, inURL), from: from, http: &http.Client{}}, nil
}

// refusal is an answer that is none of those that were hoped for.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func isStatus(err error, status int) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == status
}

// errAbsent: nobody answers.
var errAbsent = errors.New("no laboratory answers")

// call sends a request, decodes the answer into out, unless that is nil, and
// returns what is wrong as a sentence.
func (c *client) call(ctx context.Context, method, path string, body, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	answer, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s%s: the answer is not that of an enilab (%s): %w", method, c.base, path, c.from, err)
	}
	return nil
}

// send returns a good answer, whose body the caller closes.
func (c *client) send(ctx context.Context, method, path string, body any) (*http.Response, error) {
	var text io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1/"+path, text)
	if err != nil {
		return nil, err
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	defer func() { _ = answer.Body.Close() }()
	return nil, c.refused(answer)
}

// unreachable says who is not there, and what to do.
func (c *client) unreachable(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	cause := err
	var u *url.Error
	if errors.As(err, &u) {
		cause = u.Err
	}
	var op *net.OpError
	if !errors.As(err, &op) {
		return fmt.Errorf("asking %s (%s): %w", c.base, c.from, cause)
	}
	return fmt.Errorf("%w at %s (%s): %w. Start one with enilab serve, or say where it is with --endpoint", errAbsent, c.base, c.from, cause)
}

func (c *client) refused(answer *http.Response) error {
	r := &refusal{status: answer.StatusCode}
	var p rest.Problem
	raw, _ := io.ReadAll(io.LimitReader(answer.Body, maxProblem))
	known := strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") && json.Unmarshal(raw, &p) == nil
	switch {
	case !known:
		r.text = fmt.Sprintf("%s (%s) answers %s, and not as an enilab does", c.base, c.from, answer.Status)
	case answer.StatusCode == http.StatusUnauthorized && c.token == "":
		r.text = fmt.Sprintf("the laboratory at %s asks for a token: give the one that it printed with --token or ENILAB_TOKEN, or its data directory with --data", c.base)
	case answer.StatusCode == http.StatusUnauthorized:
		r.text = fmt.Sprintf("the laboratory at %s does not take this token: want the one that it printed when it started (--token, ENILAB_TOKEN)", c.base)
	default:
		r.text = p.Detail
		for _, e := range p.Errors {
			if e.Message != "" && !strings.Contains(r.text, e.Message) {
				r.text += fmt.Sprintf("; %s: %s", e.Location, e.Message)
			}
		}
		if p.Code != "" {
			r.text += " (" + p.Code + ")"
		}
	}
	return r
}

// list reads every page of a list.
func (c *client) list(ctx context.Context, path string) (all []json.RawMessage, err error) {
	for next := ""; ; {
		var page struct {
			Items     []json.RawMessage
			NextToken string
		}
		query := url.Values{"limit": {pageSize}}
		if next != "" {
			query.Set("nextToken", next)
		}
		if err := c.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if next = page.NextToken; next == "" {
			return all, nil
		}
	}
}

// listOf reads every page of a list of known form.
func listOf[T any](ctx context.Context, c *client, path string) ([]T, error) {
	raw, err := c.list(ctx, path)
	if err != nil {
		return nil, err
	}
	all := make([]T, len(raw))
	for k := range raw {
		if err := json.Unmarshal(raw[k], &all[k]); err != nil {
			return nil, fmt.Errorf("reading %s/api/v1/%s: %w", c.base, path, err)
		}
	}
	return all, nil
}
