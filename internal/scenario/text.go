package scenario

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// String says what a step does, for reports.
func (st step) String() string {
	text := ""
	switch {
	case st.Start != "":
		text = "start " + st.Start
	case st.Stop != "":
		text = "stop " + st.Stop
	case st.Reboot != "":
		text = "reboot " + st.Reboot
	case st.Terminate != "":
		text = "terminate " + st.Terminate
	case st.Fail != nil:
		text = fmt.Sprintf("fail %s by %s", st.Fail.Instance, st.Fail.Fault)
	case st.Recover != "":
		text = "recover " + st.Recover
	case st.Attach != nil:
		text = fmt.Sprintf("attach %s to %s at %d", st.Attach.NetworkInterface, st.Attach.Instance, st.Attach.DeviceIndex)
	case st.Detach != nil:
		text = "detach " + st.Detach.NetworkInterface
	case st.Move != nil:
		text = fmt.Sprintf("move %s to %s", st.Move.NetworkInterface, st.Move.Instance)
	case st.Traffic != "":
		text = "traffic " + st.Traffic
	case st.Inject != nil:
		text = st.Inject.String()
	case st.Clear != "":
		text = "clear " + st.Clear
	case st.Sleep != 0:
		text = fmt.Sprintf("sleep %v", time.Duration(st.Sleep))
	case st.Change.the() != nil:
		text = st.Change.the().String()
	case len(st.WaitUntil) > 0:
		text = "wait until " + list(st.WaitUntil)
	default:
		text = "expect " + list(st.Expect)
	}
	if st.Refused != "" {
		text += ", refused with " + st.Refused
	}
	return text
}

func list(conds []condition) string {
	texts := make([]string, len(conds))
	for i, c := range conds {
		texts[i] = c.String()
	}
	return strings.Join(texts, ", ")
}

// String says what a condition wants.
func (c condition) String() string {
	var b strings.Builder
	add := func(format, value string) {
		if value != "" {
			fmt.Fprintf(&b, format, value)
		}
	}
	switch {
	case c.Instance != nil:
		add("instance %s", c.Instance.Name)
		add(" %s", c.Instance.State)
		if c.Instance.Fault != nil {
			add(" with fault %s", *c.Instance.Fault)
		}
	case c.NetworkInterface != nil:
		n := c.NetworkInterface
		add("network interface %s", n.Name)
		add(" %s", n.Status)
		add(" %s", n.Attachment)
		add(" to %s", n.AttachedTo)
		add(" with %s", n.Address)
		if n.Unchanged {
			b.WriteString(" unchanged")
		}
	case c.Failover != nil:
		f := c.Failover
		add("a record of %s", f.what())
		add(" (%s)", f.Kind)
		add(" from %s", f.From)
		add(" to %s", f.To)
		add(" %s", f.State)
		if f.MinLost > 0 {
			fmt.Fprintf(&b, " with %d requests lost or more", f.MinLost)
		}
		if f.Unchanged {
			b.WriteString(" with nothing changed")
		}
	case c.Policy != nil:
		fmt.Fprintf(&b, "the policy of %s %s", c.Policy.NetworkInterface, c.Policy.State)
	case c.Metadata != nil && c.Metadata.Lists != "":
		fmt.Fprintf(&b, "metadata of %s lists %s", c.Metadata.Instance, c.Metadata.Lists)
	case c.Metadata != nil:
		fmt.Fprintf(&b, "metadata of %s lacks %s", c.Metadata.Instance, c.Metadata.Lacks)
	case c.Event != nil:
		add("event %s", c.Event.Type)
		add(" of %s", c.Event.Of)
	case c.Answers != nil:
		fmt.Fprintf(&b, "an answer of %s by %s to %s", c.Answers.Address, c.Answers.By, c.Answers.From)
	case c.Replies != nil:
		b.WriteString("replies")
		add(" by %s", c.Replies.By)
		fmt.Fprintf(&b, " to %s of %s", c.Replies.Workload, c.Replies.Client)
		if c.Replies.Within != 0 {
			fmt.Fprintf(&b, " within %v", time.Duration(c.Replies.Within))
		}
	case c.Frames != "":
		b.WriteString("frames " + c.Frames)
	default:
		b.WriteString("addresses " + c.Addresses)
	}
	return b.String()
}

// what names what a record is of.
func (f *failoverIs) what() string {
	if f.RouteTable != "" {
		return f.Destination + " in " + f.RouteTable
	}
	return cmp.Or(f.NetworkInterface, f.ElasticIP, f.Address)
}
