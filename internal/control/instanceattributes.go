package control

import (
	"context"
	"encoding/base64"
)

// maxUserData bounds user data in bytes, before base64 (EC2 User Guide, "Run
// commands at launch").
const maxUserData = 16 << 10

// Shutdown behaviours (EC2 InstanceInitiatedShutdownBehavior).
const (
	shutdownStop      = "stop"
	shutdownTerminate = "terminate"
)

// ModifyInstanceInput is ModifyInstanceAttribute's: exactly one attribute is
// set. SourceDestCheck and Groups are those of the only ENI.
type ModifyInstanceInput struct {
	ID               string
	Type             *string
	UserData         *string // base64
	ShutdownBehavior *string // "stop", "terminate"
	ProtectTerminate *bool
	ProtectStop      *bool
	EBSOptimized     *bool
	SourceDestCheck  *bool
	Groups           []string // not nil: replaces the whole set
	Devices          []DeviceChange
}

// DeviceChange is a change of one entry of an instance's block device mapping.
type DeviceChange struct {
	Device              string
	DeleteOnTermination bool
}

// ModifyInstance changes exactly one attribute of an instance.
func (s *Service) ModifyInstance(ctx context.Context, in ModifyInstanceInput) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.modifyInstance(in) })
}

func (t *tx) modifyInstance(in ModifyInstanceInput) (*Instance, error) {
	i, err := t.instance(in.ID)
	if err != nil {
		return nil, err
	}
	switch one(in.Type != nil) + one(in.UserData != nil) + one(in.ShutdownBehavior != nil) + one(in.ProtectTerminate != nil) +
		one(in.ProtectStop != nil) + one(in.EBSOptimized != nil) + one(in.SourceDestCheck != nil) + one(in.Groups != nil) +
		one(in.Devices != nil) {
	case 0:
		return nil, refuse(codeCombination, "", "No attributes specified.")
	case 1:
	default:
		return nil, refuse(codeCombination, "", "Fields for multiple attribute types specified") // unverified: text
	}
	if i.State == InstanceShuttingDown || i.State == InstanceTerminated {
		return nil, errInstanceState(i, "modified") // unverified: text
	}
	if in.SourceDestCheck != nil || in.Groups != nil {
		return i, t.modifyOnlyInterface(i, in)
	}
	if in.Devices != nil {
		return i, t.changeDevices(i, in.Devices)
	}
	c := *i
	attribute := ""
	switch {
	case in.Type != nil:
		attribute, err = "instanceType", t.retype(&c, *in.Type)
	case in.UserData != nil:
		attribute, err = "userData", setUserData(&c, *in.UserData)
	case in.EBSOptimized != nil:
		attribute, err = "ebsOptimized", stopped(i)
		c.EBSOptimized = *in.EBSOptimized
	case in.ShutdownBehavior != nil:
		attribute, err = "instanceInitiatedShutdownBehavior", checkShutdown(*in.ShutdownBehavior)
		c.ShutdownBehavior = *in.ShutdownBehavior
	case in.ProtectTerminate != nil:
		attribute, c.ProtectTerminate = "disableApiTermination", *in.ProtectTerminate
	default:
		attribute, c.ProtectStop = "disableApiStop", *in.ProtectStop
	}
	if err != nil {
		return nil, err
	}
	t.put(TableInstance, &c)
	t.emit("instance.modified", c.ID, "attribute", attribute)
	return &c, nil
}

// modifyOnlyInterface changes what an instance has through its ENI, which is
// unambiguous with one only.
func (t *tx) modifyOnlyInterface(i *Instance, in ModifyInstanceInput) error {
	attached := t.interfacesOf(i.ID)
	if len(attached) != 1 {
		return refuse("InvalidInstanceID", "instanceId",
			"There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
	}
	_, err := t.modifyInterface(ModifyInterfaceInput{ID: attached[0].ID, SourceDestCheck: in.SourceDestCheck, Groups: in.Groups})
	return err
}

func stopped(i *Instance) error {
	if i.State != InstanceStopped {
		return refuse(codeInstanceState, "instanceId", "The instance '%s' is not in the 'stopped' state.", i.ID)
	}
	return nil
}

// retype gives i another type, which must take the ENIs that are attached with
// the addresses they have.
func (t *tx) retype(i *Instance, name string) error {
	if err := stopped(i); err != nil {
		return err
	}
	limits, ok := instanceTypes()[name]
	if !ok {
		return invalid("instanceType", "Invalid value '%s' for InstanceType.", name)
	}
	attached := t.interfacesOf(i.ID)
	onCard := make(map[int]int)
	for _, n := range attached {
		onCard[n.Attachment.NetworkCard]++
	}
	if err := limits.carries(onCard); err != nil {
		return err
	}
	for _, n := range attached {
		if err := limits.takes(n); err != nil {
			return err
		}
	}
	i.Type = name
	return nil
}

func setUserData(i *Instance, data string) error {
	if err := stopped(i); err != nil {
		return err
	}
	if err := checkUserData(data); err != nil {
		return err
	}
	i.UserData = data
	return nil
}

func checkUserData(data string) error {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return invalid("userData", "Invalid BASE64 encoding of user data")
	}
	if len(raw) > maxUserData {
		return invalid("userData", "User data is limited to %d bytes", maxUserData)
	}
	return nil
}

func checkShutdown(behavior string) error {
	if behavior != shutdownStop && behavior != shutdownTerminate {
		return invalid("instanceInitiatedShutdownBehavior",
			"Value (%s) for parameter instanceInitiatedShutdownBehavior is invalid. It must be stop or terminate.", behavior)
	}
	return nil
}

// errProtected is the refusal of what an attribute forbids to API calls.
func errProtected(i *Instance, done, attribute string) error {
	return refuse(codeNotPermitted, "instanceId",
		"The instance '%s' may not be %s. Modify its '%s' instance attribute and try again.", i.ID, done, attribute)
}

// terminable tells why the API may not terminate i. Stop protection keeps from
// that too (EC2 User Guide, "Enable stop protection").
func terminable(i *Instance) error {
	switch {
	case i.ProtectTerminate:
		return errProtected(i, "terminated", "disableApiTermination")
	case i.ProtectStop:
		return errProtected(i, "terminated", "disableApiStop") // unverified: text
	}
	return nil
}

// SetMetadataOptions changes how an instance's metadata may be asked for; "" and
// 0 leave an option as it is.
func (s *Service) SetMetadataOptions(ctx context.Context, id string, o MetadataOptions) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setMetadataOptions(id, o) })
}

func (t *tx) setMetadataOptions(id string, o MetadataOptions) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	if i.State == InstanceShuttingDown || i.State == InstanceTerminated {
		return nil, errInstanceState(i, "modified") // unverified: text
	}
	c := *i
	if c.Metadata, err = c.Metadata.with(o); err != nil {
		return nil, err
	}
	if c.Metadata == i.Metadata {
		return i, nil
	}
	t.put(TableInstance, &c)
	t.emit("instance.modified", c.ID, "attribute", "metadataOptions")
	return &c, nil
}

// maxHopLimit is EC2's (InstanceMetadataOptionsRequest).
const maxHopLimit = 64

// with is m with the options that o gives.
func (m MetadataOptions) with(o MetadataOptions) (MetadataOptions, error) {
	for _, f := range []struct {
		name     string
		to       *string
		value    string
		one, two string
	}{
		{"httpTokens", &m.HTTPTokens, o.HTTPTokens, "optional", "required"},
		{"httpEndpoint", &m.HTTPEndpoint, o.HTTPEndpoint, "enabled", "disabled"},
		{"httpProtocolIpv6", &m.HTTPProtocolIPv6, o.HTTPProtocolIPv6, "enabled", "disabled"},
		{"instanceMetadataTags", &m.InstanceMetadataTags, o.InstanceMetadataTags, "enabled", "disabled"},
	} {
		switch f.value {
		case "":
		case f.one, f.two:
			*f.to = f.value
		default:
			return m, invalid(f.name, "Value (%s) for parameter %s is invalid. It must be %s or %s.", f.value, f.name, f.one, f.two)
		}
	}
	if o.HopLimit < 0 || o.HopLimit > maxHopLimit {
		return m, invalid("httpPutResponseHopLimit",
			"Value (%d) for parameter httpPutResponseHopLimit is invalid. It must be 1 to %d.", o.HopLimit, maxHopLimit)
	}
	if o.HopLimit > 0 {
		m.HopLimit = o.HopLimit
	}
	return m, nil
}

// SetMonitoring switches detailed monitoring, which enilab stores and shows.
func (s *Service) SetMonitoring(ctx context.Context, id string, on bool) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.setMonitoring(id, on) })
}

func (t *tx) setMonitoring(id string, on bool) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	if i.State == InstanceShuttingDown || i.State == InstanceTerminated {
		return nil, errInstanceState(i, "monitored") // unverified: text
	}
	if i.Monitoring == on {
		return i, nil
	}
	c := *i
	c.Monitoring = on
	t.put(TableInstance, &c)
	t.emit("instance.modified", c.ID, "attribute", "monitoring")
	return &c, nil
}
