package control

import (
	"strings"
	"testing"
)

func modify(id string, set func(*ModifyInstanceInput)) func(*tx) (*Instance, error) {
	in := ModifyInstanceInput{ID: id}
	set(&in)
	return func(t *tx) (*Instance, error) { return t.modifyInstance(in) }
}

// Each attribute is stored, and only that one changes.
func TestModifyInstanceAttributes(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	s.stop(i)
	for _, c := range []struct {
		attribute string
		set       func(*ModifyInstanceInput)
		holds     func(*Instance, *NetworkInterface) bool
	}{
		{"instanceType", func(in *ModifyInstanceInput) { in.Type = new("m5.large") },
			func(i *Instance, _ *NetworkInterface) bool { return i.Type == "m5.large" }},
		{"userData", func(in *ModifyInstanceInput) { in.UserData = new("IyEvYmluL3No") },
			func(i *Instance, _ *NetworkInterface) bool { return i.UserData == "IyEvYmluL3No" }},
		{"instanceInitiatedShutdownBehavior", func(in *ModifyInstanceInput) { in.ShutdownBehavior = new("terminate") },
			func(i *Instance, _ *NetworkInterface) bool { return i.ShutdownBehavior == "terminate" }},
		{"ebsOptimized", func(in *ModifyInstanceInput) { in.EBSOptimized = new(true) },
			func(i *Instance, _ *NetworkInterface) bool { return i.EBSOptimized }},
		{"disableApiTermination", func(in *ModifyInstanceInput) { in.ProtectTerminate = new(true) },
			func(i *Instance, _ *NetworkInterface) bool { return i.ProtectTerminate }},
		{"disableApiStop", func(in *ModifyInstanceInput) { in.ProtectStop = new(true) },
			func(i *Instance, _ *NetworkInterface) bool { return i.ProtectStop }},
		{"sourceDestCheck", func(in *ModifyInstanceInput) { in.SourceDestCheck = new(false) },
			func(_ *Instance, n *NetworkInterface) bool { return !n.SourceDestCheck }},
	} {
		must(s.lab, modify(i.ID, c.set))
		if now := s.state.Instance(i.ID); !c.holds(now, s.primary(now)) {
			t.Errorf("%s did not change: %+v", c.attribute, now)
		}
		if e := s.last().Events; len(e) != 1 || !strings.HasSuffix(e[0].Type, ".modified") {
			t.Errorf("%s: events %+v", c.attribute, e)
		}
	}
	now := s.state.Instance(i.ID)
	if now.Type != "m5.large" || !now.ProtectTerminate || !now.ProtectStop || now.State != InstanceStopped {
		t.Errorf("a later attribute undid an earlier one: %+v", now)
	}
}

func TestModifyInstanceRefusals(t *testing.T) {
	s := newSite(t)
	running, full := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
	s.attach(s.eni(s.a, ""), full, 1)
	s.attach(s.eni(s.a, ""), full, 2)
	s.stop(full)
	wide := s.run(s.a, "t3.medium")
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		n, _, err := t.assignAddresses(AssignAddressesInput{ID: s.primary(wide).ID, Count: 5})
		return n, err
	})
	s.stop(wide)
	gone := s.instanceDo((*tx).terminateInstance, s.run(s.a, ""))
	for _, c := range []struct {
		row  string
		id   string
		set  func(*ModifyInstanceInput)
		code string
		text string
	}{
		{"no attribute", running.ID, func(*ModifyInstanceInput) {}, "InvalidParameterCombination", "No attributes specified."},
		{"two attributes", running.ID, func(in *ModifyInstanceInput) { in.ProtectStop, in.ProtectTerminate = new(true), new(true) },
			"InvalidParameterCombination", "Fields for multiple attribute types specified"},
		{"type while running", running.ID, func(in *ModifyInstanceInput) { in.Type = new("m5.large") },
			"IncorrectInstanceState", "The instance '" + running.ID + "' is not in the 'stopped' state."},
		{"user data while running", running.ID, func(in *ModifyInstanceInput) { in.UserData = new("") },
			"IncorrectInstanceState", "The instance '" + running.ID + "' is not in the 'stopped' state."},
		{"unknown type", full.ID, func(in *ModifyInstanceInput) { in.Type = new("t9.huge") },
			"InvalidParameterValue", "Invalid value 't9.huge' for InstanceType."},
		{"type with fewer ENI slots than attached", full.ID, func(in *ModifyInstanceInput) { in.Type = new("t3.micro") },
			"AttachmentLimitExceeded", "Interface count 3 exceeds the limit for t3.micro"},
		{"type with fewer addresses", wide.ID, func(in *ModifyInstanceInput) { in.Type = new("t3.small") },
			"PrivateIpAddressLimitExceeded", "Number of private addresses will exceed limit."},
		{"user data that is no base64", full.ID, func(in *ModifyInstanceInput) { in.UserData = new("%") },
			"InvalidParameterValue", "Invalid BASE64 encoding of user data"},
		{"too much user data", full.ID, func(in *ModifyInstanceInput) { in.UserData = new(strings.Repeat("AAAA", 5462)) },
			"InvalidParameterValue", "User data is limited to 16384 bytes"},
		{"unknown shutdown behaviour", running.ID, func(in *ModifyInstanceInput) { in.ShutdownBehavior = new("sleep") }, "InvalidParameterValue",
			"Value (sleep) for parameter instanceInitiatedShutdownBehavior is invalid. It must be stop or terminate."},
		{"source/destination check with several ENIs", full.ID, func(in *ModifyInstanceInput) { in.SourceDestCheck = new(false) }, "InvalidInstanceID",
			"There are multiple interfaces attached to instance '" + full.ID + "'. Please specify an interface ID for the operation instead."},
		{"no groups", running.ID, func(in *ModifyInstanceInput) { in.Groups = []string{} },
			"MissingParameter", "The request must contain at least one security group"},
		{"shutting down", gone.ID, func(in *ModifyInstanceInput) { in.ProtectStop = new(true) },
			"IncorrectInstanceState", "The instance '" + gone.ID + "' is not in a state from which it can be modified."},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, modify(c.id, c.set))
		})
	}
}

// Termination and stop protection hold against the API, and against nothing
// else.
func TestProtection(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	must(s.lab, modify(i.ID, func(in *ModifyInstanceInput) { in.ProtectTerminate = new(true) }))
	refused(s.lab, "OperationNotPermitted", "The instance '"+i.ID+
		"' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.",
		func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	must(s.lab, modify(i.ID, func(in *ModifyInstanceInput) { in.ProtectTerminate = new(false) }))
	must(s.lab, modify(i.ID, func(in *ModifyInstanceInput) { in.ProtectStop = new(true) }))
	refused(s.lab, "OperationNotPermitted", "The instance '"+i.ID+
		"' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.",
		func(t *tx) (*Instance, error) { return t.stopInstance(i.ID, true) })
	refused(s.lab, "OperationNotPermitted", "The instance '"+i.ID+
		"' may not be terminated. Modify its 'disableApiStop' instance attribute and try again.",
		func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	if i := s.instanceDo(fail(FaultStop), i); i.State != InstanceStopping {
		t.Errorf("a failing host asks nobody, but the instance is %s", i.State)
	}
	s.settle()
	must(s.lab, modify(i.ID, func(in *ModifyInstanceInput) { in.ProtectStop = new(false) }))
	s.instanceDo((*tx).terminateInstance, i)
}

func TestMetadataOptions(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	set := func(o MetadataOptions) func(*tx) (*Instance, error) {
		return func(t *tx) (*Instance, error) { return t.setMetadataOptions(i.ID, o) }
	}
	must(s.lab, set(MetadataOptions{HTTPTokens: "required", HopLimit: 2}))
	got := must(s.lab, set(MetadataOptions{HTTPEndpoint: "disabled"})).Metadata
	if got != (MetadataOptions{HTTPTokens: "required", HTTPEndpoint: "disabled", HopLimit: 2}) {
		t.Errorf("an option that was not given changed: %+v", got)
	}
	refused(s.lab, "InvalidParameterValue", "Value (maybe) for parameter httpTokens is invalid. It must be optional or required.",
		set(MetadataOptions{HTTPTokens: "maybe"}))
	refused(s.lab, "InvalidParameterValue", "Value (65) for parameter httpPutResponseHopLimit is invalid. It must be 1 to 64.",
		set(MetadataOptions{HopLimit: 65}))
	if !must(s.lab, func(t *tx) (*Instance, error) { return t.setMonitoring(i.ID, true) }).Monitoring {
		t.Error("not monitored")
	}
}
