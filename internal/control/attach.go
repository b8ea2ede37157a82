package control

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// AttachmentState is EC2's attachment status.
type AttachmentState string

// Attachment states.
const (
	Attaching AttachmentState = "attaching"
	Attached  AttachmentState = "attached"
	Detaching AttachmentState = "detaching"
	Detached  AttachmentState = "detached"
)

// Attachment binds an ENI to an instance's device index.
type Attachment struct {
	ID          string // "eni-attach-..."
	Instance    string
	DeviceIndex int
	NetworkCard int // index of the network card, 0 unless the type has several
	State       AttachmentState
	StateAt     time.Time // when State was entered
	// StateUntil is when State ends by itself; zero: it does not, or waits for
	// the instance.
	StateUntil          time.Time
	AttachTime          time.Time
	DeleteOnTermination bool
	Force               bool // a forced detach is under way
}

// Primary reports whether this is an instance's primary network interface.
func (a *Attachment) Primary() bool { return a.DeviceIndex == 0 && a.NetworkCard == 0 }

// AttachInput is AttachNetworkInterface's.
type AttachInput struct {
	Interface, Instance      string
	DeviceIndex, NetworkCard int
}

// DetachInput is DetachNetworkInterface's.
type DetachInput struct {
	Attachment string
	Force      bool
}

// Attach returns when the data plane delivers to the instance; the State shows
// attaching, later attached.
func (s *Service) Attach(ctx context.Context, in AttachInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.attach(in) })
}

// Detach returns when the data plane delivers nothing more to the instance;
// the State shows detaching, later available.
func (s *Service) Detach(ctx context.Context, in DetachInput) (*NetworkInterface, error) {
	return result(ctx, s, func(t *tx) (*NetworkInterface, error) { return t.detach(in) })
}

// MaxDeviceIndex bounds device indexes. AWS does not publish a bound.
const MaxDeviceIndex = 31

func checkDeviceIndex(index int) error {
	if index < 0 || index > MaxDeviceIndex {
		return invalid("deviceIndex", "Value (%d) for parameter deviceIndex is invalid. Device indexes are 0 to %d.", index, MaxDeviceIndex)
	}
	return nil
}

func (t *tx) attach(in AttachInput) (*NetworkInterface, error) {
	if err := InterfaceID.check("networkInterfaceId", in.Interface); err != nil {
		return nil, err
	}
	if err := InstanceID.check("instanceId", in.Instance); err != nil {
		return nil, err
	}
	if err := checkDeviceIndex(in.DeviceIndex); err != nil {
		return nil, err
	}
	n, err := t.networkInterface(in.Interface)
	if err != nil {
		return nil, err
	}
	i, err := t.instance(in.Instance)
	if err != nil {
		return nil, err
	}
	if n.RequesterManaged {
		return nil, errManaged()
	}
	if n.Attachment != nil || n.Type == TypeBranch {
		return nil, errInUse(n.ID)
	}
	at := device{in.NetworkCard, in.DeviceIndex}
	if err := t.attachable(n, i, at); err != nil {
		return nil, err
	}
	c, err := t.bind(n, i, at, false)
	if err != nil {
		return nil, err
	}
	t.emit("network-interface."+string(c.Attachment.State), c.ID, "instance", i.ID,
		"attachment", c.Attachment.ID, "deviceIndex", strconv.Itoa(in.DeviceIndex))
	return c, nil
}

// device is a place of an instance: a device index of a network card.
type device struct{ card, index int }

// attachable tells why instance i cannot take n at a place, in the order in
// which EC2 is seen to check.
func (t *tx) attachable(n *NetworkInterface, i *Instance, at device) error {
	if i.State != InstanceRunning && i.State != InstanceStopped {
		return refuse("IncorrectState", "instanceId", "Instance '%s' is not 'running' or 'stopped'.", i.ID) // unverified: the code
	}
	if n.Zone != i.Zone {
		return refuse(codeCombination, "instanceId",
			"You may not attach a network interface to an instance if they are not in the same availability zone")
	}
	if n.VPC != i.VPC {
		return refuse(codeCombination, "instanceId",
			"You may not attach a network interface to an instance in a different VPC") // unverified: code and text
	}
	limits := instanceTypes()[i.Type]
	if at.card < 0 || at.card >= len(limits.Cards) {
		return errNoCard(&limits, at.card)
	}
	taken, count := i.stale(at), 1 // on the card, afterwards
	for _, o := range t.interfacesOf(i.ID) {
		if o.Attachment.NetworkCard != at.card {
			continue
		}
		taken = taken || o.Attachment.DeviceIndex == at.index
		count++
	}
	if taken {
		return invalid("deviceIndex", "Instance '%s' already has an interface attached at device index '%d'.", i.ID, at.index)
	}
	if count > limits.Cards[at.card] {
		return refuse("AttachmentLimitExceeded", "instanceId", "Interface count %d exceeds the limit for %s", count, i.Type)
	}
	if n.efa() && i.State != InstanceStopped {
		return errHotEFA(n)
	}
	return limits.takes(n)
}

// errHotEFA: an Elastic Fabric Adapter comes and goes with the power off (EC2
// User Guide, "Elastic Fabric Adapter").
func errHotEFA(n *NetworkInterface) error {
	return refuse("IncorrectState", "instanceId", // unverified: code and text
		"Network interface '%s' is an EFA, which can be attached to and detached from a stopped instance only.", n.ID)
}

// bind stores a new attachment of n to i. A running instance needs time to
// find the new device; a stopped one has it at once.
func (t *tx) bind(n *NetworkInterface, i *Instance, at device, deleteOnTermination bool) (*NetworkInterface, error) {
	id, err := t.mint(AttachmentID.Prefix, func(id string) bool {
		return exists(t, TableNetworkInterface, byAttachment, id)
	})
	if err != nil {
		return nil, err
	}
	c := *n
	c.MetadataFrom = time.Time{}
	c.Attachment = &Attachment{
		ID: id, Instance: i.ID, DeviceIndex: at.index, NetworkCard: at.card, State: Attaching, StateAt: t.now, AttachTime: t.now,
		DeleteOnTermination: deleteOnTermination,
	}
	switch i.State {
	case InstanceStopped:
		c.Attachment.State = Attached
	case InstanceRunning:
		c.Attachment.StateUntil = t.until(OpAttach)
		if from := t.until(OpMetadata); from.After(t.now) {
			c.MetadataFrom = from
		}
	}
	t.putInterface(&c)
	return &c, nil
}

func errPrimary() error {
	return refuse(codeNotPermitted, "attachmentId", "The network interface at device index 0 cannot be detached.")
}

// managedAttachment begins the ids of attachments that a service holds.
const managedAttachment = "ela-attach-"

// detach starts a detachment; the data plane lets go of the ENI at once.
// Repeated while one is under way it changes nothing but Force.
//
// On AWS an unforced detach waits for the guest, for ever if that is dead. A
// guest here has no say, so that a frozen one holds nothing back.
func (t *tx) detach(in DetachInput) (*NetworkInterface, error) {
	if strings.HasPrefix(in.Attachment, managedAttachment) {
		return nil, refuse(codeNotPermitted, "attachmentId", "You are not allowed to manage 'ela-attach' attachments.")
	}
	n, err := t.attachment(in.Attachment)
	if err != nil {
		return nil, err
	}
	if n.Attachment.Primary() {
		return nil, errPrimary()
	}
	if n.Attachment.State == Detaching && n.Attachment.Force || n.Attachment.State == Detaching && !in.Force {
		return n, nil
	}
	if n.efa() && get[*Instance](t, TableInstance, byID, n.Attachment.Instance).State != InstanceStopped {
		return nil, errHotEFA(n)
	}
	if in.Force {
		t.forceOff(n)
	}
	c, a := *n, *n.Attachment
	if a.State != Detaching {
		a.State, a.StateAt, a.StateUntil = Detaching, t.now, t.until(OpDetach)
	}
	a.Force = in.Force
	c.Attachment = &a
	t.putInterface(&c)
	t.emit("network-interface.detaching", c.ID, "instance", a.Instance, "attachment", a.ID,
		"deviceIndex", strconv.Itoa(a.DeviceIndex), "force", yes(in.Force))
	return &c, nil
}

func yes(b bool) string {
	if b {
		return "true"
	}
	return ""
}
