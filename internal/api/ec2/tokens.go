package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

const maxTokenLength = 64

// tokens are the requests with a ClientToken that are under way. What came of
// those before is for control to remember.
type tokens struct {
	mu    sync.Mutex
	byKey map[tokenKey]*tokenEntry // guarded by mu
}

type tokenKey struct{ region, action, token string }

type tokenEntry struct {
	params string
	ended  chan struct{}
	// Set before ended is closed.
	out result
	err error
}

func newTokens() *tokens { return &tokens{byKey: make(map[tokenKey]*tokenEntry)} }

// written is an answer in XML.
type written string

func (w written) AppendXML(b []byte) []byte { return append(b, w...) }

// once runs f for the first request with a token. The same request again gets
// the same answer, waiting for it if need be; another one with the same token
// is refused. A request that failed may be repeated.
func (t *tokens) once(c *call, token string, f func() (result, error)) (result, error) {
	if len(token) > maxTokenLength || strings.Trim(token, asciiPrintable) != "" {
		return nil, invalid("Invalid value '%s' for clientToken. It must be at most %d ASCII characters", clip(token), maxTokenLength)
	}
	sum := digest(c.params, "ClientToken")
	key, params := tokenKey{c.region.Name, c.action, token}, hex.EncodeToString(sum[:])
	mismatch := query.Refuse("IdempotentParameterMismatch",
		"The client token %s was already used in a request with different parameters.", token)
	e, first, before := t.begin(c, key, params)
	switch {
	case before != nil && before.Params != params, e != nil && e.params != params:
		return nil, mismatch
	case e == nil:
		return written(before.Answer), nil
	case !first:
		select {
		case <-e.ended:
			return e.out, e.err
		case <-c.ctx.Done():
			return nil, query.Refuse("Unavailable", "The request with the same client token has not ended yet.")
		}
	}
	e.err = query.Refuse("InternalError", "The first request with this client token ended without an answer.")
	// Deferred, so that not even a panic leaves others waiting.
	defer func() {
		close(e.ended)
		t.mu.Lock()
		delete(t.byKey, key)
		t.mu.Unlock()
	}()
	request := control.ClientToken{Action: c.action, Token: token, Params: params}
	if before != nil {
		// The server ended, or a later command failed, after a commit and before
		// there was an answer: this try goes on there.
		request.Made = before.Made
	}
	c.svc = c.svc.Remembering(request)
	if e.out, e.err = f(); e.err == nil {
		answer := string(e.out.AppendXML(nil))
		e.out, e.err = written(answer), c.svc.Answered(c.ctx, answer)
	}
	return e.out, e.err
}

// begin finds a request with the same token: under way (e, not first) or
// answered before (no e). Else it notes that the request is under way now, with
// what an earlier try has left behind, nil if there was none.
func (t *tokens) begin(c *call, key tokenKey, params string) (e *tokenEntry, first bool, before *control.ClientToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.byKey[key]; e != nil {
		return e, false, nil
	}
	// Not c.state, which may be older than the end of the request before.
	before = c.svc.State().ClientToken(key.region, key.action, key.token)
	if before != nil && (before.Answer != "" || before.Params != params) {
		return nil, false, before
	}
	e = &tokenEntry{params: params, ended: make(chan struct{})}
	t.byKey[key] = e
	return e, true, before
}

var asciiPrintable = func() string {
	var b strings.Builder
	for c := byte(' '); c <= '~'; c++ {
		b.WriteByte(c)
	}
	return b.String()
}()

// digest identifies parameters, in whatever order, without some.
func digest(params []query.Param, without ...string) [sha256.Size]byte {
	sorted := slices.DeleteFunc(slices.Clone(params), func(p query.Param) bool { return slices.Contains(without, p.Name) })
	slices.SortFunc(sorted, func(a, b query.Param) int { return strings.Compare(a.Name, b.Name) })
	h := sha256.New()
	for _, p := range sorted {
		// Neither can hold a zero byte.
		h.Write([]byte(p.Name + "\x00" + p.Value + "\x00"))
	}
	return [sha256.Size]byte(h.Sum(nil))
}
