package scenario

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// actions lists which of a step's actions are given, by key. More or less than
// one is an error.
func (st *step) actions() []string {
	given := map[string]bool{
		"start": st.Start != "", "stop": st.Stop != "", "reboot": st.Reboot != "",
		"terminate": st.Terminate != "", "fail": st.Fail != nil, "recover": st.Recover != "",
		"attach": st.Attach != nil, "detach": st.Detach != nil, "move": st.Move != nil,
		"traffic": st.Traffic != "", "inject": st.Inject != nil, "clear": st.Clear != "", "sleep": st.Sleep != 0, "waitUntil": len(st.WaitUntil) > 0, "expect": len(st.Expect) > 0,
	}
	for key := range st.Change.given() {
		given[key] = true
	}
	maps.DeleteFunc(given, func(_ string, set bool) bool { return !set })
	return slices.Sorted(maps.Keys(given))
}

func (c *checker) step(at string, st step) {
	actions := st.actions()
	switch len(actions) {
	case 0:
		c.fail(at, "a step does nothing: want one of start, stop, reboot, terminate, fail, recover, attach, detach, move, traffic, inject, clear, sleep, waitUntil, expect, %s",
			strings.Join(changeKeys(), ", "))
		return
	case 1:
	default:
		c.fail(at, "a step does one thing, not %s", strings.Join(actions, " and "))
		return
	}
	action := actions[0]
	switch {
	case st.Within != 0 && action != "waitUntil":
		c.fail(at+".within", "only waitUntil waits")
	case st.Refused != "" && slices.Contains([]string{"waitUntil", "expect", "sleep", "chaos"}, action):
		c.fail(at+".refused", "only an action can be refused")
	}
	if st.Refused == "" { // else EC2's refusal is what the step is for
		c.possible(at+"."+action, &st)
	}
	for _, one := range []struct{ key, instance string }{
		{"start", st.Start}, {"stop", st.Stop}, {"reboot", st.Reboot},
		{"terminate", st.Terminate},
	} {
		if one.instance != "" {
			c.ref(at+"."+one.key, "instance", one.instance, c.names.instances)
		}
	}
	if st.Recover != "" {
		c.hostRef(at+".recover", st.Recover)
	}
	if f := st.Fail; f != nil {
		c.failure(at+".fail", f)
	}
	if a := st.Change.the(); a != nil {
		a.check(c, at+"."+action)
	}
	if a := st.Attach; a != nil {
		c.ref(at+".attach.networkInterface", "network interface", a.NetworkInterface, c.names.interfaces)
		c.ref(at+".attach.instance", "instance", a.Instance, c.names.instances)
	}
	if d := st.Detach; d != nil {
		c.interfaceRef(at+".detach.networkInterface", d.NetworkInterface)
	}
	if m := st.Move; m != nil {
		c.interfaceRef(at+".move.networkInterface", m.NetworkInterface)
		c.ref(at+".move.instance", "instance", m.Instance, c.names.instances)
	}
	if st.Traffic != "" {
		c.oneOf(at+".traffic", st.Traffic, "paused", "flowing")
	}
	c.cleared(at, st.Clear)
	if st.Inject != nil {
		c.injection(at+".inject", st.Inject)
	}
	for i, cond := range st.WaitUntil {
		c.condition(fmt.Sprintf("%s.waitUntil[%d]", at, i), cond)
	}
	for i, cond := range st.Expect {
		c.condition(fmt.Sprintf("%s.expect[%d]", at, i), cond)
	}
}

func (c *checker) failure(at string, f *failure) {
	c.hostRef(at+".instance", f.Instance)
	c.oneOf(at+".fault", f.Fault, "freeze", "link", "stop")
}

func (c *checker) condition(at string, cond condition) {
	given := 0
	for _, set := range []bool{
		cond.Instance != nil, cond.NetworkInterface != nil, cond.Failover != nil, cond.Policy != nil, cond.Metadata != nil, cond.Event != nil,
		cond.Answers != nil, cond.Replies != nil, cond.Frames != "", cond.Addresses != "",
	} {
		if set {
			given++
		}
	}
	if given != 1 {
		c.fail(at, "a condition is one of instance, networkInterface, failover, policy, metadata, event, answers, replies, frames, addresses")
		return
	}
	if i := cond.Instance; i != nil {
		at += ".instance"
		c.hostRef(at+".name", i.Name)
		if _, internet := c.names.internet[i.Name]; internet && i.State != "" {
			c.fail(at+".state", "an internet host has no state: want fault")
		}
		c.optional(at+".state", i.State, "pending", "running", "stopping", "stopped", "shutting-down", "terminated")
		if i.Fault != nil {
			c.oneOf(at+".fault", *i.Fault, "none", "freeze", "link", "stop")
		}
	}
	if n := cond.NetworkInterface; n != nil {
		at += ".networkInterface"
		c.interfaceRef(at+".name", n.Name)
		c.optional(at+".status", n.Status, "available", "in-use")
		c.optional(at+".attachment", n.Attachment, "attaching", "attached", "detaching")
		if n.AttachedTo != "" {
			c.ref(at+".attachedTo", "instance", n.AttachedTo, c.names.instances)
		}
		if n.Address != "" {
			c.address(at+".address", n.Address)
		}
	}
	if f := cond.Failover; f != nil {
		at += ".failover"
		c.moved(at, f)
		c.optional(at+".kind", f.Kind, "failover", "failback", "move")
		c.optional(at+".state", f.State, "running", "completed", "failed")
		for key, name := range map[string]string{".from": f.From, ".to": f.To} {
			if name != "" {
				c.ref(at+key, "instance", name, c.names.instances)
			}
		}
	}
	if p := cond.Policy; p != nil {
		c.policyRef(at+".policy.networkInterface", p.NetworkInterface)
		c.oneOf(at+".policy.state", p.State, policyStates...)
	}
	if m := cond.Metadata; m != nil {
		c.metadata(at+".metadata", m)
	}
	c.observation(at, cond)
}

// moved checks what a record is of.
func (c *checker) moved(at string, f *failoverIs) {
	given := 0
	for _, name := range []string{f.NetworkInterface, f.ElasticIP, f.Address, f.RouteTable} {
		if name != "" {
			given++
		}
	}
	switch {
	case given != 1:
		c.fail(at, "a record is of one of networkInterface, elasticIp, address, routeTable (with destination)")
	case (f.RouteTable != "") != (f.Destination != ""):
		c.fail(at, "a route is meant by routeTable and destination")
	case f.NetworkInterface != "":
		c.interfaceRef(at+".networkInterface", f.NetworkInterface)
	case f.ElasticIP != "":
		c.ref(at+".elasticIp", "Elastic IP", f.ElasticIP, c.names.addresses)
	case f.Address != "":
		c.address(at+".address", f.Address)
	default:
		c.ref(at+".routeTable", "route table", f.RouteTable, c.names.tables)
		c.destination(at, f.Destination)
	}
}

func (c *checker) metadata(at string, m *metadataIs) {
	c.ref(at+".instance", "instance", m.Instance, c.names.instances)
	if (m.Lists == "") == (m.Lacks == "") {
		c.fail(at, "metadata lists a network interface or lacks it: want one of the two")
		return
	}
	for key, eni := range map[string]string{".lists": m.Lists, ".lacks": m.Lacks} {
		if eni != "" {
			c.interfaceRef(at+key, eni)
		}
	}
}

// policyStates are what a policy can be doing.
var policyStates = []string{
	"watching", "suspecting", "failing-over", "fencing", "holding", "blocked", "no-standby", "disabled", "prober-down", "unattached",
}

// policyRef checks that the file has a policy of a network interface.
func (c *checker) policyRef(path, eni string) {
	if _, ok := c.guarded[eni]; !ok && !slices.ContainsFunc(c.file.Policies, func(p policy) bool { return p.NetworkInterface == eni }) {
		c.fail(path, "no policy of this file has the network interface %q", eni)
	}
}

// observation checks the conditions on what is seen rather than on what is.
func (c *checker) observation(at string, cond condition) {
	if e := cond.Event; e != nil {
		if e.Type == "" {
			c.fail(at+".event", "an event has a type such as instance.stopped")
		}
		if e.Of != "" && !c.names.isInterface(e.Of) {
			c.ref(at+".event.of", "instance or network interface", e.Of, c.names.instances)
		}
	}
	if a := cond.Answers; a != nil {
		c.hostRef(at+".answers.from", a.From)
		c.hostRef(at+".answers.by", a.By)
		c.target(at+".answers.address", a.Address)
	}
	if r := cond.Replies; r != nil {
		c.hostRef(at+".replies.client", r.Client)
		if r.By != "" {
			c.hostRef(at+".replies.by", r.By)
		}
		if r.Workload == "" {
			c.fail(at+".replies", "replies to which workload of %s", r.Client)
		} else {
			c.workloadRef(at+".replies.workload", r.Client, r.Workload)
		}
	}
	if cond.Frames != "" {
		c.oneOf(at+".frames", cond.Frames, "accounted")
	}
	if cond.Addresses != "" {
		c.oneOf(at+".addresses", cond.Addresses, "one-owner")
	}
}

func (c *checker) optional(path, value string, allowed ...string) {
	if value != "" {
		c.oneOf(path, value, allowed...)
	}
}
