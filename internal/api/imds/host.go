package imds

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Register adds the routes /imds/{instance-id}/... to app, before any route
// that takes everything.
func (s *Service) Register(app *fiber.App) {
	app.All(prefix, s.serve)
	app.All(prefix+"/*", s.serve)
}

func (s *Service) serve(c *fiber.Ctx) error {
	// The path as sent: fasthttp's own normal form has dot segments resolved,
	// which would let one instance's path name another's.
	instance, path := splitPath(string(c.Request().URI().PathOriginal()))
	resp := s.Answer(Request{
		Instance: instance, Method: c.Method(), Path: path,
		Header: func(name string) (values []string) {
			for _, v := range c.Request().Header.PeekAll(name) {
				values = append(values, string(v))
			}
			return values
		},
	})
	c.Status(resp.Status)
	for name, values := range resp.Header {
		c.Set(name, strings.Join(values, ", "))
	}
	return c.SendString(resp.Body)
}
