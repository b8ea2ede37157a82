package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// addressPlan is what a call that makes an ENI says of its private addresses.
type addressPlan struct {
	primary   string
	secondary []string
	count     int
}

func planAddresses(primary *string, list []model.PrivateIpAddressSpecification, count *int) (addressPlan, error) {
	p := addressPlan{primary: query.Value(primary), count: query.Value(count)}
	for _, s := range list {
		addr := query.Value(s.PrivateIpAddress)
		switch {
		case addr == "":
			return p, missing("privateIpAddress")
		case !query.Value(s.Primary):
			p.secondary = append(p.secondary, addr)
		case p.primary != "":
			return p, combination("Only one primary private IP address can be specified.")
		default:
			p.primary = addr
		}
	}
	return p, nil
}

func createNetworkInterface(c *call, in *model.CreateNetworkInterfaceRequest) (result, error) {
	plan, err := planAddresses(in.PrivateIpAddress, in.PrivateIpAddresses, in.SecondaryPrivateIpAddressCount)
	if err != nil {
		return nil, err
	}
	tags, err := tagSpecs(in.TagSpecifications, "network-interface")
	if err != nil {
		return nil, err
	}
	if _, err := find(idSubnet, *in.SubnetId, c.state.Subnet); err != nil {
		return nil, err
	}
	if _, err := findAll(idGroup, in.Groups, c.state.SecurityGroup); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	n, err := svc.CreateInterface(c.ctx, control.CreateInterfaceInput{
		Subnet: *in.SubnetId, Description: query.Value(in.Description), PrivateIP: plan.primary,
		SecondaryIPs: plan.secondary, SecondaryCount: plan.count, Groups: in.Groups, Tags: tags["network-interface"],
	})
	if err != nil {
		return nil, err
	}
	return &model.CreateNetworkInterfaceResult{NetworkInterface: new(c.networkInterface(n)), ClientToken: in.ClientToken}, nil
}

func deleteNetworkInterface(c *call, in *model.DeleteNetworkInterfaceRequest) (result, error) {
	if _, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	return done{}, svc.DeleteInterface(c.ctx, *in.NetworkInterfaceId)
}

func attachNetworkInterface(c *call, in *model.AttachNetworkInterfaceRequest) (result, error) {
	if err := idInterface.check(*in.NetworkInterfaceId); err != nil {
		return nil, err
	}
	if err := idInstance.check(*in.InstanceId); err != nil {
		return nil, err
	}
	if _, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	if _, err := find(idInstance, *in.InstanceId, c.state.Instance); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	n, err := svc.Attach(c.ctx, control.AttachInput{
		Interface: *in.NetworkInterfaceId, Instance: *in.InstanceId, DeviceIndex: *in.DeviceIndex,
	})
	if err != nil {
		return nil, err
	}
	return &model.AttachNetworkInterfaceResult{AttachmentId: &n.Attachment.ID, NetworkCardIndex: new(0)}, nil
}

func detachNetworkInterface(c *call, in *model.DetachNetworkInterfaceRequest) (result, error) {
	if _, err := find(idAttachment, *in.AttachmentId, c.state.InterfaceByAttachment); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	_, err = svc.Detach(c.ctx, control.DetachInput{Attachment: *in.AttachmentId, Force: query.Value(in.Force)})
	return done{}, err
}

func modifyNetworkInterfaceAttribute(c *call, in *model.ModifyNetworkInterfaceAttributeRequest) (result, error) {
	if _, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	if _, err := findAll(idGroup, in.Groups, c.state.SecurityGroup); err != nil {
		return nil, err
	}
	change := control.ModifyInterfaceInput{ID: *in.NetworkInterfaceId, Groups: in.Groups}
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
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	_, err = svc.ModifyInterface(c.ctx, change)
	return done{}, err
}

func resetNetworkInterfaceAttribute(c *call, in *model.ResetNetworkInterfaceAttributeRequest) (result, error) {
	if _, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	// The parameter resets by being there; AWS's clients send "true" or "".
	if in.SourceDestCheck == nil {
		return nil, combination("No attributes specified.")
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	_, err = svc.ModifyInterface(c.ctx, control.ModifyInterfaceInput{ID: *in.NetworkInterfaceId, SourceDestCheck: new(true)})
	return done{}, err
}

func assignPrivateIPAddresses(c *call, in *model.AssignPrivateIpAddressesRequest) (result, error) {
	if _, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	n, assigned, err := svc.AssignAddresses(c.ctx, control.AssignAddressesInput{
		ID: *in.NetworkInterfaceId, IPs: in.PrivateIpAddresses, Count: query.Value(in.SecondaryPrivateIpAddressCount),
		AllowReassignment: query.Value(in.AllowReassignment),
	})
	if err != nil {
		return nil, err
	}
	out := &model.AssignPrivateIpAddressesResult{
		NetworkInterfaceId: &n.ID, AssignedIpv4Prefixes: []model.Ipv4PrefixSpecification{},
		AssignedPrivateIpAddresses: []model.AssignedPrivateIpAddress{},
	}
	for _, a := range assigned {
		out.AssignedPrivateIpAddresses = append(out.AssignedPrivateIpAddresses, model.AssignedPrivateIpAddress{PrivateIpAddress: new(a.String())})
	}
	return out, nil
}

func unassignPrivateIPAddresses(c *call, in *model.UnassignPrivateIpAddressesRequest) (result, error) {
	if _, err := find(idInterface, *in.NetworkInterfaceId, c.state.NetworkInterface); err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	_, err = svc.UnassignAddresses(c.ctx, *in.NetworkInterfaceId, in.PrivateIpAddresses)
	return done{}, err
}
