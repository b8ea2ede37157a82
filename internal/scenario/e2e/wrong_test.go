package e2e

import (
	"strings"
	"testing"

	"enilab/internal/scenario"
)

const twoServers = `vpcs: [{name: lab, cidr: 10.3.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.3.0.0/24, zone: 1}]
securityGroups:
  - name: open
    vpc: lab
    description: everything from the VPC
    ingress: [{protocol: "-1", from: 10.3.0.0/16}]
instances:
  - name: client
    subnet: a
    ip: 10.3.0.10
    groups: [open]
    workloads: [{name: requests, kind: udp-echo, target: 10.3.0.42, rate: 100}, {name: pings, kind: ping, target: 10.3.0.42, rate: 1, paused: true}]
  - {name: one, type: t3.medium, subnet: a, ip: 10.3.0.21, groups: [open]}
  - {name: two, type: t3.medium, subnet: a, ip: 10.3.0.22, groups: [open]}
networkInterfaces:
  - {name: service, subnet: a, ip: 10.3.0.42, groups: [open], attach: {instance: one, deviceIndex: 1}}
steps:
`

// TestWrongExpectations: what real frames and records contradict fails the run.
func TestWrongExpectations(t *testing.T) {
	l := newLab(t, t.TempDir())
	parse := func(steps string) *scenario.Scenario {
		t.Helper()
		sc, err := scenario.Parse(t.Context(), "wrong.yaml", []byte(twoServers+steps))
		if err != nil {
			t.Fatal(err)
		}
		return sc
	}
	first := parse("  - waitUntil: [replies: {client: client, workload: requests, by: one}]\n" +
		"  - move: {networkInterface: service, instance: two}\n" +
		"  - waitUntil: [failover: {networkInterface: service, state: completed}]\n    within: 30s\n")
	loaded, err := first.Load(l.ctx, l.svc)
	if err != nil {
		t.Fatal(err)
	}
	served := parse("  - waitUntil: [replies: {client: client, workload: requests, by: one}]\n    within: 30s\n")
	if _, err := scenario.Run(l.ctx, l.env(), served, loaded); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ steps, want string }{
		{"  - waitUntil: [replies: {client: client, workload: requests, by: two}]\n    within: 200ms", "saw replies by one"},
		{"  - waitUntil: [replies: {client: client, workload: pings, by: one}]\n    within: 200ms", "saw no reply"},
		{"  - waitUntil: [answers: {from: client, address: 10.3.0.42, by: two}]\n    within: 3s", "saw an answer by one"},
		{"  - waitUntil: [answers: {from: client, address: 10.3.0.99, by: two}]\n    within: 2s", "asking 10.3.0.99: "},
	} {
		l.fails(parse(c.steps), loaded, c.want)
	}
	if _, err := scenario.Run(l.ctx, l.env(), first, loaded); err != nil {
		t.Fatal(err)
	}
	l.fails(parse("  - expect: [failover: {networkInterface: service, state: completed}]"), loaded, "saw no record of service")
	l.fails(parse("  - move: {networkInterface: service, instance: one}\n"+
		"  - waitUntil: [failover: {networkInterface: service, state: completed, kind: failover}]\n    within: 200ms"),
		loaded, "saw a record of a move from two to one")
	l.fails(parse("  - move: {networkInterface: service, instance: two}\n"+
		"  - waitUntil: [failover: {networkInterface: service, minLost: 1000000}]\n    within: 200ms"),
		loaded, "saw a record of a move from one to two")
}

func (l *lab) fails(sc *scenario.Scenario, loaded *scenario.Loaded, want string) {
	l.t.Helper()
	_, err := scenario.Run(l.ctx, l.env(), sc, loaded)
	if err == nil || !strings.Contains(err.Error(), want) {
		l.t.Errorf("got %v, want %q", err, want)
	}
}
