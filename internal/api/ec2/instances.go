package ec2

import (
	"context"
	"fmt"
	"slices"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindInstances(t map[string]handler) {
	// Any image is taken and none is booted: the guests are enilab's own.
	bind(t, "LaunchTemplate.LaunchTemplateId LaunchTemplate.LaunchTemplateName LaunchTemplate.Version"+
		" ImageId InstanceType MinCount MaxCount SubnetId SecurityGroupId SecurityGroup PrivateIpAddress Ipv6Address"+
		" Ipv6AddressCount EnablePrimaryIpv6 TagSpecification KeyName UserData"+
		" "+mappingParams+
		" Placement.AvailabilityZone Placement.AvailabilityZoneId Placement.Tenancy"+
		" Placement.HostId Placement.Affinity"+
		" IamInstanceProfile.Name IamInstanceProfile.Arn Placement.GroupName= CpuOptions.CoreCount CpuOptions.ThreadsPerCore"+
		" NetworkPerformanceOptions.BandwidthWeighting=default EbsOptimized Monitoring.Enabled"+
		" DisableApiTermination DisableApiStop InstanceInitiatedShutdownBehavior CreditSpecification.CpuCredits"+
		" MetadataOptions.HttpTokens MetadataOptions.HttpEndpoint MetadataOptions.HttpPutResponseHopLimit"+
		" MetadataOptions.HttpProtocolIpv6 MetadataOptions.InstanceMetadataTags"+
		" PrivateDnsNameOptions.HostnameType PrivateDnsNameOptions.EnableResourceNameDnsARecord"+
		" PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord MaintenanceOptions.AutoRecovery=default"+
		" EnclaveOptions.Enabled=false HibernationOptions.Configured"+
		" CapacityReservationSpecification.CapacityReservationPreference=open"+
		" NetworkInterface.DeviceIndex NetworkInterface.NetworkCardIndex NetworkInterface.NetworkInterfaceId"+
		" NetworkInterface.SubnetId NetworkInterface.SecurityGroupId NetworkInterface.Description"+
		" NetworkInterface.PrivateIpAddress NetworkInterface.PrivateIpAddresses NetworkInterface.SecondaryPrivateIpAddressCount"+
		" NetworkInterface.Ipv4Prefix NetworkInterface.Ipv4PrefixCount NetworkInterface.Ipv6Addresses"+
		" NetworkInterface.Ipv6AddressCount NetworkInterface.Ipv6Prefix NetworkInterface.Ipv6PrefixCount"+
		" NetworkInterface.PrimaryIpv6 NetworkInterface.DeleteOnTermination NetworkInterface.AssociatePublicIpAddress"+
		" NetworkInterface.InterfaceType NetworkInterface.ConnectionTrackingSpecification"+
		" NetworkInterface.EnaSrdSpecification.EnaSrdEnabled=false"+
		" NetworkInterface.EnaSrdSpecification.EnaSrdUdpSpecification.EnaSrdUdpEnabled=false", runInstances)
	bind(t, "InstanceId Filter MaxResults NextToken IncludeManagedResources", describeInstances)
	bind(t, "InstanceId", startInstances)
	bind(t, "InstanceId Force Hibernate", stopInstances)
	bind(t, "InstanceId", rebootInstances)
	// Every guest here can be switched off at once, whether forced or not.
	bind(t, "InstanceId Force SkipOsShutdown", terminateInstances)
	bind(t, "InstanceId IncludeAllInstances Filter MaxResults NextToken IncludeManagedResources", describeInstanceStatus)
	bind(t, "InstanceType Filter MaxResults NextToken", describeInstanceTypes)
}

// instancePlace orders instances as the State lists them: by launch, and within
// one by index.
func instancePlace(i *control.Instance) string {
	return place(i.LaunchAt, fmt.Sprintf("%s/%06d/%s", i.ReservationID, i.LaunchIndex, i.ID))
}

// instances are the rows of a Describe: those of the ids, or all.
func (c *call) instances(ids []string) ([]*control.Instance, error) {
	if len(ids) == 0 {
		return c.state.Instances(), nil
	}
	rows, err := findAll(control.InstanceID, ids, c.state.Instance)
	return sorted(rows, instancePlace), err
}

func describeInstances(c *call, in *model.DescribeInstancesRequest) (result, error) {
	keep, err := instanceFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "instancesSet", in.InstanceIds)
	if err != nil {
		return nil, err
	}
	rows, err := c.instances(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	rows, next := cutPage(p, rows, instancePlace, keep)
	out := &model.DescribeInstancesResult{Reservations: make([]model.Reservation, 0, len(rows)), NextToken: next}
	for len(rows) > 0 {
		// What one launch made stands together.
		n := slices.IndexFunc(rows, func(i *control.Instance) bool { return i.ReservationID != rows[0].ReservationID })
		if n < 0 {
			n = len(rows)
		}
		out.Reservations = append(out.Reservations, *c.reservation(rows[:n]...))
		rows = rows[n:]
	}
	return out, nil
}

func (c *call) reservation(list ...*control.Instance) *model.Reservation {
	r := &model.Reservation{
		ReservationId: &list[0].ReservationID, OwnerId: &c.api.opt.Account, Groups: []model.GroupIdentifier{},
	}
	for _, i := range list {
		r.Instances = append(r.Instances, c.instance(i))
	}
	return r
}

func describeInstanceStatus(c *call, in *model.DescribeInstanceStatusRequest) (result, error) {
	keep, err := statusFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "instanceIds", in.InstanceIds)
	if err != nil {
		return nil, err
	}
	rows, err := c.instances(in.InstanceIds)
	if err != nil {
		return nil, err
	}
	every := query.Value(in.IncludeAllInstances)
	rows, next := cutPage(p, rows, instancePlace, func(i *control.Instance) bool {
		return (every || i.State == control.InstanceRunning) && keep(i)
	})
	out := &model.DescribeInstanceStatusResult{InstanceStatuses: []model.InstanceStatus{}, NextToken: next}
	for _, i := range rows {
		out.InstanceStatuses = append(out.InstanceStatuses, c.instanceStatus(i))
	}
	return out, nil
}

// transition changes the state of several instances and tells from what to
// what. Ids are checked together; what a single instance refuses ends the
// call, and those before it have changed.
func (c *call) transition(ids []string, change func(*control.Service, context.Context, string) (*control.Instance, error)) ([]model.InstanceStateChange, error) {
	before, err := findAll(control.InstanceID, ids, c.state.Instance)
	if err != nil {
		return nil, err
	}
	svc := c.command()
	list := make([]model.InstanceStateChange, 0, len(before))
	for _, i := range before {
		after, err := change(svc, c.ctx, i.ID)
		if err != nil {
			return nil, err
		}
		list = append(list, model.InstanceStateChange{
			InstanceId: &i.ID, PreviousState: instanceState(i.State), CurrentState: instanceState(after.State),
		})
	}
	return list, nil
}

func startInstances(c *call, in *model.StartInstancesRequest) (result, error) {
	list, err := c.transition(in.InstanceIds, (*control.Service).StartInstance)
	if err != nil {
		return nil, err
	}
	return &model.StartInstancesResult{StartingInstances: list}, nil
}

func stopInstances(c *call, in *model.StopInstancesRequest) (result, error) {
	list, err := c.transition(in.InstanceIds, func(s *control.Service, ctx context.Context, id string) (*control.Instance, error) {
		if query.Value(in.Hibernate) {
			return s.HibernateInstance(ctx, id)
		}
		return s.StopInstance(ctx, id, query.Value(in.Force))
	})
	if err != nil {
		return nil, err
	}
	return &model.StopInstancesResult{StoppingInstances: list}, nil
}

func rebootInstances(c *call, in *model.RebootInstancesRequest) (result, error) {
	if _, err := c.transition(in.InstanceIds, (*control.Service).RebootInstance); err != nil {
		return nil, err
	}
	return done{}, nil
}

// terminableFirst puts the instances behind that share a zone with one which is
// protected: these stay, and the others go, though the call fails (EC2 API
// Reference, TerminateInstances).
func (c *call) terminableFirst(ids []string) []string {
	zones := make(map[string]bool)
	for _, id := range ids {
		if i := c.state.Instance(id); i != nil && protected(i) {
			zones[i.Zone] = true
		}
	}
	rank := func(id string) int {
		switch i := c.state.Instance(id); {
		case i == nil || !zones[i.Zone]:
			return 0
		case protected(i):
			return 1 // its refusal comes before its neighbours' turn
		}
		return 2
	}
	return slices.SortedStableFunc(slices.Values(ids), func(a, b string) int { return rank(a) - rank(b) })
}

func protected(i *control.Instance) bool {
	return i.ProtectTerminate && i.State != control.InstanceShuttingDown && i.State != control.InstanceTerminated
}

func terminateInstances(c *call, in *model.TerminateInstancesRequest) (result, error) {
	list, err := c.transition(c.terminableFirst(in.InstanceIds), (*control.Service).TerminateInstance)
	if err != nil {
		return nil, err
	}
	return &model.TerminateInstancesResult{TerminatingInstances: list}, nil
}
