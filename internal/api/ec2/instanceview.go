package ec2

import (
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

// reservation is the id of an instance's launch. Every instance here has one of
// its own.
func reservation(i *control.Instance) string { return "r-" + strings.TrimPrefix(i.ID, "i-") }

func (c *call) instance(i *control.Instance) model.Instance {
	out := model.Instance{
		InstanceId: &i.ID, InstanceType: &i.Type, State: instanceState(i.State), LaunchTime: &i.LaunchAt,
		AmiLaunchIndex: new(0), Monitoring: &model.Monitoring{State: new("disabled")},
		Placement: &model.Placement{
			AvailabilityZone: &i.Zone, AvailabilityZoneId: c.zoneID(i.Zone), GroupName: new(""), Tenancy: new("default"),
		},
		ProductCodes: []model.ProductCode{}, BlockDeviceMappings: []model.InstanceBlockDeviceMapping{},
		NetworkInterfaces: []model.InstanceNetworkInterface{}, SecurityGroups: []model.GroupIdentifier{}, Tags: tagList(i.Tags),
		PrivateDnsName: new(""), PublicDnsName: new(""), StateTransitionReason: new(""),
		Operator: &model.OperatorResponse{Managed: new(false)},
	}
	if t, ok := control.InstanceTypeByName(i.Type); ok {
		out.Architecture, out.Hypervisor = &t.Architecture, text(hypervisor(t))
		out.VirtualizationType = new("hvm")
	}
	if i.ReasonCode != "" {
		out.StateReason = &model.StateReason{Code: &i.ReasonCode, Message: &i.ReasonText}
		if strings.HasPrefix(i.ReasonCode, "Client.") {
			out.StateTransitionReason = new("User initiated (" + i.StateAt.UTC().Format("2006-01-02 15:04:05 GMT") + ")")
		}
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
		out.PrivateIpAddress, out.PrivateDnsName = m.PrivateIpAddress, new(c.privateName(n.PrimaryAddress()))
		out.SourceDestCheck, out.SecurityGroups = m.SourceDestCheck, m.Groups
		if m.Association != nil {
			out.PublicIpAddress = m.Association.PublicIp
		}
	}
	return out
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
		Status: new(n.Status()), MacAddress: new(n.MAC.String()), InterfaceType: new("interface"),
		PrivateIpAddress: new(n.PrimaryAddress().String()), SourceDestCheck: &n.SourceDestCheck,
		Groups: c.groupIDs(n.Groups), Ipv6Addresses: []model.InstanceIpv6Address{},
		Operator: &model.OperatorResponse{Managed: new(false)},
		Attachment: &model.InstanceNetworkInterfaceAttachment{
			AttachmentId: &a.ID, DeviceIndex: &a.DeviceIndex, NetworkCardIndex: new(0), Status: new(string(a.State)),
			AttachTime: &a.AttachTime, DeleteOnTermination: &a.DeleteOnTermination,
		},
	}
	elastic := c.elastic(n)
	for i := range n.Addresses {
		addr := &n.Addresses[i]
		p := model.InstancePrivateIpAddress{PrivateIpAddress: new(addr.Addr.String()), Primary: &addr.Primary}
		if e := elastic[addr.Addr]; e != nil {
			p.Association = &model.InstanceNetworkInterfaceAssociation{
				IpOwnerId: &c.api.opt.Account, PublicIp: new(e.PublicIP.String()), PublicDnsName: new(""),
			}
			if addr.Primary {
				out.Association = p.Association
			}
		}
		out.PrivateIpAddresses = append(out.PrivateIpAddresses, p)
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
		Events: []model.InstanceStatusEvent{}, Operator: &model.OperatorResponse{Managed: new(false)},
	}
}
