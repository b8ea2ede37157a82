package store

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/frame"
)

// The crash test's world: pairs of interfaces. Revision 1 makes them; every
// later one takes the next pair and has its two interfaces exchange addresses,
// groups and attachments, and wear the revision. So what is stored at a revision
// follows from the revision alone, and half a commit shows.
const pairs = 8

const (
	pairVPC    = "vpc-1"
	pairSubnet = "subnet-1"
)

var (
	pairStart = time.Unix(1_700_000_000, 0).UTC()
	pairCIDR  = netip.MustParsePrefix("10.0.0.0/16")
)

func pairTime(revision uint64) time.Time {
	return pairStart.Add(time.Duration(revision) * time.Microsecond)
}

// pairCommit is the commit that makes revision out of revision-1.
func pairCommit(revision uint64) control.Commit {
	c := pairMeta(revision)
	c.Events = []control.Event{{
		Seq: revision, Revision: revision, At: c.At, Type: "pair.swapped", Detail: map[string]string{"mark": mark(revision)},
	}}
	if revision == 1 {
		c.Changes = pairsAt(1).Changes
		return c
	}
	pair := pairOf(revision)
	for side := range 2 {
		after := pairInterface(pair, side, revision)
		c.Changes = append(c.Changes, control.Change{
			Table: control.TableNetworkInterface, ID: after.ID, After: after,
			Before: pairInterface(pair, side, pairRevision(pair, revision-1)),
		})
	}
	return c
}

func pairMeta(revision uint64) control.Commit {
	return control.Commit{Revision: revision, At: pairTime(revision), NextGroupRef: 3, NextRuleRef: 1, EventSeq: revision}
}

// pairOf is the pair that a revision changes.
func pairOf(revision uint64) uint64 { return revision % pairs }

// pairRevision is the last revision, up to the given one, that changed a pair.
func pairRevision(pair, revision uint64) uint64 {
	for r := revision; r > 1; r-- {
		if pairOf(r) == pair {
			return r
		}
	}
	return 1
}

// mark fills some pages, so that a commit is many writes to the log.
func mark(revision uint64) string {
	return strings.Repeat(fmt.Sprintf("%016x", revision*0x9e3779b97f4a7c15), 48)
}

// pairInterface is one side of a pair as a revision left it.
func pairInterface(pair uint64, side int, revision uint64) *control.NetworkInterface {
	id := fmt.Sprintf("eni-%d-%d", pair, side)
	place := (side + int(revision/pairs)) % 2 // sides exchange places at every turn
	base := frame.IPv4(10<<24 | uint32(pair)<<8)
	return &control.NetworkInterface{
		ID: id, Region: "us-east-1", Zone: "us-east-1a", VPC: pairVPC, Subnet: pairSubnet,
		MAC: frame.MAC(pair<<8 | uint64(side)), Description: fmt.Sprint("revision ", revision),
		Addresses: []control.PrivateAddress{
			{Addr: (base + frame.IPv4(10+place)).Addr(), Primary: true}, {Addr: (base + frame.IPv4(20+place)).Addr()},
		},
		Groups: []string{fmt.Sprint("sg-", place)}, Tags: control.Tags{"mark": mark(revision)}, CreatedAt: pairStart,
		Attachment: &control.Attachment{
			ID: fmt.Sprintf("eni-attach-%d-%d", pair, place), Instance: fmt.Sprint("i-", place), DeviceIndex: int(pair),
			State: control.Attached, StateAt: pairTime(revision), AttachTime: pairStart,
		},
	}
}

// pairsAt is what Load returns at a revision.
func pairsAt(revision uint64) control.Commit {
	if revision == 0 {
		return control.Commit{}
	}
	c := pairMeta(revision)
	put := func(table control.Table, id string, row any) {
		c.Changes = append(c.Changes, control.Change{Table: table, ID: id, After: row})
	}
	put(control.TableVPC, pairVPC, &control.VPC{ID: pairVPC, CIDR: pairCIDR})
	put(control.TableSubnet, pairSubnet, &control.Subnet{ID: pairSubnet, VPC: pairVPC, CIDR: pairCIDR})
	for i := range 2 {
		id := fmt.Sprint("sg-", i)
		put(control.TableSecurityGroup, id, &control.SecurityGroup{ID: id, Ref: uint32(i + 1), VPC: pairVPC, Name: id})
	}
	for i := range 2 {
		id := fmt.Sprint("i-", i)
		put(control.TableInstance, id, &control.Instance{ID: id})
	}
	for pair := range uint64(pairs) {
		for side := range 2 {
			n := pairInterface(pair, side, pairRevision(pair, revision))
			put(control.TableNetworkInterface, n.ID, n)
		}
	}
	return c
}

// verifyPairEvents finds one event for each revision, whole.
func verifyPairEvents(t *testing.T, s *Store, revision uint64) {
	t.Helper()
	evs, oldest, err := s.Events(t.Context(), 0, int(revision)+1)
	if err != nil {
		t.Fatal(err)
	}
	if uint64(len(evs)) != revision || oldest != min(1, revision) {
		t.Errorf("%d events from %d on, want %d", len(evs), oldest, revision)
	}
	for i, e := range evs {
		if r := uint64(i) + 1; e.Seq != r || e.Revision != r || e.Detail["mark"] != mark(r) || !e.At.Equal(pairTime(r)) {
			t.Fatalf("event %d is %+v", r, e)
		}
	}
}
