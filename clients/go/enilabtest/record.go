package enilabtest

import (
	"fmt"
	"time"

	"enilab/internal/control"
)

// Record is what was measured of one move: who moved what, when, and what clients
// saw of it. Names are those of the scenario, and Name tags.
type Record struct {
	ID               string
	Kind             string // failover, failback, move
	Moved            string // network-interface, private-addresses, elastic-ip, route
	State            string // completed, failed
	Error            string // why it failed
	NetworkInterface string // that moved, or that has now what moved
	From, To         string // instances; "": none

	StartedAt time.Time // fault injected, or move accepted
	// Outage is the longest time for which a client had no answer, if Measured;
	// else no client had one before and after.
	Outage     time.Duration
	Measured   bool
	Sent, Lost uint64 // requests of all clients
	Clients    []Client
	Phases     []Phase
	Checks     []Check
	TCP        TCP
	Notes      []string
}

// Client is what one client saw.
type Client struct {
	Client, Workload, Kind, Target string

	Outage     time.Duration // if Measured
	Measured   bool
	Sent, Lost uint64
	Incomplete string // why the measurement is not whole
}

// Phase is a part of the way: detect, fence, decide, detach, attach, recover.
type Phase struct {
	Name       string
	Start, End time.Time
}

// Check compares a value before and after. Result is same, changed or
// not-exercised.
type Check struct{ Name, Before, After, Result string }

// TCP is what became of the connections that were open.
type TCP struct {
	Open, Reset, Closed, Survived, Reconnected int

	ReconnectedAfter time.Duration // from the move's start until all were connected again
}

// Record is the newest record of a move of a network interface, or of what belongs
// to it: it waits, up to 30 s, until there is one and it is complete.
func (l *Lab) Record(networkInterface string) Record {
	l.t.Helper()
	eni, err := l.networkInterface(networkInterface)
	if err != nil {
		l.fatal("reading a record", err)
	}
	var found *control.Failover
	err = l.until(func() error {
		for _, f := range l.lab.Control.State().Failovers() { // the newest first
			if f.NetworkInterface != eni && f.Moved.From != eni {
				continue
			}
			if f.State == control.FailoverRunning {
				return fmt.Errorf("the %s from %s to %s is still measured", f.Kind, l.nameOf(f.From), l.nameOf(f.To))
			}
			found = f
			return nil
		}
		return fmt.Errorf("there is no record of a move of %s", networkInterface)
	})
	if err != nil {
		l.fatal("reading a record", err)
	}
	return l.record(found)
}

// Records are those of all moves since the laboratory was started or reset, the
// oldest first. It waits until each is complete.
func (l *Lab) Records() []Record {
	l.t.Helper()
	if err := l.session.AwaitRecords(l.t.Context()); err != nil {
		l.fatal("waiting for records", err)
	}
	var out []Record
	for _, f := range l.lab.Control.State().Failovers() {
		out = append([]Record{l.record(f)}, out...)
	}
	return out
}

// until tries again with every change of the laboratory, until there is no error.
func (l *Lab) until(try func() error) error {
	ctx := l.t.Context()
	notices, unwatch := l.lab.Control.Watch(1)
	defer unwatch()
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case _, open := <-notices:
			if !open {
				return fmt.Errorf("the laboratory has ended: %w", err)
			}
		case <-timeout.C:
			return fmt.Errorf("not within %v: %w", patience, err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// nameOf is the name of an instance or host, else its id.
func (l *Lab) nameOf(id string) string {
	for _, known := range []map[string]string{l.names.Instances, l.names.InternetHosts} {
		for name, has := range known {
			if has == id {
				return name
			}
		}
	}
	return id
}

func (l *Lab) record(f *control.Failover) Record {
	r := Record{
		ID: f.ID, Kind: string(f.Kind), Moved: string(f.Moved.Kind), State: string(f.State), Error: f.Error,
		NetworkInterface: l.session.InterfaceName(f.NetworkInterface), From: l.nameOf(f.From), To: l.nameOf(f.To),
		StartedAt: at(f.StartedAt), Notes: f.Notes,
		TCP: TCP{
			Open: f.TCP.Open, Reset: f.TCP.Reset, Closed: f.TCP.Closed, Survived: f.TCP.Survived, Reconnected: f.TCP.Reconnected,
			ReconnectedAfter: time.Duration(f.TCP.ReconnectedAfter),
		},
	}
	for _, t := range f.Traffic {
		c := Client{Client: l.nameOf(t.Client), Workload: t.Workload, Kind: t.Kind, Sent: t.Sent, Lost: t.Lost, Incomplete: t.Incomplete}
		if t.Target.IsValid() {
			c.Target = t.Target.String()
		}
		// Without both replies there is no gap to measure, which is not a gap of 0.
		if t.LastReplyAt != 0 && t.FirstReplyAt != 0 {
			c.Outage, c.Measured = time.Duration(t.OutageNanos), true
		}
		r.Outage, r.Measured = max(r.Outage, c.Outage), r.Measured || c.Measured
		r.Sent += t.Sent
		r.Lost += t.Lost
		r.Clients = append(r.Clients, c)
	}
	for _, p := range f.Phases {
		r.Phases = append(r.Phases, Phase{p.Name, at(p.Start), at(p.End)})
	}
	for _, c := range f.Checks {
		r.Checks = append(r.Checks, Check(c))
	}
	return r
}
