package ec2

import (
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
	"enilab/internal/api/hangup"
)

const (
	contentType = "text/xml;charset=UTF-8"
	requestID   = "X-Amzn-Requestid"
	// commandTime bounds what one request may wait for the control plane.
	commandTime = 15 * time.Second
)

// Register serves POST / and GET /?Action=. A GET without Action goes on to
// the next handler.
func (a *API) Register(app *fiber.App) {
	app.Post("/", a.serve)
	app.Get("/", func(c *fiber.Ctx) error {
		if !c.Context().QueryArgs().Has("Action") {
			return c.Next()
		}
		return a.serve(c)
	})
}

func (a *API) serve(c *fiber.Ctx) error {
	r := request{
		id: a.RequestID(), method: c.Method(), get: c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead,
		query: string(c.Context().URI().QueryString()), body: string(c.Request().Body()), // c.Body would unpack it
		// A link on any site leads a browser here, which GET lets act.
		foreign: foreign(c.Get("Sec-Fetch-Site")),
		link:    c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead,
		own:     c.Get("Sec-Fetch-Site") == "same-origin",
		header:  headersOf(c),
	}
	r.base = apifault.Fresh(c.UserContext())
	r.watch = func(ctx context.Context) (context.Context, func()) { return hangup.Watch(ctx, c.Context().Conn()) }
	ctx, cancel := context.WithTimeout(c.UserContext(), commandTime)
	defer cancel()
	// The body is written where the server sends it from and, that done, keeps
	// the memory for the next: a long list would be copied otherwise.
	status, body := a.answer(ctx, &r, c.Response().SwapBody(nil)[:0])
	c.Response().SwapBody(body)
	envelop(c, status, r.id)
	return nil
}

// envelop sets what goes with every answer.
func envelop(c *fiber.Ctx, status int, id string) {
	c.Set(fiber.HeaderContentType, contentType)
	c.Set(requestID, id)
	c.Set(fiber.HeaderCacheControl, "no-store")
	c.Status(status)
}

func headersOf(c *fiber.Ctx) func(name string) []string {
	return func(name string) []string {
		if name == "host" {
			return []string{string(c.Request().Header.Host())}
		}
		var values []string
		for _, v := range c.Request().Header.PeekAll(name) {
			values = append(values, string(v))
		}
		return values
	}
}

// foreign reports whether a browser sends a request that its user did not ask
// for on this server's own pages (Fetch Metadata). Programs send no such header.
func foreign(site string) bool { return site != "" && site != "same-origin" && site != "none" }

// request is one HTTP request, apart from how it came.
type request struct {
	id          string
	method      string
	get         bool
	link        bool // of a method by which browsers follow links
	foreign     bool
	own         bool // a browser says that the server's own page sends it
	query, body string
	header      func(name string) []string
	base        context.Context // ends with the server alone
	// watch returns a context that also ends when the client goes away.
	watch func(context.Context) (context.Context, func())

	// region is that of a request from inside, which nobody signs; "" of others.
	region string
	began  time.Time
	// refused and field are how it ended, once it has; nil: it was carried out.
	refused *query.Error
	field   string
}

// service is the signing name of the API that is asked: one of these two, or
// another that has its callers authenticated here.
type service string

const (
	serviceEC2 service = "ec2"
	serviceSTS service = "sts"
)

// answer serves a request and appends the body to b.
func (a *API) answer(ctx context.Context, r *request, b []byte) (int, []byte) {
	r.began = a.opt.Now()
	params, err := r.parameters()
	var signature *sigv4.Signature
	var signatureErr error
	if r.region != "" {
		signature = &sigv4.Signature{Service: string(serviceEC2), Region: r.region}
	} else {
		signature, signatureErr = sigv4.Parse(r.signed())
	}
	svc := serviceOf(params, signature)
	if err == nil {
		b, err = a.dispatch(ctx, r, svc, params, signature, signatureErr, b)
	}
	status := fiber.StatusOK
	if err != nil {
		status, b = a.appendError(b[:0], r, svc, err)
	}
	a.noteCall(r, svc, params, signature, status, err)
	return status, b
}

func (r *request) signed() sigv4.Request {
	return sigv4.Request{Method: r.method, Path: "/", Query: r.query, Body: []byte(r.body), Header: r.header}
}

func (r *request) parameters() ([]query.Param, error) {
	if r.foreign {
		return nil, query.Refuse("UnauthorizedOperation", "Another site's page may not use this server")
	}
	encoded := r.query
	if !r.get && r.body != "" {
		if encoded != "" {
			encoded += "&"
		}
		encoded += r.body
	}
	return query.Parse(encoded)
}

// stsVersion is the version of the STS API.
const stsVersion = "2011-06-15"

// serviceOf tells EC2's requests from STS's by what they are signed for, else
// by their version, else by the action.
func serviceOf(params []query.Param, s *sigv4.Signature) service {
	if s != nil {
		if s.Service == "sts" {
			return serviceSTS
		}
		return serviceEC2
	}
	action, version := valueOf(params, "Action"), valueOf(params, "Version")
	if version == stsVersion || version == "" && stsActions[action] != nil {
		return serviceSTS
	}
	return serviceEC2
}

func valueOf(params []query.Param, name string) string {
	for _, p := range params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// envelope reports whether a parameter belongs to the protocol, not to the
// action: version, credentials and signatures of any kind.
func envelope(name string) bool {
	switch name {
	case "Action", "Version", "AWSAccessKeyId", "Signature", "SignatureMethod", "SignatureVersion",
		"Timestamp", "Expires", "SecurityToken":
		return true
	}
	return strings.HasPrefix(name, "X-Amz-")
}
