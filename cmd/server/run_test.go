package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"enilab/internal/api/rest"
	"enilab/internal/drill/report"
)

const drillNetwork = `vpcs: [{name: lab, cidr: 10.0.0.0/16}]
subnets: [{name: a, vpc: lab, cidr: 10.0.0.0/24, zone: a}]
instances:
  - {name: one, subnet: a, ip: 10.0.0.10, workloads: [{name: w, kind: udp-echo, target: 10.0.0.11, rate: 100}]}
  - {name: two, subnet: a, ip: 10.0.0.11}
hypothesis: [replies: {client: one, workload: w, within: 1s}]
`

// runDrill runs the binary on files in a folder of its own, whose folder for
// temporary files must be empty afterwards.
func runDrill(t *testing.T, files map[string]string, args ...string) (code int, stdout, stderr, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tmp := t.TempDir()
	cmd := exec.CommandContext(t.Context(), enilab(t), append([]string{"run"}, args...)...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+tmp, "TMP="+tmp)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), complaint.String(), dir
}

// TestRunExitCodes: 0 held, 1 failed, 2 inconclusive, 3 the file or the set-up is
// wrong, and of several the one that counts for all.
func TestRunExitCodes(t *testing.T) {
	files := map[string]string{
		"held.yaml":         drillNetwork + "assert: [{moves: {max: 0}}, {answered: {client: one, min: 1}}, {invariants: all}]\n",
		"failed.yaml":       drillNetwork + "assert: [{moves: {min: 1}}]\n",
		"inconclusive.yaml": drillNetwork + "assert: [{lost: {max: 1}}]\n",
		"step.yaml":         drillNetwork + "steps: [{expect: [instance: {name: two, state: stopped}]}]\n",
		"wrong.yaml":        drillNetwork + "assert: [{outrage: {max: 1s}}]\n",
		"empty.yaml":        "{}\n",
		"bare.yaml":         "vpcs: [{name: lab, cidr: 10.0.0.0/16}]\n",
	}
	for _, c := range []struct {
		args []string
		code int
		says string // on standard output, or on standard error with code 3
	}{
		{[]string{"held.yaml", "--time", "virtual", "--seed", "18446744073709551615", "--repeat", "2"}, 3, "want at most 18446744073709551614"},
		{[]string{"held.yaml"}, 0, "held: 1 held, 0 failed, 0 inconclusive"},
		{[]string{"held.yaml", "--repeat", "3", "--parallel", "2", "--seed", "5"}, 0, "3 runs, timing fast, real time, seed 5"},
		{[]string{"failed.yaml", "--repeat", "2"}, 1, "again: enilab run failed.yaml --seed 1 --repeat 1 --time real --timing fast"},
		{[]string{"failed.yaml", "--repeat", "2"}, 1, "run 1 failed; --keep-going would have gone on"},
		{[]string{"failed.yaml", "--repeat", "2", "--keep-going"}, 1, "in 2 of 2 runs"},
		{[]string{"failed.yaml", "--set", "assert[0].moves.min=0"}, 0, "moves at least 0: 0"},
		{[]string{"step.yaml"}, 1, "saw it running"},
		{[]string{"inconclusive.yaml"}, 2, "there is no record of a move"},
		{[]string{"held.yaml", "inconclusive.yaml"}, 2, "1 held, 0 failed, 1 inconclusive"},
		{[]string{"inconclusive.yaml", "failed.yaml"}, 1, "0 held, 1 failed, 1 inconclusive"},
		{[]string{"held.yaml", "wrong.yaml"}, 3, "wrong.yaml:7:11: unknown field \"outrage\""},
		{[]string{"held.yaml", "wrong.yaml", "--keep-going"}, 3, "wrong.yaml:7:11: unknown field \"outrage\""},
		{[]string{"held.yaml", "wrong.yaml"}, 3, "did you mean \"outage\"?"},
		{[]string{"empty.yaml"}, 3, "empty.yaml: a drill in which nothing is done and nothing must hold"},
		{[]string{"bare.yaml"}, 3, "bare.yaml: a drill in which nothing is done"},
		{[]string{"nothing.yaml"}, 3, "neither one of"},
		{[]string{"held.yaml", "--time", "virtual", "--timing", "aws"}, 0, "1 runs, timing aws, virtual time, seed 1"},
		{[]string{"failed.yaml", "--time", "virtual"}, 1, "again: enilab run failed.yaml --seed 1 --repeat 1 --time virtual --timing fast"},
		{[]string{"held.yaml", "--repeat", "1000001"}, 3, "want from 1 to 1000000"},
		{[]string{"held.yaml", "--set", "assert[7].moves.min=0"}, 3, "assert has 3 elements"},
		{[]string{"held.yaml", "--strategy", "eni"}, 3, "strategies are for policies"},
		{[]string{"held.yaml", "--strategy", "luck"}, 3, "strategy \"luck\""},
		{[]string{"held.yaml", "--json", "no/such/folder.json"}, 3, "writing no/such/folder.json"},
		{[]string{"held.yaml", "--report", "."}, 3, "which is not of a report"},
		{[]string{"--frobnicate"}, 3, "unknown flag"},
		{nil, 3, "expected"},
	} {
		t.Run(strings.Join(c.args, " "), func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr, _ := runDrill(t, files, c.args...)
			text := stdout
			if c.code == 3 {
				text = stderr
			}
			if code != c.code || !strings.Contains(text, c.says) {
				t.Errorf("code %d, want %d (%s)\n%s%s", code, c.code, c.says, stdout, stderr)
			}
		})
	}
}

// TestVirtualRunsAreTheSame: the same seeds give the same captures byte for byte, and
// the same results but for the machine's own times, however many run at once.
func TestVirtualRunsAreTheSame(t *testing.T) {
	wall := regexp.MustCompile(`(?m)^      "(startedAt|endedAt)": [0-9]+,?$`)
	once := func(parallel string) map[string]string {
		code, stdout, stderr, dir := runDrill(t, nil, "eni-failover", "four-strategies", "--strategy", "eni", "--time", "virtual", "--timing", "aws",
			"--repeat", "4", "--seed", "9", "--parallel", parallel, "--report", "rep")
		if code != 0 {
			t.Fatalf("code %d\n%s%s", code, stdout, stderr)
		}
		files, err := filepath.Glob(filepath.Join(dir, "rep", "*"))
		if err != nil || len(files) < 4 {
			t.Fatalf("%v, %v", files, err)
		}
		all := map[string]string{"stdout": strings.ReplaceAll(stdout, dir, "")}
		for _, f := range files {
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if filepath.Base(f) == "index.html" {
				continue // says when it was made
			}
			all[filepath.Base(f)] = wall.ReplaceAllString(string(data), "")
		}
		return all
	}
	a, b := once("1"), once("3")
	for name, text := range a {
		if b[name] != text {
			t.Errorf("%s differs: %d and %d bytes", name, len(text), len(b[name]))
		}
	}
	if len(a) != len(b) || !wall.MatchString("      \"startedAt\": 17,") {
		t.Errorf("%d and %d files", len(a), len(b))
	}
}

// TestRunWritesFiles: JSON and JUnit are well-formed and the report's folder holds
// what it says.
func TestRunWritesFiles(t *testing.T) {
	code, stdout, stderr, dir := runDrill(t, map[string]string{"d.yaml": drillNetwork + "assert: [{moves: {min: 1}}]\n"},
		"d.yaml", "--repeat", "3", "--keep-going", "--json", "r.json", "--junit", "r.xml", "--report", "rep")
	if code != 1 {
		t.Fatalf("code %d\n%s%s", code, stdout, stderr)
	}
	var res struct {
		Runs []struct{ Number int }
		report.Results
	}
	data, err := os.ReadFile(filepath.Join(dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &res); err != nil || len(res.Runs) != 3 || res.Verdict != "failed" || len(res.Variants) != 1 {
		t.Errorf("%v\n%s", err, data)
	}
	var suites struct {
		Failures int `xml:"failures,attr"`
	}
	if data, err = os.ReadFile(filepath.Join(dir, "r.xml")); err == nil {
		err = xml.Unmarshal(data, &suites)
	}
	if err != nil || suites.Failures != 1 {
		t.Errorf("%v\n%s", err, data)
	}
	page, err := os.ReadFile(filepath.Join(dir, "rep", "index.html"))
	if err != nil || bytes.Contains(page, []byte("<script")) || bytes.Contains(page, []byte("http://")) {
		t.Errorf("the page loads something: %v", err)
	}
	entries, err := os.ReadDir(filepath.Join(dir, "rep"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".partial") || strings.Contains(e.Name(), "-run-") {
			t.Errorf("left in the report: %s", e.Name())
		}
		if strings.HasSuffix(e.Name(), ".pcapng") && !bytes.Contains(page, []byte(e.Name())) {
			t.Errorf("%s is not on the page", e.Name())
		}
	}
}

// TestWrongFileIsInJUnit: who goes on without a file that is wrong finds it in the
// pipeline's results, as an error of its own.
func TestWrongFileIsInJUnit(t *testing.T) {
	files := map[string]string{"d.yaml": drillNetwork, "wrong.yaml": drillNetwork + "assert: [{outrage: {max: 1s}}]\n"}
	for _, args := range [][]string{{"d.yaml", "wrong.yaml", "--time", "virtual"}, {"wrong.yaml"}} {
		code, stdout, stderr, dir := runDrill(t, files, append(args, "--keep-going", "--junit", "r.xml", "--json", "r.json")...)
		var got struct {
			Errors int `xml:"errors,attr"`
			Suites []struct {
				Name  string `xml:"name,attr"`
				Cases []struct {
					Error *struct {
						Message string `xml:"message,attr"`
					} `xml:"error"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		data, err := os.ReadFile(filepath.Join(dir, "r.xml"))
		if err == nil {
			err = xml.Unmarshal(data, &got)
		}
		if err != nil || code != 3 || len(got.Suites) == 0 {
			t.Fatalf("%v, code %d\n%s%s\n%s", err, code, stdout, stderr, data)
		}
		last := got.Suites[len(got.Suites)-1]
		if last.Name != "wrong.yaml" || len(last.Cases) != 1 || last.Cases[0].Error == nil || !strings.Contains(last.Cases[0].Error.Message, `unknown field "outrage"`) {
			t.Errorf("%v: %s", args, data)
		}
		if text, err := os.ReadFile(filepath.Join(dir, "r.json")); err != nil || !bytes.Contains(text, []byte(`"wrong": [`)) {
			t.Errorf("%v: %v\n%s", args, err, text)
		}
	}
}

// TestReportLeavesOthersFiles: a page that nobody knows here stays as it is, and an
// earlier report is replaced.
func TestReportLeavesOthersFiles(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "index.html")
	const page = "<!doctype html><title>mine</title>"
	if err := os.WriteFile(mine, []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"d.yaml": drillNetwork}
	code, _, stderr, _ := runDrill(t, files, "d.yaml", "--time", "virtual", "--report", dir)
	if text, err := os.ReadFile(mine); err != nil || string(text) != page || code != 3 || !strings.Contains(stderr, "index.html, which no enilab run has written") {
		t.Errorf("code %d, %v: %s\n%s", code, err, text, stderr)
	}
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if code, stdout, stderr, _ := runDrill(t, files, "d.yaml", "--time", "virtual", "--report", dir); code != 0 {
			t.Errorf("code %d\n%s%s", code, stdout, stderr)
		}
	}
}

// TestRunInterrupted: Ctrl-C in the middle writes what there is, says that it is
// not all, ends with 2 and leaves nothing behind.
func TestRunInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot be sent an interrupt there")
	}
	dir, tmp := t.TempDir(), t.TempDir()
	text := drillNetwork + "steps: [{waitUntil: [instance: {name: two, state: stopped}], within: 1h}]\n"
	if err := os.WriteFile(filepath.Join(dir, "d.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), enilab(t), "run", "d.yaml", "--repeat", "1000000", "--parallel", "2", "--json", "r.json", "--report", "rep")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+tmp)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(out, first); err != nil { // it runs
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // the code tells
	if code := cmd.ProcessState.ExitCode(); code != 2 || !strings.Contains(string(rest), "partial, 0 of 1000000 runs: interrupted") {
		t.Errorf("code %d\n%s", code, rest)
	}
	data, err := os.ReadFile(filepath.Join(dir, "r.json"))
	if err != nil || !bytes.Contains(data, []byte(`"partial": "interrupted`)) {
		t.Errorf("%v\n%s", err, data)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestServeUntilDone: the server ends with the drill's code.
func TestServeUntilDone(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		code int
	}{
		"held":         {"assert: [{moves: {max: 0}}]\n", 0},
		"failed":       {"assert: [{moves: {min: 1}}]\n", 1},
		"inconclusive": {"assert: [{lost: {max: 1}}]\n", 2},
		"wrong":        {"assert: [{outrage: {max: 1}}]\n", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "d.yaml")
			if err := os.WriteFile(file, []byte(drillNetwork+c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd := exec.CommandContext(t.Context(), enilab(t), "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"),
				"--scenario", file, "--until-done")
			text, _ := cmd.CombinedOutput() // the code tells
			if code := cmd.ProcessState.ExitCode(); code != c.code {
				t.Errorf("code %d, want %d\n%s", code, c.code, text)
			}
		})
	}
}

// TestServerSaysThatAScenarioIsDone: in the status, and by an event.
func TestServerSaysThatAScenarioIsDone(t *testing.T) {
	for state, step := range map[string]string{"completed": "running", "failed": "stopped"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "d.yaml")
			text := drillNetwork + "steps: [{expect: [addresses: one-owner]}, {expect: [instance: {name: two, state: " + step + "}]}]\n"
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			p := start(t, nil, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "data"), "--scenario", file)
			var status struct{ Scenario rest.ScenarioStatus }
			for deadline := time.Now().Add(patience); status.Scenario.State != state; {
				if time.Now().After(deadline) {
					t.Fatalf("it says %+v\n%s", status.Scenario, p.stderr)
				}
				if err := json.Unmarshal([]byte(get(t, p.url+"/api/v1/status")), &status); err != nil {
					t.Fatal(err)
				}
			}
			want := rest.ScenarioStatus{Name: "d", State: state, Step: 2, Steps: 2}
			if state == "failed" {
				want.Step, want.Error = 1, status.Scenario.Error
			}
			if status.Scenario != want || (state == "failed") != strings.Contains(want.Error, "saw it running") {
				t.Errorf("got %+v", status.Scenario)
			}
			for deadline := time.Now().Add(patience); !strings.Contains(get(t, p.url+"/api/v1/events?limit=1000"), "scenario."+state); {
				if time.Now().After(deadline) {
					t.Fatal("there is no event")
				}
			}
		})
	}
}
