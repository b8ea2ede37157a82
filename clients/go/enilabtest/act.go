package enilabtest

import (
	"context"
	"fmt"
	"time"

	"enilab/internal/control"
)

// Fault is how an instance or a host of the internet fails.
type Fault string

// Faults. Freeze: it runs and answers nothing. Link: its network is gone. Stop: it
// loses its power.
const (
	Freeze Fault = "freeze"
	Link   Fault = "link"
	Stop   Fault = "stop"
)

// ID is the id that something of the scenario has, or that has a Name tag; of
// INSTANCE/eth0 that of the instance's primary network interface. The test fails
// if there is none.
func (l *Lab) ID(name string) string {
	l.t.Helper()
	id, ok := l.session.ID(name)
	if !ok {
		l.t.Fatalf("enilabtest: nothing is named %q; instances: %s; network interfaces: %s", name, sorted(l.names.Instances), sorted(l.names.Interfaces))
	}
	return id
}

// instance is the id of an instance or a host of the internet.
func (l *Lab) instance(name string) (id string, err error) {
	if _, ok := l.session.ID(name); !ok { // which looks for new ones
		return "", noName("instance", name, l.names.Instances)
	}
	if id, ok := l.names.Instances[name]; ok {
		return id, nil
	}
	return "", noName("instance", name, l.names.Instances)
}

// networkInterface is the id of a network interface.
func (l *Lab) networkInterface(name string) (string, error) {
	if _, ok := l.session.ID(name); ok {
		if id, ok := l.names.Interfaces[name]; ok {
			return id, nil
		}
	}
	return "", noName("network interface", name, l.names.Interfaces)
}

// Fail has an instance or a host of the internet fail, and returns when it has.
func (l *Lab) Fail(name string, fault Fault) {
	l.t.Helper()
	ctx := l.t.Context()
	_, _ = l.session.ID(name)
	var err error
	if host, ok := l.names.InternetHosts[name]; ok {
		_, err = l.lab.Control.FailInternetHost(ctx, host, control.Fault(fault))
	} else {
		var id string
		if id, err = l.instance(name); err == nil {
			_, err = l.lab.Control.FailInstance(ctx, id, control.Fault(fault))
		}
	}
	if err != nil {
		l.fatal(fmt.Sprintf("%s is to fail by %s", name, fault), err)
	}
}

// Recover ends the failure of an instance or a host of the internet.
func (l *Lab) Recover(name string) {
	l.t.Helper()
	ctx := l.t.Context()
	_, _ = l.session.ID(name)
	var err error
	if host, ok := l.names.InternetHosts[name]; ok {
		_, err = l.lab.Control.RecoverInternetHost(ctx, host)
	} else {
		var id string
		if id, err = l.instance(name); err == nil {
			_, err = l.lab.Control.RecoverInstance(ctx, id)
		}
	}
	if err != nil {
		l.fatal(name+" is to recover", err)
	}
}

// Move moves a network interface to another instance, to the device index that it
// has if it is free there, else the lowest free one. It returns when frames reach
// the new owner; Record has what clients saw.
func (l *Lab) Move(networkInterface, instance string) {
	l.t.Helper()
	eni, err := l.networkInterface(networkInterface)
	var to string
	if err == nil {
		to, err = l.instance(instance)
	}
	if err == nil {
		_, _, err = l.lab.Failover.Move(l.t.Context(), control.MoveInput{Interface: eni, Instance: to, DeviceIndex: -1})
	}
	if err != nil {
		l.fatal(fmt.Sprintf("%s is to move to %s", networkInterface, instance), err)
	}
}

// Do carries out steps, one after the other, each written as in a drill, such as
//
//	lab.Do("inject: {kind: loss, of: {networkInterface: eth1}, hit: 1, every: 4}", "detach: {networkInterface: eth1, force: true}")
//
// docs/scenarios.md has them all.
func (l *Lab) Do(steps ...string) {
	l.t.Helper()
	for _, s := range steps {
		if err := l.session.Do(l.t.Context(), s); err != nil {
			l.fatal("a step", err)
		}
	}
}

// Wait waits until all conditions hold at once, up to 30 s, each written as in
// waitUntil of a drill, such as
//
//	lab.Wait("networkInterface: {name: eth1, attachedTo: EC2-2}", "instance: {name: EC2-1, state: stopped}")
func (l *Lab) Wait(conditions ...string) {
	l.t.Helper()
	l.WaitFor(patience, conditions...)
}

// WaitFor is Wait with another bound.
func (l *Lab) WaitFor(within time.Duration, conditions ...string) {
	l.t.Helper()
	if err := l.session.WaitUntil(l.t.Context(), within, conditions...); err != nil {
		l.fatal("waiting", err)
	}
}

// WaitForReplies waits, up to 30 s, until a request that a workload of client
// sends from now on is answered by an instance; by anybody if by is "".
func (l *Lab) WaitForReplies(client, workload, by string) {
	l.t.Helper()
	text := fmt.Sprintf("replies: {client: %q, workload: %q}", client, workload)
	if by != "" {
		text = fmt.Sprintf("replies: {client: %q, workload: %q, by: %q}", client, workload, by)
	}
	l.WaitFor(patience, text)
}

// Reset takes the laboratory back to what it was when it had started, with the
// same ids, in one step: records, faults and captures go too.
func (l *Lab) Reset() {
	l.t.Helper()
	l.Call("POST", "/api/v1/reset", nil, nil)
	if err := l.begin(context.WithoutCancel(l.t.Context())); err != nil {
		l.fatal("beginning anew", err)
	}
}
