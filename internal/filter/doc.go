// Package filter is the one language in which people say which frames they mean:
// on the page, in the admin API and on the command line. Parse reads it and says
// in words, with a place, what it cannot read; Compile makes an evaluator over the
// data plane's records that allocates nothing a record.
//
//	expr := or        or   := and ('or' and)*      and := not ('and'? not)*
//	not  := ('not' | '-')? atom                    atom := '(' expr ')' | field op value | word
//	op   := ':' '=' '!=' '<' '<=' '>' '>=' '~'     value := literal | CIDR | a..b | (a,b,c) | "quoted"
//
// What a record does not hold is refused with a reason: an answer that is always
// empty is no answer. docs/filters.md is the user's page.
package filter

import (
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/verdict"
)

// Named is something with an id and, maybe, a name.
type Named struct{ ID, Name string }

// Facts are what an interface was from an instant on: whose, where and in which
// groups. They do not change; a change makes new Facts.
type Facts struct {
	N         uint32 // dense, from 0: what is known of it may be looked up by it
	Since     int64  // Unix nanoseconds
	Interface Named
	MAC       string
	Device    int   // index at its instance
	Instance  Named // zero: attached to none; a host of the internet is its own
	Subnet    Named
	VPC       Named
	Zone      string
	Groups    []Named
}

// World resolves what records hold by number.
type World interface {
	// Facts of a VNIC at an instant; nil if nothing is known of it.
	Facts(vnic uint32, at int64) *Facts
	RuleName(id verdict.RuleID) string
	Way(id dataplane.WayID) dataplane.Way
}
