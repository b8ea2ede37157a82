package store

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"enilab/internal/control"
)

// TestRefusals breaks revision 2 of the pairs world in one way each.
func TestRefusals(t *testing.T) {
	// The parts of the commit that the cases break.
	eni := func(c *control.Commit) *control.NetworkInterface {
		return c.Changes[0].After.(*control.NetworkInterface)
	}
	group := func(c *control.Commit, g *control.SecurityGroup) {
		c.Changes = append(c.Changes, control.Change{Table: control.TableSecurityGroup, ID: g.ID, After: g})
	}
	anywhere := netip.MustParsePrefix("0.0.0.0/0")
	for name, tc := range map[string]struct {
		spoil func(*control.Commit)
		want  Constraint // "": another error
		table control.Table
		id    string
	}{
		"address taken": {func(c *control.Commit) { eni(c).Addresses[1].Addr = netip.MustParseAddr("10.0.0.11") },
			Unique, control.TableNetworkInterface, ""},
		"two primary addresses": {func(c *control.Commit) { eni(c).Addresses[1].Primary = true },
			Shape, control.TableNetworkInterface, ""},
		"device index taken": {func(c *control.Commit) { eni(c).Attachment.DeviceIndex = 0 },
			Unique, control.TableNetworkInterface, ""},
		"unknown instance": {func(c *control.Commit) { eni(c).Attachment.Instance = "i-none" },
			Reference, control.TableNetworkInterface, ""},
		"group name taken": {func(c *control.Commit) {
			group(c, &control.SecurityGroup{ID: "sg-9", Ref: 9, VPC: pairVPC, Name: "sg-1"})
		}, Unique, control.TableSecurityGroup, "sg-9"},
		"group ref taken": {func(c *control.Commit) {
			group(c, &control.SecurityGroup{ID: "sg-9", Ref: 1, VPC: pairVPC, Name: "sg-9"})
		}, Unique, control.TableSecurityGroup, "sg-9"},
		"rule with two sources": {func(c *control.Commit) {
			group(c, &control.SecurityGroup{ID: "sg-9", Ref: 9, VPC: pairVPC, Name: "sg-9", Rules: []control.SecurityGroupRule{
				{ID: "sgr-1", Ref: 1, CIDR: anywhere, Group: "sg-1"},
			}})
		}, Shape, control.TableSecurityGroup, "sg-9"},
		"host of an attachment deleted": {func(c *control.Commit) {
			c.Changes = append(c.Changes, control.Change{
				Table: control.TableInstance, ID: "i-0", Before: &control.Instance{ID: "i-0"},
			})
		}, Reference, control.TableInstance, "i-0"},
		"created twice": {func(c *control.Commit) { c.Changes[0].Before = nil }, Unique, control.TableNetworkInterface, ""},
		"changed, never created": {func(c *control.Commit) {
			v := &control.VPC{ID: "vpc-9", CIDR: anywhere}
			c.Changes = append(c.Changes, control.Change{Table: control.TableVPC, ID: v.ID, Before: v, After: v})
		}, Presence, control.TableVPC, "vpc-9"},
		"deleted, never created": {func(c *control.Commit) {
			c.Changes = append(c.Changes, control.Change{Table: control.TableVPC, ID: "vpc-9", Before: &control.VPC{ID: "vpc-9"}})
		}, Presence, control.TableVPC, "vpc-9"},
		"another before": {func(c *control.Commit) {
			before := c.Changes[0].Before.(*control.NetworkInterface)
			before.Addresses[1].Addr = netip.MustParseAddr("10.0.9.9")
		}, Presence, control.TableNetworkInterface, ""},
		"event number used":        {func(c *control.Commit) { c.Events[0].Seq = 1 }, Unique, "events", "1"},
		"event beyond the counter": {func(c *control.Commit) { c.Events[0].Seq = 99 }, "", "", ""},
		"table of another name":    {func(c *control.Commit) { c.Changes[0].Table = "hosts" }, "", "", ""},
		"row of another table":     {func(c *control.Commit) { c.Changes[0].Table = control.TableVPC }, "", "", ""},
		"row of another id":        {func(c *control.Commit) { c.Changes[0].ID = "eni-x" }, "", "", ""},
		"nil row":                  {func(c *control.Commit) { c.Changes[0].After = (*control.NetworkInterface)(nil) }, "", "", ""},
		"not UTF-8":                {func(c *control.Commit) { eni(c).Tags = control.Tags{"a": "\xff"} }, "", "", ""},
		"time out of range":        {func(c *control.Commit) { c.At = time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC) }, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, t.TempDir())
			write(t, s, pairCommit(1))
			c := pairCommit(2)
			id := tc.id
			if id == "" && len(c.Changes) > 0 {
				id = c.Changes[0].ID
			}
			tc.spoil(&c)
			b := begin(t, s)
			defer b.Rollback()
			err := b.Write(c)
			if err == nil {
				t.Fatal("accepted")
			}
			var broken *ConstraintError
			found := errors.As(err, &broken)
			if found != (tc.want != "") {
				t.Fatalf("got %v, want constraint %q", err, tc.want)
			}
			if found && (broken.Constraint != tc.want || broken.Table != tc.table || broken.ID != id) {
				t.Errorf("got %v of %s %s, want %s of %s %s", err, broken.Table, broken.ID, tc.want, tc.table, id)
			}
			if err := b.Commit(); err != nil {
				t.Fatal(err)
			}
			same(t, load(t, s), pairsAt(1))
		})
	}
}

func TestCountersDoNotGoBack(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, pairCommit(1))
	for name, change := range map[string]func(*control.Commit){
		"revision":  func(c *control.Commit) { c.Revision = 1 },
		"group ref": func(c *control.Commit) { c.NextGroupRef-- },
		"rule ref":  func(c *control.Commit) { c.NextRuleRef-- },
		"event":     func(c *control.Commit) { c.EventSeq = 0 },
	} {
		c := pairMeta(2)
		change(&c)
		b := begin(t, s)
		var order *OrderError
		if err := b.Write(c); !errors.As(err, &order) {
			t.Errorf("%s: got %v, want an OrderError", name, err)
		}
		b.Rollback()
	}
}

// TestFoldedChanges gives several changes of one row, as a command made of
// steps may.
func TestFoldedChanges(t *testing.T) {
	s := open(t, t.TempDir())
	cidr := netip.MustParsePrefix("10.0.0.0/16")
	v1 := &control.VPC{ID: "vpc-1", CIDR: cidr, Region: "first"}
	v2 := &control.VPC{ID: "vpc-1", CIDR: cidr, Region: "second"}
	gone := &control.VPC{ID: "vpc-2", CIDR: cidr}
	c := control.Commit{Revision: 1, Changes: []control.Change{
		{Table: control.TableVPC, ID: "vpc-1", After: v1},
		{Table: control.TableVPC, ID: "vpc-2", After: gone},
		{Table: control.TableVPC, ID: "vpc-1", Before: v1, After: v2},
		{Table: control.TableVPC, ID: "vpc-2", Before: gone},
	}}
	write(t, s, c)
	same(t, load(t, s), control.Commit{Revision: 1, Changes: []control.Change{
		{Table: control.TableVPC, ID: "vpc-1", After: v2},
	}})
}
