// Package imds serves instance metadata (EC2's IMDS) from the control plane's
// State, one tree per instance under /imds/{instance-id}/. It reads and never
// changes anything. It is HTTP beside the data plane: no frame is sent, so the
// PUT response's hop limit, the link's packet rate limit and the reachability
// of 169.254.169.254 from inside a guest are not modelled here.
package imds

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/control"
)

const (
	prefix = "/imds"

	headerToken     = "X-aws-ec2-metadata-token"
	headerTokenTTL  = "X-aws-ec2-metadata-token-ttl-seconds"
	headerForwarded = fiber.HeaderXForwardedFor

	// Bounds of a token's life in seconds (EC2 User Guide, "Use IMDSv2").
	minTokenTTL = 1
	maxTokenTTL = 21600

	// defaultAccount is visibly nobody's AWS account.
	defaultAccount = "000000000000"
)

// Options of a Service; the zero value is valid.
type Options struct {
	// Now ends tokens; nil: time.Now.
	Now func() time.Time
	// Account is owner-id and the identity document's accountId, 12 digits;
	// "": 000000000000.
	Account string
	// TokensRequired reports whether an instance takes IMDSv2 only (EC2's
	// HttpTokens=required); nil: every instance takes both versions. It must
	// be safe for concurrent use.
	TokensRequired func(instance string) bool
}

// Service answers metadata requests. Safe for concurrent use.
type Service struct {
	state  func() *control.State
	opt    Options
	tokens tokens
}

// New returns a Service over the newest State, which it asks for once a
// request. Tokens end with the Service.
func New(state func() *control.State, opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Account == "" {
		opt.Account = defaultAccount
	}
	if opt.TokensRequired == nil {
		opt.TokensRequired = func(string) bool { return false }
	}
	return &Service{state: state, opt: opt, tokens: newTokens()}
}

// Register adds the routes /imds/... to app, before any route that takes
// everything. The handlers answer errors themselves, as IMDS words them.
func (s *Service) Register(app *fiber.App) {
	app.All(prefix, s.serve)
	app.All(prefix+"/*", s.serve)
}

func (s *Service) serve(c *fiber.Ctx) error {
	c.Set(fiber.HeaderServer, "EC2ws")
	c.Set(fiber.HeaderAcceptRanges, "none")
	// The path as sent: fasthttp's own normal form has dot segments resolved,
	// which would let one instance's path name another's.
	req, ok := parsePath(string(c.Request().URI().PathOriginal()))
	if !ok {
		return refuse(c, http.StatusBadRequest, "A percent sign in the path begins no escape.")
	}
	st := s.state()
	i := st.Instance(req.instance)
	if why := unserved(i, req.instance); why != "" {
		return refuse(c, http.StatusNotFound, why)
	}
	switch c.Method() {
	case fiber.MethodPut:
		return s.putToken(c, req)
	case fiber.MethodGet, fiber.MethodHead:
		return s.get(c, req, st, i)
	}
	c.Set(fiber.HeaderAllow, "GET, HEAD, PUT")
	return refuse(c, http.StatusMethodNotAllowed, "")
}

// unserved says why an instance has no metadata, or "". Only a guest that is
// switched on could ask.
func unserved(i *control.Instance, id string) string {
	switch {
	case id == "":
		return "The path names no instance: metadata is at /imds/{instance-id}/latest/."
	case i == nil:
		return "There is no instance " + quote(id) + "."
	case i.State != control.InstancePending && i.State != control.InstanceRunning:
		return "The instance " + i.ID + " is " + string(i.State) + ": only a running instance has metadata."
	}
	return ""
}

// putToken begins a session of IMDSv2.
func (s *Service) putToken(c *fiber.Ctx, req request) error {
	switch {
	case len(c.Request().Header.Peek(headerForwarded)) > 0:
		// A proxy that was left open to the world adds this header; AWS
		// refuses such requests so that nobody gets a token through it.
		return refuse(c, http.StatusForbidden, "")
	case !req.token():
		c.Set(fiber.HeaderAllow, "GET, HEAD")
		return refuse(c, http.StatusMethodNotAllowed, "")
	case req.version() != latest:
		return refuse(c, http.StatusForbidden, "")
	}
	ttl, err := strconv.ParseUint(c.Get(headerTokenTTL), 10, 32)
	if err != nil || ttl < minTokenTTL || ttl > maxTokenTTL {
		return refuse(c, http.StatusBadRequest, "")
	}
	c.Set(headerTokenTTL, strconv.FormatUint(ttl, 10))
	expires := s.opt.Now().Add(time.Duration(ttl) * time.Second)
	return plain(c, s.tokens.issue(req.instance, expires))
}

func (s *Service) get(c *fiber.Ctx, req request, st *control.State, i *control.Instance) error {
	if req.token() {
		c.Set(fiber.HeaderAllow, fiber.MethodPut)
		return refuse(c, http.StatusMethodNotAllowed, "")
	}
	token := c.Get(headerToken)
	switch {
	case token == "" && s.opt.TokensRequired(i.ID):
		return refuse(c, http.StatusUnauthorized, "")
	case token != "" && !s.tokens.valid(token, i.ID, s.opt.Now()):
		// A token that is no good is refused even where none is needed.
		return refuse(c, http.StatusUnauthorized, "")
	}
	if len(req.names) == 0 {
		return plain(c, strings.Join(versions, "\n"))
	}
	if !knownVersion(req.version()) {
		return refuse(c, http.StatusNotFound, "")
	}
	n, ok := s.tree(st, i).find(req.names[1:])
	if !ok {
		return refuse(c, http.StatusNotFound, "")
	}
	return plain(c, n.text())
}
