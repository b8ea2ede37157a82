package ec2

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
)

// caller is who signed a request.
type caller struct{ arn, userID string }

func (a *API) root() caller {
	return caller{arn: "arn:aws:iam::" + a.opt.Account + ":root", userID: a.opt.Account}
}

// authenticate tells who asks, and refuses who may not where keys are
// configured. EC2 says AuthFailure to an unknown key and to a wrong signature
// alike; STS tells them apart.
func (a *API) authenticate(r *request, svc service, s *sigv4.Signature, parseErr error) (caller, error) {
	now := a.opt.Now()
	var temporary *session
	if s != nil {
		temporary = a.sessions.find(s.AccessKey)
	}
	who := a.root()
	if temporary != nil {
		who = temporary.who
	}
	if len(a.opt.Keys) == 0 {
		// Of a signature that is not verified only the scope counts, and without
		// it nobody knows which region is meant. Another scheme is the server's
		// own token.
		if s == nil && !errors.Is(parseErr, sigv4.ErrUnsigned) && !errors.Is(parseErr, sigv4.ErrScheme) {
			return who, incomplete(parseErr)
		}
		return who, nil
	}
	switch {
	case errors.Is(parseErr, sigv4.ErrUnsigned):
		return who, query.Refuse("MissingAuthenticationToken", "Request is missing Authentication Token")
	case parseErr != nil:
		return who, incomplete(parseErr)
	}
	want := map[service]string{serviceEC2: "ec2", serviceSTS: "sts"}[svc]
	if s.Service != want {
		return who, query.Refuse("SignatureDoesNotMatch", "Credential should be scoped to correct service: '%s'.", want)
	}
	secret, ok := a.opt.Keys[s.AccessKey]
	if temporary != nil {
		secret = temporary.secret
		ok = subtle.ConstantTimeCompare([]byte(s.Token), []byte(temporary.token)) == 1
	}
	if !ok {
		return who, stranger(svc)
	}
	switch err := s.Verify(r.signed(), secret, now); {
	case errors.Is(err, sigv4.ErrExpired):
		return who, expired(svc, s, now)
	case err != nil:
		return who, mismatch(svc)
	}
	if temporary != nil && now.After(temporary.expires) {
		if svc == serviceSTS {
			return who, query.Refuse("ExpiredToken", "The security token included in the request is expired")
		}
		return who, query.Refuse("RequestExpired", "Request has expired.")
	}
	return who, nil
}

// meant refuses what a link could have sent, which anybody may put anywhere and
// any browser follows: a change by GET, or HEAD, with nothing that only a program
// or the server's own page can send. A signature in the URL, which clients of
// version 2 of signatures send, is such a thing where it is verified, or where no
// browser sends it.
func (a *API) meant(r *request, action string, params []query.Param) error {
	switch {
	case !r.link || readsOnly(action) || valueOf(params, "DryRun") == "true",
		len(a.opt.Keys) > 0, r.own, len(r.header("authorization")) > 0:
		return nil
	case !r.browser() && (valueOf(params, "Signature") != "" || valueOf(params, "X-Amz-Signature") != ""):
		return nil
	}
	return query.Refuse("UnauthorizedOperation", "A GET request that changes something, as %s does, must be signed in its Authorization header: "+
		"anybody's link could send it otherwise. Send it by POST", clip(action))
}

// browser reports whether a browser may have sent a request: what follows links
// calls itself Mozilla or Opera, tells where a request comes from, or says
// nothing of itself.
func (r *request) browser() bool {
	agent := strings.Join(r.header("user-agent"), "")
	return agent == "" || strings.HasPrefix(agent, "Mozilla/") || strings.HasPrefix(agent, "Opera/") || len(r.header("sec-fetch-site")) > 0
}

// readsOnly reports whether an action changes nothing, which EC2's names say.
func readsOnly(action string) bool {
	for _, verb := range []string{"Describe", "Get", "List", "Search"} {
		if strings.HasPrefix(action, verb) {
			return true
		}
	}
	return false
}

func incomplete(err error) error {
	return query.Refuse("IncompleteSignature", "%s", clip(err.Error()))
}

func stranger(svc service) error {
	if svc == serviceSTS {
		return query.Refuse("InvalidClientTokenId", "The security token included in the request is invalid.")
	}
	return query.Refuse("AuthFailure", "AWS was not able to validate the provided access credentials")
}

func mismatch(svc service) error {
	if svc == serviceSTS {
		return query.Refuse("SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return stranger(svc)
}

func expired(svc service, s *sigv4.Signature, now time.Time) error {
	if svc == serviceSTS {
		const form = "20060102T150405Z"
		return query.Refuse("SignatureDoesNotMatch", "%s", fmt.Sprintf("Signature expired or not yet current: %s is too far from %s",
			s.Time.Format(form), now.UTC().Format(form)))
	}
	return query.Refuse("RequestExpired", "Request has expired.")
}
