package ec2

import (
	"fmt"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindInterfaces(t map[string]handler) {
	bind(t, "SubnetId Description SecurityGroupId PrivateIpAddress PrivateIpAddresses SecondaryPrivateIpAddressCount"+
		" Ipv4Prefix Ipv4PrefixCount Ipv6Addresses Ipv6AddressCount Ipv6Prefix Ipv6PrefixCount EnablePrimaryIpv6"+
		" ConnectionTrackingSpecification TagSpecification InterfaceType", createNetworkInterface)
	bind(t, "NetworkInterfaceId Filter MaxResults NextToken IncludeManagedResources", describeNetworkInterfaces)
	bind(t, "NetworkInterfaceId", deleteNetworkInterface)
	bind(t, "NetworkInterfaceId Attribute", describeNetworkInterfaceAttribute)
	bind(t, "NetworkInterfaceId Description SecurityGroupId SourceDestCheck Attachment.AttachmentId"+
		" Attachment.DeleteOnTermination ConnectionTrackingSpecification EnablePrimaryIpv6 AssociatePublicIpAddress",
		modifyNetworkInterfaceAttribute)
	bind(t, "NetworkInterfaceId SourceDestCheck", resetNetworkInterfaceAttribute)
	bind(t, "NetworkInterfaceId InstanceId DeviceIndex NetworkCardIndex", attachNetworkInterface)
	bind(t, "AttachmentId Force", detachNetworkInterface)
	bind(t, "NetworkInterfaceId PrivateIpAddress SecondaryPrivateIpAddressCount Ipv4Prefix Ipv4PrefixCount AllowReassignment",
		assignPrivateIPAddresses)
	bind(t, "NetworkInterfaceId PrivateIpAddress Ipv4Prefix", unassignPrivateIPAddresses)
	bind(t, "NetworkInterfaceId Ipv6Addresses Ipv6AddressCount Ipv6Prefix Ipv6PrefixCount", assignIpv6Addresses)
	bind(t, "NetworkInterfaceId Ipv6Addresses Ipv6Prefix", unassignIpv6Addresses)
}

func createNetworkInterface(c *call, in *model.CreateNetworkInterfaceRequest) (result, error) {
	tags, err := tagSpecs(in.TagSpecifications, "network-interface")
	if err != nil {
		return nil, err
	}
	input := control.CreateInterfaceInput{
		Subnet: *in.SubnetId, Description: query.Value(in.Description), Type: query.Value(in.InterfaceType),
		Groups: in.Groups, Tracking: tracking(in.ConnectionTrackingSpecification), Tags: tags["network-interface"],
	}
	p := addressParams{
		in.PrivateIpAddress, in.PrivateIpAddresses, in.SecondaryPrivateIpAddressCount, in.Ipv4Prefixes, in.Ipv4PrefixCount,
		in.Ipv6Addresses, in.Ipv6AddressCount, in.Ipv6Prefixes, in.Ipv6PrefixCount, in.EnablePrimaryIpv6,
	}
	if err := p.into(&input); err != nil {
		return nil, err
	}
	if err := c.known(*in.SubnetId, in.Groups); err != nil {
		return nil, err
	}
	n, err := c.command().CreateInterface(c.ctx, input)
	if err != nil {
		return nil, err
	}
	return &model.CreateNetworkInterfaceResult{NetworkInterface: new(c.networkInterface(n)), ClientToken: in.ClientToken}, nil
}

func deleteNetworkInterface(c *call, in *model.DeleteNetworkInterfaceRequest) (result, error) {
	return done{}, c.command().DeleteInterface(c.ctx, *in.NetworkInterfaceId)
}

func attachNetworkInterface(c *call, in *model.AttachNetworkInterfaceRequest) (result, error) {
	n, err := c.command().Attach(c.ctx, control.AttachInput{
		Interface: *in.NetworkInterfaceId, Instance: *in.InstanceId, DeviceIndex: *in.DeviceIndex,
		NetworkCard: query.Value(in.NetworkCardIndex),
	})
	if err != nil {
		return nil, err
	}
	return &model.AttachNetworkInterfaceResult{AttachmentId: &n.Attachment.ID, NetworkCardIndex: &n.Attachment.NetworkCard}, nil
}

func detachNetworkInterface(c *call, in *model.DetachNetworkInterfaceRequest) (result, error) {
	if c.heldAttachment(*in.AttachmentId) {
		return nil, query.Refuse("OperationNotPermitted", "You are not allowed to manage 'ela-attach' attachments.")
	}
	_, err := c.command().Detach(c.ctx, control.DetachInput{Attachment: *in.AttachmentId, Force: query.Value(in.Force)})
	return done{}, err
}

func modifyNetworkInterfaceAttribute(c *call, in *model.ModifyNetworkInterfaceAttributeRequest) (result, error) {
	if _, err := find(control.InterfaceID, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	// All unknown groups in one refusal.
	if _, err := findAll(control.GroupID, in.Groups, c.state.SecurityGroup); err != nil {
		return nil, err
	}
	change := control.ModifyInterfaceInput{ID: *in.NetworkInterfaceId, Groups: in.Groups}
	change.PublicIP, change.PrimaryIPv6 = in.AssociatePublicIpAddress, in.EnablePrimaryIpv6
	if in.ConnectionTrackingSpecification != nil {
		change.Tracking = new(tracking(in.ConnectionTrackingSpecification))
	}
	if in.Description != nil {
		change.Description = in.Description.Value
	}
	if in.SourceDestCheck != nil {
		change.SourceDestCheck = in.SourceDestCheck.Value
	}
	if in.Attachment != nil {
		change.AttachmentID = query.Value(in.Attachment.AttachmentId)
		change.DeleteOnTermination = in.Attachment.DeleteOnTermination
	}
	_, err := c.command().ModifyInterface(c.ctx, change)
	return done{}, err
}

func resetNetworkInterfaceAttribute(c *call, in *model.ResetNetworkInterfaceAttributeRequest) (result, error) {
	// The parameter resets by being there; AWS's clients send "true" or "".
	if in.SourceDestCheck == nil {
		return nil, combination("No attributes specified.")
	}
	_, err := c.command().ModifyInterface(c.ctx, control.ModifyInterfaceInput{ID: *in.NetworkInterfaceId, SourceDestCheck: new(true)})
	return done{}, err
}

func assignPrivateIPAddresses(c *call, in *model.AssignPrivateIpAddressesRequest) (result, error) {
	n, got, err := c.command().AssignAddresses(c.ctx, control.AssignAddressesInput{
		ID: *in.NetworkInterfaceId, IPs: in.PrivateIpAddresses, Count: query.Value(in.SecondaryPrivateIpAddressCount),
		Prefixes: in.Ipv4Prefixes, PrefixCount: query.Value(in.Ipv4PrefixCount), AllowReassignment: query.Value(in.AllowReassignment),
	})
	if err != nil {
		return nil, err
	}
	out := &model.AssignPrivateIpAddressesResult{
		NetworkInterfaceId: &n.ID, AssignedIpv4Prefixes: []model.Ipv4PrefixSpecification{},
		AssignedPrivateIpAddresses: []model.AssignedPrivateIpAddress{},
	}
	for _, a := range got.Addresses {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, model.AssignedPrivateIpAddress{PrivateIpAddress: new(a.String())})
	}
	for _, p := range got.Prefixes {
		out.AssignedIpv4Prefixes = append(out.AssignedIpv4Prefixes, model.Ipv4PrefixSpecification{Ipv4Prefix: new(p.String())})
	}
	return out, nil
}

func unassignPrivateIPAddresses(c *call, in *model.UnassignPrivateIpAddressesRequest) (result, error) {
	_, err := c.command().Unassign(c.ctx, control.UnassignInput{ID: *in.NetworkInterfaceId, IPs: in.PrivateIpAddresses, Prefixes: in.Ipv4Prefixes})
	return done{}, err
}

func assignIpv6Addresses(c *call, in *model.AssignIpv6AddressesRequest) (result, error) {
	n, got, err := c.command().AssignIPv6(c.ctx, control.AssignIPv6Input{
		ID: *in.NetworkInterfaceId, IPs: in.Ipv6Addresses, Count: query.Value(in.Ipv6AddressCount),
		Prefixes: in.Ipv6Prefixes, PrefixCount: query.Value(in.Ipv6PrefixCount),
	})
	if err != nil {
		return nil, err
	}
	return &model.AssignIpv6AddressesResult{
		NetworkInterfaceId: &n.ID, AssignedIpv6Addresses: texts(got.Addresses), AssignedIpv6Prefixes: texts(got.Prefixes),
	}, nil
}

func unassignIpv6Addresses(c *call, in *model.UnassignIpv6AddressesRequest) (result, error) {
	if _, err := c.command().UnassignIPv6(c.ctx, control.UnassignInput{ID: *in.NetworkInterfaceId, IPs: in.Ipv6Addresses, Prefixes: in.Ipv6Prefixes}); err != nil {
		return nil, err
	}
	return &model.UnassignIpv6AddressesResult{
		NetworkInterfaceId: in.NetworkInterfaceId, UnassignedIpv6Addresses: orEmpty(in.Ipv6Addresses), UnassignedIpv6Prefixes: orEmpty(in.Ipv6Prefixes),
	}, nil
}

// texts are values as strings; never nil, so that clients find the element.
func texts[T fmt.Stringer](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, v.String())
	}
	return out
}

func orEmpty(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
