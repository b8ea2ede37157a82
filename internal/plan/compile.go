package plan

import (
	"context"
	"reflect"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

// Network is what follows Deltas: the engine with its guests, as guest.Plane has
// them.
type Network interface {
	// Apply puts d into force and returns when no frame follows the old
	// configuration. Calls come one at a time, by rising generation; the one
	// after a refusal may have the refused generation again.
	//
	// The acknowledgement tells how far an error went. With d's generation in
	// it the network follows d and a guest failed to; with the zero Ack
	// nothing of d is in force.
	Apply(ctx context.Context, d spec.Delta) (spec.Ack, error)
}

// Plane is the control.Plane of a Network. It remembers nothing.
type Plane struct{ Network Network }

// Follow compiles a Turn and has the Network apply it. One that means nothing to
// the network is in force already.
func (p Plane) Follow(ctx context.Context, t control.Turn) (spec.Ack, error) {
	d := Compile(t)
	if d.Empty() {
		return spec.Ack{Generation: d.Generation}, nil
	}
	return p.Network.Apply(ctx, d)
}

// Compile turns what has changed into what the network must do. A row whose
// meaning for the network is the same before and after is left out: most ends of
// transitional states are.
func Compile(t control.Turn) spec.Delta {
	d := spec.Delta{Generation: t.After.Revision(), Announce: t.Announce}
	for _, c := range concerned(t) {
		switch c.Table {
		case control.TableRouteTable:
			differ(t, c, routeTableSpec, &d.RouteTables, &d.RemoveRouteTables)
		case control.TableTransitGateway:
			differ(t, c, transitSpec, &d.Transits, &d.RemoveTransits)
		case control.TableNetworkACL:
			differ(t, c, aclSpec, &d.ACLs, &d.RemoveACLs)
		case control.TableInternetGateway:
			differ(t, c, gatewaySpec, &d.Gateways, &d.RemoveGateways)
		case control.TableSubnet:
			differ(t, c, subnetSpec, &d.Subnets, &d.RemoveSubnets)
		case control.TableSecurityGroup:
			differ(t, c, groupSpec, &d.Groups, &d.RemoveGroups)
		case control.TableNetworkInterface:
			differ(t, c, vnicSpec, &d.VNICs, &d.RemoveVNICs)
		case control.TableInstance:
			differ(t, c, hostSpec, &d.Hosts, &d.RemoveHosts)
		case control.TableInternetHost:
			differ(t, c, internetVNICSpec, &d.VNICs, &d.RemoveVNICs)
			differ(t, c, internetHostSpec, &d.Hosts, &d.RemoveHosts)
		case control.TableVPCEndpoint:
			differ(t, c, gatewayEndpointSpec, &d.VNICs, &d.RemoveVNICs)
		}
	}
	// The subnet of the internet is no row.
	switch was, is := internetSubnetSpec(t.Before), internetSubnetSpec(t.After); {
	case was == nil && is != nil:
		d.Subnets = append(d.Subnets, *is)
	case was != nil && is == nil:
		d.RemoveSubnets = append(d.RemoveSubnets, internetSubnet)
	}
	return d
}

// differ compiles one row in both States and adds what changed to set or to
// remove. compiled returns nil for a row without presence in the network.
func differ[R any, S any](t control.Turn, c control.Change, compiled func(*control.State, *R) *S, set *[]S, remove *[]string) {
	var was, is *S
	if r, ok := c.Before.(*R); ok && r != nil {
		was = compiled(t.Before, r)
	}
	if r, ok := c.After.(*R); ok && r != nil {
		is = compiled(t.After, r)
	}
	switch {
	case is == nil && was != nil:
		*remove = append(*remove, c.ID)
	case is != nil && (was == nil || !reflect.DeepEqual(was, is)):
		*set = append(*set, *is)
	}
}
