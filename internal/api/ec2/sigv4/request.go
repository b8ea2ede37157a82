// Package sigv4 reads and verifies AWS Signature Version 4, in the
// Authorization header or in a presigned query string. It keeps no keys.
package sigv4

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"
	// timeFormat is X-Amz-Date's.
	timeFormat = "20060102T150405Z"
	// maxExpires is the longest life of a presigned request.
	maxExpires = 7 * 24 * time.Hour
)

// Request is what of an HTTP request is signed.
type Request struct {
	Method string
	Path   string // escaped, as sent
	Query  string // raw, without the question mark
	Body   []byte
	// Header returns the values of a header by its name in small letters; Host
	// among them.
	Header func(name string) []string
}

// Signature is a signature as the client states it.
type Signature struct {
	AccessKey     string
	Date          string // of the credential scope, "20261122"
	Region        string
	Service       string
	SignedHeaders []string
	Signature     string
	Time          time.Time     // X-Amz-Date
	Token         string        // X-Amz-Security-Token, "" if none
	Presigned     bool          // in the query string
	Expires       time.Duration // of a presigned request
}

// ErrUnsigned is Parse's when the request carries no signature at all,
// ErrScheme when its Authorization is of another kind. Its other errors say what
// is incomplete.
var (
	ErrUnsigned = errors.New("the request is not signed")
	ErrScheme   = errors.New("unsupported Authorization, want " + algorithm)
)

// Parse reads the signature of a request without verifying it. If something is
// missing but the credential scope can be read, the error comes with a Signature
// of the scope alone.
func Parse(r Request) (*Signature, error) {
	if auth := first(r.Header("authorization")); auth != "" {
		return parseHeader(r, auth)
	}
	q, err := url.ParseQuery(r.Query)
	if err != nil || !q.Has("X-Amz-Algorithm") && !q.Has("X-Amz-Credential") && !q.Has("X-Amz-Signature") {
		return nil, ErrUnsigned
	}
	return parseQuery(q)
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func parseHeader(r Request, auth string) (*Signature, error) {
	rest, ok := strings.CutPrefix(auth, algorithm)
	if !ok {
		return nil, ErrScheme
	}
	fields := make(map[string]string)
	for part := range strings.SplitSeq(rest, ",") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[k] = v
	}
	s, err := scopeOf(fields["Credential"])
	if err != nil {
		return nil, err
	}
	date := first(r.Header("x-amz-date"))
	if date == "" {
		return s, errors.New("authorization header requires existence of an 'X-Amz-Date' header")
	}
	s.Token = first(r.Header("x-amz-security-token"))
	return s, s.read(fields["SignedHeaders"], fields["Signature"], date)
}

func parseQuery(q url.Values) (*Signature, error) {
	if got := q.Get("X-Amz-Algorithm"); got != algorithm {
		return nil, fmt.Errorf("unsupported X-Amz-Algorithm %q, want %s", got, algorithm)
	}
	s, err := scopeOf(q.Get("X-Amz-Credential"))
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
	life := time.Duration(seconds) * time.Second
	if err != nil || seconds < 1 || life > maxExpires {
		return s, fmt.Errorf("X-Amz-Expires is %q, want 1 to %.0f seconds", q.Get("X-Amz-Expires"), maxExpires.Seconds())
	}
	s.Token, s.Presigned, s.Expires = q.Get("X-Amz-Security-Token"), true, life
	return s, s.read(q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"), q.Get("X-Amz-Date"))
}

// scopeOf reads a Credential.
func scopeOf(credential string) (*Signature, error) {
	if credential == "" {
		return nil, absent("Credential")
	}
	scope := strings.Split(credential, "/")
	// An access key may itself hold slashes; the scope's other parts cannot.
	n := len(scope)
	if n < 5 || scope[n-1] != terminator || slices.Contains(scope[n-4:], "") {
		return nil, fmt.Errorf("credential must have the form ACCESSKEY/DATE/REGION/SERVICE/%s", terminator)
	}
	return &Signature{
		AccessKey: strings.Join(scope[:n-4], "/"), Date: scope[n-4], Region: scope[n-3], Service: scope[n-2],
	}, nil
}

func absent(name string) error { return fmt.Errorf("the signature requires '%s' parameter", name) }

// read takes the rest of a signature.
func (s *Signature) read(signedHeaders, signature, date string) error {
	switch "" {
	case signedHeaders:
		return absent("SignedHeaders")
	case signature:
		return absent("Signature")
	}
	at, err := time.Parse(timeFormat, date)
	if err != nil {
		return fmt.Errorf("X-Amz-Date %q must have the form %s", date, timeFormat)
	}
	s.SignedHeaders, s.Signature, s.Time = strings.Split(signedHeaders, ";"), signature, at
	return nil
}
