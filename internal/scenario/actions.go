package scenario

import (
	"context"
	"errors"
	"maps"
	"slices"

	"enilab/internal/api/apifault"
	"enilab/internal/control"
)

// action is what a step does to the network, or has go wrong there.
type action interface {
	String() string
	check(c *checker, at string)
	do(ctx context.Context, r *Session) error
}

// changes are the actions by which a step changes what the network has, each by the
// call that EC2's clients make, and those by which something goes wrong.
type changes struct {
	Associate           *associating        `yaml:"associate"`
	Disassociate        *disassociating     `yaml:"disassociate"`
	Assign              *assigning          `yaml:"assign"`
	Unassign            *unassigning        `yaml:"unassign"`
	CreateRoute         *creatingRoute      `yaml:"createRoute"`
	ReplaceRoute        *replacingRoute     `yaml:"replaceRoute"`
	DeleteRoute         *deletingRoute      `yaml:"deleteRoute"`
	AssociateRouteTable *associatingTable   `yaml:"associateRouteTable"`
	AssociateNetworkACL *associatingACL     `yaml:"associateNetworkAcl"`
	SourceDestCheck     *checkingSourceDest `yaml:"sourceDestCheck"`
	Authorize           *authorizing        `yaml:"authorize"`
	Revoke              *revoking           `yaml:"revoke"`
	CreateACLEntry      *creatingACLEntry   `yaml:"createAclEntry"`
	ReplaceACLEntry     *replacingACLEntry  `yaml:"replaceAclEntry"`
	DeleteACLEntry      *deletingACLEntry   `yaml:"deleteAclEntry"`

	AcceptPeering       *acceptingPeering      `yaml:"acceptPeering"`
	DeletePeering       *deletingPeering       `yaml:"deletePeering"`
	CreateTransitRoute  *creatingTransitRoute  `yaml:"createTransitRoute"`
	ReplaceTransitRoute *replacingTransitRoute `yaml:"replaceTransitRoute"`
	DeleteTransitRoute  *deletingTransitRoute  `yaml:"deleteTransitRoute"`

	Partition *parting     `yaml:"partition"`
	Metadata  *lagging     `yaml:"metadata"`
	API       *callsFailed `yaml:"api"`
	Chaos     *chaos       `yaml:"chaos"`
}

// given returns the actions that are set, by key.
func (ch *changes) given() map[string]action {
	out := map[string]action{}
	put(out, "associate", ch.Associate)
	put(out, "disassociate", ch.Disassociate)
	put(out, "assign", ch.Assign)
	put(out, "unassign", ch.Unassign)
	put(out, "createRoute", ch.CreateRoute)
	put(out, "replaceRoute", ch.ReplaceRoute)
	put(out, "deleteRoute", ch.DeleteRoute)
	put(out, "associateRouteTable", ch.AssociateRouteTable)
	put(out, "associateNetworkAcl", ch.AssociateNetworkACL)
	put(out, "sourceDestCheck", ch.SourceDestCheck)
	put(out, "authorize", ch.Authorize)
	put(out, "revoke", ch.Revoke)
	put(out, "createAclEntry", ch.CreateACLEntry)
	put(out, "replaceAclEntry", ch.ReplaceACLEntry)
	put(out, "deleteAclEntry", ch.DeleteACLEntry)
	put(out, "acceptPeering", ch.AcceptPeering)
	put(out, "deletePeering", ch.DeletePeering)
	put(out, "createTransitRoute", ch.CreateTransitRoute)
	put(out, "replaceTransitRoute", ch.ReplaceTransitRoute)
	put(out, "deleteTransitRoute", ch.DeleteTransitRoute)
	put(out, "partition", ch.Partition)
	put(out, "metadata", ch.Metadata)
	put(out, "api", ch.API)
	put(out, "chaos", ch.Chaos)
	return out
}

// put leaves out what is nil, which an action would hide.
func put[T any, P interface {
	*T
	action
}](out map[string]action, key string, p P) {
	if p != nil {
		out[key] = p
	}
}

// the returns the action that is set, nil if none is. A step has one at most.
func (ch *changes) the() action {
	for _, a := range ch.given() {
		return a
	}
	return nil
}

// changeKeys lists the keys of changes.
func changeKeys() []string {
	all := changes{
		new(associating), new(disassociating), new(assigning), new(unassigning), new(creatingRoute), new(replacingRoute), new(deletingRoute),
		new(associatingTable), new(associatingACL), new(checkingSourceDest), new(authorizing), new(revoking), new(creatingACLEntry),
		new(replacingACLEntry), new(deletingACLEntry), new(acceptingPeering), new(deletingPeering), new(creatingTransitRoute), new(replacingTransitRoute),
		new(deletingTransitRoute), new(parting), new(lagging), new(callsFailed), new(chaos),
	}
	return slices.Sorted(maps.Keys(all.given()))
}

// call makes a call of the EC2 API, under the faults that are injected into those
// of its clients.
func (r *Session) call(ctx context.Context, operation string, call func(context.Context) error) error {
	if r.Gate == nil {
		return call(ctx)
	}
	return r.Gate(ctx, operation, call)
}

// refusalCode is the error code with which EC2, or a fault injected into its API,
// has answered.
func refusalCode(err error) (code string, ok bool) {
	var refusal *control.Error
	var injected *apifault.Answer
	switch {
	case errors.As(err, &refusal):
		return refusal.Code, true
	case errors.As(err, &injected):
		return injected.Code, true
	}
	return "", false
}
