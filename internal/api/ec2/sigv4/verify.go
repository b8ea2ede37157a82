package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
)

// skew is how far a client's clock may be from ours.
const skew = 15 * time.Minute

// Errors of Verify.
var (
	// ErrExpired: the signature is too old, or from the future.
	ErrExpired = errors.New("the signature is not valid at this time")
	// ErrMismatch: the signature is not that of this request and secret.
	ErrMismatch = errors.New("the signature does not match the request")
	// ErrHeaders: host or the session token is not among the signed headers.
	ErrHeaders = errors.New("host and x-amz-security-token must be signed")
)

// Verify checks s against the request and the secret of s.AccessKey.
func (s *Signature) Verify(r Request, secret string, now time.Time) error {
	if s.Time.Format("20060102") != s.Date {
		return ErrMismatch
	}
	earliest, latest := s.Time.Add(-skew), s.Time.Add(skew)
	if s.Presigned {
		latest = s.Time.Add(s.Expires)
	}
	if now.Before(earliest) || now.After(latest) {
		return ErrExpired
	}
	if !slices.Contains(s.SignedHeaders, "host") {
		return ErrHeaders
	}
	// A session token that is not signed could be exchanged on the way.
	if !s.Presigned && s.Token != "" && !slices.Contains(s.SignedHeaders, "x-amz-security-token") {
		return ErrHeaders
	}
	sum := sha256.Sum256(r.Body)
	payload := hex.EncodeToString(sum[:])
	if stated := first(r.Header("x-amz-content-sha256")); stated != "" && stated != payload {
		return ErrMismatch
	}
	canonical := sha256.Sum256([]byte(s.canonicalRequest(r, payload)))
	toSign := algorithm + "\n" + s.Time.Format(timeFormat) + "\n" +
		s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator + "\n" + hex.EncodeToString(canonical[:])
	want := hex.EncodeToString(mac(s.signingKey(secret), toSign))
	if !hmac.Equal([]byte(want), []byte(s.Signature)) {
		return ErrMismatch
	}
	return nil
}

func mac(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}

func (s *Signature) signingKey(secret string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.Date, s.Region, s.Service, terminator} {
		key = mac(key, part)
	}
	return key
}

func (s *Signature) canonicalRequest(r Request, payload string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	path := r.Path
	if path == "" {
		path = "/"
	}
	b.WriteString(path + "\n")
	b.WriteString(canonicalQuery(r.Query) + "\n")
	for _, name := range s.SignedHeaders {
		b.WriteString(name + ":")
		for i, v := range r.Header(name) {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(strings.Join(strings.Fields(v), " "))
		}
		b.WriteByte('\n')
	}
	b.WriteString("\n" + strings.Join(s.SignedHeaders, ";") + "\n" + payload)
	return b.String()
}

// canonicalQuery escapes and sorts the parameters, without the signature.
func canonicalQuery(raw string) string {
	var pairs []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if pair == "" || name == "X-Amz-Signature" {
			continue
		}
		pairs = append(pairs, reescape(name)+"="+reescape(value))
	}
	slices.SortFunc(pairs, func(a, b string) int {
		an, av, _ := strings.Cut(a, "=")
		bn, bv, _ := strings.Cut(b, "=")
		if c := strings.Compare(an, bn); c != 0 {
			return c
		}
		return strings.Compare(av, bv)
	})
	return strings.Join(pairs, "&")
}

// reescape escapes by RFC 3986 what a client may have escaped otherwise.
func reescape(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s
	}
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(plain) {
		c := plain[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~' {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		}
	}
	return b.String()
}
