package linklocal

import (
	"slices"

	"enilab/internal/dataplane/frame"
)

// Place is a kind of address at which a service answers.
type Place uint8

// Places. The zero is no place of a service.
const (
	Nowhere Place = iota
	// Fixed: one address, the same in every VPC.
	Fixed
	// Resolver: the address that a VPC keeps for its DNS server, its primary
	// block's base plus two.
	Resolver
	// Router: that of the router of the sender's subnet, and the limited
	// broadcast, by which a host without an address reaches it.
	Router
)

// Endpoint is where a service answers.
type Endpoint struct {
	Place Place
	Addr  frame.IPv4 // of Fixed
	Proto uint8
	Port  uint16 // 0: every port of the protocol
}

// Registry tells which service answers where. It is immutable; the nil Registry
// has no service.
type Registry[S comparable] struct{ entries []entry[S] }

type entry[S comparable] struct {
	Endpoint
	service S
}

// With returns r with s at every endpoint of at. ok is false if something
// answers at one of them already.
func (r *Registry[S]) With(s S, at ...Endpoint) (next *Registry[S], ok bool) {
	next = &Registry[S]{}
	if r != nil {
		next.entries = slices.Clone(r.entries)
	}
	for _, e := range at {
		if slices.ContainsFunc(next.entries, func(o entry[S]) bool {
			return o.Place == e.Place && o.Addr == e.Addr && o.Proto == e.Proto && (o.Port == e.Port || o.Port == 0 || e.Port == 0)
		}) {
			return r, false
		}
		next.entries = append(next.entries, entry[S]{e, s})
	}
	return next, true
}

// Without returns r without s.
func (r *Registry[S]) Without(s S) *Registry[S] {
	if r == nil {
		return nil
	}
	next := &Registry[S]{entries: slices.DeleteFunc(slices.Clone(r.entries), func(e entry[S]) bool { return e.service == s })}
	if len(next.entries) == 0 {
		return nil
	}
	return next
}

// Has reports whether any service answers at a place. addr is Fixed's, else 0.
func (r *Registry[S]) Has(at Place, addr frame.IPv4) bool {
	if r == nil {
		return false
	}
	for i := range r.entries {
		if e := &r.entries[i]; e.Place == at && e.Addr == addr {
			return true
		}
	}
	return false
}

// Find returns who answers at a port of a place, the zero S for nobody.
func (r *Registry[S]) Find(at Place, addr frame.IPv4, proto uint8, port uint16) (s S) {
	if r == nil {
		return s
	}
	for i := range r.entries {
		if e := &r.entries[i]; e.Place == at && e.Addr == addr && e.Proto == proto && (e.Port == port || e.Port == 0) {
			return e.service
		}
	}
	return s
}
