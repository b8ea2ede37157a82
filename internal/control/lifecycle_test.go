package control

import (
	"slices"
	"testing"
	"time"

	"enilab/internal/dataplane/spec"
)

func (s *site) instanceDo(f func(*tx, string) (*Instance, error), i *Instance) *Instance {
	s.t.Helper()
	return must(s.lab, func(t *tx) (*Instance, error) { return f(t, i.ID) })
}

func stop(t *tx, id string) (*Instance, error) { return t.stopInstance(id, false) }
func fail(f Fault) func(*tx, string) (*Instance, error) {
	return func(t *tx, id string) (*Instance, error) { return t.failInstance(id, f) }
}

func TestRunInstance(t *testing.T) {
	s := newSite(t)
	s.timing = s.timing.With(OpLaunch, Fixed(time.Hour))
	i := must(s.lab, func(t *tx) (*Instance, error) {
		return t.runInstance(RunInstanceInput{Subnet: s.a.ID, PrivateIP: "192.168.0.10", Tags: Tags{"Name": "client"}})
	})
	n := s.primary(i)
	switch {
	case i.State != InstancePending, i.Type != "t3.micro", i.Zone != "us-east-1a", i.Boot != 1, i.Name() != "client":
		t.Errorf("launched %+v", i)
	case n.Attachment.DeviceIndex != 0, n.Attachment.State != Attaching, !n.Attachment.DeleteOnTermination:
		t.Errorf("primary ENI attached %+v", n.Attachment)
	case n.PrimaryAddress().String() != "192.168.0.10":
		t.Errorf("address %s", n.PrimaryAddress())
	}
	// The attachment is attached when the instance runs, not before.
	s.settle()
	if s.primary(i).Attachment.State != Attaching {
		t.Error("attached while pending")
	}
	s.now = s.now.Add(time.Hour)
	s.settle()
	if s.state.Instance(i.ID).State != InstanceRunning || s.primary(i).Attachment.State != Attached {
		t.Error("not running")
	}
}

func TestRunInstanceRefusals(t *testing.T) {
	s := newSite(t)
	used := s.primary(s.run(s.a, ""))
	addr := used.PrimaryAddress().String()
	wide := must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.createInterface(CreateInterfaceInput{Subnet: s.a.ID, SecondaryCount: 2})
	})
	must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	foreign := s.state.SecurityGroups()[1].ID
	for _, c := range []struct {
		row  string
		in   RunInstanceInput
		code string
		text string
	}{
		{"unknown type", RunInstanceInput{Subnet: s.a.ID, Type: "t9.huge"}, "InvalidParameterValue", "Invalid value 't9.huge' for InstanceType."},
		{"no subnet", RunInstanceInput{}, "MissingParameter", "The request must contain the parameter subnetId"},
		{"IP outside subnet", RunInstanceInput{Subnet: s.a.ID, PrivateIP: "10.0.9.9"}, "InvalidParameterValue", "Address 10.0.9.9 does not fall within the subnet's address range"},
		{"IP in use", RunInstanceInput{Subnet: s.a.ID, PrivateIP: addr}, "InvalidIPAddress.InUse", "Address " + addr + " is in use."},
		{"group of another VPC", RunInstanceInput{Subnet: s.a.ID, Groups: []string{foreign}}, "InvalidParameter",
			"Security group " + foreign + " and subnet " + s.a.ID + " belong to different networks."},
		{"launch with in-use ENI", RunInstanceInput{Interface: used.ID}, "InvalidNetworkInterface.InUse", "Interface: [" + used.ID + "] in use."},
		{"ENI and subnet", RunInstanceInput{Interface: wide.ID, Subnet: s.a.ID}, "InvalidParameterCombination",
			"Network interfaces and an instance-level subnet ID may not be specified on the same request"},
		{"ENI and groups", RunInstanceInput{Interface: wide.ID, Groups: []string{foreign}}, "InvalidParameterCombination",
			"Network interfaces and an instance-level security groups may not be specified on the same request"},
		{"per-ENI IP limit at launch", RunInstanceInput{Interface: wide.ID}, "InvalidInterface.IpAddressLimitExceeded",
			"Interface " + wide.ID + " has 3 private addresses, which exceeds the limit of 2 for t3.micro"},
	} {
		t.Run(c.row, func(t *testing.T) {
			s.t = t
			refused(s.lab, c.code, c.text, func(t *tx) (*Instance, error) { return t.runInstance(c.in) })
		})
	}
}

// Stop keeps attachments, addresses, MAC and Elastic IP (ec2-facts §1.6).
func TestStopStart(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	n := s.attach(s.eni(s.a, ""), i, 1)
	eip := s.eip()
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(eip.AllocationID, n.ID, "", true))
	})
	s.settle()
	before := s.state.InterfacesOf(i.ID)

	if got := s.instanceDo(stop, i); got.State != InstanceStopping || got.ReasonCode != "Client.UserInitiatedShutdown" {
		t.Errorf("stopping is %+v", got)
	}
	refused(s.lab, "IncorrectInstanceState", "The instance '"+i.ID+"' is not in a state from which it can be started.",
		func(t *tx) (*Instance, error) { return t.startInstance(i.ID) })
	s.settle()
	stopped := s.instanceDo(stop, i)
	if stopped.State != InstanceStopped || !slices.Equal(s.state.InterfacesOf(i.ID), before) {
		t.Error("stopping touched the ENIs")
	}
	started := s.instanceDo((*tx).startInstance, i)
	if started.State != InstancePending || started.Boot != i.Boot+1 || started.ReasonCode != "" {
		t.Errorf("starting is %+v", started)
	}
	s.settle()
	if !slices.Equal(s.state.InterfacesOf(i.ID), before) || s.state.Address(eip.AllocationID).NetworkInterface != n.ID {
		t.Error("starting touched the ENIs")
	}
	commits := len(s.commits)
	s.instanceDo((*tx).startInstance, i)
	if len(s.commits) != commits {
		t.Error("starting a running instance changed something")
	}
}

// Terminate deletes what is to be deleted and frees the rest, at terminated.
func TestTerminate(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "t3.medium")
	primary := s.primary(i)
	kept := s.attach(s.eni(s.a, "192.168.0.42"), i, 1)
	gone := s.attach(s.eni(s.a, "192.168.0.43"), i, 2)
	yes := true
	must(s.lab, func(t *tx) (*NetworkInterface, error) {
		return t.modifyInterface(ModifyInterfaceInput{ID: gone.ID, AttachmentID: gone.Attachment.ID, DeleteOnTermination: &yes})
	})
	lost, stays := s.eip(), s.eip()
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(lost.AllocationID, gone.ID, "", true))
	})
	must(s.lab, func(t *tx) (*Address, error) {
		return t.associateAddress(association(stays.AllocationID, kept.ID, "", true))
	})
	s.settle()
	free := s.state.AvailableAddresses(s.a.ID)

	s.timing = s.timing.With(OpTerminate, Fixed(time.Hour))
	if got := s.instanceDo((*tx).terminateInstance, i); got.State != InstanceShuttingDown {
		t.Errorf("terminating is %s", got.State)
	}
	for _, n := range s.state.InterfacesOf(i.ID) {
		if n.Attachment.State != Detaching || n.Status() != "in-use" {
			t.Errorf("%s is %s while shutting down", n.ID, n.Attachment.State)
		}
	}
	// The ENIs' own timers must not free them before the instance is gone.
	s.settle()
	if len(s.state.InterfacesOf(i.ID)) != 3 {
		t.Error("an ENI was freed while shutting down")
	}
	s.instanceDo((*tx).terminateInstance, i) // idempotent
	s.now = s.now.Add(time.Hour)
	s.settle()
	if got := s.state.Instance(i.ID); got.State != InstanceTerminated {
		t.Fatalf("it is %s", got.State)
	}
	if s.state.NetworkInterface(primary.ID) != nil || s.state.NetworkInterface(gone.ID) != nil {
		t.Error("an ENI to delete on termination is left")
	}
	if n := s.state.NetworkInterface(kept.ID); n == nil || n.Status() != "available" || n.MAC != kept.MAC {
		t.Errorf("the ENI that survives is %+v", n)
	}
	if got := s.state.AvailableAddresses(s.a.ID); got != free+2 {
		t.Errorf("%d addresses available, want %d", got, free+2)
	}
	if s.state.Address(lost.AllocationID).AssociationID != "" || s.state.Address(stays.AllocationID).NetworkInterface != kept.ID {
		t.Error("the Elastic IPs are not where they belong")
	}
	for _, want := range []string{"started", "stopped"} {
		refused(s.lab, "IncorrectInstanceState", "The instance '"+i.ID+"' is not in a state from which it can be "+want+".",
			func(t *tx) (*Instance, error) {
				if want == "started" {
					return t.startInstance(i.ID)
				}
				return t.stopInstance(i.ID, true)
			})
	}
	s.now = s.now.Add(time.Hour)
	s.settle()
	refused(s.lab, "InvalidInstanceID.NotFound", "The instance ID '"+i.ID+"' does not exist",
		func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
}

func TestFaults(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	refused(s.lab, "InvalidParameterValue", "Value (melt) for parameter fault is invalid. Faults are freeze, link and stop.",
		func(t *tx) (*Instance, error) { return t.failInstance(i.ID, "melt") })
	got := s.instanceDo(fail(FaultFreeze), i)
	if got.Fault != FaultFreeze || got.State != InstanceRunning || got.FaultAt.IsZero() {
		t.Errorf("frozen is %+v", got)
	}
	if got := s.instanceDo((*tx).recoverInstance, i); got.Fault != FaultNone || !got.FaultAt.IsZero() || got.Boot != i.Boot {
		t.Errorf("recovered is %+v", got)
	}
	s.instanceDo(fail(FaultFreeze), i)
	if got := s.instanceDo((*tx).rebootInstance, i); got.Fault != FaultNone || got.Boot != i.Boot+1 {
		t.Errorf("rebooted is %+v", got)
	}
	s.instanceDo(fail(FaultLink), i)
	if got := s.instanceDo((*tx).rebootInstance, i); got.Fault != FaultLink {
		t.Errorf("a reboot plugged the cable in: %+v", got)
	}
	got = s.instanceDo(fail(FaultStop), i)
	if got.Fault != FaultStop || got.State != InstanceStopping {
		t.Errorf("stopped by a fault is %+v", got)
	}
	refused(s.lab, "IncorrectInstanceState", "The instance '"+i.ID+"' is not in a state from which it can be started.",
		func(t *tx) (*Instance, error) { return t.recoverInstance(i.ID) })
	refused(s.lab, "IncorrectInstanceState", "Instance '"+i.ID+"' is not 'running'.",
		func(t *tx) (*Instance, error) { return t.failInstance(i.ID, FaultLink) })
	s.settle()
	if got := s.instanceDo((*tx).recoverInstance, i); got.State != InstancePending || got.Fault != FaultNone {
		t.Errorf("recovered is %+v", got)
	}
	s.settle()
	commits := len(s.commits)
	s.instanceDo((*tx).recoverInstance, i)
	if len(s.commits) != commits {
		t.Error("recovering a sound instance changed something")
	}
}

func TestSurvivesItsInstance(t *testing.T) {
	s := newSite(t)
	one, two := s.run(s.a, "t3.medium"), s.run(s.a, "t3.medium")
	eth1 := s.attach(s.eni(s.a, "192.168.0.42"), one, 1)
	s.stop(one)
	s.instanceDo((*tx).startInstance, one)
	s.settle()
	s.instanceDo((*tx).terminateInstance, one)
	s.settle()
	got := s.attach(s.state.NetworkInterface(eth1.ID), two, 1)
	if got.MAC != eth1.MAC || got.PrimaryAddress() != eth1.PrimaryAddress() || got.ID != eth1.ID {
		t.Errorf("it came through as %+v", got)
	}
}

func TestPauseTraffic(t *testing.T) {
	s := newSite(t)
	i, idle := s.run(s.a, ""), s.run(s.a, "")
	echo := spec.Workload{Name: "echo", Kind: spec.WorkloadUDPEcho, Target: s.primary(idle).PrimaryAddress(), Rate: 500}
	must(s.lab, func(t *tx) (*Instance, error) { return t.setWorkloads(i.ID, []spec.Workload{echo}) })
	s.ok(func(t *tx) error { return t.pauseTraffic(true) })
	if c := s.last(); len(c.Changes) != 1 || !s.state.Instance(i.ID).Workloads[0].Paused {
		t.Errorf("pausing is %+v", c.Changes)
	}
	commits := len(s.commits)
	s.ok(func(t *tx) error { return t.pauseTraffic(true) })
	if len(s.commits) != commits {
		t.Error("pausing twice changed something")
	}
	s.ok(func(t *tx) error { return t.pauseTraffic(false) })
	if s.state.Instance(i.ID).Workloads[0].Paused {
		t.Error("still paused")
	}
}
