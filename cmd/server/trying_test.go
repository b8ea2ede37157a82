package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// trial is what the test reads of one.
type trial struct {
	ID, Drill, State, Verdict, Error string
	Done                             int
	Results                          json.RawMessage
}

func begun(t *testing.T, url, asks string) (x trial) {
	t.Helper()
	status, _, text := asked(t, "POST", url+"/api/v1/trials", asks, "Content-Type", "application/json")
	if status != 201 {
		t.Fatalf("%s: %d %s", asks, status, text)
	}
	decode(t, text, &x)
	return x
}

func (x trial) ended(t *testing.T, url string) trial {
	t.Helper()
	for x.State == "running" {
		decode(t, get(t, url+"/api/v1/trials/"+x.ID+"?wait=10&done=100000"), &x)
	}
	return x
}

// TestTrials runs drills beside a living laboratory, which is as before, and in it,
// which goes back to its start; what came of them is there after a restart.
func TestTrials(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	want := resourcesOf(t, p.url)

	beside := begun(t, p.url, `{"drill": "eni-failover", "runs": 3, "timing": "aws"}`).ended(t, p.url)
	if beside.State != "done" || beside.Verdict != "held" || beside.Done != 3 {
		t.Errorf("beside it: %+v", beside)
	}
	own := begun(t, p.url, `{"drill": "survives", "in": "real", "runs": 1}`).ended(t, p.url)
	if own.State != "done" || own.Verdict != "held" {
		t.Errorf("in one of its own: %s %s %s", own.State, own.Verdict, own.Error)
	}
	sameResources(t, "after drills beside it", p.url, want)

	status, _, text := asked(t, "POST", p.url+"/api/v1/trials", `{"drill": "survives", "in": "laboratory", "runs": 2}`, "Content-Type", "application/json")
	if status != 409 || !strings.Contains(text, "the laboratory is not empty") {
		t.Errorf("in it, unasked: %d %s", status, text)
	}
	sameResources(t, "after a refusal", p.url, want)
	in := begun(t, p.url, `{"drill": "survives", "in": "laboratory", "runs": 2, "force": true}`).ended(t, p.url)
	if in.State != "done" || in.Verdict != "held" || in.Done != 2 {
		t.Errorf("in it: %s %s %d %s", in.State, in.Verdict, in.Done, in.Error)
	}
	sameResources(t, "after drills in it", p.url, want)

	// One that is under way when the server ends is kept as far as it was.
	cut := begun(t, p.url, `{"drill": "four-strategies", "runs": 1000}`)
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, patience); err != nil {
		t.Fatal(err)
	}
	p = start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	var list struct{ Items []trial }
	decode(t, get(t, p.url+"/api/v1/trials"), &list)
	if len(list.Items) != 4 || list.Items[0].ID != cut.ID || list.Items[0].State != "stopped" || !strings.Contains(list.Items[0].Error, "the server ended") {
		t.Errorf("after a restart there are %+v", list.Items)
	}
	var again trial
	decode(t, get(t, p.url+"/api/v1/trials/"+beside.ID), &again)
	if string(again.Results) != string(beside.Results) {
		t.Errorf("the results were %.300s and are %.300s", beside.Results, again.Results)
	}
}
