package ec2

import (
	"container/list"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"

	"enilab/internal/api/ec2/query"
)

const (
	// maxTokens bounds the remembered idempotency tokens. When it is reached
	// the oldest is forgotten; EC2 forgets after a day or so.
	maxTokens      = 4096
	maxTokenLength = 64
)

// tokens remembers what was answered to requests with a ClientToken.
type tokens struct {
	mu    sync.Mutex
	byKey map[tokenKey]*list.Element // guarded by mu; of *tokenEntry
	order *list.List                 // guarded by mu; oldest first
}

type tokenKey struct{ region, action, token string }

type tokenEntry struct {
	key    tokenKey
	params [sha256.Size]byte
	ended  chan struct{}
	// Set before ended is closed.
	out result
	err error
}

func newTokens() *tokens {
	return &tokens{byKey: make(map[tokenKey]*list.Element), order: list.New()}
}

// once runs f for the first request with a token. The same request again gets
// the same answer, waiting for it if need be; another one with the same token
// is refused. A request that failed may be repeated.
func (t *tokens) once(c *call, token string, f func() (result, error)) (result, error) {
	if len(token) > maxTokenLength || strings.Trim(token, asciiPrintable) != "" {
		return nil, invalid("Invalid value '%s' for clientToken. It must be at most %d ASCII characters", clip(token), maxTokenLength)
	}
	key, params := tokenKey{c.region.Name, c.action, token}, digest(c.params, "ClientToken")
	t.mu.Lock()
	if at, ok := t.byKey[key]; ok {
		e := at.Value.(*tokenEntry)
		t.mu.Unlock()
		if e.params != params {
			return nil, query.Refuse("IdempotentParameterMismatch",
				"The client token %s was already used in a request with different parameters.", token)
		}
		select {
		case <-e.ended:
			return e.out, e.err
		case <-c.ctx.Done():
			return nil, query.Refuse("Unavailable", "The request with the same client token has not ended yet.")
		}
	}
	e := &tokenEntry{key: key, params: params, ended: make(chan struct{})}
	e.err = query.Refuse("InternalError", "The first request with this client token ended without an answer.")
	t.byKey[key] = t.order.PushBack(e)
	if t.order.Len() > maxTokens {
		t.forget(t.order.Front().Value.(*tokenEntry))
	}
	t.mu.Unlock()
	// Deferred, so that not even a panic leaves others waiting.
	defer func() {
		close(e.ended)
		if e.err != nil {
			t.mu.Lock()
			t.forget(e)
			t.mu.Unlock()
		}
	}()
	e.out, e.err = f()
	return e.out, e.err
}

// forget removes e. The caller holds mu.
func (t *tokens) forget(e *tokenEntry) {
	if at, ok := t.byKey[e.key]; ok && at.Value.(*tokenEntry) == e {
		t.order.Remove(at)
		delete(t.byKey, e.key)
	}
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
