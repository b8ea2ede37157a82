package fis

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
	"enilab/internal/api/unserved"
	"enilab/internal/control"
	"enilab/internal/fis"
)

// SigningName is what clients sign for.
const SigningName = "fis"

const (
	singleAccount = "single-account"
	// commandTime bounds what one request may wait for the control plane.
	commandTime = 15 * time.Second
	requestID   = "X-Amzn-Requestid"
)

// Options of an API. All are required.
type Options struct {
	Control *control.Service
	Service *fis.Service
	Account string // 12 digits
	// Authenticate tells who has signed a request, and in which region.
	Authenticate func(signingName string, r sigv4.Request) (role, region string, err error)
	RequestID    func() string
}

// API answers AWS FIS's requests.
type API struct{ opt Options }

// New builds an API; Register puts it behind a server.
func New(opt Options) (*API, error) {
	if opt.Control == nil || opt.Service == nil || opt.Authenticate == nil || opt.RequestID == nil || opt.Account == "" {
		return nil, errors.New("FIS API: all options are required")
	}
	return &API{opt}, nil
}

// Register serves what is signed for FIS. All else goes on to the next handler.
func (a *API) Register(app *fiber.App) {
	app.Use(func(c *fiber.Ctx) error {
		if name, signed := unserved.SignedFor(c); !signed || name != SigningName {
			return c.Next()
		}
		return a.serve(c)
	})
}

// call is one request.
type call struct {
	ctx    context.Context
	api    *API
	region string
	svc    *control.Service // of the region
	path   []string         // what the operation's path has in braces
	query  url.Values
	body   []byte
}

func (a *API) serve(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(apifault.Fresh(c.UserContext()), commandTime)
	defer cancel()
	c.Set(requestID, a.opt.RequestID())
	answer, err := a.answer(ctx, c)
	if err != nil {
		code, text := refusal(err)
		c.Set("X-Amzn-Errortype", code)
		return c.Status(statusOf(code)).JSON(map[string]string{"message": text})
	}
	return c.JSON(answer)
}

func (a *API) answer(ctx context.Context, c *fiber.Ctx) (any, error) {
	raw := string(c.Context().URI().PathOriginal())
	body := c.Request().Body()
	_, region, err := a.opt.Authenticate(SigningName, sigv4.Request{
		Method: c.Method(), Path: escapedTwice(raw), Query: string(c.Context().URI().QueryString()), Body: body,
		Header: func(name string) []string {
			if name == "host" {
				return []string{string(c.Request().Header.Host())}
			}
			var values []string
			for _, v := range c.Request().Header.PeekAll(name) {
				values = append(values, string(v))
			}
			return values
		},
	})
	if err != nil {
		return nil, err
	}
	op, path := find(c.Method(), raw)
	if op == nil {
		return nil, query.Refuse("UnknownOperationException", "enilab's FIS has no %s %.100s", c.Method(), raw)
	}
	values, err := url.ParseQuery(string(c.Context().URI().QueryString()))
	if err != nil {
		return nil, query.Refuse(fis.CodeValidation, "the query cannot be read: %v", err)
	}
	return op.run(&call{ctx: ctx, api: a, region: region, svc: a.opt.Control.In(region), path: path, query: values, body: body})
}

// escapedTwice is a path as signatures have it: services but S3 escape it once more
// (AWS General Reference, "Create a canonical request").
func escapedTwice(path string) string {
	var b strings.Builder
	for k := range len(path) {
		ch := path[k]
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', strings.IndexByte("-._~/", ch) >= 0:
			b.WriteByte(ch)
		default:
			const hex = "0123456789ABCDEF"
			b.WriteString("%" + string(hex[ch>>4]) + string(hex[ch&15]))
		}
	}
	return b.String()
}

// decode reads a body strictly: silence about what is not acted on would pretend.
func (c *call) decode(into any) error {
	if len(c.body) == 0 {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(c.body)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return query.Refuse(fis.CodeValidation, "the body cannot be read: %v", err)
	}
	return nil
}

func refusal(err error) (code, text string) {
	var q *query.Error
	var c *control.Error
	switch {
	case errors.As(err, &q):
		return q.Code, q.Message
	case errors.As(err, &c):
		switch c.Code {
		case fis.CodeValidation, control.CodeExperimentMissing, control.CodeExperimentConflict, control.CodeExperimentQuota:
			return c.Code, c.Message
		}
		return fis.CodeValidation, c.Message
	case errors.Is(err, context.DeadlineExceeded):
		return "ServiceUnavailableException", "the laboratory did not answer in time"
	}
	return "InternalServerException", err.Error()
}

// statusOf is the HTTP status of a code (AWS FIS API Reference, errors of each
// operation, and "Common errors").
func statusOf(code string) int {
	switch code {
	case control.CodeExperimentMissing, "UnknownOperationException":
		return http.StatusNotFound
	case control.CodeExperimentConflict:
		return http.StatusConflict
	case control.CodeExperimentQuota:
		return http.StatusPaymentRequired
	case "MissingAuthenticationTokenException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException":
		return http.StatusForbidden
	case "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	case "InternalServerException":
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
