package ec2

import (
	"net/http"
	"strings"
	"testing"
)

// A dry run refuses what the call would refuse now, says DryRunOperation to the
// rest, and changes nothing either way.
func TestDryRunIsARehearsal(t *testing.T) {
	l := newLab(t)
	w := l.world()
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	attach := func(index string) []string {
		return []string{"NetworkInterfaceId=" + eni, "InstanceId=" + w.a, "DeviceIndex=" + index, "DryRun=true"}
	}
	passes := func(action string, params ...string) {
		t.Helper()
		if r := l.ask(action, params...); r.status != http.StatusPreconditionFailed || !strings.Contains(string(r.raw), "<Code>DryRunOperation<") {
			t.Errorf("%s %v: %d %s", action, params, r.status, r.raw)
		}
	}
	before := l.svc.State().Revision()
	l.refused("InvalidParameterValue", "AttachNetworkInterface", attach("0")...)
	passes("AttachNetworkInterface", attach("1")...)
	passes("CreateVpc", "CidrBlock=10.9.0.0/16", "DryRun=true")
	l.refused("InvalidVpc.Range", "CreateVpc", "CidrBlock=10.0.0.0/8", "DryRun=true")
	l.refused("DependencyViolation", "DeleteVpc", "VpcId="+w.vpc, "DryRun=true")
	passes("DeleteNetworkInterface", "NetworkInterfaceId="+eni, "DryRun=true")
	// Several of each kind of id are made by one command.
	passes("RunInstances", "ImageId=ami-0123456789abcdef0", "MinCount=3", "MaxCount=3",
		"SubnetId="+w.subnet, "DryRun=true")
	passes("CreateTags", "ResourceId.1="+eni, "Tag.1.Key=a", "Tag.1.Value=b", "DryRun=true")
	volume := "VolumeId=" + l.svc.State().Volumes()[0].ID
	passes("CreateVolume", "AvailabilityZone=us-east-1a", "Size=8", "DryRun=true")
	l.refused("VolumeInUse", "DeleteVolume", volume, "DryRun=true")
	l.refused("OperationNotPermitted", "DetachVolume", volume, "DryRun=true")
	passes("ModifyVolume", volume, "Size=9", "DryRun=true")
	passes("CreateSnapshot", volume, "DryRun=true")
	passes("CreateImage", "InstanceId="+w.a, "Name=image", "DryRun=true")
	l.refused("InvalidAMIName.Malformed", "CreateImage", "InstanceId="+w.a, "Name=x", "DryRun=true")
	if after := l.svc.State().Revision(); after != before {
		t.Errorf("dry runs made revision %d of %d", after, before)
	}
}
