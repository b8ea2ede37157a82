package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

// TestExerciseInTheServer begins one in a laboratory that is not empty, does its
// first goal, and has another put in its place.
func TestExerciseInTheServer(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir())...)
	p.call(t, "PUT", "/scenario", `{"name":"demo"}`, 200)
	if got := p.call(t, "POST", "/exercises/forced-detach/begin", `{}`, 409); !strings.Contains(got, "not empty") {
		t.Errorf("the refusal is %s, want it to say that the laboratory is not empty", got)
	}
	p.call(t, "POST", "/exercises/nosuch/begin", `{}`, 404)
	p.call(t, "GET", "/exercises/nosuch/progress", "", 404)
	progress := func(body string) (state string, met int) {
		t.Helper()
		var v struct {
			State string
			Met   int
		}
		if err := json.Unmarshal([]byte(body), &v); err != nil {
			t.Fatal(err)
		}
		return v.State, v.Met
	}
	look := func() (string, int) {
		t.Helper()
		return progress(p.call(t, "GET", "/exercises/forced-detach/progress", "", 200))
	}
	if state, _ := look(); state != "not-begun" {
		t.Errorf("before it is begun it is %s", state)
	}
	if state, met := progress(p.call(t, "POST", "/exercises/forced-detach/begin", `{"force":true}`, 200)); state != "underway" || met != 0 {
		t.Errorf("begun it is %s with %d goals, want underway with none", state, met)
	}
	// The laboratory is like the scenario says, which a detach that takes its time shows.
	if got := p.call(t, "GET", "/timings", "", 200); !strings.Contains(got, `"staleAfterForce":true`) || !strings.Contains(got, `"medianMs":5000`) {
		t.Errorf("the timings are %s, want the scenario's", got)
	}
	move := strings.NewReplacer("ENI", p.named(t, "/network-interfaces", "eth1"), "TO", p.named(t, "/instances", "EC2-2"))
	p.call(t, "POST", move.Replace("/network-interfaces/ENI/move"), move.Replace(`{"instanceId":"TO","force":true}`), 200)
	tick, late := time.NewTicker(50*time.Millisecond), time.After(time.Minute)
	defer tick.Stop()
	for met := 0; met < 2; _, met = look() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%d goals are reached, want 2: %s", met, p.call(t, "GET", "/exercises/forced-detach/progress", "", 200))
		}
	}
	p.call(t, "POST", "/exercises/build-a-lab/begin", `{"force":true}`, 200)
	if state, _ := look(); state != "not-begun" {
		t.Errorf("once another is begun it is %s", state)
	}
	if got := p.call(t, "GET", "/instances", "", 200); strings.Contains(got, `"running"`) {
		t.Errorf("an exercise that begins with nothing has %s", got)
	}
	if got := p.call(t, "GET", "/timings", "", 200); !strings.Contains(got, `"staleAfterForce":false`) {
		t.Errorf("the timings are %s, want those of before the exercise", got)
	}
}

// named is the id of what has a Name tag.
func (p *process) named(t *testing.T, path, name string) string {
	t.Helper()
	var v struct {
		Items []struct {
			ID   string
			Tags map[string]string
		}
	}
	if err := json.Unmarshal([]byte(p.call(t, "GET", path, "", 200)), &v); err != nil {
		t.Fatal(err)
	}
	for _, one := range v.Items {
		if one.Tags["Name"] == name {
			return one.ID
		}
	}
	t.Fatalf("nothing of %s is named %s", path, name)
	return ""
}
