package rest

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/unserved"
)

// tokenCookie carries the token for pages and websockets, which cannot set
// headers of their own.
const tokenCookie = "enilab_token"

// guard decides who may talk to the server. On loopback that is the local
// user, who is trusted, and his browser, which is not: any page in it can send
// requests to 127.0.0.1, by name too once a foreign name resolves to it (DNS
// rebinding). Beyond loopback a token is required.
type guard struct {
	loopback   bool
	token      [sha256.Size]byte
	hasToken   bool
	allowHosts []string
	signed     bool
	anyKey     bool
}

func newGuard(opt Options) guard {
	g := guard{loopback: opt.Loopback, hasToken: opt.Token != "", signed: opt.Signed, anyKey: opt.AnyKey}
	g.token = sha256.Sum256([]byte(opt.Token))
	for _, h := range opt.AllowHosts {
		g.allowHosts = append(g.allowHosts, strings.ToLower(h))
	}
	return g
}

func (g guard) check(c *fiber.Ctx) error {
	host := string(c.Request().Header.Host())
	switch {
	case g.loopback && !g.knownHost(host):
		return newProblem(http.StatusForbidden, "", "the Host header names "+clip(host)+
			"; this server answers to localhost and loopback addresses (see --allow-host)")
	case !sameOrigin(c.Get(fiber.HeaderOrigin), host):
		return newProblem(http.StatusForbidden, "", "another site's page may not use this server")
	case foreignFetch(c):
		return newProblem(http.StatusForbidden, "", "another site's page may not use this server")
	case g.loopback, openPath(c.Path()), g.signed && isSigned(c):
		return c.Next()
	}
	if _, other := unserved.Addressed(c); other {
		return c.Next() // only to hear that the service is not here
	}
	if g.anyKey && isSigned(c) {
		if !g.ownableByNobody(host) {
			return newProblem(http.StatusForbidden, "", "the Host header names "+clip(host)+
				"; where any access key does, this server answers to addresses, to names without a dot, and to names "+
				"under localhost, local and internal (see --allow-host)")
		}
		return c.Next()
	}
	return g.checkToken(c)
}

// checkToken takes the token from the header, from the cookie, or once from
// the query of the page itself, which then sets the cookie.
func (g guard) checkToken(c *fiber.Ctx) error {
	if bearer, ok := strings.CutPrefix(c.Get(fiber.HeaderAuthorization), "Bearer "); ok && g.matches(bearer) {
		return c.Next()
	}
	if g.matches(c.Cookies(tokenCookie)) {
		return c.Next()
	}
	if c.Method() == fiber.MethodGet && c.Path() == "/" && g.matches(c.Query("token")) {
		c.Cookie(&fiber.Cookie{
			Name: tokenCookie, Value: c.Query("token"), Path: "/",
			HTTPOnly: true, SessionOnly: true,
			// Not Strict: the first visit may come from a link in a chat, and
			// the redirect would arrive without its cookie. Acting from
			// foreign pages is refused above.
			SameSite: fiber.CookieSameSiteLaxMode,
		})
		// The token leaves the address bar and the history.
		return c.Redirect("/", http.StatusSeeOther)
	}
	c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="enilab"`)
	return newProblem(http.StatusUnauthorized, "",
		"a token is required: as \"Authorization: Bearer ...\", or open /?token=... once in a browser")
}

// matches compares digests, so that neither content nor length shows in time.
func (g guard) matches(token string) bool {
	got := sha256.Sum256([]byte(token))
	return g.hasToken && subtle.ConstantTimeCompare(got[:], g.token[:]) == 1
}

func (g guard) knownHost(hostport string) bool {
	host := strings.ToLower(hostport)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	} else if h, ok := strings.CutPrefix(host, "["); ok {
		host, ok = strings.CutSuffix(h, "]")
		if !ok {
			return false
		}
	}
	if host == "localhost" || slices.Contains(g.allowHosts, host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// ownableByNobody reports whether no stranger can have a name resolve to here:
// what asks by it is no page of a foreign site (DNS rebinding). Names without a
// dot are those of containers and machines nearby; the domains are reserved
// (RFC 6761, RFC 6762, and by ICANN for .internal).
func (g guard) ownableByNobody(hostport string) bool {
	if g.knownHost(hostport) {
		return true
	}
	host := strings.ToLower(hostport)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.Trim(host, "[]"), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	dot := strings.LastIndexByte(host, '.')
	return host != "" && (dot < 0 || slices.Contains([]string{"localhost", "local", "internal"}, host[dot+1:]))
}

// sameOrigin reports whether a page of that origin was served under host.
// Programs send no Origin.
func sameOrigin(origin, host string) bool {
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.User == nil &&
		u.Path == "" && u.RawQuery == "" && u.Host != "" && strings.EqualFold(u.Host, host)
}

// foreignFetch reads what browsers say of a request's sender (Fetch Metadata).
// Following a link to the page from anywhere is fine; nothing else is.
func foreignFetch(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	visit := c.Method() == fiber.MethodGet && c.Get("Sec-Fetch-Mode") == "navigate" && !isAPI(c.Path())
	return !visit
}

// isEC2 reports whether a request is for the EC2 API, which shares its path
// with the page (ec2.API.Register).
func isEC2(c *fiber.Ctx) bool {
	return c.Path() == "/" && (c.Method() == fiber.MethodPost ||
		c.Method() == fiber.MethodGet && c.Context().QueryArgs().Has("Action"))
}

// isSigned reports whether a request is for one of AWS's APIs, each of which asks
// for a signature: EC2's by its path, FIS's by what it is signed for.
func isSigned(c *fiber.Ctx) bool {
	name, signed := unserved.SignedFor(c)
	return isEC2(c) || signed && name == "fis"
}

func isAPI(path string) bool {
	return path == base || strings.HasPrefix(path, base+"/") || path == "/metrics"
}

// secureHeaders go with every answer. The page needs nothing from elsewhere,
// and payloads it shows are hostile input.
func secureHeaders(c *fiber.Ctx) error {
	c.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; object-src 'none'; "+
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	c.Set("X-Content-Type-Options", "nosniff")
	c.Set("X-Frame-Options", "DENY")
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	return c.Next()
}
