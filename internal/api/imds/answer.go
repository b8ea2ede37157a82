package imds

import (
	"html"
	"net/http"
	"strconv"
	"strings"
)

// maxEcho bounds what of a request an answer repeats.
const maxEcho = 64

func (r *Response) plain(body string) *Response {
	r.Header.Set("Content-Type", "text/plain") // IMDS names no charset
	r.Body = body
	return r
}

// refuse answers with the XHTML page that IMDS has for every error. why is the
// lab's own explanation, "" for none.
func (r *Response) refuse(status int, why string) *Response {
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
	r.Status, r.Body = status, b.String()
	r.Header.Set("Content-Type", "text/html")
	return r
}

// quote makes bytes from a request fit to be shown.
func quote(s string) string {
	if len(s) > maxEcho {
		return strconv.QuoteToASCII(s[:maxEcho]) + "..."
	}
	return strconv.QuoteToASCII(s)
}
