package ec2

import (
	"strings"
	"testing"
)

// Where an instance runs and whether its memory can be kept: what a launch says
// is checked, kept, shown and found.
func TestPlacementAndHibernation(t *testing.T) {
	l := newLab(t)
	const host = "h-0123456789abcdef0"
	encrypted := " BlockDeviceMapping.1.DeviceName=/dev/xvda BlockDeviceMapping.1.Ebs.Encrypted=true BlockDeviceMapping.1.Ebs.VolumeSize=8"
	for _, c := range []struct{ launch, shown string }{
		{"InstanceType=t3.medium", "tenancy=default hostId=- affinity=- configured=false"},
		{"InstanceType=t2.micro Placement.Tenancy=default", "tenancy=default hostId=- affinity=- configured=false"},
		{"InstanceType=m5.large Placement.Tenancy=dedicated", "tenancy=dedicated hostId=- affinity=- configured=false"},
		{"InstanceType=m5.large Placement.Tenancy=host", "tenancy=host hostId=- affinity=default configured=false"},
		{"InstanceType=m5.large Placement.HostId=" + host, "tenancy=host hostId=" + host + " affinity=default configured=false"},
		{"InstanceType=m5.large Placement.Tenancy=host Placement.Affinity=host Placement.HostId=" + host, "tenancy=host hostId=" + host + " affinity=host configured=false"},
		{"InstanceType=m5.large HibernationOptions.Configured=true" + encrypted, "tenancy=default hostId=- affinity=- configured=true"},
	} {
		id := l.launch(strings.Fields(c.launch)...).text("instanceId")
		i := l.must("DescribeInstances", "InstanceId.1="+id).at("reservationSet.1.instancesSet.1")
		got := "tenancy=" + i.text("placement.tenancy") + " hostId=" + i.text("placement.hostId") + " affinity=" + i.text("placement.affinity") +
			" configured=" + i.text("hibernationOptions.configured")
		if got != c.shown {
			t.Errorf("%s: shown as %s, want %s", c.launch, got, c.shown)
		}
		for filter, path := range map[string]string{
			"tenancy": "placement.tenancy", "host-id": "placement.hostId", "affinity": "placement.affinity",
			"hibernation-options.configured": "hibernationOptions.configured",
		} {
			finds := i.text(path) != "-"
			r := l.must("DescribeInstances", "InstanceId.1="+id, "Filter.1.Name="+filter, "Filter.1.Value.1="+i.text(path))
			if finds != (r.count("reservationSet") == 1) {
				t.Errorf("%s: found by %s=%s: %d", c.launch, filter, i.text(path), r.count("reservationSet"))
			}
		}
	}
	for _, c := range []struct{ launch, code string }{
		{"InstanceType=m5.large Placement.Tenancy=alone", "InvalidParameterValue"},
		{"InstanceType=t2.micro Placement.Tenancy=dedicated", "Unsupported"},
		{"InstanceType=c5a.large Placement.Tenancy=host", "Unsupported"}, // DedicatedHostsSupported is false
		{"InstanceType=m5.large Placement.HostId=host", "InvalidHostID.Malformed"},
		{"InstanceType=m5.large Placement.Tenancy=dedicated Placement.HostId=" + host, "InvalidParameterCombination"},
		{"InstanceType=m5.large Placement.Affinity=host", "InvalidParameterCombination"},
		{"InstanceType=m5.large Placement.Tenancy=host Placement.Affinity=ours", "InvalidParameterValue"},
		{"InstanceType=m5.large HibernationOptions.Configured=true", "UnsupportedHibernationConfiguration"},              // not encrypted
		{"InstanceType=m5.xlarge HibernationOptions.Configured=true" + encrypted, "UnsupportedHibernationConfiguration"}, // 16 GiB
		{"InstanceType=a1.large HibernationOptions.Configured=true" + encrypted, "UnsupportedHibernationConfiguration"},  // no such type
	} {
		l.refused(c.code, "RunInstances", append(strings.Fields(c.launch), "ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1")...)
	}
}

func TestHibernatingStop(t *testing.T) {
	l := newLab(t)
	plain := l.launch("InstanceType=m5.large").text("instanceId")
	ready := l.launch("InstanceType=m5.large", "HibernationOptions.Configured=true", "BlockDeviceMapping.1.DeviceName=/dev/xvda",
		"BlockDeviceMapping.1.Ebs.Encrypted=true").text("instanceId")
	r := l.refused("UnsupportedHibernationConfiguration", "StopInstances", "InstanceId.1="+plain, "Hibernate=true")
	if want := "The instance can't be hibernated because it was not configured at launch for hibernation: " + plain; r.text("Errors.Error.Message") != want {
		t.Errorf("refused with %q, want %q", r.text("Errors.Error.Message"), want)
	}
	l.must("StopInstances", "InstanceId.1="+ready, "Hibernate=true")
	l.must("StopInstances", "InstanceId.1="+plain, "Hibernate=false")
	for id, want := range map[string]string{ready: "Client.UserInitiatedHibernate", plain: "Client.UserInitiatedShutdown"} {
		if got := l.must("DescribeInstances", "InstanceId.1="+id).text("reservationSet.1.instancesSet.1.stateReason.code"); got != want {
			t.Errorf("stopped for %s, want %s", got, want)
		}
	}
}

// EC2 User Guide, "Dedicated Instances": the VPC's tenancy counts where the
// launch says default or nothing.
func TestTenancyOfTheVPC(t *testing.T) {
	l := newLab(t)
	l.refused("InvalidParameterValue", "CreateVpc", "CidrBlock=10.0.0.0/16", "InstanceTenancy=host")
	if got := l.must("CreateVpc", "CidrBlock=10.1.0.0/16", "InstanceTenancy=default").text("vpc.instanceTenancy"); got != "default" {
		t.Errorf("a VPC of tenancy %s, want default", got)
	}
	vpc := l.must("CreateVpc", "CidrBlock=10.0.0.0/16", "InstanceTenancy=dedicated").text("vpc.vpcId")
	if got := l.must("DescribeVpcs", "VpcId.1="+vpc).text("vpcSet.1.instanceTenancy"); got != "dedicated" {
		t.Errorf("the VPC is shown as %s", got)
	}
	subnet := "SubnetId=" + l.must("CreateSubnet", "VpcId="+vpc, "CidrBlock=10.0.0.0/24").text("subnet.subnetId")
	for said, want := range map[string]string{"": "dedicated", "Placement.Tenancy=default": "dedicated", "Placement.Tenancy=host": "host"} {
		if got := l.launch(append(strings.Fields(said), subnet, "InstanceType=m5.large")...).text("placement.tenancy"); got != want {
			t.Errorf("%q: tenancy %s, want %s", said, got, want)
		}
	}
	l.refused("Unsupported", "RunInstances", subnet, "ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1", "InstanceType=t2.micro")
}
