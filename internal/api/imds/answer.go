package imds

import (
	"html"
	"net/http"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// maxEcho bounds what of a request an answer repeats.
const maxEcho = 64

func plain(c *fiber.Ctx, body string) error {
	// Fiber's own constant adds a charset, which IMDS does not.
	c.Set(fiber.HeaderContentType, "text/plain")
	return c.SendString(body)
}

// refuse answers with the XHTML page that IMDS has for every error. why is the
// lab's own explanation, "" for none.
func refuse(c *fiber.Ctx, status int, why string) error {
	title := strconv.Itoa(status) + " - " + http.StatusText(status)
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
	"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>` + title + `</title>
 </head>
 <body>
  <h1>` + title + "</h1>\n")
	if why != "" {
		b.WriteString("  <p>" + html.EscapeString(why) + "</p>\n")
	}
	b.WriteString(" </body>\n</html>\n")
	c.Status(status)
	c.Set(fiber.HeaderContentType, "text/html")
	return c.SendString(b.String())
}

// quote makes bytes from a request fit to be shown.
func quote(s string) string {
	if len(s) > maxEcho {
		return strconv.QuoteToASCII(s[:maxEcho]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
