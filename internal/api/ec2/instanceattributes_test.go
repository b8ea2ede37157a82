package ec2

import (
	"encoding/base64"
	"strings"
	"testing"
)

// walkAttributes shows and changes every attribute of an instance.
func walkAttributes(t *testing.T, l *lab, w world) {
	t.Helper()
	for attribute, want := range map[string]string{
		"instanceType": "instanceType.value=t3.medium", "userData": "userData.value=-",
		"disableApiTermination": "disableApiTermination.value=false", "disableApiStop": "disableApiStop.value=false",
		"instanceInitiatedShutdownBehavior": "instanceInitiatedShutdownBehavior.value=stop",
		"sourceDestCheck":                   "sourceDestCheck.value=true", "groupSet": "groupSet.1.groupId=" + w.group,
		"ebsOptimized": "ebsOptimized.value=false", "rootDeviceName": "rootDeviceName.value=/dev/xvda",
		"blockDeviceMapping": "blockDeviceMapping.1.ebs.volumeId=vol-" + w.b[2:], "enaSupport": "enaSupport.value=true",
		"sriovNetSupport": "sriovNetSupport.value=-", "productCodes": "productCodes.1=-", "enclaveOptions": "enclaveOptions.enabled=false",
		"kernel": "kernel=-", "ramdisk": "ramdisk=-",
	} {
		path, value, _ := strings.Cut(want, "=")
		r := l.must("DescribeInstanceAttribute", "InstanceId="+w.b, "Attribute="+attribute)
		if got := r.text(path); got != value || r.text("instanceId") != w.b {
			t.Errorf("%s: %s, want %s", attribute, r.raw, want)
		}
	}
	l.refused("InvalidParameterValue", "DescribeInstanceAttribute", "InstanceId="+w.b, "Attribute=colour")
	for _, change := range []string{
		"SourceDestCheck.Value=false", "GroupId.1=" + w.group, "DisableApiTermination.Value=true", "DisableApiStop.Value=true",
		"InstanceInitiatedShutdownBehavior.Value=terminate",
	} {
		l.must("ModifyInstanceAttribute", "InstanceId="+w.b, change)
	}
	r := l.refused("OperationNotPermitted", "StopInstances", "InstanceId.1="+w.b)
	if want := "The instance '" + w.b + "' may not be stopped. Modify its 'disableApiStop' instance attribute and try again."; r.message() != want {
		t.Error(r.message())
	}
	l.refused("OperationNotPermitted", "TerminateInstances", "InstanceId.1="+w.b)
	l.refused("IncorrectInstanceState", "ModifyInstanceAttribute", "InstanceId="+w.b, "InstanceType.Value=m5.large")
	// The older form.
	l.must("ModifyInstanceAttribute", "InstanceId="+w.b, "Attribute=disableApiStop", "Value=false")
	l.must("ModifyInstanceAttribute", "InstanceId="+w.b, "Attribute=disableApiTermination", "Value=false")
	l.refused("InvalidParameterCombination", "ModifyInstanceAttribute", "InstanceId="+w.b)
	l.refused("UnsupportedOperation", "ModifyInstanceAttribute", "InstanceId="+w.b, "Kernel.Value=aki-1")

	r = l.must("ModifyInstanceMetadataOptions", "InstanceId="+w.b, "HttpTokens=required", "HttpPutResponseHopLimit=2")
	if r.text("instanceMetadataOptions.httpTokens") != "required" || r.text("instanceMetadataOptions.httpEndpoint") != "enabled" {
		t.Errorf("metadata options %s", r.raw)
	}
	l.refused("InvalidParameterValue", "ModifyInstanceMetadataOptions", "InstanceId="+w.b, "HttpPutResponseHopLimit=0")
	if got := l.must("MonitorInstances", "InstanceId.1="+w.b).text("instancesSet.1.monitoring.state"); got != "pending" {
		t.Errorf("monitoring %s", got)
	}
	r = l.must("DescribeInstances", "Filter.1.Name=metadata-options.http-tokens", "Filter.1.Value.1=required",
		"Filter.2.Name=monitoring-state", "Filter.2.Value.1=enabled")
	i := r.at("reservationSet.1.instancesSet.1")
	if i.text("instanceId") != w.b || i.text("metadataOptions.httpPutResponseHopLimit") != "2" || i.text("sourceDestCheck") != "false" {
		t.Errorf("the instance does not show what was changed: %s", r.raw)
	}
	if got := l.must("UnmonitorInstances", "InstanceId.1="+w.b).text("instancesSet.1.monitoring.state"); got != "disabling" {
		t.Errorf("monitoring %s", got)
	}
	walkStoppedAttributes(t, l, w)
}

func walkStoppedAttributes(t *testing.T, l *lab, w world) {
	t.Helper()
	l.must("StopInstances", "InstanceId.1="+w.b)
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "stopped", "DescribeInstances", "InstanceId.1="+w.b)
	for _, change := range []string{
		"InstanceType.Value=m5.large", "UserData.Value=" + base64.StdEncoding.EncodeToString([]byte("#!/bin/sh")), "EbsOptimized.Value=true",
	} {
		l.must("ModifyInstanceAttribute", "InstanceId="+w.b, change)
	}
	if got := l.must("DescribeInstanceAttribute", "InstanceId="+w.b, "Attribute=userData").text("userData.value"); got != "IyEvYmluL3No" {
		t.Errorf("user data %s", got)
	}
	l.must("StartInstances", "InstanceId.1="+w.b)
	l.until("reservationSet.1.instancesSet.1.instanceState.name", "running", "DescribeInstances", "InstanceId.1="+w.b)

	l.must("SendDiagnosticInterrupt", "InstanceId="+w.b)
	if got := l.svc.State().Instance(w.b).Fault; got != "freeze" {
		t.Errorf("a diagnostic interrupt left the fault %q", got)
	}
	l.must("RebootInstances", "InstanceId.1="+w.b)
	r := l.must("GetConsoleOutput", "InstanceId="+w.b, "Latest=true")
	raw, err := base64.StdEncoding.DecodeString(r.text("output"))
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for line := range strings.Lines(string(raw)) {
		_, what, _ := strings.Cut(strings.TrimSpace(line), " ")
		steps = append(steps, what)
	}
	log := strings.Join(steps, "\n")
	for _, want := range []string{"power on address=", "running", "stopped", "failed fault=freeze", "reboot", "network card eni-"} {
		if !strings.Contains(log, want) {
			t.Errorf("the console does not say %q:\n%s", want, log)
		}
	}
	if strings.Contains(log, w.a) {
		t.Errorf("the console shows another instance:\n%s", log)
	}
}

// walkListed asks for what is listed, and for what enilab has none of.
func walkListed(t *testing.T, l *lab, w world) {
	t.Helper()
	r := l.must("DescribeImages", "Owner.1=amazon", "Filter.1.Name=name", "Filter.1.Value.1=al2023-ami-2023.*-kernel-6.1-arm64")
	if n := r.count("imagesSet"); n != 1 || r.text("imagesSet.1.architecture") != "arm64" || r.text("imagesSet.1.rootDeviceType") != "ebs" {
		t.Errorf("images %s", r.raw)
	}
	listed := r.text("imagesSet.1.imageId")
	if got := l.must("DescribeImages", "ImageId.1="+listed).text("imagesSet.1.name"); !strings.HasPrefix(got, "al2023-ami-") {
		t.Errorf("a listed image by its id is %s", got)
	}
	r = l.must("DescribeImages", "ImageId.1=ami-0123456789abcdef0")
	if r.text("imagesSet.1.imageId") != "ami-0123456789abcdef0" || r.text("imagesSet.1.imageOwnerId") != DefaultAccount {
		t.Errorf("an image that was launched: %s", r.raw)
	}
	l.refused("InvalidAMIID.Malformed", "DescribeImages", "ImageId.1=image")
	r = l.must("DescribeVolumes", "Filter.1.Name=attachment.instance-id", "Filter.1.Value.1="+w.a)
	volume := r.text("volumeSet.1.volumeId")
	if r.count("volumeSet") != 1 || volume != "vol-"+w.a[2:] || r.text("volumeSet.1.attachmentSet.1.device") != "/dev/xvda" {
		t.Errorf("volumes %s", r.raw)
	}
	if got := l.must("DescribeInstances", "InstanceId.1="+w.a).text("reservationSet.1.instancesSet.1.blockDeviceMapping.1.ebs.volumeId"); got != volume {
		t.Errorf("the instance has volume %s, the volume is %s", got, volume)
	}
	l.must("DescribeVolumes", "VolumeId.1="+volume)
	l.refused("InvalidVolume.NotFound", "DescribeVolumes", "VolumeId.1=vol-00000000000000000")

	r = l.must("DescribeInstanceCreditSpecifications", "InstanceId.1="+w.a)
	if r.text("instanceCreditSpecificationSet.1.cpuCredits") != "unlimited" { // as T3 is unless told otherwise
		t.Errorf("credits %s", r.raw)
	}
	if n := l.must("DescribeInstanceCreditSpecifications").count("instanceCreditSpecificationSet"); n != 1 {
		t.Errorf("%d instances with unlimited credits, want a of the types t3.medium and m5.large", n)
	}
	l.refused("InvalidInstanceCreditSpecification.NotSupported", "DescribeInstanceCreditSpecifications", "InstanceId.1="+w.b)
	l.must("DescribeIamInstanceProfileAssociations", "Filter.1.Name=instance-id", "Filter.1.Value.1="+w.a)

	if n := l.must("DescribeInstanceTypeOfferings").count("instanceTypeOfferingSet"); n != 1263 {
		t.Errorf("%d offerings in the region", n)
	}
	r = l.must("DescribeInstanceTypeOfferings", "LocationType=availability-zone", "Filter.1.Name=instance-type", "Filter.1.Value.1=m5.large",
		"Filter.2.Name=location", "Filter.2.Value.1=us-east-1a")
	if r.count("instanceTypeOfferingSet") != 1 || r.text("instanceTypeOfferingSet.1.locationType") != "availability-zone" {
		t.Errorf("offerings %s", r.raw)
	}
	if got := l.must("DescribeInstanceTypeOfferings", "LocationType=availability-zone-id", "MaxResults=5").text("instanceTypeOfferingSet.1.location"); !strings.HasPrefix(got, "use1-az") {
		t.Errorf("location %s", got)
	}
	l.refused("InvalidParameterValue", "DescribeInstanceTypeOfferings", "LocationType=planet")

	l.must("ImportKeyPair", importKey("walk", ed25519Key)...)
	id := l.must("DescribeKeyPairs", "Filter.1.Name=key-name", "Filter.1.Value.1=wal?").text("keySet.1.keyPairId")
	l.must("CreateTags", "ResourceId.1="+id, "Tag.1.Key=role", "Tag.1.Value=key")
	if got := l.must("DescribeTags", "Filter.1.Name=resource-id", "Filter.1.Value.1="+id).text("tagSet.1.resourceType"); got != "key-pair" {
		t.Errorf("a key pair's tag is of a %s", got)
	}
	l.must("CreateKeyPair", "KeyName=walk2", "KeyType=ed25519")
	l.must("DeleteKeyPair", "KeyName=walk")
}
