package control

import (
	"context"
	"time"
)

// InterfacePermission lets another account or an AWS service use an ENI.
type InterfacePermission struct {
	ID         string // "eni-perm-..."
	Region     string
	Interface  string
	Account    string
	Service    string
	Permission string // INSTANCE-ATTACH, EIP-ASSOCIATE
	CreatedAt  time.Time
}

// InterfacePermission returns one network interface permission.
func (s *State) InterfacePermission(id string) *InterfacePermission {
	return seek[InterfacePermission](s, TableInterfacePermission, byID, id)
}

// InterfacePermissions returns every network interface permission.
func (s *State) InterfacePermissions() []*InterfacePermission {
	return all[*InterfacePermission](s, TableInterfacePermission, byCreation)
}

// Permissions that an ENI's owner can give (EC2 InterfacePermissionType).
const (
	PermitAttach = "INSTANCE-ATTACH"
	PermitEIP    = "EIP-ASSOCIATE"
)

// CreatePermissionInput is CreateNetworkInterfacePermission's: exactly one of
// Account and Service.
type CreatePermissionInput struct {
	Interface, Account, Service, Permission string
}

// CreatePermission lets another account or a service use an ENI. enilab has one
// account, so that nobody comes to use it.
func (s *Service) CreatePermission(ctx context.Context, in CreatePermissionInput) (*InterfacePermission, error) {
	return result(ctx, s, func(t *tx) (*InterfacePermission, error) { return t.createPermission(in) })
}

// DeletePermission takes a permission back.
func (s *Service) DeletePermission(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deletePermission(id) })
}

func (t *tx) createPermission(in CreatePermissionInput) (*InterfacePermission, error) {
	n, err := t.ownInterface(in.Interface)
	if err != nil {
		return nil, err
	}
	switch {
	case in.Permission != PermitAttach && in.Permission != PermitEIP:
		return nil, invalid("permission", "Value (%s) for parameter permission is invalid. It must be %s or %s.", in.Permission, PermitAttach, PermitEIP)
	case in.Account == "" && in.Service == "":
		return nil, refuse(codeMissing, "awsAccountId", "The request must contain the parameter awsAccountId")
	case in.Account != "" && in.Service != "":
		return nil, refuse(codeCombination, "awsService", "You may specify an account or a service, but not both in the same call") // unverified: text
	}
	for _, p := range list[*InterfacePermission](t, TableInterfacePermission, byInterface, n.ID) {
		if p.Account == in.Account && p.Service == in.Service && p.Permission == in.Permission {
			return nil, refuse("InvalidPermission.Duplicate", "permission", // unverified: code and text
				"The permission %s on network interface '%s' already exists.", in.Permission, n.ID)
		}
	}
	id, err := t.mintRow(TableInterfacePermission, PermissionID.Prefix)
	if err != nil {
		return nil, err
	}
	p := &InterfacePermission{
		ID: id, Region: n.Region, Interface: n.ID, Account: in.Account, Service: in.Service, Permission: in.Permission, CreatedAt: t.now,
	}
	t.put(TableInterfacePermission, p)
	t.emit("network-interface-permission.created", id, "networkInterface", n.ID, "permission", p.Permission)
	return p, nil
}

func (t *tx) deletePermission(id string) error {
	p, err := find[InterfacePermission](t, PermissionID, TableInterfacePermission, byID, "networkInterfacePermissionId", id)
	if err != nil {
		return err
	}
	t.remove(TableInterfacePermission, p)
	t.emit("network-interface-permission.deleted", id, "networkInterface", p.Interface)
	return nil
}
