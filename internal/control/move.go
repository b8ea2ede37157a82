package control

import (
	"context"
	"slices"
	"strconv"
)

// MoveInput detaches (if attached) and attaches elsewhere in one command,
// as a failover does. DeviceIndex < 0: keep the present index if it is
// free there, else the lowest free one.
type MoveInput struct {
	Interface, Instance string
	DeviceIndex         int
	Force, DryRun       bool
	Kind                FailoverKind // "": KindMove
}

// MoveResult tells where the ENI is now. Instants are Unix nanoseconds, 0
// in a dry run. The data plane switches once, so that the ENI has left the
// old instance at the very instant at which it serves the new one.
type MoveResult struct {
	Interface                          *NetworkInterface
	DeviceIndex                        int
	AcceptedAt, DetachedAt, AttachedAt int64
}

// Move takes an ENI to another instance in one commit and one switch of the
// data plane. A dry run refuses what Move would refuse now.
func (s *Service) Move(ctx context.Context, in MoveInput) (MoveResult, error) {
	var n *NetworkInterface
	move := func(t *tx) (err error) {
		n, err = t.move(in)
		return err
	}
	if in.DryRun {
		if err := s.rehearse(move); err != nil {
			return MoveResult{}, err
		}
		return MoveResult{Interface: n, DeviceIndex: n.Attachment.DeviceIndex}, nil
	}
	c, err := s.do(ctx, move)
	if err != nil {
		return MoveResult{}, err
	}
	return MoveResult{
		Interface: n, DeviceIndex: n.Attachment.DeviceIndex,
		AcceptedAt: c.at.UnixNano(), DetachedAt: c.ack.At, AttachedAt: c.ack.At,
	}, nil
}

// move is detach and attach in one transition, refused for the reasons of
// either. The State never shows the ENI without an owner.
func (t *tx) move(in MoveInput) (*NetworkInterface, error) {
	if err := InterfaceID.check("networkInterfaceId", in.Interface); err != nil {
		return nil, err
	}
	if err := InstanceID.check("instanceId", in.Instance); err != nil {
		return nil, err
	}
	if in.DeviceIndex >= 0 {
		if err := checkDeviceIndex(in.DeviceIndex); err != nil {
			return nil, err
		}
	}
	switch in.Kind {
	case "", KindMove, KindFailover, KindFailBack:
	default:
		return nil, invalid("kind", "Value (%s) for parameter kind is invalid.", in.Kind)
	}
	n, err := t.networkInterface(in.Interface)
	if err != nil {
		return nil, err
	}
	to, err := t.instance(in.Instance)
	if err != nil {
		return nil, err
	}
	if n.RequesterManaged {
		return nil, errManaged()
	}
	if n.Type == TypeBranch {
		return nil, errInUse(n.ID)
	}
	from, deleteOnTermination := "", false
	if a := n.Attachment; a != nil {
		owner := get[*Instance](t, TableInstance, byID, a.Instance)
		switch {
		case a.Primary():
			return nil, errPrimary()
		case a.Instance == to.ID:
			return nil, invalid("instanceId", "Network interface '%s' is already attached to instance '%s'.", n.ID, to.ID)
		case owner.State == InstanceShuttingDown:
			// EC2 keeps the ENI busy until the instance is terminated.
			return nil, errInUse(n.ID)
		case n.efa() && owner.State != InstanceStopped:
			return nil, errHotEFA(n)
		}
		from, deleteOnTermination = a.Instance, a.DeleteOnTermination
	}
	at := t.place(n, to, in.DeviceIndex)
	if err := t.attachable(n, to, at); err != nil {
		return nil, err
	}
	if from != "" && in.Force {
		t.forceOff(n)
	}
	c, err := t.bind(n, to, at, deleteOnTermination)
	if err != nil {
		return nil, err
	}
	if from != "" {
		t.end(n, n.Attachment)
	}
	kind := in.Kind
	if kind == "" {
		kind = KindMove
	}
	t.emit("network-interface.moved", c.ID, "from", from, "instance", to.ID, "attachment", c.Attachment.ID,
		"deviceIndex", strconv.Itoa(at.index), "kind", string(kind), "force", yes(in.Force))
	return c, nil
}

// place is where a move puts n: on the network card on which it is now, if
// the instance has that, and at the index that is asked for. An index below 0
// is n's present one if the instance has it free, else the lowest free one. A
// full instance gives one past the last, which is never free of the other
// refusals.
func (t *tx) place(n *NetworkInterface, i *Instance, index int) device {
	at := device{index: index, card: cardFor(n, i)}
	if index >= 0 {
		return at
	}
	var used [MaxDeviceIndex + 1]bool
	for _, o := range i.Stale {
		if o.Card == at.card {
			used[o.DeviceIndex] = true
		}
	}
	for _, o := range t.interfacesOf(i.ID) {
		if o.Attachment.NetworkCard == at.card {
			used[o.Attachment.DeviceIndex] = true
		}
	}
	if n.Attachment != nil && !used[n.Attachment.DeviceIndex] {
		at.index = n.Attachment.DeviceIndex
	} else {
		at.index = max(slices.Index(used[:], false), 1)
	}
	return at
}

// cardFor is the network card of i to which a move brings n.
func cardFor(n *NetworkInterface, i *Instance) int {
	if n.Attachment != nil && n.Attachment.NetworkCard < len(instanceTypes()[i.Type].Cards) {
		return n.Attachment.NetworkCard
	}
	return 0
}

// Takes reports whether i has room for n, were it moved there: what its type allows
// on the network card.
func (s *State) Takes(i *Instance, n *NetworkInterface) bool {
	card, count := cardFor(n, i), 0
	for _, o := range s.InterfacesOf(i.ID) {
		if o.Attachment.NetworkCard == card {
			count++
		}
	}
	return count < instanceTypes()[i.Type].Cards[card]
}
