package control

import (
	"context"

	"enilab/internal/dataplane/spec"
)

// Every error of a command is an *Error with EC2's code and text.

// CreateVPC makes a VPC with its default security group.
func (s *Service) CreateVPC(ctx context.Context, in CreateVPCInput) (*VPC, error) {
	return result(ctx, s, func(t *tx) (*VPC, error) { return t.createVPC(in) })
}

// DeleteVPC deletes a VPC that holds nothing but its default group.
func (s *Service) DeleteVPC(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteVPC(id) })
}

// CreateSubnet makes a subnet in one zone.
func (s *Service) CreateSubnet(ctx context.Context, in CreateSubnetInput) (*Subnet, error) {
	return result(ctx, s, func(t *tx) (*Subnet, error) { return t.createSubnet(in) })
}

// DeleteSubnet deletes a subnet without ENIs.
func (s *Service) DeleteSubnet(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteSubnet(id) })
}

// RunInstance launches one instance. It is pending in the State and its guest
// boots when the call returns.
func (s *Service) RunInstance(ctx context.Context, in RunInstanceInput) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.runInstance(in) })
}

// Launch launches instances, all in one commit or none.
func (s *Service) Launch(ctx context.Context, in LaunchInput) ([]*Instance, error) {
	return result(ctx, s, func(t *tx) ([]*Instance, error) { return t.launch(in) })
}

// StartInstance boots a stopped instance anew and clears its fault.
func (s *Service) StartInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.startInstance(id) })
}

// StopInstance switches an instance off; its ENIs and addresses stay.
func (s *Service) StopInstance(ctx context.Context, id string, force bool) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.stopInstance(id, force) })
}

// HibernateInstance stops an instance that was launched for hibernation.
func (s *Service) HibernateInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.switchOff(id, false, true) })
}

// RebootInstance boots the guest anew, which ends a freeze.
func (s *Service) RebootInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.rebootInstance(id) })
}

// TerminateInstance switches an instance off for good. ENIs to delete on
// termination are deleted when it is terminated; the others become available.
func (s *Service) TerminateInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.terminateInstance(id) })
}

// FailInstance injects a fault into a running instance.
func (s *Service) FailInstance(ctx context.Context, id string, f Fault) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.failInstance(id, f) })
}

// RecoverInstance clears the injected fault, and starts the instance again if
// the fault was FaultStop.
func (s *Service) RecoverInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.recoverInstance(id) })
}

// SetWorkloads replaces what runs in an instance.
func (s *Service) SetWorkloads(ctx context.Context, id string, w []spec.Workload) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setWorkloads(id, w) })
}

// SetServe replaces the ports that an instance serves beside those that every
// one does.
func (s *Service) SetServe(ctx context.Context, id string, p []spec.ServedPort) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setServe(id, p) })
}

// PauseTraffic pauses or resumes every workload of every instance and internet
// host in one commit.
func (s *Service) PauseTraffic(ctx context.Context, paused bool) error {
	return s.change(ctx, func(t *tx) error { return t.pauseTraffic(paused) })
}

// CreateInterface makes an ENI, unattached.
func (s *Service) CreateInterface(ctx context.Context, in CreateInterfaceInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.createInterface(in) })
}

// ModifyInterface changes exactly one attribute of an ENI.
func (s *Service) ModifyInterface(ctx context.Context, in ModifyInterfaceInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.modifyInterface(in) })
}

// DeleteInterface deletes an unattached ENI.
func (s *Service) DeleteInterface(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteInterface(id) })
}

// AssignAddresses adds secondary private addresses or prefixes, all or none,
// and returns which.
func (s *Service) AssignAddresses(ctx context.Context, in AssignAddressesInput) (*NetworkInterface, Assigned, error) {
	return assigned(ctx, s, func(t *tx) (*NetworkInterface, Assigned, error) { return t.assignAddresses(in) })
}

// AssignIPv6 adds IPv6 addresses and prefixes, all or none, and returns which.
func (s *Service) AssignIPv6(ctx context.Context, in AssignIPv6Input) (*NetworkInterface, Assigned, error) {
	return assigned(ctx, s, func(t *tx) (*NetworkInterface, Assigned, error) { return t.assignIPv6(in) })
}

func assigned(ctx context.Context, s *Service, f func(*tx) (*NetworkInterface, Assigned, error)) (*NetworkInterface, Assigned, error) {
	type both struct {
		n   *NetworkInterface
		got Assigned
	}
	b, err := result(ctx, s, func(t *tx) (b both, err error) {
		b.n, b.got, err = f(t)
		return b, err
	})
	return b.n, b.got, err
}

// UnassignAddresses removes secondary private addresses and what is mapped to
// them.
func (s *Service) UnassignAddresses(ctx context.Context, eni string, ips []string) (*NetworkInterface, error) {
	return s.Unassign(ctx, UnassignInput{ID: eni, IPs: ips})
}

// Unassign removes secondary private addresses and prefixes, and what is mapped
// to them.
func (s *Service) Unassign(ctx context.Context, in UnassignInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.unassignAddresses(in) })
}

// UnassignIPv6 removes IPv6 addresses and prefixes.
func (s *Service) UnassignIPv6(ctx context.Context, in UnassignInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.unassignIPv6(in) })
}

// Attach returns when the data plane delivers to the instance; the State shows
// attaching, later attached.
func (s *Service) Attach(ctx context.Context, in AttachInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.attach(in) })
}

// Detach returns when the data plane delivers nothing more to the instance;
// the State shows detaching, later available.
func (s *Service) Detach(ctx context.Context, in DetachInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.detach(in) })
}

// Move takes an ENI to another instance in one commit and one switch of the
// data plane. A dry run refuses what Move would refuse now.
func (s *Service) Move(ctx context.Context, in MoveInput) (MoveResult, error) {
	var n *NetworkInterface
	move := func(t *tx) (err error) {
		n, err = t.move(in)
		return err
	}
	if in.DryRun {
		if err := s.rehearse(move); err != nil {
			return MoveResult{}, err
		}
		return MoveResult{Interface: n, DeviceIndex: n.Attachment.DeviceIndex}, nil
	}
	c, err := s.do(ctx, move)
	if err != nil {
		return MoveResult{}, err
	}
	return MoveResult{
		Interface: n, DeviceIndex: n.Attachment.DeviceIndex,
		AcceptedAt: c.at.UnixNano(), DetachedAt: c.ack.At, AttachedAt: c.ack.At,
	}, nil
}

// CreateGroup makes a security group that lets everything out and nothing in.
func (s *Service) CreateGroup(ctx context.Context, in CreateGroupInput) (*SecurityGroup, error) {
	return result(ctx, s, func(t *tx) (*SecurityGroup, error) { return t.createGroup(in) })
}

// DeleteGroup deletes a group that no ENI carries and no other group names.
func (s *Service) DeleteGroup(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deleteGroup(id) })
}

// AuthorizeRules adds rules, all or none, and returns them with their ids.
func (s *Service) AuthorizeRules(ctx context.Context, group string, egress bool, rules []RuleInput) ([]SecurityGroupRule, error) {
	return result(ctx, s, func(t *tx) ([]SecurityGroupRule, error) { return t.authorizeRules(group, egress, rules) })
}

// RevokeRules removes rules by id, all or none.
func (s *Service) RevokeRules(ctx context.Context, group string, ruleIDs []string) error {
	return s.change(ctx, func(t *tx) error { return t.revokeRules(group, ruleIDs) })
}

// AllocateAddress gives an Elastic IP.
func (s *Service) AllocateAddress(ctx context.Context, tags Tags) (*Address, error) {
	return s.RecoverAddress(ctx, tags, "")
}

// RecoverAddress gives the Elastic IP that was released before, if nobody has it
// since; "" is any.
func (s *Service) RecoverAddress(ctx context.Context, tags Tags, ip string) (*Address, error) {
	return result(ctx, s, func(t *tx) (*Address, error) { return t.allocateAddress(tags, ip) })
}

// AssociateAddress maps an Elastic IP to a private address of an ENI, by
// default the primary one, with or without an internet gateway.
func (s *Service) AssociateAddress(ctx context.Context, allocation, eni, privateIP string, allowReassociation bool) (*Address, error) {
	return s.Associate(ctx, AssociateAddressInput{
		Allocation: allocation, Interface: eni, PrivateIP: privateIP, AllowReassociation: allowReassociation,
	})
}

// Associate is AssociateAddress by EC2's rules.
func (s *Service) Associate(ctx context.Context, in AssociateAddressInput) (*Address, error) {
	return result(ctx, s, func(t *tx) (*Address, error) { return t.associateAddress(in) })
}

// DisassociateAddress ends an association; the Elastic IP stays allocated.
func (s *Service) DisassociateAddress(ctx context.Context, association string) error {
	return s.change(ctx, func(t *tx) error { return t.disassociateAddress(association) })
}

// ReleaseAddress gives an Elastic IP back.
func (s *Service) ReleaseAddress(ctx context.Context, allocation string) error {
	return s.change(ctx, func(t *tx) error { return t.releaseAddress(allocation) })
}

// SetTags removes and sets tags of a resource.
func (s *Service) SetTags(ctx context.Context, resource string, set Tags, remove []string) error {
	return s.change(ctx, func(t *tx) error { return t.setTags(resource, set, remove) })
}

// PutPolicy creates (ID "") or replaces a failover policy.
func (s *Service) PutPolicy(ctx context.Context, p FailoverPolicy) (*FailoverPolicy, error) {
	return result(ctx, s, func(t *tx) (*FailoverPolicy, error) { return t.putPolicy(p) })
}

// DeletePolicy deletes a failover policy.
func (s *Service) DeletePolicy(ctx context.Context, id string) error {
	return s.change(ctx, func(t *tx) error { return t.deletePolicy(id) })
}

// PutFailover creates (ID "") or replaces a record. The 1000 that ended last
// are kept, those that run among them.
func (s *Service) PutFailover(ctx context.Context, f Failover) (*Failover, error) {
	return result(ctx, s, func(t *tx) (*Failover, error) { return t.putFailover(f) })
}

func (s *Service) change(ctx context.Context, f func(*tx) error) error {
	_, err := s.do(ctx, f)
	return err
}
