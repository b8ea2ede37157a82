package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// resourcesOf is every resource that a person sees, with ids and states, but for
// what counts on.
func resourcesOf(t *testing.T, url string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, kind := range []string{"vpcs", "subnets", "security-groups", "instances", "network-interfaces", "failover-policies", "failovers", "route-tables"} {
		var list struct{ Items []map[string]any }
		decode(t, get(t, url+"/api/v1/"+kind), &list)
		for _, item := range list.Items {
			delete(item, "counters")
			delete(item, "status")
		}
		text, err := json.Marshal(list.Items)
		if err != nil {
			t.Fatal(err)
		}
		all[kind] = string(text)
	}
	return all
}

func sameResources(t *testing.T, when, url string, want map[string]string) {
	t.Helper()
	got := resourcesOf(t, url)
	for kind := range want {
		if got[kind] != want[kind] {
			t.Errorf("%s the %s are\n%s\nwant\n%s", when, kind, got[kind], want[kind])
		}
	}
}

// spoiled does what a bad day would, and waits until its record is complete.
func spoiled(t *testing.T, url string) {
	t.Helper()
	var all struct{ Items []struct{ ID, Name string } }
	decode(t, get(t, url+"/api/v1/instances"), &all)
	for _, i := range all.Items {
		switch i.Name {
		case "EC2-1":
			post(t, url+"/api/v1/instances/"+i.ID+"/fail", `{"mode": "freeze"}`)
		case "EC2-3":
			if status, _, text := asked(t, "DELETE", url+"/api/v1/instances/"+i.ID, ""); status != 200 {
				t.Fatalf("%d %s", status, text)
			}
		}
	}
	post(t, url+"/api/v1/vpcs", `{"cidr": "10.99.0.0/16"}`)
	post(t, url+"/api/v1/impairments", `{"kind": "loss", "share": 1, "of": {"instance": "client"}}`)
}

// A snapshot is gone back to in one step, whatever has happened since; the one
// that another server begins with is a laboratory of its own.
func TestASnapshotIsGoneBackToAndBranched(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	api := p.url + "/api/v1"
	post(t, api+"/vpcs", `{"cidr": "10.7.0.0/16", "tags": {"Name": "since the start"}}`)
	want := resourcesOf(t, p.url)
	var taken struct {
		Name, Description string
		Revision          uint64
		Bytes             int64
	}
	decode(t, post(t, api+"/snapshots", `{"name": "before", "description": "all is well"}`), &taken)
	if taken.Name != "before" || taken.Description != "all is well" || taken.Bytes == 0 || taken.Revision == 0 {
		t.Errorf("it is %+v", taken)
	}
	file := filepath.Join(t.TempDir(), "before.db")
	if err := os.WriteFile(file, []byte(get(t, api+"/snapshots/before/database")), 0o600); err != nil {
		t.Fatal(err)
	}

	for range 2 {
		spoiled(t, p.url)
		if status, _, text := asked(t, "POST", api+"/snapshots/before/restore", ""); status != 204 {
			t.Fatalf("%d %s", status, text)
		}
		sameResources(t, "after a restore", p.url, want)
		if text := get(t, api+"/impairments"); !strings.Contains(text, `"items":[]`) {
			t.Errorf("impairments: %s", text)
		}
	}
	stream := watch(t, p.url)
	stream.until(t, "a client gets replies", func(m map[string]any) bool {
		flows, _ := m["flows"].([]any)
		return slices.ContainsFunc(flows, func(f any) bool {
			n, _ := f.(map[string]any)["received"].(float64)
			return n > 0
		})
	})
	if text := get(t, api+"/events?limit=1000"); !strings.Contains(text, `"snapshot":"before"`) {
		t.Error("no event says that a snapshot was restored")
	}

	branch := t.TempDir()
	b := start(t, nil, serveArgs(branch, "--from", file)...)
	sameResources(t, "in a branch", b.url, want)
	spoiled(t, b.url)
	if status, _, text := asked(t, "POST", b.url+"/api/v1/reset", ""); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	delete(want, "failovers") // which a reset forgets
	sameResources(t, "after the reset of a branch", b.url, want)
	post(t, b.url+"/api/v1/vpcs", `{"cidr": "10.8.0.0/16"}`)
	sameResources(t, "beside a branch that has changed", p.url, want)
	_ = b.cmd.Process.Kill()
	<-b.exited
	b = start(t, nil, serveArgs(branch, "--from", file)...)
	if text := get(t, b.url+"/api/v1/vpcs"); !strings.Contains(text, "10.8.0.0/16") || !strings.Contains(b.stderr.String(), "goes on where it was") {
		t.Errorf("a branch does not go on where it was: %s\n%s", text, b.stderr)
	}
	if status, _, text := asked(t, "POST", b.url+"/api/v1/reset", ""); status != 204 {
		t.Fatalf("%d %s", status, text)
	}
	sameResources(t, "after the reset of a branch that went on", b.url, want)

	_ = p.cmd.Process.Kill()
	<-p.exited
	p = start(t, nil, serveArgs(dir)...)
	sameResources(t, "after a restart", p.url, want)
	_ = p.cmd.Process.Kill()
	<-p.exited
	p = start(t, nil, serveArgs(dir, "--fresh")...)
	if status, _, text := asked(t, "POST", p.url+"/api/v1/snapshots/before/restore", ""); status != 204 {
		t.Fatalf("a snapshot did not survive --fresh: %d %s", status, text)
	}
	sameResources(t, "after a fresh start and a restore", p.url, want)
}

func TestSnapshotsThatCannotBe(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir())...)
	post(t, p.url+"/api/v1/snapshots", `{"name": "a"}`)
	for _, c := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "", `{"name": "a"}`, 409, "there is a snapshot of that name"},
		{"POST", "", `{"name": "../a"}`, 422, "letters, digits"},
		{"POST", "", `{}`, 422, "name"},
		{"GET", "/b", "", 404, "no snapshot b"},
		{"DELETE", "/b", "", 404, "no snapshot b"},
		{"GET", "/b/database", "", 404, "no snapshot b"},
		{"POST", "/b/restore", "", 404, "no snapshot b"},
		{"DELETE", "/a", "", 204, ""},
		{"GET", "/a", "", 404, "no snapshot a"},
	} {
		var headers []string
		if c.body != "" {
			headers = []string{"Content-Type", "application/json"}
		}
		status, _, text := asked(t, c.method, p.url+"/api/v1/snapshots"+c.path, c.body, headers...)
		if status != c.status || !strings.Contains(text, c.want) {
			t.Errorf("%s %s %s: %d %s, want %d and %q", c.method, c.path, c.body, status, text, c.status, c.want)
		}
	}
	text := filepath.Join(t.TempDir(), "text.db")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--from", text}, text + " is no snapshot of a laboratory"},
		{[]string{"--from", text, "--scenario", "demo"}, "leave one out"},
	} {
		if got := refused(t, serveArgs(t.TempDir(), c.args...)...); !strings.Contains(got, c.want) || strings.Contains(got, "\n") {
			t.Errorf("%v: %q, want %q", c.args, got, c.want)
		}
	}
}

// A server that is killed while it takes a snapshot, or goes back to one, leaves
// each whole or not at all.
func TestAKilledServerLeavesNoHalfSnapshot(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	demo := resourcesOf(t, p.url)
	lasted := func(path, body string) time.Duration {
		begun := time.Now()
		if status, _, text := asked(t, "POST", p.url+"/api/v1/snapshots"+path, body, "Content-Type", "application/json"); status/100 != 2 {
			t.Fatalf("%d %s", status, text)
		}
		return time.Since(begun)
	}
	whole := []time.Duration{lasted("", `{"name": "demo"}`), lasted("/demo/restore", "")}
	taken, restored := 0, 0
	const rounds = 12
	for round := range rounds {
		if round > 0 {
			p = start(t, nil, serveArgs(dir)...)
		}
		api := p.url + "/api/v1"
		var list struct{ Items []struct{ Name string } }
		decode(t, get(t, api+"/snapshots"), &list)
		if partial, err := filepath.Glob(filepath.Join(dir, "snapshots", ".*")); err != nil || len(partial) > 0 {
			t.Errorf("round %d: left %v, %v", round, partial, err)
		}
		var vpcs struct{ Items []struct{ CIDR string } }
		decode(t, get(t, api+"/vpcs"), &vpcs)
		if round%2 == 0 && round > 0 && len(vpcs.Items) == 1 { // it was restoring
			restored++
			sameResources(t, "after a kill", p.url, demo)
		}
		for _, s := range list.Items {
			if s.Name != "demo" {
				taken++
			}
			if status, _, text := asked(t, "POST", api+"/snapshots/"+s.Name+"/restore", ""); status != 204 {
				t.Fatalf("round %d: %s: %d %s", round, s.Name, status, text)
			}
			sameResources(t, "after a restore of "+s.Name, p.url, demo)
			if s.Name != "demo" {
				if status, _, text := asked(t, "DELETE", api+"/snapshots/"+s.Name, ""); status != 204 {
					t.Fatalf("%d %s", status, text)
				}
			}
		}
		path, body := "/snapshots", fmt.Sprintf(`{"name": "round-%d"}`, round)
		if round%2 == 1 {
			path, body = "/snapshots/demo/restore", ""
			post(t, api+"/vpcs", `{"cidr": "10.99.0.0/16"}`)
		}
		begun := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			r, err := http.NewRequestWithContext(ctx, "POST", api+path, strings.NewReader(body))
			close(begun)
			if err != nil {
				return
			}
			r.Header.Set("Content-Type", "application/json")
			if a, err := http.DefaultClient.Do(r); err == nil {
				a.Body.Close()
			}
		}()
		<-begun
		// Each time a little later, at last when it should be over.
		for spun := time.Now(); time.Since(spun) < whole[round%2]*time.Duration(round/2)*4/(rounds/2); {
			get(t, p.url+"/healthz")
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.exited
		<-ended
	}
	t.Logf("of %d kills, %d snapshots and %d restores were whole", rounds, taken, restored)
}
