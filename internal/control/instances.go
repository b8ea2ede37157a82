package control

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"enilab/internal/dataplane/spec"
)

// InstanceState is EC2's instance state name.
type InstanceState string

// Instance states (EC2 InstanceState: codes 0, 16, 32, 48, 64, 80).
const (
	InstancePending      InstanceState = "pending"
	InstanceRunning      InstanceState = "running"
	InstanceShuttingDown InstanceState = "shutting-down"
	InstanceTerminated   InstanceState = "terminated"
	InstanceStopping     InstanceState = "stopping"
	InstanceStopped      InstanceState = "stopped"
)

// Fault is the name of a failure injected into an instance.
type Fault string

// Faults that Fail injects.
const (
	FaultNone   Fault = ""
	FaultFreeze Fault = "freeze" // the guest neither reads nor sends
	FaultLink   Fault = "link"   // every NIC loses its carrier
	FaultStop   Fault = "stop"   // the instance is stopped as by StopInstances
)

// Instance is a virtual machine.
type Instance struct {
	ID      string // "i-..."
	Region  string
	Zone    string
	VPC     string
	Subnet  string // of the primary ENI
	Type    string // "t3.micro"
	State   InstanceState
	StateAt time.Time // when State was entered
	// StateUntil is when State ends by itself, drawn when it was entered; zero:
	// it does not.
	StateUntil time.Time
	Boot       uint64 // counts starts and reboots
	Fault      Fault
	FaultAt    time.Time
	Workloads  []spec.Workload
	Tags       Tags
	LaunchAt   time.Time // the first time; see LaunchTime
	// Reason is EC2's stateReason code and message of the last transition, or "".
	ReasonCode, ReasonText string
	InstanceSettings
	// Stale is what forced detaches have left, by device index.
	Stale []StaleInterface
}

// Name returns the Name tag.
func (i *Instance) Name() string { return i.Tags["Name"] }

// LaunchTime is when the instance was started last (EC2 API Reference, Instance:
// "The time that the instance was last launched").
func (i *Instance) LaunchTime() time.Time { return cmp.Or(i.StartedAt, i.LaunchAt) }

// Instance returns one instance; a terminated one stays for an hour.
func (s *State) Instance(id string) *Instance { return seek[Instance](s, TableInstance, byID, id) }

// Instances returns every instance.
func (s *State) Instances() []*Instance { return all[*Instance](s, TableInstance, byCreation) }

// StartInstance boots a stopped instance anew and clears its fault.
func (s *Service) StartInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.startInstance(id) })
}

// StopInstance switches an instance off; its ENIs and addresses stay.
func (s *Service) StopInstance(ctx context.Context, id string, force bool) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.stopInstance(id, force) })
}

// HibernateInstance stops an instance that was launched for hibernation.
func (s *Service) HibernateInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.switchOff(id, false, true) })
}

// RebootInstance boots the guest anew, which ends a freeze.
func (s *Service) RebootInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.rebootInstance(id) })
}

// TerminateInstance switches an instance off for good. ENIs to delete on
// termination are deleted when it is terminated; the others become available.
func (s *Service) TerminateInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.terminateInstance(id) })
}

// FailInstance injects a fault into a running instance.
func (s *Service) FailInstance(ctx context.Context, id string, f Fault) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.failInstance(id, f) })
}

// RecoverInstance clears the injected fault, and starts the instance again if
// the fault was FaultStop.
func (s *Service) RecoverInstance(ctx context.Context, id string) (*Instance, error) {
	return result(ctx, s, func(t *tx) (*Instance, error) { return t.recoverInstance(id) })
}

const (
	defaultInstanceType = "t3.micro"
	// terminatedFor is how long a terminated instance stays visible. AWS says
	// "approximately one hour".
	terminatedFor = time.Hour
)

func errInstanceState(i *Instance, want string) error {
	return refuse(codeInstanceState, "instanceId", "The instance '%s' is not in a state from which it can be %s.", i.ID, want)
}

// enter copies i into another state. The caller stores it.
func (t *tx) enter(i *Instance, s InstanceState) *Instance {
	c := *i
	c.State, c.StateAt, c.StateUntil = s, t.now, time.Time{}
	switch s {
	case InstancePending:
		c.StateUntil = t.until(OpStart)
	case InstanceStopping:
		c.StateUntil = t.until(OpStop)
	case InstanceShuttingDown:
		c.StateUntil = t.until(OpTerminate)
	case InstanceTerminated:
		c.StateUntil = t.now.Add(terminatedFor)
	}
	return &c
}

// boot makes a stopped instance pending: the guest boots anew. An injected
// fault and what forced detaches had left are gone with the old one.
func (t *tx) boot(i *Instance) *Instance {
	c := t.enter(i, InstancePending)
	c.Boot++
	c.StartedAt = t.now
	c.Fault, c.FaultAt = FaultNone, time.Time{}
	c.ReasonCode, c.ReasonText = "", ""
	c.Stale = nil
	t.put(TableInstance, c)
	t.emit("instance.pending", c.ID)
	t.welcome(c.ID)
	return c
}

func (t *tx) startInstance(id string) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	switch i.State {
	case InstancePending, InstanceRunning:
		return i, nil
	case InstanceStopped:
		if err := t.bootable(i); err != nil {
			return nil, err
		}
		return t.boot(i), nil
	}
	return nil, errInstanceState(i, "started")
}

func (t *tx) stopInstance(id string, force bool) (*Instance, error) {
	return t.switchOff(id, force, false)
}

// switchOff stops an instance, with its memory on record as kept if it
// hibernates. The guest boots anew all the same.
func (t *tx) switchOff(id string, force, hibernate bool) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	if hibernate && !i.Hibernation {
		return nil, errNotHibernating(i)
	}
	switch i.State {
	case InstanceStopping, InstanceStopped:
		return i, nil
	case InstanceRunning:
		if i.ProtectStop {
			return nil, errProtected(i, "stopped", "disableApiStop")
		}
		c := t.enter(i, InstanceStopping)
		t.userShutdown(c)
		if hibernate {
			c.ReasonCode = "Client.UserInitiatedHibernate"
			c.ReasonText = c.ReasonCode + ": User initiated hibernate"
		}
		t.put(TableInstance, c)
		t.emit("instance.stopping", c.ID, "force", yes(force), "hibernate", yes(hibernate))
		t.withdrawPublicIP(t.primaryOf(c.ID))
		return c, nil
	case InstancePending:
		if i.StartedAt.IsZero() {
			return nil, refuse(codeInstanceState, "instanceId",
				"Instance '%s' cannot be stopped as it has never reached the 'running' state.", i.ID)
		}
	}
	return nil, errInstanceState(i, "stopped")
}

func (t *tx) userShutdown(i *Instance) {
	i.ReasonCode = "Client.UserInitiatedShutdown"
	i.ReasonText = i.ReasonCode + ": User initiated shutdown"
}

// rebootInstance boots the guest anew and thereby ends a freeze. A link that
// is down stays down: no guest can plug it in again.
func (t *tx) rebootInstance(id string) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	switch i.State {
	case InstanceShuttingDown, InstanceTerminated:
		return i, nil // EC2 ignores it
	case InstanceRunning:
		c := *i
		c.Boot++
		t.emit("instance.rebooted", c.ID)
		if c.Fault == FaultFreeze {
			c.Fault, c.FaultAt = FaultNone, time.Time{}
			t.emit("instance.recovered", c.ID, "fault", string(FaultFreeze))
		}
		t.put(TableInstance, &c)
		return &c, nil
	}
	return nil, refuse(codeInstanceState, "instanceId", "Instance '%s' is not 'running'.", i.ID)
}

// terminateInstance switches the instance off. Its ENIs stay in use until it
// is terminated.
func (t *tx) terminateInstance(id string) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	if i.State == InstanceShuttingDown || i.State == InstanceTerminated {
		return i, nil
	}
	if err := terminable(i); err != nil {
		return nil, err
	}
	c := t.enter(i, InstanceShuttingDown)
	t.userShutdown(c)
	t.put(TableInstance, c)
	t.emit("instance.shutting-down", c.ID)
	t.withdrawPublicIP(t.primaryOf(c.ID))
	for _, n := range t.interfacesOf(id) {
		if n.Attachment.State == Detaching {
			continue
		}
		m, a := *n, *n.Attachment
		a.State, a.StateAt, a.StateUntil = Detaching, t.now, time.Time{}
		m.Attachment = &a
		t.putInterface(&m)
		t.emit("network-interface.detaching", n.ID, "instance", id, "attachment", a.ID,
			"deviceIndex", fmt.Sprint(a.DeviceIndex))
	}
	return c, nil
}

// failInstance injects a fault into a running instance.
func (t *tx) failInstance(id string, f Fault) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil {
		return nil, err
	}
	switch f {
	case FaultFreeze, FaultLink, FaultStop:
	default:
		return nil, invalid("fault", "Value (%s) for parameter fault is invalid. Faults are freeze, link and stop.", f)
	}
	if i.Fault == f {
		return i, nil
	}
	if i.State != InstanceRunning {
		return nil, refuse(codeInstanceState, "instanceId", "Instance '%s' is not 'running'.", i.ID)
	}
	c := *i
	if f == FaultStop {
		c = *t.enter(i, InstanceStopping)
	}
	c.Fault, c.FaultAt = f, t.now
	if f == FaultStop {
		c.ReasonCode, c.ReasonText = "Server.InternalError", "Server.InternalError: Injected failure"
	}
	t.put(TableInstance, &c)
	t.emit("instance.failed", c.ID, "fault", string(f))
	if f == FaultStop {
		t.emit("instance.stopping", c.ID)
		t.withdrawPublicIP(t.primaryOf(c.ID))
	}
	return &c, nil
}

// recoverInstance ends an injected fault; without one it changes nothing.
func (t *tx) recoverInstance(id string) (*Instance, error) {
	i, err := t.instance(id)
	if err != nil || i.Fault == FaultNone {
		return i, err
	}
	if i.Fault != FaultStop {
		c := *i
		c.Fault, c.FaultAt = FaultNone, time.Time{}
		t.put(TableInstance, &c)
		t.emit("instance.recovered", c.ID, "fault", string(i.Fault))
		return &c, nil
	}
	if i.State != InstanceStopped {
		return nil, errInstanceState(i, "started")
	}
	if err := t.bootable(i); err != nil {
		return nil, err
	}
	t.emit("instance.recovered", i.ID, "fault", string(FaultStop))
	return t.boot(i), nil
}
