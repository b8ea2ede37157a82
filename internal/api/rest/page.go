package rest

import (
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// page serves the dashboard's files. Addresses without a file behind them
// belong to the page's own router and get its index, if a browser asks: a
// program that takes a page for an answer would go on as if all were well.
func (s *Server) page(c *fiber.Ctx) error {
	if s.opt.Assets == nil {
		return fiber.ErrNotFound
	}
	name := strings.TrimPrefix(path.Clean("/"+c.Path()), "/")
	if name == "" {
		name = "index.html"
	}
	a, ok := s.opt.Assets(name)
	if !ok || name == "index.html" {
		if !acceptsPage(c.Get(fiber.HeaderAccept)) {
			return fiber.ErrNotFound
		}
	}
	if !ok {
		if path.Ext(name) != "" {
			return fiber.ErrNotFound
		}
		if a, ok = s.opt.Assets("index.html"); !ok {
			return fiber.ErrNotFound
		}
	}
	// Files keep their names over versions: browsers ask each time, and the
	// answer is mostly 304.
	c.Set(fiber.HeaderCacheControl, "no-cache")
	c.Set(fiber.HeaderVary, fiber.HeaderAcceptEncoding+", "+fiber.HeaderAccept)
	if a.ETag != "" {
		c.Set(fiber.HeaderETag, a.ETag)
		if matchesETag(c.Get(fiber.HeaderIfNoneMatch), a.ETag) {
			return c.SendStatus(fiber.StatusNotModified)
		}
	}
	c.Set(fiber.HeaderContentType, a.ContentType)
	if a.Gzip != nil && acceptsGzip(c.Get(fiber.HeaderAcceptEncoding)) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(a.Gzip)
	}
	return c.Send(a.Body)
}

// matchesETag is If-None-Match's weak comparison (RFC 9110 §13.1.2).
func matchesETag(header, etag string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

// acceptsPage reports whether text/html is asked for by name, as browsers do
// and programs do not.
func acceptsPage(header string) bool {
	for kind := range strings.SplitSeq(header, ",") {
		kind, _, _ = strings.Cut(kind, ";")
		if strings.EqualFold(strings.TrimSpace(kind), "text/html") {
			return true
		}
	}
	return false
}

func acceptsGzip(header string) bool {
	for coding := range strings.SplitSeq(header, ",") {
		name, params, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			q := strings.TrimSpace(params)
			return q != "q=0" && !strings.HasPrefix(q, "q=0.000")
		}
	}
	return false
}
