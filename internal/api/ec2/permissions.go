package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindPermissions(t map[string]handler) {
	bind(t, "NetworkInterfaceId AwsAccountId AwsService Permission", createNetworkInterfacePermission)
	bind(t, "NetworkInterfacePermissionId Filter MaxResults NextToken", describeNetworkInterfacePermissions)
	// Nobody uses a permission here, so that there is nothing to force.
	bind(t, "NetworkInterfacePermissionId Force", deleteNetworkInterfacePermission)
}

func grant(p *control.InterfacePermission) model.NetworkInterfacePermission {
	return model.NetworkInterfacePermission{
		NetworkInterfacePermissionId: &p.ID, NetworkInterfaceId: &p.Interface, AwsAccountId: text(p.Account), AwsService: text(p.Service),
		Permission: &p.Permission, PermissionState: &model.NetworkInterfacePermissionState{State: new("granted")},
	}
}

type permit = *control.InterfacePermission

var grants = listing[control.InterfacePermission]{
	control.PermissionID, &grantFilters, (*control.State).InterfacePermission, (*control.State).InterfacePermissions,
}

var grantFilters = filterable[permit]{
	action: "DescribeNetworkInterfacePermissions",
	fields: map[string]field[permit]{
		"network-interface-permission.aws-account-id":                  textOr(func(_ *call, p permit) string { return p.Account }),
		"network-interface-permission.aws-service":                     textOr(func(_ *call, p permit) string { return p.Service }),
		"network-interface-permission.network-interface-id":            one(func(_ *call, p permit) string { return p.Interface }),
		"network-interface-permission.network-interface-permission-id": one(func(_ *call, p permit) string { return p.ID }),
		"network-interface-permission.permission":                      one(func(_ *call, p permit) string { return p.Permission }),
	},
}

func createNetworkInterfacePermission(c *call, in *model.CreateNetworkInterfacePermissionRequest) (result, error) {
	p, err := c.command().CreatePermission(c.ctx, control.CreatePermissionInput{
		Interface: *in.NetworkInterfaceId, Account: query.Value(in.AwsAccountId), Service: query.Value(in.AwsService), Permission: *in.Permission,
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateNetworkInterfacePermissionResult{InterfacePermission: new(grant(p))}, nil
}

func describeNetworkInterfacePermissions(c *call, in *model.DescribeNetworkInterfacePermissionsRequest) (result, error) {
	rows, next, err := listed(c, grants, asked{in.Filters, in.MaxResults, in.NextToken, in.NetworkInterfacePermissionIds})
	if err != nil {
		return nil, err
	}
	out := &model.DescribeNetworkInterfacePermissionsResult{NetworkInterfacePermissions: []model.NetworkInterfacePermission{}, NextToken: next}
	for _, p := range rows {
		out.NetworkInterfacePermissions = append(out.NetworkInterfacePermissions, grant(p))
	}
	return out, nil
}

func deleteNetworkInterfacePermission(c *call, in *model.DeleteNetworkInterfacePermissionRequest) (result, error) {
	if err := c.command().DeletePermission(c.ctx, *in.NetworkInterfacePermissionId); err != nil {
		return nil, err
	}
	return &model.DeleteNetworkInterfacePermissionResult{Return: new(true)}, nil
}
