// Package imds answers instance metadata (EC2's IMDS) from the control plane's
// State, one tree per instance. It reads and never changes anything, and knows
// requests and answers, not how they travel: Register serves them on the host
// under /imds/{instance-id}/, package inplane from inside the data plane.
package imds

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"enilab/internal/control"
)

const (
	prefix = "/imds"

	headerToken     = "X-aws-ec2-metadata-token"
	headerTokenTTL  = "X-aws-ec2-metadata-token-ttl-seconds"
	headerForwarded = "X-Forwarded-For"

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

// Request is what somebody asks of one instance's metadata.
type Request struct {
	Instance string
	Method   string
	Path     string                     // as it was sent, from the instance's root, without a query
	Header   func(name string) []string // every value of a header; any case
}

func (r *Request) header(name string) string {
	if v := r.Header(name); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Response is the answer to a Request.
type Response struct {
	Status   int
	Header   http.Header
	Body     string
	HopLimit int // of the IP packets that carry it; 0: as usual
}

// Answer answers one request.
func (s *Service) Answer(r Request) *Response {
	resp := &Response{Status: http.StatusOK, Header: http.Header{"Server": {"EC2ws"}, "Accept-Ranges": {"none"}}}
	path, ok := parsePath(r.Path)
	if !ok {
		return resp.refuse(http.StatusBadRequest, "A percent sign in the path begins no escape.")
	}
	st := s.state()
	i := st.Instance(r.Instance)
	if why := unserved(i, r.Instance); why != "" {
		return resp.refuse(http.StatusNotFound, why)
	}
	switch r.Method {
	case http.MethodPut:
		return s.putToken(resp, &r, path)
	case http.MethodGet, http.MethodHead:
		return s.get(resp, &r, path, st, i)
	}
	resp.Header.Set("Allow", "GET, HEAD, PUT")
	return resp.refuse(http.StatusMethodNotAllowed, "")
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
func (s *Service) putToken(resp *Response, r *Request, path names) *Response {
	switch {
	case len(r.Header(headerForwarded)) > 0:
		// A proxy that was left open to the world adds this header; AWS
		// refuses such requests so that nobody gets a token through it.
		return resp.refuse(http.StatusForbidden, "")
	case !path.token():
		resp.Header.Set("Allow", "GET, HEAD")
		return resp.refuse(http.StatusMethodNotAllowed, "")
	case path.version() != latest:
		return resp.refuse(http.StatusForbidden, "")
	}
	ttl, err := strconv.ParseUint(r.header(headerTokenTTL), 10, 32)
	if err != nil || ttl < minTokenTTL || ttl > maxTokenTTL {
		return resp.refuse(http.StatusBadRequest, "")
	}
	resp.Header.Set(headerTokenTTL, strconv.FormatUint(ttl, 10))
	expires := s.opt.Now().Add(time.Duration(ttl) * time.Second)
	return resp.plain(s.tokens.issue(r.Instance, expires))
}

func (s *Service) get(resp *Response, r *Request, path names, st *control.State, i *control.Instance) *Response {
	if path.token() {
		resp.Header.Set("Allow", http.MethodPut)
		return resp.refuse(http.StatusMethodNotAllowed, "")
	}
	token := r.header(headerToken)
	switch {
	case token == "" && s.opt.TokensRequired(i.ID):
		return resp.refuse(http.StatusUnauthorized, "")
	case token != "" && !s.tokens.valid(token, i.ID, s.opt.Now()):
		// A token that is no good is refused even where none is needed.
		return resp.refuse(http.StatusUnauthorized, "")
	}
	if len(path) == 0 {
		return resp.plain(strings.Join(versions, "\n"))
	}
	if !knownVersion(path.version()) {
		return resp.refuse(http.StatusNotFound, "")
	}
	n, ok := s.tree(st, i).find(path[1:])
	if !ok {
		return resp.refuse(http.StatusNotFound, "")
	}
	return resp.plain(n.text())
}
