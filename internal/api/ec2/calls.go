package ec2

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/calls"
	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
	"enilab/internal/control"
)

// Refusal is an answer that is no success. Field is the parameter that it is
// about, "" if none in particular.
type Refusal struct {
	Status               int
	Code, Message, Field string
}

// Error implements error.
func (r *Refusal) Error() string { return r.Code + ": " + r.Message }

// Call carries out an action for somebody who need not sign: the admin API has
// asked already who he is. Region "" is the laboratory's; from is what the client
// calls itself. Everything else is as for any client: faults hit it, and it is
// noted. The answer is EC2's document with objects, lists and strings in place of
// elements; an error is a *Refusal.
func (a *API) Call(ctx context.Context, region, action string, params []query.Param, from string) (map[string]any, error) {
	if region == "" {
		region = a.opt.Control.Region()
	}
	form := url.Values{"Action": {action}}
	for _, p := range params {
		form.Add(p.Name, p.Value)
	}
	r := request{
		id: a.RequestID(), method: http.MethodPost, body: form.Encode(), own: true, region: region, base: apifault.Fresh(ctx),
		watch: func(ctx context.Context) (context.Context, func()) { return context.WithCancel(ctx) },
		header: func(name string) []string {
			if strings.EqualFold(name, fiber.HeaderUserAgent) {
				return []string{from}
			}
			return nil
		},
	}
	status, body := a.answer(ctx, &r, nil)
	doc, err := object(body)
	if err != nil {
		return nil, &Refusal{Status: http.StatusInternalServerError, Code: "InternalError", Message: err.Error()}
	}
	if status == http.StatusOK {
		return doc, nil
	}
	out := &Refusal{Status: status, Code: r.refused.Code, Message: r.refused.Message, Field: r.field}
	if out.Status >= 500 && out.Code != "InternalError" {
		out.Status = http.StatusServiceUnavailable
	}
	return nil, out
}

// noteCall remembers a request and how it ended.
func (a *API) noteCall(r *request, svc service, params []query.Param, s *sigv4.Signature, status int, err error) {
	if err != nil {
		r.refused = refusal(err)
		if refused, ok := errors.AsType[*control.Error](err); ok {
			r.field = refused.Field
		}
	}
	action := valueOf(params, "Action")
	if a.opt.Calls == nil || svc != serviceEC2 || action == "" {
		return
	}
	now := a.opt.Now()
	c := calls.Call{At: now, Took: now.Sub(r.began), API: "ec2", Action: clip(action), Region: r.region, Read: readsOnly(action), Status: status}
	if r.began.IsZero() {
		c.Took = 0
	}
	if s != nil && s.Region != "" {
		c.Region = clip(s.Region)
	}
	if agents := r.header(fiber.HeaderUserAgent); len(agents) > 0 {
		c.From = agents[0]
	}
	if r.refused != nil {
		c.Code, c.Message = r.refused.Code, r.refused.Message
	}
	if h, ok := handlers[action]; ok && h.request != nil && len(r.query)+len(r.body) <= calls.MaxArguments {
		query, body, get := r.query, r.body, r.get
		region := c.Region
		// Few of those that are remembered are ever read.
		c.Line = func(endpoint string) string {
			again := request{query: query, body: body, get: get}
			return again.line(&h, endpoint, region, action)
		}
	}
	a.opt.Calls.Add(c)
}

// line writes a request for the AWS CLI, "" if it was malformed.
func (r *request) line(h *handler, endpoint, region, action string) string {
	params, err := r.parameters()
	if err != nil {
		return ""
	}
	own := params[:0]
	for _, p := range params {
		if !envelope(p.Name) {
			own = append(own, p)
		}
	}
	root, err := query.Tree(own)
	if err != nil {
		return ""
	}
	in, err := h.request(root)
	if err != nil {
		return ""
	}
	return calls.AWS(endpoint, region, action, in)
}

// object reads an answer. In EC2's documents a list's elements are called item.
func object(body []byte) (map[string]any, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return map[string]any{}, nil
		}
		if err != nil {
			return nil, err
		}
		if _, ok := token.(xml.StartElement); ok {
			v, err := content(d)
			doc, ok := v.(map[string]any)
			if !ok {
				doc = map[string]any{}
			}
			return doc, err
		}
	}
}

// content reads to the end of the element that has begun.
func content(d *xml.Decoder) (any, error) {
	var text strings.Builder
	var items []any
	var fields map[string]any
	for {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			v, err := content(d)
			if err != nil {
				return nil, err
			}
			if t.Name.Local == "item" {
				items = append(items, v)
				continue
			}
			if fields == nil {
				fields = map[string]any{}
			}
			fields[t.Name.Local] = v
		case xml.EndElement:
			switch {
			case items != nil:
				return items, nil
			case fields != nil:
				return fields, nil
			}
			return text.String(), nil
		}
	}
}
