package ec2

import (
	"strings"
	"testing"
)

func walkTemplates(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("CreateLaunchTemplate", "LaunchTemplateName=web", "VersionDescription=first", "LaunchTemplateData.ImageId=ami-0123456789abcdef0",
		"LaunchTemplateData.InstanceType=t3.medium", "LaunchTemplateData.NetworkInterface.1.DeviceIndex=0",
		"LaunchTemplateData.NetworkInterface.1.SubnetId="+w.subnet, "LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1="+w.group,
		"TagSpecification.1.ResourceType=launch-template", "TagSpecification.1.Tag.1.Key=role", "TagSpecification.1.Tag.1.Value=web")
	id := r.text("launchTemplate.launchTemplateId")
	if r.text("launchTemplate.latestVersionNumber") != "1" || r.text("launchTemplate.tagSet.1.value") != "web" {
		t.Errorf("created %s", r.raw)
	}
	r = l.must("CreateLaunchTemplateVersion", "LaunchTemplateName=web", "SourceVersion=1", "LaunchTemplateData.InstanceType=t3.large")
	if r.text("launchTemplateVersion.versionNumber") != "2" || r.text("launchTemplateVersion.launchTemplateData.instanceType") != "t3.large" ||
		r.text("launchTemplateVersion.launchTemplateData.imageId") != "ami-0123456789abcdef0" {
		t.Errorf("a version of a source: %s", r.raw)
	}
	r = l.must("DescribeLaunchTemplateVersions", "LaunchTemplateId="+id)
	if r.count("launchTemplateVersionSet") != 2 || r.text("launchTemplateVersionSet.1.versionNumber") != "2" ||
		r.at("launchTemplateVersionSet.2.launchTemplateData.networkInterfaceSet.1.groupSet").Children[0].Text != w.group {
		t.Errorf("versions: %s", r.raw)
	}
	for _, tt := range []struct {
		want   string
		params []string
	}{
		{"2", []string{"LaunchTemplateId=" + id, "LaunchTemplateVersion.1=$Latest"}},
		{"1", []string{"LaunchTemplateId=" + id, "LaunchTemplateVersion.1=$Default"}},
		{"1", []string{"LaunchTemplateVersion.1=$Default", "ResolveAlias=true"}},
		{"2", []string{"LaunchTemplateName=web", "MinVersion=2"}},
		{"1", []string{"LaunchTemplateName=web", "MaxVersion=1"}},
		{"2", []string{"LaunchTemplateName=web", "Filter.1.Name=instance-type", "Filter.1.Value.1=t3.l*"}},
		{"1", []string{"LaunchTemplateName=web", "Filter.1.Name=is-default-version", "Filter.1.Value.1=true"}},
	} {
		if r := l.must("DescribeLaunchTemplateVersions", tt.params...); r.count("launchTemplateVersionSet") != 1 || r.text("launchTemplateVersionSet.1.versionNumber") != tt.want {
			t.Errorf("%v: %s", tt.params, r.raw)
		}
	}
	l.must("ModifyLaunchTemplate", "LaunchTemplateId="+id, "SetDefaultVersion=2")
	r = l.must("DescribeLaunchTemplates", "LaunchTemplateName.1=web")
	if r.text("launchTemplates.1.defaultVersionNumber") != "2" {
		t.Errorf("modified: %s", r.raw)
	}
	r = l.must("DeleteLaunchTemplateVersions", "LaunchTemplateId="+id, "LaunchTemplateVersion.1=1", "LaunchTemplateVersion.2=2", "LaunchTemplateVersion.3=9")
	if r.text("successfullyDeletedLaunchTemplateVersionSet.1.versionNumber") != "1" ||
		r.text("unsuccessfullyDeletedLaunchTemplateVersionSet.2.responseError.code") != "launchTemplateVersionDoesNotExist" {
		t.Errorf("deleted: %s", r.raw)
	}
	l.must("DeleteLaunchTemplate", "LaunchTemplateName=web")
	l.refused("InvalidLaunchTemplateId.NotFound", "DescribeLaunchTemplates", "LaunchTemplateId.1="+id)
}

// template makes a launch template of parameters below LaunchTemplateData.
func (l *lab) template(name string, data ...string) string {
	l.t.Helper()
	params := []string{"LaunchTemplateName=" + name}
	for _, d := range data {
		params = append(params, "LaunchTemplateData."+d)
	}
	return l.must("CreateLaunchTemplate", params...).text("launchTemplate.launchTemplateId")
}

// A launch has what its template says, but for what it says itself.
func TestLaunchFromTemplate(t *testing.T) {
	l := newLab(t)
	w := l.world()
	const image, other = "ami-0123456789abcdef0", "ami-1123456789abcdef0"
	id := l.template("base", "ImageId="+image, "InstanceType=t3.medium", "UserData=aGVsbG8=", "SecurityGroupId.1="+w.group,
		"MetadataOptions.HttpTokens=required", "MetadataOptions.HttpPutResponseHopLimit=2",
		"BlockDeviceMapping.1.DeviceName=/dev/xvda", "BlockDeviceMapping.1.Ebs.VolumeSize=20", "BlockDeviceMapping.1.Ebs.VolumeType=gp3",
		"TagSpecification.1.ResourceType=instance", "TagSpecification.1.Tag.1.Key=role", "TagSpecification.1.Tag.1.Value=web",
		"TagSpecification.1.Tag.2.Key=team", "TagSpecification.1.Tag.2.Value=net")
	launch := func(params ...string) *reply {
		t.Helper()
		return l.must("RunInstances", append(params, "MinCount=1", "MaxCount=1")...)
	}
	r := launch("LaunchTemplate.LaunchTemplateId="+id, "SubnetId="+w.subnet)
	i := r.text("instancesSet.1.instanceId")
	tags := func(instance string) map[string]string {
		all := make(map[string]string)
		set := l.must("DescribeInstances", "InstanceId.1="+instance).at("reservationSet.1.instancesSet.1.tagSet")
		for n := range set.Children {
			all[set.Children[n].text("key")] = set.Children[n].text("value")
		}
		return all
	}
	for path, want := range map[string]string{
		"imageId": image, "instanceType": "t3.medium", "groupSet.1.groupId": w.group,
		"metadataOptions.httpTokens": "required", "metadataOptions.httpPutResponseHopLimit": "2",
	} {
		if got := r.text("instancesSet.1." + path); got != want {
			t.Errorf("%s is %s, want the template's %s", path, got, want)
		}
	}
	if got := tags(i); len(got) != 4 || got["role"] != "web" || got["aws:ec2launchtemplate:id"] != id || got["aws:ec2launchtemplate:version"] != "1" {
		t.Errorf("tags %v", got)
	}
	if got := l.must("DescribeInstanceAttribute", "InstanceId="+i, "Attribute=userData").text("userData.value"); got != "aGVsbG8=" {
		t.Errorf("user data %s", got)
	}
	size := func(instance string) string {
		return l.must("DescribeVolumes", "Filter.1.Name=attachment.instance-id", "Filter.1.Value.1="+instance).text("volumeSet.1.size")
	}
	if got := size(i); got != "20" {
		t.Errorf("the volume has %s GiB, want 20", got)
	}

	r = launch("LaunchTemplate.LaunchTemplateName=base", "LaunchTemplate.Version=$Latest", "SubnetId="+w.subnet, "ImageId="+other,
		"MetadataOptions.HttpTokens=optional", "BlockDeviceMapping.1.DeviceName=/dev/xvda", "BlockDeviceMapping.1.Ebs.VolumeSize=30",
		"TagSpecification.1.ResourceType=instance", "TagSpecification.1.Tag.1.Key=role", "TagSpecification.1.Tag.1.Value=db")
	i = r.text("instancesSet.1.instanceId")
	for path, want := range map[string]string{
		"imageId": other, "instanceType": "t3.medium", "metadataOptions.httpTokens": "optional", "metadataOptions.httpPutResponseHopLimit": "2",
	} {
		if got := r.text("instancesSet.1." + path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if got := tags(i); got["role"] != "db" || got["team"] != "net" {
		t.Errorf("tags %v", got)
	}
	if got := size(i); got != "30" {
		t.Errorf("the volume has %s GiB, want the request's 30", got)
	}

	// Interfaces are matched by device index.
	nic := l.template("nic", "ImageId="+image, "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.SecurityGroupId.1="+w.group,
		"NetworkInterface.1.Description=from the template")
	r = launch("LaunchTemplate.LaunchTemplateId="+nic, "InstanceType=t3.micro", "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.SubnetId="+w.subnet)
	if got := r.text("instancesSet.1.networkInterfaceSet.1.description"); got != "from the template" ||
		r.text("instancesSet.1.networkInterfaceSet.1.subnetId") != w.subnet || r.text("instancesSet.1.groupSet.1.groupId") != w.group {
		t.Errorf("an interface of both: %s", r.raw)
	}
	eni := l.must("CreateNetworkInterface", "SubnetId="+w.subnet).text("networkInterface.networkInterfaceId")
	r = launch("LaunchTemplate.LaunchTemplateId="+nic, "InstanceType=t3.micro", "NetworkInterface.1.DeviceIndex=0", "NetworkInterface.1.NetworkInterfaceId="+eni)
	if got := r.text("instancesSet.1.networkInterfaceSet.1.networkInterfaceId"); got != eni {
		t.Errorf("launched with %s, want the existing %s", got, eni)
	}
	run := []string{"MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateId=" + nic}
	l.refused("InvalidParameterCombination", "RunInstances", append(run, "SubnetId="+w.subnet)...)
	// Tags of AWS's own stay.
	l.refused("InvalidParameterValue", "DeleteTags", "ResourceId.1="+i, "Tag.1.Key=aws:ec2launchtemplate:id")
	l.must("CreateTags", "ResourceId.1="+i, "Tag.1.Key=more", "Tag.1.Value=x")
	l.must("DeleteTags", "ResourceId.1="+i)
	if got := tags(i); len(got) != 2 || got["aws:ec2launchtemplate:version"] != "1" {
		t.Errorf("tags after all were deleted: %v", got)
	}
	// What a launch cannot do is taken and shown, and refused by the launch.
	spot := l.template("spot", "ImageId="+image, "InstanceMarketOptions.MarketType=spot")
	if r := l.ask("RunInstances", "MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateId="+spot, "SubnetId="+w.subnet); r.code() != "UnsupportedOperation" ||
		!strings.Contains(r.message(), "InstanceMarketOptions") {
		t.Errorf("spot: %s", r.raw)
	}
	fleet := l.template("fleet", "ImageId="+image, "InstanceRequirements.VCpuCount.Min=2")
	l.refused("UnsupportedOperation", "RunInstances", "MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateId="+fleet)
	l.refused("MissingParameter", "RunInstances", "MinCount=1", "MaxCount=1",
		"LaunchTemplate.LaunchTemplateId="+l.template("bare", "InstanceType=t3.micro"))
}

// Texts of EC2 (tests of moto that its authors ran against AWS).
func TestLaunchTemplateErrorRows(t *testing.T) {
	l := newLab(t)
	id := l.template("taken", "ImageId=ami-0123456789abcdef0")
	const none = "lt-07ff4bb0369cd679c"
	l.refuses(t, []errorRow{
		{"a name in use", "CreateLaunchTemplate", params("LaunchTemplateName=taken", "LaunchTemplateData.InstanceType=t3.micro"), "InvalidLaunchTemplateName.AlreadyExistsException", "Launch template name already in use."},
		{"a name that is none", "CreateLaunchTemplate", params("LaunchTemplateName=with space", "LaunchTemplateData.InstanceType=t3.micro"), "InvalidLaunchTemplateName.MalformedException", "A launch template name must be between 3 and 128 characters, and may contain letters, numbers, and the following characters: - ( ) . / _."},
		{"no data", "CreateLaunchTemplate", params("LaunchTemplateName=empty"), "MissingParameter", "The request must contain the parameter launchTemplateData"},
		{"data that EC2 does not have", "CreateLaunchTemplate", params("LaunchTemplateName=odd", "LaunchTemplateData.Colour=red"), "UnknownParameter", "The parameter LaunchTemplateData.Colour is not recognized"},
		{"unknown name", "DescribeLaunchTemplateVersions", params("LaunchTemplateName=template_name"), "InvalidLaunchTemplateName.NotFoundException", "The specified launch template, with template name template_name, does not exist."},
		{"unknown names", "DescribeLaunchTemplates", params("LaunchTemplateName.1=template_name"), "InvalidLaunchTemplateName.NotFoundException", "At least one of the launch templates specified in the request does not exist."},
		{"unknown id", "DescribeLaunchTemplateVersions", params("LaunchTemplateId=" + none), "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID " + none + ", does not exist."},
		{"malformed id", "DeleteLaunchTemplate", params("LaunchTemplateId=lt-x"), "InvalidLaunchTemplateId.Malformed", `Invalid id: "lt-x" (expecting "lt-...")`},
		{"unknown version", "DescribeLaunchTemplateVersions", params("LaunchTemplateId="+id, "LaunchTemplateVersion.1=3"), "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version 3 for the launch template with ID " + id + "."},
		{"unknown default", "ModifyLaunchTemplate", params("LaunchTemplateId="+id, "SetDefaultVersion=666"), "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version 666 for the launch template with ID " + id + "."},
		{"unknown source", "CreateLaunchTemplateVersion", params("LaunchTemplateId="+id, "SourceVersion=9", "LaunchTemplateData.InstanceType=t3.micro"), "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version 9 for the launch template with ID " + id + "."},
		{"id and name", "ModifyLaunchTemplate", params("LaunchTemplateId=template_n", "LaunchTemplateName=taken", "SetDefaultVersion=1"), "InvalidParameterCombination", "Either provide launch template ID or launch template name to modify the template."},
		{"neither id nor name", "DeleteLaunchTemplate", nil, "MissingParameter", "The request must contain the parameter launch template ID or launch template name"},
		{"no versions of all", "DescribeLaunchTemplateVersions", nil, "MissingParameter", whichVersions},
		{"a number of all", "DescribeLaunchTemplateVersions", params("LaunchTemplateVersion.1=1"), "InvalidParameterValue", whichVersions},
		{"launch from none", "RunInstances", params("MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateId="+none), "InvalidLaunchTemplateId.NotFound", "The specified launch template, with template ID " + none + ", does not exist."},
		{"launch from no version", "RunInstances", params("MinCount=1", "MaxCount=1", "LaunchTemplate.LaunchTemplateId="+id, "LaunchTemplate.Version=7"), "InvalidLaunchTemplateId.VersionNotFound", "Could not find the specified version 7 for the launch template with ID " + id + "."},
	})
	if r := l.ask("DeleteLaunchTemplate", "LaunchTemplateId="+id, "DryRun=true"); r.code() != "DryRunOperation" {
		t.Errorf("dry: %s", r.raw)
	}
	if n := l.must("DescribeLaunchTemplates").count("launchTemplates"); n != 1 {
		t.Errorf("%d templates", n)
	}
}
