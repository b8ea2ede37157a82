package ec2

import (
	"cmp"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// defaultType is RunInstances' when no type is given (API reference).
const defaultType = "m1.small"

// maxLaunch bounds the instances of one call.
const maxLaunch = 100

func runInstances(c *call, in *model.RunInstancesRequest) (result, error) {
	in, source, err := c.fromTemplate(in)
	if err != nil {
		return nil, err
	}
	l, err := c.readLaunch(in)
	if err != nil {
		return nil, err
	}
	l.Source = source
	launched, err := c.command().Launch(c.ctx, l)
	if err != nil {
		return nil, err
	}
	c.state = c.svc.State()
	r := c.reservation(launched...)
	for n := range r.Instances {
		asLaunched(&r.Instances[n])
	}
	return r, nil
}

// asLaunched takes from an instance what EC2 does not tell yet when it answers a
// launch: public addresses and volumes, which DescribeInstances shows a moment
// later.
func asLaunched(i *model.Instance) {
	const pending = "pending"
	i.StateReason = &model.StateReason{Code: new(pending), Message: new(pending)}
	i.PublicIpAddress, i.PublicDnsName = nil, new("")
	i.BlockDeviceMappings = []model.InstanceBlockDeviceMapping{}
	for n := range i.NetworkInterfaces {
		eni := &i.NetworkInterfaces[n]
		eni.Association = nil
		for k := range eni.PrivateIpAddresses {
			eni.PrivateIpAddresses[k].Association = nil
		}
	}
}

func (c *call) readLaunch(in *model.RunInstancesRequest) (control.LaunchInput, error) {
	l := control.LaunchInput{Min: *in.MinCount, Max: *in.MaxCount, Type: defaultType}
	if in.ImageId == nil {
		return l, missing("imageId")
	}
	if err := control.ImageID.Check(*in.ImageId); err != nil {
		return l, err
	}
	if l.Max > maxLaunch {
		return l, query.Refuse("InstanceLimitExceeded", "You have requested more instances (%d) than the %d that one request may launch", l.Max, maxLaunch)
	}
	tags, err := tagSpecs(in.TagSpecifications, "instance", "network-interface", "volume")
	if err != nil {
		return l, err
	}
	l.Tags, l.InterfaceTags = tags["instance"], tags["network-interface"]
	if in.InstanceType != nil {
		l.Type = *in.InstanceType
	}
	if err := c.suits(*in.ImageId, l.Type); err != nil {
		return l, err
	}
	if err := readSettings(in, &l); err != nil {
		return l, err
	}
	l.VolumeTags = tags["volume"]
	if l.Devices, err = readBlockDevices(in.BlockDeviceMappings); err != nil {
		return l, err
	}
	l.Image = c.launchImage(*in.ImageId, l.Devices)
	if l.Settings.InstanceProfile, err = c.readProfile(in.IamInstanceProfile); err != nil {
		return l, err
	}
	if err := onlyShownCPU(in.CpuOptions, l.Type); err != nil {
		return l, err
	}
	if err := c.readZone(in.Placement, &l); err != nil {
		return l, err
	}
	if len(in.NetworkInterfaces) == 0 {
		own, err := c.ownInterface(in)
		l.Interfaces = []control.LaunchInterface{own}
		return l, err
	}
	if err := onlyInterfaces(in); err != nil {
		return l, err
	}
	for i := range in.NetworkInterfaces {
		n, err := c.launchInterface(&in.NetworkInterfaces[i])
		if err != nil {
			return l, err
		}
		l.Interfaces = append(l.Interfaces, n)
	}
	return l, nil
}

// onlyInterfaces refuses what the instance would say besides its interfaces.
func onlyInterfaces(in *model.RunInstancesRequest) error {
	const text = "Network interfaces and an instance-level %s may not be specified on the same request"
	switch {
	case in.SubnetId != nil:
		return combination(text, "subnet ID")
	case len(in.SecurityGroupIds)+len(in.SecurityGroups) > 0:
		return combination(text, "security groups")
	case in.PrivateIpAddress != nil:
		return combination(text, "private IP address")
	case len(in.Ipv6Addresses) > 0 || in.Ipv6AddressCount != nil || in.EnablePrimaryIpv6 != nil:
		return combination(text, "IPv6 address")
	}
	return nil
}

// readSettings reads what is kept of an instance and shown again.
func readSettings(in *model.RunInstancesRequest, l *control.LaunchInput) error {
	s := &l.Settings
	s.ImageID, s.KeyName, s.UserData = *in.ImageId, query.Value(in.KeyName), query.Value(in.UserData)
	s.ClientToken, s.ShutdownBehavior = query.Value(in.ClientToken), query.Value(in.InstanceInitiatedShutdownBehavior)
	s.ProtectTerminate, s.ProtectStop = query.Value(in.DisableApiTermination), query.Value(in.DisableApiStop)
	s.EBSOptimized = query.Value(in.EbsOptimized)
	if p := in.Placement; p != nil {
		s.Tenancy, s.HostID, s.Affinity = query.Value(p.Tenancy), query.Value(p.HostId), query.Value(p.Affinity)
	}
	if in.HibernationOptions != nil {
		s.Hibernation = query.Value(in.HibernationOptions.Configured)
	}
	if in.Monitoring != nil {
		s.Monitoring = query.Value(in.Monitoring.Enabled)
	}
	if o := in.MetadataOptions; o != nil {
		if o.HttpPutResponseHopLimit != nil && *o.HttpPutResponseHopLimit < 1 {
			return invalid("Value (%d) for parameter httpPutResponseHopLimit is invalid. It must be 1 to 64.", *o.HttpPutResponseHopLimit)
		}
		s.Metadata = control.MetadataOptions{
			HTTPTokens: query.Value(o.HttpTokens), HTTPEndpoint: query.Value(o.HttpEndpoint),
			HTTPProtocolIPv6: query.Value(o.HttpProtocolIpv6), InstanceMetadataTags: query.Value(o.InstanceMetadataTags),
			HopLimit: query.Value(o.HttpPutResponseHopLimit),
		}
	}
	if o := in.PrivateDnsNameOptions; o != nil {
		l.HostnameType = query.Value(o.HostnameType)
		l.RecordA, l.RecordAAAA = o.EnableResourceNameDnsARecord, o.EnableResourceNameDnsAAAARecord
	}
	// T2 is standard unless told otherwise, T3 and later unlimited (EC2 User
	// Guide, "Unlimited mode").
	s.CreditUnlimited = burstable(l.Type) && !strings.HasPrefix(l.Type, "t2.")
	if in.CreditSpecification == nil {
		return nil
	}
	switch credits := query.Value(in.CreditSpecification.CpuCredits); {
	case credits != "standard" && credits != "unlimited":
		return invalid("Invalid value '%s' for CpuCredits. It must be standard or unlimited.", clip(credits))
	case !burstable(l.Type):
		return combination("The instance type %s does not support a credit specification.", clip(l.Type))
	default:
		s.CreditUnlimited = credits == "unlimited"
	}
	return nil
}

// onlyShownCPU refuses other cores than instances of a type are shown with. The
// launch itself refuses types that there are not.
func onlyShownCPU(in *model.CpuOptionsRequest, name string) error {
	t, ok := control.InstanceTypeByName(name)
	if in == nil || !ok {
		return nil
	}
	if n, m := in.CoreCount, in.ThreadsPerCore; n != nil && *n != t.Cores || m != nil && *m != t.ThreadsPerCore {
		return unsupported("CpuOptions of instances of type %s are not supported by enilab but for what they have: CoreCount %d, ThreadsPerCore %d.",
			clip(name), t.Cores, t.ThreadsPerCore)
	}
	return nil
}

// readZone reads where the instance shall be, by a zone's name or id.
func (c *call) readZone(p *model.Placement, l *control.LaunchInput) error {
	if p == nil {
		return nil
	}
	l.Zone = query.Value(p.AvailabilityZone)
	if p.AvailabilityZoneId == nil {
		return nil
	}
	for _, z := range c.region.Zones {
		if z.ID == *p.AvailabilityZoneId && cmp.Or(l.Zone, z.Name) == z.Name {
			l.Zone = z.Name
			return nil
		}
	}
	return invalid("Invalid availability zone-id: [%s]", clip(*p.AvailabilityZoneId))
}
