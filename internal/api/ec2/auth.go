package ec2

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"time"

	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
	"enilab/internal/control"
)

// caller is who signed a request.
type caller struct {
	arn, userID string
	role        string // the ARN of the role that he has taken, "" without
}

// Authenticate tells for another of the server's APIs, by its signing name, who
// asks and in which region, and refuses as this one does, with the codes that
// services of JSON have. Without a region it is the laboratory's.
func (a *API) Authenticate(signingName string, r sigv4.Request) (role, region string, err error) {
	s, parseErr := sigv4.Parse(r)
	who, err := a.authenticate(r, service(signingName), s, parseErr)
	if region = a.opt.Control.Region(); s != nil && s.Region != "" {
		region = s.Region
	}
	if err == nil && control.RegionByName(region) == nil {
		err = query.Refuse("UnrecognizedClientException", "Credential should be scoped to a valid region, not '%s'.", clip(region))
	}
	return who.role, region, err
}

func (a *API) root() caller {
	return caller{arn: "arn:aws:iam::" + a.opt.Account + ":root", userID: a.opt.Account}
}

// authenticate tells who asks, and refuses who may not where keys are
// configured. EC2 says AuthFailure to an unknown key and to a wrong signature
// alike; STS tells them apart.
func (a *API) authenticate(r sigv4.Request, svc service, s *sigv4.Signature, parseErr error) (caller, error) {
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
			return who, incomplete(svc, parseErr)
		}
		return who, nil
	}
	switch {
	case errors.Is(parseErr, sigv4.ErrUnsigned):
		return who, query.Refuse("MissingAuthenticationToken"+svc.exception(), "Request is missing Authentication Token")
	case parseErr != nil:
		return who, incomplete(svc, parseErr)
	}
	if s.Service != string(svc) {
		return who, query.Refuse(codeOfScope(svc), "Credential should be scoped to correct service: '%s'.", svc)
	}
	secret, ok := a.opt.Keys[s.AccessKey]
	if temporary != nil {
		secret = temporary.secret
		ok = subtle.ConstantTimeCompare([]byte(s.Token), []byte(temporary.token)) == 1
	}
	if !ok {
		return who, stranger(svc)
	}
	switch err := s.Verify(r, secret, now); {
	case errors.Is(err, sigv4.ErrExpired):
		return who, expired(svc, s, now)
	case err != nil:
		return who, mismatch(svc)
	}
	if temporary != nil && now.After(temporary.expires) {
		if svc == serviceEC2 {
			return who, query.Refuse("RequestExpired", "Request has expired.")
		}
		return who, query.Refuse("ExpiredToken"+svc.exception(), "The security token included in the request is expired")
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

// exception ends the codes of services that answer in JSON.
func (svc service) exception() string {
	if svc == serviceEC2 || svc == serviceSTS {
		return ""
	}
	return "Exception"
}

func incomplete(svc service, err error) error {
	return query.Refuse("IncompleteSignature"+svc.exception(), "%s", clip(err.Error()))
}

func stranger(svc service) error {
	const invalid = "The security token included in the request is invalid."
	switch svc {
	case serviceEC2:
		return query.Refuse("AuthFailure", "AWS was not able to validate the provided access credentials")
	case serviceSTS:
		return query.Refuse("InvalidClientTokenId", invalid)
	}
	return query.Refuse("UnrecognizedClientException", invalid)
}

// codeOfScope is the code of a signature for another service.
func codeOfScope(svc service) string {
	if svc == serviceEC2 {
		return "SignatureDoesNotMatch"
	}
	return svc.invalidSignature()
}

// invalidSignature is the code of a signature that is wrong or too old.
func (svc service) invalidSignature() string {
	if svc == serviceSTS {
		return "SignatureDoesNotMatch"
	}
	return "InvalidSignatureException"
}

func mismatch(svc service) error {
	if svc != serviceEC2 {
		return query.Refuse(svc.invalidSignature(), "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return stranger(svc)
}

func expired(svc service, s *sigv4.Signature, now time.Time) error {
	if svc != serviceEC2 {
		const form = "20060102T150405Z"
		return query.Refuse(svc.invalidSignature(), "%s", fmt.Sprintf("Signature expired or not yet current: %s is too far from %s",
			s.Time.Format(form), now.UTC().Format(form)))
	}
	return query.Refuse("RequestExpired", "Request has expired.")
}
