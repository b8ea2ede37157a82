package ec2

import (
	"strconv"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

func bindTrunks(t map[string]handler) {
	bind(t, "BranchInterfaceId TrunkInterfaceId VlanId GreKey", associateTrunkInterface)
	bind(t, "AssociationId Filter MaxResults NextToken", describeTrunkInterfaceAssociations)
	bind(t, "AssociationId", disassociateTrunkInterface)
}

type trunk = *control.TrunkAssociation

func trunkAssociation(a trunk) *model.TrunkInterfaceAssociation {
	out := &model.TrunkInterfaceAssociation{
		AssociationId: &a.ID, BranchInterfaceId: &a.Branch, TrunkInterfaceId: &a.Trunk, InterfaceProtocol: new(a.Protocol()), GreKey: a.GRE,
	}
	if a.GRE == nil {
		out.VlanId = &a.VLAN
	}
	return out
}

var trunkAssociations = listing[control.TrunkAssociation]{
	control.TrunkAssociationID, &trunkFilters, (*control.State).TrunkAssociation, (*control.State).TrunkAssociations,
}

var trunkFilters = filterable[trunk]{
	action: "DescribeTrunkInterfaceAssociations",
	fields: map[string]field[trunk]{
		"gre-key": some(func(_ *call, a trunk) []string {
			if a.GRE == nil {
				return nil
			}
			return []string{strconv.Itoa(*a.GRE)}
		}),
		"interface-protocol": one(func(_ *call, a trunk) string { return a.Protocol() }),
	},
}

func associateTrunkInterface(c *call, in *model.AssociateTrunkInterfaceRequest) (result, error) {
	a, err := c.command().AssociateTrunk(c.ctx, control.AssociateTrunkInput{
		Branch: *in.BranchInterfaceId, Trunk: *in.TrunkInterfaceId, VLAN: in.VlanId, GRE: in.GreKey,
	})
	if err != nil {
		return nil, err
	}
	return &model.AssociateTrunkInterfaceResult{InterfaceAssociation: trunkAssociation(a), ClientToken: in.ClientToken}, nil
}

func describeTrunkInterfaceAssociations(c *call, in *model.DescribeTrunkInterfaceAssociationsRequest) (result, error) {
	rows, next, err := listed(c, trunkAssociations, asked{in.Filters, in.MaxResults, in.NextToken, in.AssociationIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeTrunkInterfaceAssociationsResult{InterfaceAssociations: []model.TrunkInterfaceAssociation{}, NextToken: next}
	for _, a := range rows {
		out.InterfaceAssociations = append(out.InterfaceAssociations, *trunkAssociation(a))
	}
	return out, nil
}

func disassociateTrunkInterface(c *call, in *model.DisassociateTrunkInterfaceRequest) (result, error) {
	if err := c.command().DisassociateTrunk(c.ctx, *in.AssociationId); err != nil {
		return nil, err
	}
	return &model.DisassociateTrunkInterfaceResult{Return: new(true), ClientToken: in.ClientToken}, nil
}
