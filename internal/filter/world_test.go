package filter

import (
	"fmt"
	"math/rand/v2"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// town is a World of a few interfaces; the second moves to another instance at
// instant 1000 and a group gets its name then.
type town struct{ facts [][]*Facts }

func newTown() *town {
	web, db := Named{"sg-1", "web"}, Named{"sg-2", "db"}
	a, b := Named{"subnet-1", "front"}, Named{"subnet-2", ""}
	vpc := Named{"vpc-1", "lab"}
	return &town{[][]*Facts{
		nil,
		{{N: 0, Interface: Named{"eni-1", "front door"}, MAC: "02:00:00:00:00:01", Instance: Named{"i-1", "client"}, Subnet: a, VPC: vpc, Zone: "us-east-1a", Groups: []Named{web, db}}},
		{
			{N: 1, Interface: Named{"eni-2", "served"}, MAC: "02:00:00:00:00:02", Instance: Named{"i-2", "EC2-1"}, Subnet: b, VPC: vpc, Zone: "us-east-1a", Groups: []Named{{"sg-2", ""}}},
			{N: 2, Since: 1000, Interface: Named{"eni-2", "served"}, MAC: "02:00:00:00:00:02", Instance: Named{"i-3", "EC2-2"}, Subnet: b, VPC: vpc, Zone: "us-east-1a", Groups: []Named{db}},
		},
		{{N: 3, Interface: Named{"inet-00000001", ""}, Instance: Named{"inet-00000001", "customer"}}},
	}}
}

func (w *town) Facts(vnic uint32, at int64) (f *Facts) {
	if int(vnic) >= len(w.facts) {
		return nil
	}
	for _, v := range w.facts[vnic] {
		if v.Since <= at {
			f = v
		}
	}
	return f
}

func (w *town) RuleName(id verdict.RuleID) string {
	return map[verdict.RuleID]string{
		verdict.RuleImplicitDeny: "implicit deny", 17: "sgr-17", 18: "acl-1 egress 100", 19: "rtb-1 0.0.0.0/0", 20: "igw-1",
	}[id]
}

func (w *town) Way(id dataplane.WayID) dataplane.Way {
	if id.Number() == 1 {
		return dataplane.Way{Route: 19, Via: 20, ACLOut: 18}
	}
	return dataplane.Way{}
}

func pick[T any](r *rand.Rand, all ...T) T { return all[r.IntN(len(all))] }

// someRecord is a record with values that filters of the tests are about.
func someRecord(r *rand.Rand) dataplane.Record {
	reason := verdict.Reason(r.IntN(verdict.NumReasons))
	rec := dataplane.Record{
		At: int64(r.IntN(2000)), SrcVNIC: uint32(r.IntN(5)), DstVNIC: uint32(r.IntN(5)), Length: pick(r, uint16(60), 106, 1514),
		Rule: pick(r, verdict.RuleNone, verdict.RuleImplicitDeny, 17, 18, 19), Way: dataplane.WayID(pick(r, uint32(0), 1, 1|1<<31, 2)),
		Reason: reason, Verdict: reason.Verdict(), Step: verdict.Step(r.IntN(verdict.NumSteps)),
		EtherType: pick(r, frame.EtherTypeIPv4, frame.EtherTypeIPv4, frame.EtherTypeIPv4, frame.EtherTypeARP, frame.EtherTypeIPv6, uint16(0x88cc)),
	}
	address := func() frame.IPv4 { return pick(r, frame.IPv4(0xC0A8000A), 0xC0A8002A, 0x0A000001, 0) }
	switch rec.EtherType {
	case frame.EtherTypeIPv4:
		rec.SrcIP, rec.DstIP, rec.Proto = address(), address(), pick(r, frame.ProtoTCP, frame.ProtoUDP, frame.ProtoICMP, uint8(47))
		port := func() uint16 { return pick(r, uint16(0), 80, 443, 40000) }
		switch rec.Proto {
		case frame.ProtoTCP:
			rec.SrcPort, rec.DstPort, rec.TCPFlags = port(), port(), pick(r, uint8(0x02), 0x12, 0x10, 0)
		case frame.ProtoUDP:
			rec.SrcPort, rec.DstPort = port(), port()
		case frame.ProtoICMP:
			rec.SrcPort, rec.DstPort = 8<<8, 80
		}
	case frame.EtherTypeARP:
		rec.SrcIP, rec.DstIP = address(), address()
	case frame.EtherTypeIPv6:
		rec.Proto = pick(r, frame.ProtoTCP, uint8(58))
	}
	return rec
}

func showRecord(r *dataplane.Record) string { return fmt.Sprintf("%+v", *r) }
