package scenario

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane"
)

const network = `vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: a}]
instances: [{name: one, subnet: a, ip: 10.0.0.10, workloads: [{name: w, kind: ping, target: 10.0.0.11, rate: 1}]}, {name: two, subnet: a, ip: 10.0.0.11}]
networkInterfaces: [{name: eth1, subnet: a, ip: 10.0.0.12, attach: {instance: one, deviceIndex: 1}}]
steps:
`

// play runs steps on a control plane without guests.
func play(t *testing.T, steps string, change func(*Env)) (*Report, error) {
	t.Helper()
	sc, err := Parse(t.Context(), "steps.yaml", []byte(network+steps))
	if err != nil {
		t.Fatal(err)
	}
	svc := newService(t, "us-east-1")
	ctx := bounded(t)
	loaded, err := sc.Load(ctx, svc)
	if err != nil {
		t.Fatal(err)
	}
	env := Env{Service: svc, Now: func() int64 { return time.Now().UnixNano() }}
	if change != nil {
		change(&env)
	}
	return Run(ctx, env, sc, loaded)
}

// TestFailingSteps: a step that fails says where it is and what was seen.
func TestFailingSteps(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"expectation": {
			"  - expect: [instance: {name: one, state: stopped}]",
			"steps.yaml:6:5: step 1 (expect instance one stopped): expected instance one stopped; saw it running with fault none",
		},
		"second step": {
			"  - stop: one\n  - expect: [instance: {name: two, state: stopped}]",
			"steps.yaml:7:5: step 2 (",
		},
		"wait": {
			"  - waitUntil: [networkInterface: {name: eth1, attachedTo: two}]\n    within: 30ms",
			"not within 30ms: network interface eth1 to two; saw it in-use, attached with one",
		},
		"address": {
			"  - expect: [networkInterface: {name: eth1, address: 10.0.0.13}]",
			"saw addresses [{10.0.0.12 true}]",
		},
		"event": {
			"  - expect: [event: {type: instance.stopped, of: one}]",
			"expected event instance.stopped of one; saw no such event",
		},
		"record": {
			"  - expect: [failover: {networkInterface: eth1, state: completed}]",
			"saw no record of eth1",
		},
		"refusal": {
			"  - attach: {networkInterface: eth1, instance: two, deviceIndex: 1}",
			"InvalidParameterValue: Network interface",
		},
		"no refusal": {
			"  - stop: one\n    refused: IncorrectInstanceState",
			"expected the refusal IncorrectInstanceState; it was done",
		},
		"another refusal": {
			"  - detach: {networkInterface: one/eth0}\n    refused: IncorrectState",
			"expected the refusal IncorrectState; got: OperationNotPermitted",
		},
		"no mover": {
			"  - move: {networkInterface: eth1, instance: two}",
			"nobody here moves network interfaces",
		},
		"no guests": {
			"  - expect: [answers: {from: one, address: 10.0.0.11, by: two}]",
			"no guest runs in one",
		},
		"no meters": {
			"  - expect: [replies: {client: one, workload: w, by: two}]",
			"no guests to ask",
		},
		"no engine": {
			"  - expect: [frames: accounted]",
			"no data plane to ask",
		},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := play(t, c.steps, nil)
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got  %v\nwant %s", err, c.want)
			}
			last := report.Steps[len(report.Steps)-1]
			if !errors.Is(last.Err, err) || last.Line != e.Line {
				t.Errorf("report %+v", report)
			}
		})
	}
}

// TestLostFrame: a frame without a fate fails a scenario that asks.
func TestLostFrame(t *testing.T) {
	totals := func() dataplane.Totals {
		return dataplane.Totals{Counters: dataplane.Counters{TxFrames: 2, RxFrames: 1}}
	}
	_, err := play(t, "  - expect: [frames: accounted]", func(e *Env) { e.Totals = totals })
	if err == nil || !strings.Contains(err.Error(), "saw 1 frames unaccounted for") {
		t.Errorf("got %v", err)
	}
}

// TestRunEndsWithItsContext rather than with the condition's deadline.
func TestRunEndsWithItsContext(t *testing.T) {
	sc, err := Parse(t.Context(), "steps.yaml", []byte(network+"  - waitUntil: [instance: {name: one, state: stopped}]\n    within: 1h"))
	if err != nil {
		t.Fatal(err)
	}
	svc := newService(t, "us-east-1")
	loaded, err := sc.Load(bounded(t), svc)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = Run(ctx, Env{Service: svc, Now: func() int64 { return 1 }}, sc, loaded)
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// twins is a store in which two interfaces hold one address.
type twins struct{ nowhere }

func (twins) Load(context.Context) (control.Commit, error) {
	c := control.Commit{Revision: 1}
	for _, n := range []control.NetworkInterface{{ID: "eni-a", MAC: 0x0200000000aa}, {ID: "eni-b", MAC: 0x0200000000bb}} {
		n.VPC, n.Subnet = "vpc-1", "subnet-1"
		n.Addresses = []control.PrivateAddress{{Addr: netip.MustParseAddr("10.0.0.10"), Primary: true}}
		c.Changes = append(c.Changes, control.Change{Table: control.TableNetworkInterface, ID: n.ID, After: &n})
	}
	return c, nil
}

func TestCheckOwners(t *testing.T) {
	svc, err := control.Open(t.Context(), control.Options{
		Store: twins{}, Plane: nowhere{}, Region: "us-east-1", Now: time.Now, Random: func([]byte) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	err = CheckOwners(svc.State())
	if err == nil || !strings.Contains(err.Error(), "address 10.0.0.10 of vpc-1 belongs to eni-") {
		t.Errorf("got %v", err)
	}
}
