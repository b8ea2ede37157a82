package control

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Assertion says that one end must reach another, or must not. It is kept until it
// is deleted, also when what it names is gone; whether it holds, internal/answers
// tells of any State.
type Assertion struct {
	ID          string // "assert-..."
	Name        string // unique; for people
	Source      string // id of an instance, a network interface or a host of the internet
	Destination string // one of those, or an IPv4 address
	Protocol    string // "tcp", "udp", "icmp"
	Port        int    // of TCP and UDP
	MustNot     bool   // it must not be reached
	CreatedAt   time.Time
}

// Identity implements Row. Assertions are of no region: ends may be of two.
func (a *Assertion) Identity() Identity { return Identity{a.ID, "", "", a.CreatedAt} }

// Assertion returns one assertion.
func (s *State) Assertion(id string) *Assertion {
	return seek[Assertion](s, TableAssertion, byID, id)
}

// Assertions returns every assertion.
func (s *State) Assertions() []*Assertion { return all[*Assertion](s, TableAssertion, byCreation) }

// PutAssertion creates (ID "") or replaces an assertion. unless, if it is not nil, is
// asked of what is replaced, and its error refuses.
func (s *Service) PutAssertion(ctx context.Context, a Assertion, unless func(*Assertion) error) (*Assertion, error) {
	return result(ctx, s, func(t *tx) (*Assertion, error) { return t.putAssertion(a, unless) })
}

// DeleteAssertion deletes an assertion; unless as PutAssertion's.
func (s *Service) DeleteAssertion(ctx context.Context, id string, unless func(*Assertion) error) error {
	return s.change(ctx, func(t *tx) error { return t.deleteAssertion(id, unless) })
}

const (
	maxAssertions    = 200 // all are evaluated on every draft
	maxAssertionName = 255 // characters
)

func (t *tx) assertion(id string) (*Assertion, error) {
	return find[Assertion](t, AssertionID, TableAssertion, byID, "assertionId", id)
}

// assertionEnd refuses an end that is not there, and an address where none may be.
func (t *tx) assertionEnd(field, id string, address bool) error {
	if a, err := netip.ParseAddr(id); err == nil && address {
		if !a.Is4() {
			return invalid(field, "The address %s is not IPv4, which alone is asked about.", a)
		}
		return nil
	}
	var err error
	switch prefix, _, _ := strings.Cut(id, "-"); prefix + "-" {
	case InstanceID.Prefix:
		_, err = t.instance(id)
	case InterfaceID.Prefix:
		_, err = t.networkInterface(id)
	case InternetHostID.Prefix:
		_, err = t.internetHost(id)
	default:
		also := ""
		if address {
			also = ", or an IPv4 address"
		}
		return invalid(field, "Value (%.100s) for parameter %s is invalid. Want the ID of an instance, a network interface or an internet host%s.", id, field, also)
	}
	var refused *Error
	if errors.As(err, &refused) {
		of := *refused
		of.Field = field
		return &of
	}
	return err
}

func (t *tx) putAssertion(a Assertion, unless func(*Assertion) error) (*Assertion, error) {
	typ := "assertion.created"
	a.CreatedAt = t.now
	if a.ID != "" {
		old, err := t.assertion(a.ID)
		if err != nil {
			return nil, err
		}
		if unless != nil {
			if err := unless(old); err != nil {
				return nil, err
			}
		}
		a.CreatedAt, typ = old.CreatedAt, "assertion.changed"
	} else if len(list[*Assertion](t, TableAssertion, byID)) >= maxAssertions {
		return nil, invalid("", "There are %d assertions already, which is the most that are evaluated on every draft. Delete one first.", maxAssertions)
	}
	if err := t.assertionEnd("sourceId", a.Source, false); err != nil {
		return nil, err
	}
	if err := t.assertionEnd("destination", a.Destination, true); err != nil {
		return nil, err
	}
	switch {
	case a.Source == a.Destination:
		return nil, invalid("destination", "The source and the destination of an assertion must not be the same.")
	case a.Protocol != "tcp" && a.Protocol != "udp" && a.Protocol != "icmp":
		return nil, invalid("protocol", "Value (%.100s) for parameter protocol is invalid. Valid values: tcp, udp, icmp.", a.Protocol)
	case a.Protocol == "icmp" && a.Port != 0:
		return nil, invalid("port", "ICMP has no ports.")
	case a.Protocol != "icmp" && (a.Port < 1 || a.Port > 65535):
		return nil, invalid("port", "Value (%d) for parameter port is invalid. Want 1 to 65535.", a.Port)
	case strings.TrimSpace(a.Name) == "":
		return nil, refuse(codeMissing, "name", "The request must contain the parameter name")
	case !utf8.ValidString(a.Name) || utf8.RuneCountInString(a.Name) > maxAssertionName:
		return nil, invalid("name", "A name has 1 to %d characters of UTF-8.", maxAssertionName)
	case strings.ContainsFunc(a.Name, unicode.IsControl):
		return nil, invalid("name", "A name is one line: it has no line breaks and no other control characters.")
	}
	if o := get[*Assertion](t, TableAssertion, byName, a.Name); o != nil && o.ID != a.ID {
		return nil, invalid("name", "The assertion %s has the name %q already.", o.ID, a.Name)
	}
	if a.ID == "" {
		var err error
		if a.ID, err = t.mintRow(TableAssertion, AssertionID.Prefix); err != nil {
			return nil, err
		}
	}
	t.put(TableAssertion, &a)
	t.emit(typ, a.ID, "name", a.Name)
	return &a, nil
}

func (t *tx) deleteAssertion(id string, unless func(*Assertion) error) error {
	a, err := t.assertion(id)
	if err != nil {
		return err
	}
	if unless != nil {
		if err := unless(a); err != nil {
			return err
		}
	}
	t.remove(TableAssertion, a)
	t.emit("assertion.deleted", id, "name", a.Name)
	return nil
}
