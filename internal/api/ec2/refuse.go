package ec2

import (
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
)

// Refuse answers a request that the server refuses before serve sees it (too
// large a body, a method that / has not, no token) with an error document,
// which is all that AWS clients can read. It reports whether the request is one
// for this API: one to /, but for what asks for the page there.
func (a *API) Refuse(c *fiber.Ctx, status int, detail string) bool {
	return refuse(c, a.RequestID(), status, detail)
}

// Refuse is API.Refuse while there is no API yet.
func Refuse(c *fiber.Ctx, status int, detail string) bool {
	return refuse(c, newRequestID(func(b []byte) { _, _ = rand.Read(b) }), status, detail)
}

func refuse(c *fiber.Ctx, id string, status int, detail string) bool {
	if c.Path() != "/" {
		return false
	}
	args := c.Context().QueryArgs()
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead:
		if !args.Has("Action") {
			return false
		}
	}
	r := request{
		id: id, method: c.Method(), get: true, // the body may not be there
		query: string(c.Context().URI().QueryString()), header: headersOf(c),
	}
	params, _ := r.parameters() // without them EC2 answers
	signature, _ := sigv4.Parse(r.signed())
	svc := serviceOf(params, signature)
	e := refusal(query.Refuse(codeOf(status), "%s", sentence(detail)))
	c.Response().SetBodyRaw(appendErrorDocument(nil, r.id, svc, status, e))
	envelop(c, status, r.id)
	return true
}

// codeOf names an HTTP status as EC2 does where it has a word, else by the
// status's own name, such as RequestEntityTooLarge.
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return "AuthFailure"
	case http.StatusForbidden:
		return "UnauthorizedOperation"
	case http.StatusInternalServerError:
		return "InternalError"
	case http.StatusServiceUnavailable:
		return "Unavailable"
	}
	return strings.ReplaceAll(http.StatusText(status), " ", "")
}

// sentence makes an EC2 message of a detail, which begins in small letters.
func sentence(detail string) string {
	if detail == "" {
		return ""
	}
	return strings.ToUpper(detail[:1]) + detail[1:]
}
