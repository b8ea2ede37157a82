package ec2

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"enilab/internal/api/apifault"
	"enilab/internal/api/calls"
	"enilab/internal/control"
)

// DefaultAccount owns everything in a laboratory.
const DefaultAccount = "123456789012"

// Options of an API. Control is required.
type Options struct {
	// Control is asked for the region that a request is signed for, or its own
	// one if the request does not say.
	Control *control.Service
	Account string // 12 digits; "": DefaultAccount
	// Keys are secrets by access key id. None: any key is taken and no
	// signature is verified. Some: every request must be signed by one of them
	// or by temporary credentials that AssumeRole gave.
	Keys   map[string]string
	Faults *apifault.Set    // injected into calls; nil: none
	Calls  *calls.Log       // where requests are noted; nil: nowhere
	Now    func() time.Time // nil: time.Now
	Random func([]byte)     // safe for concurrent use; nil: crypto/rand
}

// API answers EC2 and STS requests.
type API struct {
	opt      Options
	tokens   *tokens
	sessions *sessions
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
	if control.RegionByName(opt.Control.Region()) == nil {
		return nil, fmt.Errorf("EC2 API: no region %q, want one such as us-east-1", opt.Control.Region())
	}
	opt.Faults.Declare(apifault.EC2, operationNames(), func(code string) int { return statusOf(serviceEC2, code) })
	return &API{opt: opt, tokens: newTokens(), sessions: newSessions()}, nil
}

// arn names a resource of the account in the region of the call.
func (c *call) arn(kind, id string) string {
	return "arn:" + control.Partition(c.region.Name) + ":ec2:" + c.region.Name + ":" + c.api.opt.Account + ":" + kind + "/" + id
}
