package answers_test

import (
	"testing"
	"testing/synctest"

	"enilab/internal/answers"
	"enilab/internal/control"
	"enilab/internal/dataplane/conntrack"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/predict"
)

// living is a connection from one to a port of two, as one's table has it.
func (s *site) living(port uint16, tracked bool) answers.Flow {
	return answers.Flow{Interface: s.Primary(s.one).ID, FlowInfo: conntrack.FlowInfo{
		Local: ip4(s.Primary(s.one)).Addr(), Remote: ip4(s.Primary(s.two)).Addr(), LocalPort: 40000, RemotePort: port, Proto: frame.ProtoTCP,
		State: conntrack.TCPEstablished, Tracked: tracked, AdmittedBy: conntrack.Egress, Packets: [2]uint64{10, 5},
	}}
}

func TestWhatIf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		flows := []answers.Flow{s.living(443, true), s.living(80, true)}
		acl := s.State().NetworkACLOf(s.B.ID)
		revision := s.State().Revision()
		port := 443
		deny := control.NetworkACLEntryInput{ACL: acl.ID, Number: 50, Action: "deny", Protocol: "tcp", CIDR: "0.0.0.0/0", FromPort: &port, ToPort: &port}

		d := s.Draft()
		s.Check(d.CreateNetworkACLEntry(s.Ctx, deny))
		e := answers.WhatIf(d.Drafted(), flows, nil, 10)
		if e.Counts != (answers.Counts{NewlyRefused: 1, Unaffected: 1}) || e.NewlyRefused[0].Port != 443 || e.NewlyRefused[0].Rule != acl.ID+" ingress 50" ||
			e.NewlyRefused[0].Frames != 15 || e.NewlyRefused[0].Code != "SUBNET_ACL_RESTRICTION" {
			t.Errorf("an ACL refuses whoever talks: %+v", e)
		}

		d = s.Draft()
		var ids []string
		for _, r := range s.group.Rules {
			if !r.Egress {
				ids = append(ids, r.ID)
			}
		}
		s.Check(d.RevokeRules(s.Ctx, s.group.ID, ids))
		e = answers.WhatIf(d.Drafted(), flows, nil, 10)
		if e.Counts != (answers.Counts{KeptAsTracked: 2}) || e.KeptAsTracked[0].Reason != "ingress_denied" {
			t.Errorf("a group lets go on what is tracked: %+v", e)
		}

		if s.State().Revision() != revision || len(s.State().NetworkACL(acl.ID).Entries) != len(acl.Entries) {
			t.Error("a draft has changed something")
		}

		s.Check(s.CreateNetworkACLEntry(s.Ctx, deny))
		refused := answers.Seen{Connection: predict.Connection{
			From: s.Primary(s.one).ID, Src: ip4(s.Primary(s.one)), Dst: ip4(s.Primary(s.two)), Proto: frame.ProtoTCP, SrcPort: 40001, DstPort: 443,
		}, Frames: 7, Reason: verdict.IngressACLDenied}
		d = s.Draft()
		s.Check(d.DeleteNetworkACLEntry(s.Ctx, acl.ID, 50, false))
		e = answers.WhatIf(d.Drafted(), nil, []answers.Seen{refused}, 10)
		if e.Counts != (answers.Counts{NewlyPassed: 1}) || e.NewlyPassed[0].Frames != 7 || e.NewlyPassed[0].Reason != "ingress_acl_denied" {
			t.Errorf("what was refused passes: %+v", e)
		}
	})
}

// A draft's commands stand behind each other, and are refused as they would be.
func TestDraftsAreRefusedAsCallsAre(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		rtb := s.State().MainRouteTable(s.VPC.ID).ID
		d := s.Draft()
		eni := s.Primary(s.one).ID
		in := control.RouteInput{Table: rtb, DestinationInput: control.DestinationInput{CIDR: "10.50.0.0/16"}, Interface: eni}
		s.Check(d.CreateRoute(s.Ctx, in))
		if err := d.CreateRoute(s.Ctx, in); err == nil {
			t.Error("one route twice")
		}
		if n := len(d.Drafted().Changes); n != 1 {
			t.Errorf("%d rows differ", n)
		}
		if n := len(s.State().RouteTable(rtb).Routes); n != 1 {
			t.Errorf("%d routes are in force", n)
		}
	})
}

// Many connections are looked at by several goroutines, and each is told of once.
func TestWhatIfOfManyIsThatOfEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		port := 443
		d := s.Draft()
		s.Check(d.CreateNetworkACLEntry(s.Ctx, control.NetworkACLEntryInput{
			ACL: s.State().NetworkACLOf(s.B.ID).ID, Number: 50, Action: "deny", Protocol: "tcp", CIDR: "0.0.0.0/0", FromPort: &port, ToPort: &port,
		}))
		var flows []answers.Flow
		for i := range 20_000 {
			f := s.living([]uint16{443, 80}[i%2], true)
			f.LocalPort = uint16(10000 + i)
			f.Packets = [2]uint64{uint64(i), 0}
			flows = append(flows, f)
		}
		e := answers.WhatIf(d.Drafted(), flows, nil, 3)
		if e.Connections != 20_000 || e.Counts != (answers.Counts{NewlyRefused: 10_000, Unaffected: 10_000}) {
			t.Errorf("%d, %+v", e.Connections, e.Counts)
		}
		for i, x := range e.NewlyRefused {
			if want := uint64(19_998 - 2*i); x.Frames != want || x.SourcePort != uint16(10000+want) {
				t.Errorf("%d: %+v, want that of %d frames", i, x, want)
			}
		}
	})
}
