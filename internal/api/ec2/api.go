package ec2

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"enilab/internal/control"
)

// DefaultAccount owns everything in a laboratory.
const DefaultAccount = "123456789012"

// Options of an API. Control and Region are required.
type Options struct {
	Control *control.Service
	// Region is Control's. A request signed for another region is answered
	// from this one.
	Region  string
	Account string // 12 digits; "": DefaultAccount
	// Keys are secrets by access key id. None: any key is taken and no
	// signature is verified. Some: every request must be signed by one of them
	// or by temporary credentials that AssumeRole gave.
	Keys   map[string]string
	Now    func() time.Time // nil: time.Now
	Random func([]byte)     // safe for concurrent use; nil: crypto/rand
}

// API answers EC2 and STS requests.
type API struct {
	opt      Options
	tokens   *tokens
	sessions *sessions
	zones    []zone // of the region
}

// New builds an API; Register puts it behind a server.
func New(opt Options) (*API, error) {
	if opt.Control == nil {
		return nil, errors.New("EC2 API: Control is required")
	}
	if opt.Account == "" {
		opt.Account = DefaultAccount
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Random == nil {
		opt.Random = func(b []byte) { _, _ = rand.Read(b) }
	}
	r, ok := regions()[opt.Region]
	if !ok {
		return nil, fmt.Errorf("EC2 API: no region %q, want one such as us-east-1", opt.Region)
	}
	return &API{opt: opt, tokens: newTokens(), sessions: newSessions(), zones: r.zones}, nil
}

// arn names a resource of the account.
func (a *API) arn(kind, id string) string {
	return "arn:aws:ec2:" + a.opt.Region + ":" + a.opt.Account + ":" + kind + "/" + id
}
