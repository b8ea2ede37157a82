package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
)

// vpcs are the blocks of a server's VPCs.
func vpcs(t *testing.T, url string) (blocks []string) {
	t.Helper()
	_, _, text := asked(t, "GET", url+"/api/v1/vpcs", "")
	var list struct{ Items []struct{ CIDR string } }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	for _, v := range list.Items {
		blocks = append(blocks, v.CIDR)
	}
	return blocks
}

// TestAttachRunsOnAServer: the verdicts, exit codes and report that the drill has
// without one; and the laboratory goes back to its start after every run.
func TestAttachRunsOnAServer(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir())...)
	files := map[string]string{
		"failed.yaml":       drillNetwork + "assert: [{moves: {min: 1}}, {invariants: all}]\n",
		"inconclusive.yaml": drillNetwork + "assert: [{lost: {max: 1}}]\n",
		"clean.yaml":        drillNetwork + "assert: [{answered: {client: one, min: 1}}, {dropped: {reason: guest_frozen, max: 0}}]\n",
		"wrong.yaml":        drillNetwork + "assert: [{outrage: {max: 1s}}]\n",
	}
	// The default network, which is made by this, is nothing that could be lost.
	asked(t, "POST", p.url+"/", "Action=DescribeVpcs&Version=2016-11-15", "Content-Type", "application/x-www-form-urlencoded")
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"eni-failover", "--repeat", "2", "--report", "out", "--junit", "out.xml", "--json", "out.json"}, 0, "held: 1 held, 0 failed, 0 inconclusive"},
		// Nothing is counted of the runs before.
		{[]string{"clean.yaml"}, 0, "held: 1 held, 0 failed, 0 inconclusive"},
		{[]string{"failed.yaml"}, 1, "again: enilab run failed.yaml --seed 1 --repeat 1 --time real --timing fast --attach " + p.url},
		{[]string{"inconclusive.yaml"}, 2, "inconclusive: 0 held, 0 failed, 1 inconclusive"},
		{[]string{"inconclusive.yaml", "--set", "instances[one].workloads[w].rate=many"}, 3, `"many": want a number`},
		{[]string{"wrong.yaml"}, 3, `wrong.yaml:7:11: unknown field "outrage"`},
		{[]string{"throughput"}, 3, "a laboratory of its own"},
		{[]string{"stale-neighbours-announced"}, 3, "a laboratory of its own"},
		{[]string{"survives", "--timing", "aws"}, 3, "the server has timing fast, and the drill is to have timing aws"},
		{[]string{"survives", "--time", "virtual"}, 3, "a server runs in real time"},
		{[]string{"survives", "--parallel", "2"}, 3, "one drill at a time"},
	} {
		code, stdout, stderr, dir := runDrill(t, files, append(c.args, "--attach", p.url+"/")...)
		if code != c.code || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%v: code %d, want %d with %q\n%s%s", c.args, code, c.code, c.says, stdout, stderr)
		}
		if n := vpcs(t, p.url); len(n) > 1 || len(n) == 1 && n[0] != "172.31.0.0/16" {
			t.Errorf("%v: the laboratory has %v afterwards", c.args, n)
		}
		if c.args[0] != "eni-failover" {
			continue
		}
		var res report.Results
		if data, err := os.ReadFile(filepath.Join(dir, "out.json")); err != nil || json.Unmarshal(data, &res) != nil {
			t.Fatalf("out.json: %v", err)
		}
		run := res.Variants[0].Shown["first"]
		if run == nil || len(run.Moves) != 1 || len(run.Steps) != 2 || len(run.Flows) != 3 || run.Dropped["guest_frozen"] == 0 || res.Variants[0].Attach != p.url {
			t.Errorf("observed %+v", run)
		}
		for _, name := range []string{"first", "worst"} {
			file := filepath.Join(dir, "out", res.Variants[0].Captures[name].File)
			if data, err := os.ReadFile(file); err != nil || len(data) < 10_000 || !bytes.HasPrefix(data, []byte{0x0a, 0x0d, 0x0d, 0x0a}) {
				t.Errorf("the capture of the %s run: %d bytes, %v", name, len(data), err)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "out.xml")); err != nil {
			t.Error(err)
		}
	}
	for address, says := range map[string]string{
		"127.0.0.1:4566":             "want the address of a server",
		"http://127.0.0.1:1":         "the server does not answer",
		"http://127.0.0.1:1?token=x": "the server does not answer",
	} {
		code, stdout, stderr, _ := runDrill(t, nil, "survives", "--attach", address)
		if code != 3 || !strings.Contains(stderr, says) || strings.Contains(stdout+stderr, "token=x") {
			t.Errorf("%s: code %d, %s%s", address, code, stdout, stderr)
		}
	}
	if code, _, stderr, _ := runDrill(t, nil, "survives", "--force"); code != 3 || !strings.Contains(stderr, "--force is for --attach") {
		t.Errorf("--force alone: code %d, %s", code, stderr)
	}
}

// TestAttachTakesNothingUnasked: a laboratory in which somebody has made something
// is emptied by --force only, and then goes back to its start.
func TestAttachTakesNothingUnasked(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir(), "--scenario", "demo")...)
	before := vpcs(t, p.url)
	code, stdout, stderr, _ := runDrill(t, nil, "survives", "--attach", p.url)
	if strings.Contains(stdout, "inconclusive") {
		t.Errorf("nothing was judged, and it says\n%s", stdout)
	}
	if code != 3 || !strings.Contains(stderr, "the laboratory is not empty") || !strings.Contains(stderr, "--force") {
		t.Errorf("code %d, %s", code, stderr)
	}
	if after := vpcs(t, p.url); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("it has %v, had %v", after, before)
	}
	asked(t, "POST", p.url+"/api/v1/vpcs", `{"cidr": "10.99.0.0/16"}`, "Content-Type", "application/json")
	if code, stdout, stderr, _ := runDrill(t, nil, "survives", "--attach", p.url, "--force"); code != 0 {
		t.Errorf("--force: code %d, %s%s", code, stdout, stderr)
	}
	if after := vpcs(t, p.url); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("after --force it has %v, its start has %v", after, before)
	}
}

// TestAttachIsBrokenOff by a signal and by a reset, and another waits for nobody.
func TestAttachIsBrokenOff(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir())...)
	waits := "steps: [{waitUntil: [instance: {name: two, state: stopped}], within: 10m}]\n"
	file := filepath.Join(t.TempDir(), "waits.yaml")
	if err := os.WriteFile(file, []byte(drillNetwork+waits), 0o600); err != nil {
		t.Fatal(err)
	}
	begun := func() (*exec.Cmd, *bytes.Buffer) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), enilab(t), "run", file, "--attach", p.url)
		var said bytes.Buffer
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for deadline := time.Now().Add(patience); ; <-tick.C {
			if blocks := vpcs(t, p.url); len(blocks) > 0 && blocks[0] == "10.0.0.0/16" {
				return cmd, &said
			}
			if time.Now().After(deadline) {
				t.Fatal("the drill does not begin")
			}
		}
	}
	over := func(cmd *exec.Cmd, said *bytes.Buffer, code int, says string) {
		t.Helper()
		if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != code || !strings.Contains(said.String(), says) {
			t.Errorf("code %d, want %d with %q: %s", cmd.ProcessState.ExitCode(), code, says, said)
		}
		if blocks := vpcs(t, p.url); len(blocks) > 0 && blocks[0] == "10.0.0.0/16" {
			t.Errorf("the laboratory has %v afterwards", blocks)
		}
	}
	cmd, said := begun()
	if code, _, stderr, _ := runDrill(t, nil, "survives", "--attach", p.url, "--force"); code != 3 || !strings.Contains(stderr, "the drill waits is carried out here now") {
		t.Errorf("a second drill: code %d, %s", code, stderr)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	over(cmd, said, 2, "partial: interrupted")
	cmd, said = begun()
	if status, _, text := asked(t, "POST", p.url+"/api/v1/reset", ""); status != 204 {
		t.Errorf("a reset in the middle: %d %s", status, text)
	}
	over(cmd, said, 3, "taken back to its start by somebody else")
	// The client dies without a word: what it has left is no reason to refuse the next.
	cmd, said = begun()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code, _, stderr, _ := runDrill(t, nil, "survives", "--attach", p.url); code != 3 || !strings.Contains(stderr, "is carried out here now") {
		t.Errorf("while it still runs: code %d, %s", code, stderr)
	}
	asked(t, "POST", p.url+"/api/v1/reset", "")
	body, err := json.Marshal(map[string]any{"name": "left.yaml", "text": drillNetwork, "timing": "fast"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, text := asked(t, "POST", p.url+"/api/v1/rehearsals", string(body), "Content-Type", "application/json")
	var r struct {
		ID, State string
		Run       *drill.Run
	}
	for deadline := time.Now().Add(patience); ; {
		if err := json.Unmarshal([]byte(text), &r); err != nil || r.ID == "" || time.Now().After(deadline) {
			t.Fatalf("%s: %v", text, err)
		}
		if r.State != "playing" {
			break
		}
		_, _, text = asked(t, "GET", p.url+"/api/v1/rehearsals/"+r.ID+"?wait=5", "")
	}
	if r.State != "done" || r.Run == nil || r.Run.Before == nil || !r.Run.Before.Held {
		t.Errorf("a drill by the admin API: %s", text)
	}
	if code, stdout, stderr, _ := runDrill(t, nil, "survives", "--attach", p.url); code != 0 {
		t.Errorf("after one that nobody has ended: code %d, %s%s", code, stdout, stderr)
	}
	if status, _, text := asked(t, "GET", p.url+"/api/v1/rehearsals/"+r.ID, ""); status != 404 {
		t.Errorf("it is still there: %d %s", status, text)
	}
}
