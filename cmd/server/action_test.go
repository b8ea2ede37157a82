//go:build unix

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

const actionDir = "../../clients/action"

// job is one of GitHub's Actions: what its steps leave for each other.
type job struct {
	t                         *testing.T
	dir, output, env, summary string
}

func newJob(t *testing.T) *job {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Fatal("the action's script wants bash, which every runner has")
	}
	dir := t.TempDir()
	return &job{t: t, dir: dir, output: filepath.Join(dir, "output"), env: filepath.Join(dir, "env"), summary: filepath.Join(dir, "summary")}
}

// step runs the action with inputs, by name, and returns its exit code and what it said.
func (j *job) step(inputs map[string]string) (code int, said string) {
	j.t.Helper()
	script, err := filepath.Abs(filepath.Join(actionDir, "enilab.sh"))
	if err != nil {
		j.t.Fatal(err)
	}
	cmd := exec.CommandContext(j.t.Context(), "bash", script)
	cmd.Dir = j.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + j.dir, "RUNNER_TEMP=" + filepath.Join(j.dir, "temp"),
		"GITHUB_OUTPUT=" + j.output, "GITHUB_ENV=" + j.env, "GITHUB_STEP_SUMMARY=" + j.summary,
	}
	for name, value := range inputs {
		cmd.Env = append(cmd.Env, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))+"="+value)
	}
	text, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		j.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// got is the last value of an output or a variable.
func (j *job) got(file, name string) string {
	j.t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		j.t.Fatal(err)
	}
	value := ""
	for line := range strings.Lines(string(text)) {
		if k, v, _ := strings.Cut(strings.TrimSpace(line), "="); k == name {
			value = v
		}
	}
	return value
}

const (
	heldDrill   = "description: Nothing happens\nassert: [moves: {max: 0}]\n"
	failedDrill = "description: Something should happen\nassert: [moves: {min: 1}]\n"
)

// TestActionRunsDrills: verdicts are exit codes, outputs and a summary.
func TestActionRunsDrills(t *testing.T) {
	j := newJob(t)
	for name, text := range map[string]string{"a held.yaml": heldDrill, "b.yaml": heldDrill, "c.yml": failedDrill} {
		if err := os.WriteFile(filepath.Join(j.dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	inputs := func(files string, more ...string) map[string]string {
		in := map[string]string{"path": enilab(t), "files": files, "junit": "out.xml", "report": "the report"}
		for i := 0; i+1 < len(more); i += 2 {
			in[more[i]] = more[i+1]
		}
		return in
	}
	for _, c := range []struct {
		inputs  map[string]string
		code    int
		verdict string
		said    []string
	}{
		{inputs("  *.yaml \n\n", "args", "--repeat=2\n --keep-going"), 0, "held", []string{"a held.yaml: 2 runs", "b.yaml: 2 runs", "held: 2 held"}},
		{inputs("c.yml"), 1, "failed", []string{"::error title=enilab::the drills: failed"}},
		{inputs("no-such\n"), 3, "wrong", []string{`"no-such" is neither`}},
		{inputs("*.json"), 3, "wrong", []string{`"*.json" is neither`}},
		{inputs("$(touch bad)"), 3, "wrong", nil},
	} {
		code, said := j.step(c.inputs)
		if code != c.code || j.got(j.output, "verdict") != c.verdict {
			t.Errorf("%q: code %d, verdict %s; it said:\n%s", c.inputs["files"], code, j.got(j.output, "verdict"), said)
		}
		summary, err := os.ReadFile(j.summary)
		if err != nil || !strings.Contains(string(summary), "### enilab: "+c.verdict+"\n") {
			t.Errorf("%q: the summary is %s, %v", c.inputs["files"], summary, err)
		}
		for _, want := range c.said {
			if !strings.Contains(said, want) {
				t.Errorf("%q: it did not say %q:\n%s", c.inputs["files"], want, said)
			}
		}
	}
	for _, file := range []string{j.got(j.output, "junit"), filepath.Join(j.got(j.output, "report"), "index.html")} {
		if _, err := os.Stat(filepath.Join(j.dir, file)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(j.dir, "bad")); err == nil {
		t.Error("an input was run as a command")
	}
	for want, in := range map[string]map[string]string{
		"no drill is named: want files":        {"path": enilab(t)},
		"mode is play: want run, serve or":     {"mode": "play"},
		"path is /no/such, and there is no":    {"path": "/no/such", "files": "demo"},
		"no laboratory was started by this":    {"mode": "stop"},
		"there is no binary: want path, or v":  {"files": "demo"},
		"downloading http://127.0.0.1:1/v1.0/": {"version": "1.0", "release-url": "http://127.0.0.1:1/vVERSION", "files": "demo"},
	} {
		if code, said := j.step(in); code != 3 || !strings.Contains(said, "::error title=enilab::"+want) {
			t.Errorf("%v: code %d, it said %s", in, code, said)
		}
	}
}

// TestTheDocumentShowsJUnit as it is written, but for times.
func TestTheDocumentShowsJUnit(t *testing.T) {
	j := newJob(t)
	if err := os.WriteFile(filepath.Join(j.dir, "c.yml"), []byte(failedDrill), 0o600); err != nil {
		t.Fatal(err)
	}
	j.step(map[string]string{"path": enilab(t), "files": "c.yml", "junit": "out.xml"})
	written, err := os.ReadFile(filepath.Join(j.dir, "out.xml"))
	if err != nil {
		t.Fatal(err)
	}
	guide, err := os.ReadFile("../../docs/ci.md")
	if err != nil {
		t.Fatal(err)
	}
	times := regexp.MustCompile(` (time|timestamp)="[^"]*"`)
	if !strings.Contains(times.ReplaceAllString(string(guide), ""), times.ReplaceAllString(string(written), "")) {
		t.Errorf("docs/ci.md does not show what is written:\n%s", written)
	}
}

// TestActionServes a laboratory that later steps find, until it is stopped.
func TestActionServes(t *testing.T) {
	j := newJob(t)
	if code, said := j.step(map[string]string{"mode": "serve", "path": enilab(t), "scenario": "demo", "region": "eu-west-1"}); code != 0 {
		t.Fatalf("code %d: %s", code, said)
	}
	stopped := false
	defer func() {
		if !stopped {
			j.step(map[string]string{"mode": "stop"})
		}
	}()
	url := j.got(j.output, "endpoint")
	if status, _, text := asked(t, "GET", url+"/api/v1/status", ""); status != 200 || !strings.Contains(text, `"region":"eu-west-1"`) {
		t.Errorf("it answers %d %s", status, text)
	}
	if j.got(j.env, "AWS_ENDPOINT_URL") != url || j.got(j.env, "AWS_REGION") != "eu-west-1" || j.got(j.output, "access-key-id") == "" {
		t.Error("the steps that follow do not find it")
	}
	code, said := j.step(map[string]string{"mode": "stop"})
	stopped = code == 0
	if code != 0 || !strings.Contains(said, "::group::the laboratory's log") {
		t.Errorf("stopping: code %d, %s", code, said)
	}
	if _, err := http.Get(url + "/healthz"); err == nil {
		t.Error("it still runs")
	}
	if code, said := j.step(map[string]string{"mode": "serve", "path": enilab(t), "scenario": "no-such"}); code != 3 || !strings.Contains(said, "ended before it was ready") || !strings.Contains(said, "is neither one of") {
		t.Errorf("a scenario that is none: code %d, %s", code, said)
	}
}

// TestActionDownloads a release and holds it to its checksum.
func TestActionDownloads(t *testing.T) {
	binary, err := os.ReadFile(enilab(t))
	if err != nil {
		t.Fatal(err)
	}
	folder := fmt.Sprintf("enilab_1.2.3_%s_%s", runtime.GOOS, runtime.GOARCH)
	var archive bytes.Buffer
	z := gzip.NewWriter(&archive)
	w := tar.NewWriter(z)
	err = errors.Join(w.WriteHeader(&tar.Header{Name: folder + "/enilab", Mode: 0o755, Size: int64(len(binary))}), func() error { _, err := w.Write(binary); return err }(), w.Close(), z.Close())
	if err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(archive.Bytes()))
	releases := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/v1.2.3/" + folder + ".tar.gz", "/v6.6.6/" + strings.Replace(folder, "1.2.3", "6.6.6", 1) + ".tar.gz":
			_, _ = w.Write(archive.Bytes())
		case "/v1.2.3/SHA256SUMS":
			fmt.Fprintf(w, "%064d  other\n%s  %s.tar.gz\n", 0, sum, folder)
		case "/v6.6.6/SHA256SUMS":
			fmt.Fprintf(w, "%064d  %s.tar.gz\n", 0, strings.Replace(folder, "1.2.3", "6.6.6", 1))
		default:
			http.NotFound(w, r)
		}
	}))
	defer releases.Close()
	j := newJob(t)
	if err := os.WriteFile(filepath.Join(j.dir, "a.yaml"), []byte(heldDrill), 0o600); err != nil {
		t.Fatal(err)
	}
	in := map[string]string{"version": "v6.6.6", "release-url": releases.URL + "/vVERSION", "files": "a.yaml"}
	if code, said := j.step(in); code != 3 || !strings.Contains(said, "the checksum of") {
		t.Errorf("a wrong checksum: code %d, %s", code, said)
	}
	in["version"] = "1.2.3"
	if code, said := j.step(in); code != 0 || !strings.Contains(said, "enilab test") {
		t.Errorf("code %d, %s", code, said)
	}
	if code, said := j.step(map[string]string{"files": "a.yaml"}); code != 0 {
		t.Errorf("the binary of an earlier step: code %d, %s", code, said)
	}
}

// TestActionSaysWhatItsScriptReads: inputs go to the script by variables that it
// reads, and outputs are those that it writes.
func TestActionSaysWhatItsScriptReads(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(actionDir, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(actionDir, "enilab.sh"))
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs  map[string]struct{ Description, Default string }
		Outputs map[string]struct{ Description, Value string }
		Runs    struct {
			Using string
			Steps []struct {
				ID, Shell, Run string
				Env            map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	if len(action.Runs.Steps) != 1 || action.Runs.Using != "composite" {
		t.Fatalf("it runs %+v", action.Runs)
	}
	step := action.Runs.Steps[0]
	for name, in := range action.Inputs {
		variable := "INPUT_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
		if step.Env[variable] != "${{ inputs."+name+" }}" || !strings.Contains(string(script), variable) || in.Description == "" {
			t.Errorf("input %s does not reach the script as %s, or is not described", name, variable)
		}
	}
	if len(step.Env) != len(action.Inputs) || strings.Contains(step.Run, "${{") {
		t.Error("the step has variables of no input, or text of an input in its command")
	}
	written := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)\boutput ([a-z-]+) `).FindAllStringSubmatch(string(script), -1) {
		written[m[1]] = true
		if action.Outputs[m[1]].Value != "${{ steps."+step.ID+".outputs."+m[1]+" }}" {
			t.Errorf("output %s is written and not handed on", m[1])
		}
	}
	if len(written) != len(action.Outputs) {
		t.Errorf("%v are written, and there are %d outputs", written, len(action.Outputs))
	}
}
