package ec2

import (
	"cmp"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
)

// stateCodes are the low bytes of EC2's instance states.
var stateCodes = map[control.InstanceState]int{
	control.InstancePending: 0, control.InstanceRunning: 16, control.InstanceShuttingDown: 32,
	control.InstanceTerminated: 48, control.InstanceStopping: 64, control.InstanceStopped: 80,
}

func instanceState(s control.InstanceState) *model.InstanceState {
	return &model.InstanceState{Code: new(stateCodes[s]), Name: new(string(s))}
}

func (c *call) instance(i *control.Instance) model.Instance {
	out := model.Instance{
		InstanceId: &i.ID, InstanceType: &i.Type, State: instanceState(i.State), LaunchTime: new(i.LaunchTime()),
		ImageId: text(i.ImageID), KeyName: text(i.KeyName), ClientToken: &i.ClientToken,
		AmiLaunchIndex: &i.LaunchIndex,
		Placement: &model.Placement{
			AvailabilityZone: &i.Zone, AvailabilityZoneId: c.zoneID(i.Zone), GroupName: new(""), Tenancy: new(tenancy(i)),
			HostId: text(i.HostID), Affinity: text(affinity(i)),
		},
		ProductCodes:      []model.ProductCode{},
		NetworkInterfaces: []model.InstanceNetworkInterface{}, SecurityGroups: []model.GroupIdentifier{}, Tags: someTags(i.Tags),
		PrivateDnsName: new(""), PublicDnsName: new(""), StateTransitionReason: new(""),
		Operator:                         &model.OperatorResponse{Managed: new(false)},
		CapacityReservationSpecification: &model.CapacityReservationSpecificationResponse{CapacityReservationPreference: new("open")},
		MaintenanceOptions:               &model.InstanceMaintenanceOptions{AutoRecovery: new("default")},
		NetworkPerformanceOptions:        &model.InstanceNetworkPerformanceOptions{BandwidthWeighting: new(bandwidthWeighting)},
		PrivateDnsNameOptions: &model.PrivateDnsNameOptionsResponse{
			HostnameType: new(hostnameType(i)), EnableResourceNameDnsARecord: &i.RecordA, EnableResourceNameDnsAAAARecord: &i.RecordAAAA,
		},
	}
	if t, ok := control.InstanceTypeByName(i.Type); ok {
		out.Architecture, out.Hypervisor = &t.Architecture, text(hypervisor(t))
		out.VirtualizationType = new(virtualization)
		out.CpuOptions = &model.CpuOptions{CoreCount: &t.Cores, ThreadsPerCore: &t.ThreadsPerCore}
	}
	if i.ReasonCode != "" {
		out.StateReason = &model.StateReason{Code: &i.ReasonCode, Message: &i.ReasonText}
		out.StateTransitionReason = new(transitionReason(i))
	}
	c.showSettings(i, &out)
	if i.State == control.InstanceTerminated {
		return out
	}
	out.VpcId, out.SubnetId = &i.VPC, &i.Subnet
	for _, n := range c.state.InterfacesOf(i.ID) {
		m := c.instanceInterface(n)
		out.NetworkInterfaces = append(out.NetworkInterfaces, m)
		if !n.Attachment.Primary() {
			continue
		}
		out.PrivateIpAddress, out.PrivateDnsName = m.PrivateIpAddress, new(c.instanceName(i, n))
		out.SourceDestCheck, out.SecurityGroups = m.SourceDestCheck, m.Groups
		if m.Association != nil {
			out.PublicIpAddress, out.PublicDnsName = m.Association.PublicIp, m.Association.PublicDnsName
		}
		if len(m.Ipv6Addresses) > 0 {
			out.Ipv6Address = m.Ipv6Addresses[0].Ipv6Address
		}
	}
	return out
}

// bandwidthWeighting is that of every instance: bandwidth is the machine's.
const bandwidthWeighting = "default"

func tenancy(i *control.Instance) string { return cmp.Or(i.Tenancy, "default") }

// affinity is of instances on a Dedicated Host alone.
func affinity(i *control.Instance) string {
	if i.Tenancy != "host" {
		return ""
	}
	return cmp.Or(i.Affinity, "default")
}

func hostnameType(i *control.Instance) string { return cmp.Or(i.HostnameType, "ip-name") }

// transitionReason is the free text of a state that a user asked for.
func transitionReason(i *control.Instance) string {
	if !strings.HasPrefix(i.ReasonCode, "Client.") {
		return ""
	}
	return "User initiated (" + i.StateAt.UTC().Format("2006-01-02 15:04:05 GMT") + ")"
}

// hypervisor is what DescribeInstances calls it: xen, of Nitro too.
func hypervisor(t control.InstanceType) string {
	if t.Hypervisor == "" {
		return ""
	}
	return "xen"
}

func (c *call) instanceInterface(n *control.NetworkInterface) model.InstanceNetworkInterface {
	a := n.Attachment
	out := model.InstanceNetworkInterface{
		NetworkInterfaceId: &n.ID, SubnetId: &n.Subnet, VpcId: &n.VPC, OwnerId: &c.api.opt.Account, Description: &n.Description,
		Status: new(n.Status()), MacAddress: new(n.MAC.String()), InterfaceType: new(interfaceType(n)),
		PrivateIpAddress: new(n.PrimaryAddress().String()), PrivateDnsName: text(c.interfaceName(n, n.PrimaryAddress())),
		SourceDestCheck: &n.SourceDestCheck,
		Groups:          c.groupIDs(n.Groups), Ipv6Addresses: []model.InstanceIpv6Address{},
		Operator: &model.OperatorResponse{Managed: new(false)},
		Attachment: &model.InstanceNetworkInterfaceAttachment{
			AttachmentId: &a.ID, DeviceIndex: &a.DeviceIndex, NetworkCardIndex: &a.NetworkCard, Status: new(string(a.State)),
			AttachTime: &a.AttachTime, DeleteOnTermination: &a.DeleteOnTermination,
		},
	}
	if t := trackingView(n.Tracking); t != nil {
		out.ConnectionTrackingConfiguration = new(model.ConnectionTrackingSpecificationResponse(*t))
	}
	public := c.mappings(n)
	for i := range n.Addresses {
		addr := &n.Addresses[i]
		p := model.InstancePrivateIpAddress{
			PrivateIpAddress: new(addr.Addr.String()), Primary: &addr.Primary, PrivateDnsName: text(c.interfaceName(n, addr.Addr)),
		}
		if m, ok := public[addr.Addr]; ok {
			p.Association = &model.InstanceNetworkInterfaceAssociation{
				IpOwnerId: new(m.owner(c)), PublicIp: new(m.public.String()), PublicDnsName: new(c.publicName(n.VPC, m.public)),
			}
			if addr.Primary {
				out.Association = p.Association
			}
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, p)
	}
	for i := range n.IPv6 {
		a := &n.IPv6[i]
		out.Ipv6Addresses = append(out.Ipv6Addresses, model.InstanceIpv6Address{Ipv6Address: new(a.Addr.String()), IsPrimaryIpv6: &a.Primary})
	}
	for _, p := range n.Prefixes {
		out.Ipv4Prefixes = append(out.Ipv4Prefixes, model.InstanceIpv4Prefix{Ipv4Prefix: new(p.String())})
	}
	for _, p := range n.IPv6Prefixes {
		out.Ipv6Prefixes = append(out.Ipv6Prefixes, model.InstanceIpv6Prefix{Ipv6Prefix: new(p.String())})
	}
	return out
}

// health is what the status checks say of an instance: its summary, and of the
// reachability detail. A frozen guest or a dead link fails the instance's own
// check, as from AWS's point of view it would.
func health(i *control.Instance) (summary, reachability string) {
	switch {
	case i.State == control.InstancePending:
		return "initializing", "initializing"
	case i.State != control.InstanceRunning:
		return "not-applicable", ""
	case i.Fault == control.FaultFreeze || i.Fault == control.FaultLink:
		return "impaired", "failed"
	}
	return "ok", "passed"
}

// systemHealth is that of the host, which never fails here.
func systemHealth(i *control.Instance) (summary, reachability string) {
	healthy := *i
	healthy.Fault = control.FaultNone
	return health(&healthy)
}

func (c *call) instanceStatus(i *control.Instance) model.InstanceStatus {
	summarize := func(summary, reachability string) *model.InstanceStatusSummary {
		s := &model.InstanceStatusSummary{Status: &summary}
		if reachability != "" {
			d := model.InstanceStatusDetails{Name: new("reachability"), Status: &reachability}
			if reachability == "failed" {
				d.ImpairedSince = &i.FaultAt
			}
			s.Details = []model.InstanceStatusDetails{d}
		}
		return s
	}
	return model.InstanceStatus{
		InstanceId: &i.ID, AvailabilityZone: &i.Zone, AvailabilityZoneId: c.zoneID(i.Zone),
		InstanceState: instanceState(i.State), InstanceStatus: summarize(health(i)), SystemStatus: summarize(systemHealth(i)),
		Operator: &model.OperatorResponse{Managed: new(false)},
	}
}
