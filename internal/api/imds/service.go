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
	// Now ends tokens, and tells which items have come; nil: time.Now.
	Now func() time.Time
	// Account is owner-id and the identity document's accountId, 12 digits;
	// "": 000000000000.
	Account string
	// Key seals tokens, for laboratories that are to be the same again; nil: one of
	// the machine's chance.
	Key []byte
}

// Source is where metadata comes from; *control.Service is one.
type Source interface {
	// State is the newest committed State.
	State() *control.State
	// MetadataState is the State that an instance's metadata shows.
	MetadataState(instance string) *control.State
}

var _ Source = (*control.Service)(nil)

// Service answers metadata requests. Safe for concurrent use.
type Service struct {
	src    Source
	opt    Options
	tokens tokens
}

// New returns a Service that asks src once a request. Tokens end with the
// Service.
func New(src Source, opt Options) *Service {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Account == "" {
		opt.Account = defaultAccount
	}
	return &Service{src: src, opt: opt, tokens: newTokens(opt.Key)}
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
	// Whether and how an instance is answered is a matter of now; only what it
	// is told may lag behind.
	i := s.src.State().Instance(r.Instance)
	if why := unserved(i, r.Instance); why != "" {
		return resp.refuse(http.StatusNotFound, why)
	}
	m := optionsOf(i)
	if m.disabled {
		return resp.refuse(http.StatusForbidden, "The metadata endpoint of "+i.ID+" is disabled (HttpEndpoint).")
	}
	switch r.Method {
	case http.MethodPut:
		resp.HopLimit = m.hopLimit
		return s.putToken(resp, &r, path)
	case http.MethodGet, http.MethodHead:
		return s.get(resp, &r, path, i.ID, m)
	}
	resp.Header.Set("Allow", "GET, HEAD, PUT")
	return resp.refuse(http.StatusMethodNotAllowed, "")
}

// options are how an instance's metadata may be asked for.
type options struct {
	tokens   bool // IMDSv2 only
	disabled bool
	tags     bool // tags are in the metadata
	hopLimit int  // of the answer to a PUT
}

// optionsOf fills in EC2's defaults.
func optionsOf(i *control.Instance) options {
	m := i.Metadata
	return options{
		tokens:   m.HTTPTokens == "required",
		disabled: m.HTTPEndpoint == "disabled",
		tags:     m.InstanceMetadataTags == allowTags,
		hopLimit: max(m.HopLimit, 1),
	}
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

func (s *Service) get(resp *Response, r *Request, path names, instance string, m options) *Response {
	if path.token() {
		resp.Header.Set("Allow", http.MethodPut)
		return resp.refuse(http.StatusMethodNotAllowed, "")
	}
	tokens := r.Header(headerToken)
	switch {
	case len(tokens) == 0 && m.tokens:
		return resp.refuse(http.StatusUnauthorized, "")
	case len(tokens) > 0 && !s.tokens.valid(tokens[0], instance, s.opt.Now()):
		// A token that is no good, also an empty one, is refused even where none
		// is needed: it is what a script has whose PUT went wrong.
		return resp.refuse(http.StatusUnauthorized, "")
	}
	if len(path) == 0 {
		return resp.plain(strings.Join(versions, "\n"))
	}
	if !knownVersion(path.version()) {
		return resp.refuse(http.StatusNotFound, "")
	}
	at := s.opt.Now()
	if now := s.src.State().Instance(instance); now != nil {
		at = at.Add(-now.MetadataLag)
	}
	st := s.src.MetadataState(instance)
	i := st.Instance(instance)
	if i == nil {
		return resp.refuse(http.StatusNotFound, "Metadata lags behind: it does not know "+instance+" yet.")
	}
	n, ok := s.tree(st, i, m, at).find(path[1:])
	if !ok {
		return resp.refuse(http.StatusNotFound, "")
	}
	resp.plain(n.text())
	if n.media != "" {
		resp.Header.Set("Content-Type", n.media)
	}
	return resp
}
