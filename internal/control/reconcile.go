package control

import (
	"cmp"
	"container/heap"
	"strconv"
	"time"
)

// dueAt tells when a row leaves its state by itself, if it does. The
// attachments of an instance that starts or shuts down wait for the instance.
func dueAt(row any) (time.Time, bool) {
	switch r := row.(type) {
	case *Instance:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *Peering:
		return r.due()
	case *VPC:
		return r.due()
	case *Subnet:
		return r.due()
	case *NATGateway:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *Volume:
		at := r.due()
		return at, !at.IsZero()
	case *Snapshot:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *Image:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *VPCEndpoint:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *TransitGateway:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *TransitAttachment:
		return r.due()
	case *TransitTable:
		return r.StateUntil, !r.StateUntil.IsZero()
	case *NetworkInterface:
		if r.Attachment != nil {
			return r.Attachment.StateUntil, !r.Attachment.StateUntil.IsZero()
		}
	}
	return time.Time{}, false
}

// finish ends a transitional state of one row whose time has come. It changes
// nothing if the row has moved on meanwhile.
func (t *tx) finish(table Table, id string) error {
	switch table {
	case TableInstance:
		i := get[*Instance](t, table, byID, id)
		if i == nil {
			return nil
		}
		if at, ok := dueAt(i); ok && !t.now.Before(at) {
			t.finishInstance(i)
		}
	case TablePeering:
		p := get[*Peering](t, table, byID, id)
		if p == nil {
			return nil
		}
		if at, ok := p.due(); ok && !t.now.Before(at) {
			t.finishPeering(p)
		}
	case TableVPC:
		v := get[*VPC](t, table, byID, id)
		if v == nil {
			return nil
		}
		if at, ok := v.due(); ok && !t.now.Before(at) {
			t.finishVPC(v)
		}
	case TableSubnet:
		s := get[*Subnet](t, table, byID, id)
		if s == nil {
			return nil
		}
		if at, ok := s.due(); ok && !t.now.Before(at) {
			t.finishSubnet(s)
		}
	case TableNATGateway:
		g := get[*NATGateway](t, table, byID, id)
		if g == nil {
			return nil
		}
		if at, ok := dueAt(g); ok && !t.now.Before(at) {
			t.finishNAT(g)
		}
	case TableVolume:
		if v := get[*Volume](t, table, byID, id); v != nil {
			t.finishVolume(v)
		}
	case TableSnapshot:
		s := get[*Snapshot](t, table, byID, id)
		if s == nil {
			return nil
		}
		if at, ok := dueAt(s); ok && !t.now.Before(at) {
			t.completeSnapshot(s)
		}
	case TableImage:
		i := get[*Image](t, table, byID, id)
		if i == nil {
			return nil
		}
		if at, ok := dueAt(i); ok && !t.now.Before(at) {
			t.finishImage(i)
		}
	case TableVPCEndpoint:
		e := get[*VPCEndpoint](t, table, byID, id)
		if e == nil {
			return nil
		}
		if at, ok := dueAt(e); ok && !t.now.Before(at) {
			t.finishEndpoint(e)
		}
	case TableTransitGateway:
		g := get[*TransitGateway](t, table, byID, id)
		if g == nil {
			return nil
		}
		if at, ok := dueAt(g); ok && !t.now.Before(at) {
			t.finishTransitGateway(g)
		}
	case TableTransitAttachment:
		if a := get[*TransitAttachment](t, table, byID, id); a != nil {
			t.finishTransitAttachment(a)
		}
	case TableTransitTable:
		r := get[*TransitTable](t, table, byID, id)
		if r == nil {
			return nil
		}
		if at, ok := dueAt(r); ok && !t.now.Before(at) {
			t.finishTransitTable(r)
		}
	case TableNetworkInterface:
		n := get[*NetworkInterface](t, table, byID, id)
		if n == nil {
			return nil
		}
		if at, ok := dueAt(n); ok && !t.now.Before(at) {
			t.finishAttachment(n)
		}
	}
	return nil
}

func (t *tx) finishInstance(i *Instance) {
	switch i.State {
	case InstancePending:
		t.put(TableInstance, t.enter(i, InstanceRunning))
		t.emit("instance.running", i.ID)
		for _, n := range t.interfacesOf(i.ID) {
			if n.Attachment.State == Attaching {
				t.attached(n)
			}
		}
		t.volumesRun(i.ID)
	case InstanceStopping:
		t.put(TableInstance, t.enter(i, InstanceStopped))
		t.emit("instance.stopped", i.ID)
	case InstanceShuttingDown:
		c := t.enter(i, InstanceTerminated)
		c.Workloads, c.Serve, c.Fault, c.FaultAt, c.Stale = nil, nil, FaultNone, time.Time{}, nil
		t.put(TableInstance, c)
		t.emit("instance.terminated", i.ID)
		for _, n := range t.interfacesOf(i.ID) {
			if n.Attachment.DeleteOnTermination {
				t.dropInterface(n)
			} else {
				t.available(n)
			}
		}
		t.volumesEnd(i.ID)
		t.withdrawStandby(i.ID)
	case InstanceTerminated:
		t.remove(TableInstance, i)
		t.emit("instance.removed", i.ID)
	}
}

func (t *tx) finishAttachment(n *NetworkInterface) {
	i := get[*Instance](t, TableInstance, byID, n.Attachment.Instance)
	switch n.Attachment.State {
	case Attaching:
		if i.State != InstancePending {
			t.attached(n)
		}
	case Detaching:
		if i.State != InstanceShuttingDown {
			t.available(n)
		}
	}
}

func (t *tx) attached(n *NetworkInterface) {
	c, a := *n, *n.Attachment
	a.State, a.StateAt, a.StateUntil = Attached, t.now, time.Time{}
	c.Attachment = &a
	t.putInterface(&c)
	t.emit("network-interface.attached", c.ID, "instance", a.Instance, "attachment", a.ID,
		"deviceIndex", strconv.Itoa(a.DeviceIndex))
}

func (t *tx) available(n *NetworkInterface) {
	c := *n
	c.Attachment, c.MetadataFrom = nil, time.Time{}
	t.putInterface(&c)
	t.end(n, n.Attachment)
	t.emit("network-interface.available", c.ID, "instance", n.Attachment.Instance, "attachment", n.Attachment.ID)
}

// deadline is a row that may have to be finished at a time.
type deadline struct {
	at    time.Time
	table Table
	id    string
}

// deadlines is a heap of what to finish next. An entry whose row has moved on
// stays until its time and then does nothing. It holds at most one entry for
// every transition under way, and one for every instance
// terminated within the last hour.
type deadlines []deadline

func (d deadlines) Len() int      { return len(d) }
func (d deadlines) Swap(i, j int) { d[i], d[j] = d[j], d[i] }

// Less orders what falls due at one instant by name, so that it does not depend
// on the order in which rows were loaded.
func (d deadlines) Less(i, j int) bool {
	return cmp.Or(d[i].at.Compare(d[j].at), cmp.Compare(d[i].table, d[j].table), cmp.Compare(d[i].id, d[j].id)) < 0
}

// Push is for package heap only.
func (d *deadlines) Push(x any) { *d = append(*d, x.(deadline)) }

// Pop is for package heap only.
func (d *deadlines) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}

// note adds what the changes of a commit have begun.
func (d *deadlines) note(changes []Change) {
	for _, c := range changes {
		at, ok := dueAt(c.After)
		if !ok {
			continue
		}
		if before, was := dueAt(c.Before); was && before.Equal(at) {
			continue
		}
		heap.Push(d, deadline{at: at, table: c.Table, id: c.ID})
	}
}

// next returns the earliest time, false if nothing is to be finished.
func (d deadlines) next() (time.Time, bool) {
	if len(d) == 0 {
		return time.Time{}, false
	}
	return d[0].at, true
}

// take removes and returns one entry that is due at now.
func (d *deadlines) take(now time.Time) (deadline, bool) {
	if at, ok := d.next(); !ok || at.After(now) {
		return deadline{}, false
	}
	return heap.Pop(d).(deadline), true
}
