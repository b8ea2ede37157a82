package ec2

import (
	"encoding/base64"
	"strconv"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

func bindInstanceAttributes(t map[string]handler) {
	bind(t, "InstanceId Attribute", describeInstanceAttribute)
	bind(t, "InstanceId Attribute Value SourceDestCheck GroupId InstanceType UserData DisableApiTermination DisableApiStop"+
		" InstanceInitiatedShutdownBehavior EbsOptimized BlockDeviceMapping.DeviceName BlockDeviceMapping.Ebs.DeleteOnTermination"+
		" BlockDeviceMapping.Ebs.VolumeId", modifyInstanceAttribute)
	bind(t, "InstanceId HttpTokens HttpEndpoint HttpProtocolIpv6 HttpPutResponseHopLimit InstanceMetadataTags",
		modifyInstanceMetadataOptions)
	bind(t, "InstanceId", monitorInstances)
	bind(t, "InstanceId", unmonitorInstances)
	bind(t, "InstanceId", sendDiagnosticInterrupt)
	// What a guest has logged is there at once, so that Latest changes nothing.
	bind(t, "InstanceId Latest", getConsoleOutput)
	bind(t, "InstanceId Filter MaxResults NextToken", describeInstanceCreditSpecifications)
	bind(t, "AssociationId Filter MaxResults NextToken", describeIamInstanceProfileAssociations)
}

func truth(b bool) *model.AttributeBooleanValue {
	return &model.AttributeBooleanValue{Value: &b}
}

// attribute has no value for "": EC2 shows the bare element.
func attribute(s string) *model.AttributeValue { return &model.AttributeValue{Value: text(s)} }

// shutdownBehavior is what an instance does when its guest shuts down.
func shutdownBehavior(i *control.Instance) string {
	if i.ShutdownBehavior == "" {
		return "stop"
	}
	return i.ShutdownBehavior
}

func describeInstanceAttribute(c *call, in *model.DescribeInstanceAttributeRequest) (result, error) {
	i, err := find(control.InstanceID, *in.InstanceId, c.state.Instance)
	if err != nil {
		return nil, err
	}
	out := &model.InstanceAttribute{InstanceId: &i.ID}
	switch *in.Attribute {
	case "instanceType":
		out.InstanceType = attribute(i.Type)
	case "userData":
		out.UserData = attribute(i.UserData)
	case "disableApiTermination":
		out.DisableApiTermination = truth(i.ProtectTerminate)
	case "disableApiStop":
		out.DisableApiStop = truth(i.ProtectStop)
	case "instanceInitiatedShutdownBehavior":
		out.InstanceInitiatedShutdownBehavior = attribute(shutdownBehavior(i))
	case "rootDeviceName":
		out.RootDeviceName = attribute(i.RootDeviceName())
	case "blockDeviceMapping":
		out.BlockDeviceMappings = c.blockDevices(i)
	case "ebsOptimized":
		out.EbsOptimized = truth(i.EBSOptimized)
	case "enaSupport":
		out.EnaSupport = truth(hasENA(i.Type))
	case "sriovNetSupport":
		out.SriovNetSupport = attribute("")
	case "productCodes":
		out.ProductCodes = []model.ProductCode{}
	case "enclaveOptions":
		out.EnclaveOptions = &model.EnclaveOptions{Enabled: new(false)}
	case "sourceDestCheck", "groupSet":
		return out, c.primaryAttribute(i, *in.Attribute, out)
	case "kernel", "ramdisk":
		// Hardware virtual machines have neither.
	default:
		return nil, invalid("Value (%s) for parameter attribute is invalid. Unknown attribute.", clip(*in.Attribute))
	}
	return out, nil
}

// primaryAttribute shows what an instance has through its primary ENI. A
// terminated one has none any more.
func (c *call) primaryAttribute(i *control.Instance, name string, out *model.InstanceAttribute) error {
	if name == "groupSet" {
		out.Groups = []model.GroupIdentifier{}
	}
	for _, n := range c.state.InterfacesOf(i.ID) {
		switch {
		case !n.Attachment.Primary():
		case name == "groupSet":
			out.Groups = c.groupIDs(n.Groups)
		default:
			out.SourceDestCheck = truth(n.SourceDestCheck)
		}
	}
	return nil
}

func modifyInstanceAttribute(c *call, in *model.ModifyInstanceAttributeRequest) (result, error) {
	i, err := find(control.InstanceID, *in.InstanceId, c.state.Instance)
	if err != nil {
		return nil, err
	}
	change := control.ModifyInstanceInput{ID: i.ID, Groups: in.Groups}
	if in.Attribute != nil {
		if err := readAttribute(*in.Attribute, in.Value, &change); err != nil {
			return nil, err
		}
	} else if in.Value != nil {
		return nil, missing("attribute")
	}
	for _, f := range []struct {
		name string
		from *model.AttributeValue
		to   **string
	}{
		{"instanceType", in.InstanceType, &change.Type},
		{"instanceInitiatedShutdownBehavior", in.InstanceInitiatedShutdownBehavior, &change.ShutdownBehavior},
	} {
		if f.from == nil {
			continue
		}
		if f.from.Value == nil {
			return nil, missing(f.name + ".value")
		}
		*f.to = f.from.Value
	}
	for _, f := range []struct {
		name string
		from *model.AttributeBooleanValue
		to   **bool
	}{
		{"disableApiTermination", in.DisableApiTermination, &change.ProtectTerminate},
		{"disableApiStop", in.DisableApiStop, &change.ProtectStop},
		{"ebsOptimized", in.EbsOptimized, &change.EBSOptimized},
		{"sourceDestCheck", in.SourceDestCheck, &change.SourceDestCheck},
	} {
		if f.from == nil {
			continue
		}
		if f.from.Value == nil {
			return nil, missing(f.name + ".value")
		}
		*f.to = f.from.Value
	}
	if in.UserData != nil {
		change.UserData = new(base64.StdEncoding.EncodeToString(in.UserData.Value))
	}
	if change.Devices, err = c.deviceChanges(i, in.BlockDeviceMappings); err != nil {
		return nil, err
	}
	if _, err := findAll(control.GroupID, in.Groups, c.state.SecurityGroup); err != nil {
		return nil, err
	}
	_, err = c.command().ModifyInstance(c.ctx, change)
	return done{}, err
}

// readAttribute reads the older form of a change, Attribute and Value.
func readAttribute(name string, value *string, change *control.ModifyInstanceInput) error {
	if value == nil {
		return missing("value")
	}
	flags := map[string]**bool{
		"disableApiTermination": &change.ProtectTerminate, "disableApiStop": &change.ProtectStop,
		"ebsOptimized": &change.EBSOptimized, "sourceDestCheck": &change.SourceDestCheck,
	}
	if to, ok := flags[name]; ok {
		b, err := strconv.ParseBool(strings.ToLower(*value))
		if err != nil {
			return invalid("Invalid value '%s' for value. It must be true or false", clip(*value))
		}
		*to = &b
		return nil
	}
	switch name {
	case "instanceType":
		change.Type = value
	case "userData":
		change.UserData = value
	case "instanceInitiatedShutdownBehavior":
		change.ShutdownBehavior = value
	default:
		return invalid("Value (%s) for parameter attribute is invalid. Unknown or not modifiable.", clip(name))
	}
	return nil
}

func modifyInstanceMetadataOptions(c *call, in *model.ModifyInstanceMetadataOptionsRequest) (result, error) {
	i, err := find(control.InstanceID, *in.InstanceId, c.state.Instance)
	if err != nil {
		return nil, err
	}
	if in.HttpPutResponseHopLimit != nil && *in.HttpPutResponseHopLimit < 1 {
		return nil, invalid("Value (%d) for parameter httpPutResponseHopLimit is invalid. It must be 1 to 64.", *in.HttpPutResponseHopLimit)
	}
	i, err = c.command().SetMetadataOptions(c.ctx, i.ID, control.MetadataOptions{
		HTTPTokens: query.Value(in.HttpTokens), HTTPEndpoint: query.Value(in.HttpEndpoint),
		HTTPProtocolIPv6: query.Value(in.HttpProtocolIpv6), InstanceMetadataTags: query.Value(in.InstanceMetadataTags),
		HopLimit: query.Value(in.HttpPutResponseHopLimit),
	})
	if err != nil {
		return nil, err
	}
	return &model.ModifyInstanceMetadataOptionsResult{InstanceId: &i.ID, InstanceMetadataOptions: metadataOptions(i)}, nil
}

// monitor switches detailed monitoring of instances. What changes is shown as
// under way in the answer, as EC2 does, and as done from then on.
func (c *call) monitor(ids []string, on bool, underWay string) ([]model.InstanceMonitoring, error) {
	rows, err := findAll(control.InstanceID, ids, c.state.Instance)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, missing("InstanceId")
	}
	svc := c.command()
	list := make([]model.InstanceMonitoring, 0, len(rows))
	for _, i := range rows {
		if _, err := svc.SetMonitoring(c.ctx, i.ID, on); err != nil {
			return nil, err
		}
		state := monitoringState(i)
		if i.Monitoring != on {
			state = underWay
		}
		list = append(list, model.InstanceMonitoring{InstanceId: &i.ID, Monitoring: &model.Monitoring{State: &state}})
	}
	return list, nil
}

func monitorInstances(c *call, in *model.MonitorInstancesRequest) (result, error) {
	list, err := c.monitor(in.InstanceIds, true, "pending")
	if err != nil {
		return nil, err
	}
	return &model.MonitorInstancesResult{InstanceMonitorings: list}, nil
}

func unmonitorInstances(c *call, in *model.UnmonitorInstancesRequest) (result, error) {
	list, err := c.monitor(in.InstanceIds, false, "disabling")
	if err != nil {
		return nil, err
	}
	return &model.UnmonitorInstancesResult{InstanceMonitorings: list}, nil
}

// sendDiagnosticInterrupt makes the guest panic, as an operating system that is
// set up for it does: here it freezes.
func sendDiagnosticInterrupt(c *call, in *model.SendDiagnosticInterruptRequest) (result, error) {
	i, err := find(control.InstanceID, *in.InstanceId, c.state.Instance)
	if err != nil {
		return nil, err
	}
	_, err = c.command().FailInstance(c.ctx, i.ID, control.FaultFreeze)
	return done{}, err
}

func creditsOf(i *control.Instance) string {
	if i.CreditUnlimited {
		return "unlimited"
	}
	return "standard"
}

var creditFilters = filterable[vm]{
	action: "DescribeInstanceCreditSpecifications",
	fields: map[string]field[vm]{"instance-id": one(func(_ *call, i vm) string { return i.ID })},
}

// describeInstanceCreditSpecifications shows the instances asked for, or those
// with unlimited credits (API reference).
func describeInstanceCreditSpecifications(c *call, in *model.DescribeInstanceCreditSpecificationsRequest) (result, error) {
	keep, err := creditFilters.compile(c, in.Filters)
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
	asked := len(in.InstanceIds) > 0 || len(in.Filters) > 0
	for _, i := range rows {
		if len(in.InstanceIds) > 0 && !burstable(i.Type) {
			return nil, query.Refuse("InvalidInstanceCreditSpecification.NotSupported", // unverified: code and text
				"The instance '%s' of type %s does not use CPU credits", i.ID, i.Type)
		}
	}
	rows, next := cutPage(p, rows, instancePlace, func(i vm) bool {
		return burstable(i.Type) && i.State != control.InstanceTerminated && (asked || i.CreditUnlimited) && keep(i)
	})
	out := &model.DescribeInstanceCreditSpecificationsResult{
		InstanceCreditSpecifications: []model.InstanceCreditSpecification{}, NextToken: next,
	}
	for _, i := range rows {
		out.InstanceCreditSpecifications = append(out.InstanceCreditSpecifications,
			model.InstanceCreditSpecification{InstanceId: &i.ID, CpuCredits: new(creditsOf(i))})
	}
	return out, nil
}
