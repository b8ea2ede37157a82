// Package apifault makes calls of the EC2 and admin APIs fail, be throttled or
// hang on purpose, so that automation can be tested against a bad day. It
// decides which call is hit and waits; it answers nothing itself and knows no
// network.
package apifault

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"enilab/internal/control"
)

// API is one of the two that can have a bad day.
type API string

// The APIs. EC2 includes STS.
const (
	EC2   API = "ec2"
	Admin API = "admin"
)

// Kind is what happens to a call.
type Kind string

// Kinds.
const (
	Fail     Kind = "fail"     // answered with the fault's error
	Throttle Kind = "throttle" // answered with RequestLimitExceeded
	Hang     Kind = "hang"     // held for a while, then let go on
)

// When is the side of the effect on which it happens.
type When string

// Sides.
const (
	Before When = "before" // nothing has been done
	After  When = "after"  // all has been done, and the answer is late or lost
)

// Every is the operation of a fault that hits any.
const Every = "*"

// Bounds.
const (
	MaxFaults = 100
	MaxHang   = 10 * time.Minute
	// MaxSeed is the largest that JavaScript's numbers hold exactly.
	MaxSeed = 1<<53 - 1
	maxCode = 128
	maxText = 1024
)

// Fault is a rule for calls. Faults are tried in the order of their making; a
// call can be hit by several, until one of them answers.
type Fault struct {
	ID        string // "af-..."
	API       API
	Operation string // an EC2 action, an operationId of the admin API, or Every
	Kind      Kind
	When      When

	// Code, Message and Status are the answer of Fail. Status 0 is the one that
	// the API gives to Code.
	Code, Message string
	Status        int
	Hang          time.Duration // of Hang

	// Calls is how many calls are hit before the fault is spent, 0: no bound.
	Calls int
	// Share is the part of the calls that is hit, in (0, 1]. Whether the n-th
	// call is depends on Seed and n alone.
	Share float64
	Seed  uint64
	// Roles are the ARNs of the IAM roles whose calls are hit; none: everybody's.
	// A call by no role is of any.
	Roles []string

	CreatedAt time.Time
	Seen      uint64 // calls that have come to it
	Injected  uint64 // of them hit
}

// Spent reports whether the fault hits nothing any more.
func (f *Fault) Spent() bool { return f.Calls > 0 && f.Injected >= uint64(f.Calls) }

func wrong(field, format string, args ...any) error {
	return &control.Error{Code: "InvalidParameterValue", Field: field, Message: fmt.Sprintf(format, args...)}
}

// Check tells what is wrong with a fault, all but its API and operation.
func (f Fault) Check() error { return f.complete() }

// complete fills in what may be left out and tells what is wrong.
func (f *Fault) complete() error {
	if f.When == "" {
		f.When = Before
	}
	if f.When != Before && f.When != After {
		return wrong("when", "A fault comes before or after the effect, not '%s'.", f.When)
	}
	if f.Share == 0 {
		f.Share = 1
	}
	if !(f.Share > 0 && f.Share <= 1) {
		return wrong("share", "A share is above 0 and at most 1, not %v.", f.Share)
	}
	if f.Seed > MaxSeed {
		return wrong("seed", "A seed is at most %d, not %d.", uint64(MaxSeed), f.Seed)
	}
	if f.Calls < 0 {
		return wrong("calls", "A number of calls is not negative.")
	}
	answers := f.Code != "" || f.Message != "" || f.Status != 0
	switch f.Kind {
	case Hang:
		if f.Hang <= 0 || f.Hang > MaxHang {
			return wrong("hangMs", "A hang lasts more than 0 and at most %v, not %v.", MaxHang, f.Hang)
		}
		if answers {
			return wrong("code", "A hang has no error: make a second fault that fails the call.")
		}
		return nil
	case Throttle:
		if answers {
			return wrong("code", "A throttled call is answered with RequestLimitExceeded: to choose the error, make the kind fail.")
		}
		// EC2's text, and the code's status in either API.
		f.Code, f.Message, f.Status = "RequestLimitExceeded", "Request limit exceeded.", 503
	case Fail:
		if f.Code == "" || len(f.Code) > maxCode || strings.Trim(f.Code, codeLetters) != "" {
			return wrong("code", "A failing call needs an error code of at most %d letters, digits and dots, such as InternalError.", maxCode)
		}
		if len(f.Message) > maxText {
			return wrong("message", "A message has at most %d bytes.", maxText)
		}
		if f.Status != 0 && (f.Status < 400 || f.Status > 599) {
			return wrong("status", "The status of an error is 400 to 599, not %d.", f.Status)
		}
	default:
		return wrong("kind", "A call can fail, throttle or hang, not '%s'.", f.Kind)
	}
	if f.Hang != 0 {
		return wrong("hangMs", "Only a hang lasts: make a second fault for it.")
	}
	return nil
}

const codeLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789."

// hits reports whether the n-th call that the fault sees is hit.
func (f *Fault) hits(n uint64) bool {
	if f.Share >= 1 {
		return true
	}
	// SplitMix64: neighbouring numbers give unrelated ones.
	z := f.Seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11)/(1<<53) < f.Share
}

// concerns reports whether a fault is for the calls of a role, "" for none.
func (f *Fault) concerns(role string) bool {
	return len(f.Roles) == 0 || role == "" || slices.Contains(f.Roles, role)
}

// Answer is the error with which an injected fault answers.
type Answer struct {
	Code, Message string
	Status        int
}

func (a *Answer) Error() string { return a.Code + ": " + a.Message }
