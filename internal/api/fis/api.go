package fis

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
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

	codeUnavailable = "ServiceUnavailableException"
	codeInternal    = "InternalServerException"
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
		return answerError(c, statusOf(code), code, text)
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
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("something follows the JSON object")
		}
	}
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind) && kind.Field != "":
		return query.Refuse(fis.CodeValidation, "%s: a JSON %s is not what belongs there", kind.Field, kind.Value)
	}
	return query.Refuse(fis.CodeValidation, "the body cannot be read: %s", strings.TrimPrefix(err.Error(), "json: "))
}

// making reads a request that makes something: what it says, and by which request.
func making[T any, P interface {
	*T
	take() string
}](c *call) (in T, by control.ExperimentRequest, err error) {
	if err := c.decode(&in); err != nil {
		return in, by, err
	}
	token := P(&in).take()
	if token == "" || len(token) > 1024 || strings.ContainsAny(token, " \t\r\n") {
		return in, by, query.Refuse(fis.CodeValidation, "clientToken: a request needs one of 1 to 1024 characters without spaces")
	}
	text, err := json.Marshal(in)
	sum := sha256.Sum256(text)
	return in, control.ExperimentRequest{Token: token, Digest: hex.EncodeToString(sum[:])}, err
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
		if c.Field != "" {
			return fis.CodeValidation, c.Field + ": " + c.Message
		}
		return fis.CodeValidation, c.Message
	case errors.Is(err, context.DeadlineExceeded):
		return codeUnavailable, "the laboratory did not answer in time"
	}
	return codeInternal, err.Error()
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
	case codeUnavailable:
		return http.StatusServiceUnavailable
	case codeInternal:
		return http.StatusInternalServerError
	}
	return http.StatusBadRequest
}
