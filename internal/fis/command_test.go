package fis

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
	"enilab/internal/impair"
)

func documentARN(name string) string { return "arn:aws:ssm:us-east-1::document/" + name }

// send starts a command at the first instance.
func (w *world) send(document string, parameters map[string]string, lasts string) string {
	w.t.Helper()
	text, err := json.Marshal(parameters)
	w.ok(err)
	return w.start("aws:ssm:send-command",
		control.Tags{"documentArn": documentARN(document), "documentParameters": string(text), "duration": lasts}, control.Tags{"Instances": "one"},
		control.ExperimentTarget{
			Name: "one", ResourceType: TypeInstance, Selection: "ALL",
			ARNs: []string{w.fis.arn("us-east-1", "instance", w.hosts[0])},
		})
}

// TestDocumentsImpair: what each document puts into the network.
func TestDocumentsImpair(t *testing.T) {
	w := newWorld(t)
	link := spec.Scope{Kind: spec.ScopeLink, ID: w.hosts[0]}
	host := spec.Scope{Kind: spec.ScopeHost, ID: w.hosts[0]}
	for _, x := range []struct {
		document string
		given    map[string]string
		want     impair.Impairment
		match    impair.Match
	}{
		{"AWSFIS-Run-Network-Latency", nil,
			impair.Impairment{Impairment: spec.Impairment{Kind: spec.ImpairDelay, Delay: 200 * time.Millisecond}, Of: link, Direction: impair.Out}, impair.Match{}},
		{"AWSFIS-Run-Network-Latency-Sources", map[string]string{"Sources": "192.0.2.1,us-east-1b," + control.ZoneID("us-east-1a"), "Interface": "ens5", "TrafficType": "egress"},
			impair.Impairment{Impairment: spec.Impairment{Kind: spec.ImpairDelay, Delay: 190 * time.Millisecond, Jitter: 20 * time.Millisecond}, Of: link, Direction: impair.Out},
			impair.Match{Peers: []string{"192.0.2.1/32", "10.0.2.0/24", "10.0.1.0/24"}}},
		{"AWSFIS-Run-Network-Latency-Sources", map[string]string{"Sources": "ALL", "Interface": "ALL", "DelayMilliseconds": "5"},
			impair.Impairment{Impairment: spec.Impairment{Kind: spec.ImpairDelay, Jitter: 15 * time.Millisecond}, Of: host, Direction: impair.In},
			impair.Match{Peers: []string{"0.0.0.0/0"}}},
		{"AWSFIS-Run-Network-Packet-Loss", map[string]string{"LossPercent": "15"},
			impair.Impairment{Impairment: spec.Impairment{Kind: spec.ImpairLoss, Share: 0.15}, Of: link, Direction: impair.Out}, impair.Match{}},
		{"AWSFIS-Run-Network-Packet-Loss-Sources", map[string]string{"Sources": "10.0.2.7"},
			impair.Impairment{Impairment: spec.Impairment{Kind: spec.ImpairLoss, Share: 0.07}, Of: link, Direction: impair.In},
			impair.Match{Peers: []string{"10.0.2.7/32"}}},
		{"AWSFIS-Run-Network-Blackhole-Port", map[string]string{"Protocol": "tcp", "Port": "8080"},
			impair.Impairment{Impairment: spec.Impairment{Kind: spec.ImpairPartition}, Of: host, Direction: impair.In}, impair.Match{Protocol: "tcp", Port: 8080}},
	} {
		given := map[string]string{"DurationSeconds": "60"}
		for k, v := range x.given {
			given[k] = v
		}
		id := w.send(x.document, given, "PT1M")
		w.wants(id, control.ExperimentRunning, control.ExperimentRunning)
		list := w.network.List()
		if len(list) != 1 {
			t.Fatalf("%s: %d impairments", x.document, len(list))
		}
		got := list[0]
		m := got.MatchOf()
		if got.Kind != x.want.Kind || got.Delay != x.want.Delay || got.Jitter != x.want.Jitter || got.Share != x.want.Share ||
			got.Of != x.want.Of || got.Direction != x.want.Direction {
			t.Errorf("%s: %+v, want %+v", x.document, got, x.want)
		}
		if m.Protocol != x.match.Protocol || m.Port != x.match.Port || !slices.Equal(m.Peers, x.match.Peers) {
			t.Errorf("%s is kept to %+v, want %+v", x.document, m, x.match)
		}
		w.pass(time.Minute)
		w.wants(id, control.ExperimentCompleted, control.ExperimentCompleted)
		if n := len(w.network.List()); n != 0 {
			t.Fatalf("%s has left %d impairments", x.document, n)
		}
	}
}

// TestADocumentEndsBeforeItsAction: the impairment at DurationSeconds, the action
// at its own duration, over deaths of the server too.
func TestADocumentEndsBeforeItsAction(t *testing.T) {
	w := newWorld(t)
	id := w.send("AWSFIS-Run-Network-Packet-Loss", map[string]string{"DurationSeconds": "30"}, "PT1M")
	w.again()
	if n := len(w.network.List()); n != 1 {
		t.Fatalf("after a death %d impairments are in force", n)
	}
	w.pass(30 * time.Second)
	if n := len(w.network.List()); n != 0 {
		t.Errorf("after the document %d impairments are in force", n)
	}
	w.wants(id, control.ExperimentRunning, control.ExperimentRunning)
	w.again()
	if n := len(w.network.List()); n != 0 {
		t.Errorf("after another death %d impairments are in force", n)
	}
	w.pass(30 * time.Second)
	w.wants(id, control.ExperimentCompleted, control.ExperimentCompleted)
}

// TestADeathTakesNobodysImpairment: ids of impairments begin anew with each server.
func TestADeathTakesNobodysImpairment(t *testing.T) {
	w := newWorld(t)
	id := w.send("AWSFIS-Run-Network-Packet-Loss", map[string]string{"DurationSeconds": "10"}, "PT1M")
	w.now = w.now.Add(20 * time.Second) // it ends while no server is there
	w.again()
	mine, err := w.network.Add(impair.Input{Kind: "partition"})
	w.ok(err)
	w.pass(time.Minute)
	w.wants(id, control.ExperimentCompleted, control.ExperimentCompleted)
	if list := w.network.List(); len(list) != 1 || list[0].ID != mine.ID {
		t.Errorf("in force is %+v, want %s alone", list, mine.ID)
	}
}

// TestACommandThatFailsLeavesNothing: the second of two interfaces is not there.
func TestACommandThatFailsLeavesNothing(t *testing.T) {
	w := newWorld(t)
	for _, x := range []struct{ interfaces, sources, want string }{
		{"eth0,eth1", "ALL", "no interface eth1"},
		{"eth0", "10.0.0.1,us-west-9z", "us-west-9z stands for no addresses"},
	} {
		id := w.send("AWSFIS-Run-Network-Packet-Loss-Sources",
			map[string]string{"DurationSeconds": "60", "Interface": x.interfaces, "Sources": x.sources}, "PT1M")
		w.wants(id, control.ExperimentFailed, control.ExperimentFailed)
		if got := w.svc.State().Experiment(id).Reason; !strings.Contains(got, x.want) {
			t.Errorf("%s: want %q", got, x.want)
		}
		if n := len(w.network.List()); n != 0 {
			t.Errorf("%s: %d impairments are left", x.want, n)
		}
	}
}

func TestCommandsAreChecked(t *testing.T) {
	const latency, blackhole, sources = "AWSFIS-Run-Network-Latency", "AWSFIS-Run-Network-Blackhole-Port", "AWSFIS-Run-Network-Latency-Sources"
	for _, x := range []struct{ document, parameters, want string }{
		{"", "", "documentArn: 'arn:aws:ssm:us-east-1::document/' is no ARN"},
		{"AWS-RunShellScript", "{}", "documentArn: enilab has no document 'AWS-RunShellScript'; it has AWSFIS-Run-Network-Blackhole-Port, "},
		{"AWSFIS-Run-CPU-Stress", "{}", "documentArn: AWSFIS-Run-CPU-Stress cannot act here: guests have no processors"},
		{latency, "", "documentParameters: AWSFIS-Run-Network-Latency needs DurationSeconds"},
		{latency, "[]", "documentParameters: '[]' is no JSON object"},
		{latency, `{"DurationSeconds": "60"`, "is no JSON object"},
		{latency, `{"DurationSeconds": 60}`, "documentParameters.DurationSeconds: its value is a text"},
		{latency, `{"DurationSeconds": "0"}`, "documentParameters.DurationSeconds: '0' is not right"},
		{latency, `{"DurationSeconds": "60", "Delay": "5"}`, "has no parameter 'Delay'; it has Interface, DelayMilliseconds, "},
		{latency, `{"DurationSeconds": "60", "DelayMilliseconds": "-1"}`, "documentParameters.DelayMilliseconds: '-1'"},
		{latency, `{"DurationSeconds": "60", "Interface": "wlan0"}`, "documentParameters.Interface: 'wlan0'"},
		{latency, `{"DurationSeconds": "60", "Interface": "ALL"}`, "documentParameters.Interface: 'ALL'"},
		{latency, `{"DurationSeconds": "60", "Interface": "ens4"}`, "documentParameters.Interface: 'ens4'"},
		{latency, `{"DurationSeconds": "60", "InstallDependencies": "yes"}`, "documentParameters.InstallDependencies: 'yes'"},
		{"AWSFIS-Run-Network-Packet-Loss", `{"DurationSeconds": "60", "LossPercent": "0"}`, "documentParameters.LossPercent: '0'"},
		{"AWSFIS-Run-Network-Packet-Loss", `{"DurationSeconds": "60", "LossPercent": "NaN"}`, "documentParameters.LossPercent: 'NaN'"},
		{blackhole, `{"DurationSeconds": "60", "Port": "80"}`, "needs Protocol: tcp or udp"},
		{blackhole, `{"DurationSeconds": "60", "Protocol": "icmp", "Port": "80"}`, "documentParameters.Protocol: 'icmp'"},
		{blackhole, `{"DurationSeconds": "60", "Protocol": "tcp", "Port": "0"}`, "documentParameters.Port: '0'"},
		{blackhole, `{"DurationSeconds": "60", "Protocol": "tcp", "Port": "80", "TrafficType": "both"}`, "documentParameters.TrafficType: 'both'"},
		{sources, `{"DurationSeconds": "60"}`, "needs Sources"},
		{sources, `{"DurationSeconds": "60", "Sources": "www.example.com"}`, "documentParameters.Sources: 'www.example.com'"},
		{sources, `{"DurationSeconds": "60", "Sources": "10.0.0.1, 10.0.0.2"}`, "documentParameters.Sources: '10.0.0.1, 10.0.0.2'"},
		{sources, `{"DurationSeconds": "60", "Sources": "ALL", "FlowsPercent": "50"}`, "documentParameters.FlowsPercent: '50'"},
		{sources, `{"DurationSeconds": "60", "Sources": "ALL", "JitterMilliseconds": "x"}`, "documentParameters.JitterMilliseconds: 'x'"},
	} {
		p := control.Tags{"documentArn": documentARN(x.document), "documentParameters": x.parameters, "duration": "PT1M"}
		if err := checkCommand("at", p); err == nil || !strings.HasPrefix(err.Error(), "at.document") && !strings.Contains(err.Error(), ": at.document") || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s %s: %v, want %q", x.document, x.parameters, err, x.want)
		}
	}
	if err := checkCommand("at", control.Tags{
		"documentArn": documentARN(latency), "documentVersion": "latest", "documentParameters": `{"DurationSeconds": ["60"]}`, "duration": "PT1M",
	}); err == nil || !strings.Contains(err.Error(), "at.documentVersion: 'latest'") {
		t.Errorf("a version: %v", err)
	}
}
