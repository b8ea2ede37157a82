package imds

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// tokens issues and checks session tokens without keeping any: a token carries
// its own end, sealed together with the instance's id under a key that lives as
// long as the process. AWS sets no limit to the tokens of an instance; a store
// would need one, and then a rule for whose session to end.
type tokens struct {
	key [sha256.Size]byte // immutable
}

// A token is base64 of its end in Unix nanoseconds, big endian, and the seal:
// 56 characters, as many as AWS's.
const (
	tokenEnd  = 8
	tokenSize = tokenEnd + sha256.Size
)

var tokenEncoding = base64.URLEncoding.Strict()

func newTokens(key []byte) tokens {
	var t tokens
	if key != nil {
		t.key = sha256.Sum256(key)
		return t
	}
	rand.Read(t.key[:]) // never fails: it ends the process instead
	return t
}

func (t *tokens) seal(end []byte, instance string) []byte {
	h := hmac.New(sha256.New, t.key[:])
	h.Write(end)
	h.Write([]byte(instance))
	return h.Sum(nil)
}

// issue makes a token for one instance, good until the given instant.
func (t *tokens) issue(instance string, expires time.Time) string {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, tokenSize), uint64(expires.UnixNano()))
	return tokenEncoding.EncodeToString(append(b, t.seal(b, instance)...))
}

func (t *tokens) valid(token, instance string, now time.Time) bool {
	b, err := tokenEncoding.DecodeString(token)
	if err != nil || len(b) != tokenSize || !hmac.Equal(b[tokenEnd:], t.seal(b[:tokenEnd], instance)) {
		return false
	}
	return now.UnixNano() < int64(binary.BigEndian.Uint64(b))
}
