package ec2

import (
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// defaultType is RunInstances' when no type is given (API reference).
const defaultType = "m1.small"

// maxLaunch bounds the instances of one call.
const maxLaunch = 100

// launch is a RunInstances request that has been read.
type launch struct {
	input    control.RunInstanceInput // of every instance
	min, max int
	tags     map[string]control.Tags
	keep     bool // the new primary ENI survives its instance
}

func runInstances(c *call, in *model.RunInstancesRequest) (result, error) {
	l, err := c.readLaunch(in)
	if err != nil {
		return nil, err
	}
	svc, err := c.command()
	if err != nil {
		return nil, err
	}
	var launched []*control.Instance
	for len(launched) < l.max {
		i, err := svc.RunInstance(c.ctx, l.input)
		if err == nil {
			launched = append(launched, i)
			err = c.finishLaunch(svc, i, l)
		}
		if err == nil {
			continue
		}
		if len(launched) >= l.min {
			break
		}
		// EC2 launches MinCount or nothing.
		for _, i := range launched {
			if _, undo := svc.TerminateInstance(c.ctx, i.ID); undo != nil {
				return nil, undo
			}
		}
		return nil, err
	}
	c.state = svc.State()
	r := c.reservation(launched...)
	for n := range r.Instances {
		*r.Instances[n].AmiLaunchIndex = n
	}
	return r, nil
}

// finishLaunch does what a launch alone cannot say.
func (c *call) finishLaunch(svc *control.Service, i *control.Instance, l *launch) error {
	tags := l.tags["network-interface"]
	if !l.keep && len(tags) == 0 {
		return nil
	}
	for _, n := range svc.State().InterfacesOf(i.ID) {
		if len(tags) > 0 {
			if err := svc.SetTags(c.ctx, n.ID, tags, nil); err != nil {
				return err
			}
		}
		if l.keep {
			change := control.ModifyInterfaceInput{ID: n.ID, AttachmentID: n.Attachment.ID, DeleteOnTermination: new(false)}
			if _, err := svc.ModifyInterface(c.ctx, change); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *call) readLaunch(in *model.RunInstancesRequest) (*launch, error) {
	l := &launch{min: *in.MinCount, max: *in.MaxCount}
	if in.ImageId == nil {
		return nil, missing("imageId")
	}
	if err := idImage.check(*in.ImageId); err != nil {
		return nil, err
	}
	if l.min < 1 || l.max < l.min {
		return nil, invalid("Invalid value for min/max count: minCount is %d, maxCount is %d", l.min, l.max)
	}
	if l.max > maxLaunch {
		return nil, query.Refuse("InstanceLimitExceeded", "You have requested more instances (%d) than the %d that one request may launch", l.max, maxLaunch)
	}
	var err error
	if l.tags, err = tagSpecs(in.TagSpecifications, "instance", "network-interface"); err != nil {
		return nil, err
	}
	l.input = control.RunInstanceInput{
		Type: defaultType, Subnet: query.Value(in.SubnetId), PrivateIP: query.Value(in.PrivateIpAddress),
		Groups: in.SecurityGroupIds, Tags: l.tags["instance"],
	}
	if in.InstanceType != nil {
		l.input.Type = *in.InstanceType
	}
	if len(in.NetworkInterfaces) > 0 {
		if err := c.readInterface(in, l); err != nil {
			return nil, err
		}
	}
	switch {
	case l.max > 1 && l.input.Interface != "":
		return nil, combination("The network interface '%s' cannot be used by more than one instance", l.input.Interface)
	case l.max > 1 && l.input.PrivateIP != "":
		return nil, combination("The private IP address '%s' cannot be used by more than one instance", l.input.PrivateIP)
	case l.input.Interface != "":
		return l, nil
	case l.input.Subnet == "":
		return nil, errNoDefaultVPC()
	}
	return l, c.room(in, l)
}

// readInterface reads NetworkInterface.1, which says what the instance's own
// parameters otherwise say.
func (c *call) readInterface(in *model.RunInstancesRequest, l *launch) error {
	switch {
	case in.SubnetId != nil || in.PrivateIpAddress != nil:
		return combination("Network interfaces and an instance-level subnet ID may not be specified on the same request")
	case len(in.SecurityGroupIds) > 0:
		return combination("Network interfaces and an instance-level security groups may not be specified on the same request")
	case len(in.NetworkInterfaces) > 1:
		return unsupported("enilab launches an instance with one network interface; attach the others once it is running.")
	}
	n := in.NetworkInterfaces[0]
	if n.DeviceIndex == nil {
		return missing("networkInterface.deviceIndex")
	}
	if *n.DeviceIndex != 0 {
		return invalid("The device index of the primary network interface must be 0, not %d", *n.DeviceIndex)
	}
	if n.NetworkInterfaceId == nil {
		l.input.Subnet, l.input.PrivateIP, l.input.Groups = query.Value(n.SubnetId), query.Value(n.PrivateIpAddress), n.Groups
		l.keep = n.DeleteOnTermination != nil && !*n.DeleteOnTermination
		return nil
	}
	if n.SubnetId != nil || n.PrivateIpAddress != nil || len(n.Groups) > 0 {
		return combination("The subnet, security groups and private IP address of an existing network interface cannot be specified")
	}
	if query.Value(n.DeleteOnTermination) {
		return invalid("The network interface '%s' exists already and cannot be deleted on termination", *n.NetworkInterfaceId)
	}
	l.input.Interface = *n.NetworkInterfaceId
	_, err := find(idInterface, *n.NetworkInterfaceId, c.state.NetworkInterface)
	return err
}

// room refuses a launch that its subnet could not take whole, before any
// instance of it exists.
func (c *call) room(in *model.RunInstancesRequest, l *launch) error {
	s, err := find(idSubnet, l.input.Subnet, c.state.Subnet)
	if err != nil {
		return err
	}
	if _, err := findAll(idGroup, l.input.Groups, c.state.SecurityGroup); err != nil {
		return err
	}
	if in.Placement != nil && in.Placement.AvailabilityZone != nil && *in.Placement.AvailabilityZone != s.Zone {
		return invalid("The availability zone '%s' is not that of subnet '%s', which is in '%s'",
			clip(*in.Placement.AvailabilityZone), s.ID, s.Zone)
	}
	if c.state.AvailableAddresses(s.ID) < l.min {
		return query.Refuse("InsufficientFreeAddressesInSubnet",
			"The specified subnet does not have enough free addresses to satisfy the request.")
	}
	return nil
}
