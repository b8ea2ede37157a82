package rest

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// plainBodies refuses a request whose body is packed, before anybody looks at
// the body: fiber would unpack it without a bound, and 8 kB can become all of
// the memory. Nothing is lost by it: AWS clients compress for a few operations
// of other services only (the trait requestCompression of Smithy), and EC2 and
// STS have none.
func plainBodies(c *fiber.Ctx) error {
	codings := c.Request().Header.PeekAll(fiber.HeaderContentEncoding)
	switch {
	case len(codings) == 0:
		return c.Next()
	case len(codings) == 1 && strings.EqualFold(strings.TrimSpace(string(codings[0])), "identity"),
		len(codings) == 1 && len(codings[0]) == 0:
		// It says that nothing was done (RFC 9110, section 8.4.1). fiber, asked
		// for the body, would look the word up all the same.
		return c.Next()
	}
	p := newProblem(http.StatusUnsupportedMediaType, "", "")
	p.Detail = "the body is packed (Content-Encoding: " + clip(string(codings[0])) +
		"), and this server unpacks none; send it as it is"
	return p
}
