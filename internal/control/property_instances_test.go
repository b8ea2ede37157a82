package control

import (
	"net/netip"
	"time"

	"pgregory.net/rapid"

	"enilab/internal/dataplane/spec"
)

func (m *machine) runInstance(rt *rapid.T) {
	in := RunInstanceInput{Type: rapid.SampledFrom([]string{"", "t3.small", "m5.large"}).Draw(rt, "type"), Tags: Tags{"Name": "x"}}
	if rapid.Bool().Draw(rt, "with eni") {
		in.Interface = m.anyENI(rt).ID
	} else {
		in.Subnet = m.anySubnet(rt).ID
	}
	if rapid.Bool().Draw(rt, "busy") {
		in.Workloads = []spec.Workload{{Name: "w", Kind: "ping", Target: netip.MustParseAddr("10.0.0.5"), Rate: 1}}
	}
	m.run("run", func(t *tx) error { _, err := t.runInstance(in); return err })
}

func (m *machine) lifecycle(rt *rapid.T) {
	id := m.anyInstance(rt).ID
	fault := rapid.SampledFrom([]Fault{FaultFreeze, FaultLink, FaultStop}).Draw(rt, "fault")
	what := rapid.SampledFrom([]string{"start", "stop", "reboot", "terminate", "fail", "recover", "pause"}).Draw(rt, "what")
	m.run(what, func(t *tx) (err error) {
		switch what {
		case "start":
			_, err = t.startInstance(id)
		case "stop":
			_, err = t.stopInstance(id, false)
		case "reboot":
			_, err = t.rebootInstance(id)
		case "terminate":
			_, err = t.terminateInstance(id)
		case "fail":
			_, err = t.failInstance(id, fault)
		case "recover":
			_, err = t.recoverInstance(id)
		case "pause":
			err = t.pauseTraffic(fault == FaultFreeze)
		}
		return err
	})
}

func (m *machine) attach(rt *rapid.T) {
	in := AttachInput{Interface: m.anyENI(rt).ID, Instance: m.anyInstance(rt).ID, DeviceIndex: rapid.IntRange(0, 3).Draw(rt, "index")}
	m.run("attach", func(t *tx) error { _, err := t.attach(in); return err })
}

func (m *machine) detach(rt *rapid.T) {
	in := DetachInput{Attachment: noAttachment, Force: rapid.Bool().Draw(rt, "force")}
	if n := m.anyENI(rt); n.Attachment != nil {
		in.Attachment = n.Attachment.ID
	}
	m.run("detach", func(t *tx) error { _, err := t.detach(in); return err })
}

func (m *machine) move(rt *rapid.T) {
	in := MoveInput{Interface: m.anyENI(rt).ID, Instance: m.anyInstance(rt).ID, DeviceIndex: rapid.IntRange(-1, 3).Draw(rt, "index")}
	m.run("move", func(t *tx) error { _, err := t.move(in); return err })
}

// attributes changes an instance, a key pair or a flow log.
func (m *machine) attributes(rt *rapid.T) {
	in := ModifyInstanceInput{ID: m.anyInstance(rt).ID}
	switch rapid.IntRange(0, 4).Draw(rt, "what") {
	case 0:
		in.ProtectStop = new(rapid.Bool().Draw(rt, "stop"))
	case 1:
		in.Type = new(rapid.SampledFrom([]string{"t3.micro", "t3.small", "m5.large"}).Draw(rt, "type"))
	case 2:
		in.SourceDestCheck = new(rapid.Bool().Draw(rt, "check"))
	case 3:
		m.run("key pair", func(t *tx) error {
			_, err := t.createKeyPair(CreateKeyInput{Name: "k", Type: "rsa", PublicKey: "x"})
			return err
		})
		return
	default:
		log := CreateFlowLogInput{Resource: m.anyENI(rt).ID, TrafficType: "ALL", DestinationType: "s3", Destination: "arn:x"}
		m.run("flow log", func(t *tx) error { _, err := t.createFlowLog(log); return err })
		return
	}
	m.run("modify instance", func(t *tx) error { _, err := t.modifyInstance(in); return err })
}

// wait lets some transitions end, in an order that no timer would choose.
func (m *machine) wait(rt *rapid.T) {
	m.now = m.now.Add(rapid.SampledFrom([]time.Duration{15 * time.Millisecond, time.Second, time.Hour}).Draw(rt, "wait"))
	if rapid.Bool().Draw(rt, "instances") {
		id := m.anyInstance(rt).ID
		m.run("finish", func(t *tx) error { return t.finish(TableInstance, id) })
	} else {
		id := m.anyENI(rt).ID
		m.run("finish", func(t *tx) error { return t.finish(TableNetworkInterface, id) })
	}
}
