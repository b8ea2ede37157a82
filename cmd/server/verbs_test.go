package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// verb runs the binary and returns what it says and its code.
func verb(t *testing.T, change func(*exec.Cmd), args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, enilab(t), args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if change != nil {
		change(cmd)
	}
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// A person's session, from the first look to the reset, without an id.
func TestVerbsOfAPerson(t *testing.T) {
	dir := t.TempDir()
	start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	here := func(c *exec.Cmd) { c.Env = append(os.Environ(), "ENILAB_DATA="+dir) }
	file := filepath.Join(t.TempDir(), "well.db")
	for _, s := range []struct {
		args string
		code int
		want string // regular expression, of either output
	}{
		{"wait ready", 0, `is ready`},
		{"ls", 0, `(?m)^EC2-2 +i-[0-9a-f]+ +running +- +us-east-1a +lab-a `},
		{"ls enis", 0, `(?m)^eth1 +eni-[0-9a-f]+ +192\.168\.0\.42 .* EC2-1 +1 +attached +lab-a$`},
		{"ls nonsense", 3, `there is no such kind: want one of instances, enis, `},
		{"why client eth1", 0, `(?s)^client \(192\.168\.0\.10\) to eth1 of EC2-1 .*4\. delivery to eth1 of EC2-1: accept.*it arrives\n$`},
		{"why client 192.168.0.42 --proto tcp --port 22", 1, `it does not arrive: .*\(implicit deny\); reason ingress_denied at groups_in, AWS's code ENI_SG_RULES_MISMATCH`},
		{"why client eth1 --port 22", 3, `ICMP has no ports`},
		{"why client nobody", 3, `there is no destination "nobody": want client, EC2-1, EC2-2, EC2-3, eth1`},
		{"snapshot take well --description before", 0, `snapshot well is taken: revision \d+`},
		{"snapshot take well", 3, `there is a snapshot of that name`},
		{"snapshot save well " + file, 0, `enilab serve --from`},
		{"move eth1 EC2-3", 3, `not in the same availability zone \(InvalidParameterCombination\)`},
		{"move eth1 EC2-2 --dry-run", 0, `eth1 could move to EC2-2, device 1`},
		{"fail EC2-1", 0, `EC2-1 has failed`},
		{"fail EC2", 3, `there is no instance "EC2": want client, EC2-1, EC2-2 or EC2-3`},
		{"wait attached eth1 EC2-2", 0, `eth1 is with EC2-2: attached`},
		{"wait failover", 0, `of EC2-1 to EC2-2: completed; outage \d+\.\d ms`},
		{"wait running EC2-1 --timeout 250ms", 2, `after 250ms: EC2-1 is running, and has failed \(freeze\)`},
		{"recover EC2-1", 0, `EC2-1 has recovered from freeze`},
		{"recover EC2-1", 0, `EC2-1 had not failed`},
		{"wait running EC2-1", 0, `EC2-1 is running`},
		{"move 192.168.0.42 EC2-1", 0, `eth1 is with EC2-1, device 1, .*s after the call; record fo-`},
		{"wait replies client", 0, `client has replies`},
		{"wait replies EC2-3", 3, `EC2-3 has no measured client`},
		{"wait scenario", 3, `plays no scenario with steps`},
		{"snapshot restore well", 0, `the laboratory is as it was when well was taken`},
		{"ls failovers", 0, `^ID +KIND +STATE[^\n]*\n$`},
		{"snapshot restore wall", 3, `there is no snapshot "wall": want well`},
		{"snapshot ls", 0, `(?m)^well +\d{4}-.* before$`},
		{"snapshot rm well", 0, `is deleted`},
		{"reset", 0, `as it was at the start: instances: 4, network interfaces: 5, VPCs: 1`},
		{"capture --eni eth1 --instance EC2-1", 3, `give one of them`},
		{"capture --filter nonsense --count 1", 3, `filter`},
		{"move eth1", 3, `expected "<instance>"`},
		{"ls --nonsense", 3, `unknown flag --nonsense`},
	} {
		out, errs, code := verb(t, here, strings.Fields(s.args)...)
		if code != s.code || !regexp.MustCompile(s.want).MatchString(out+errs) {
			t.Errorf("enilab %s: code %d, want %d and %s\n%s%s", s.args, code, s.code, s.want, out, errs)
		}
		if code == 0 && errs != "" || code > 1 && out != "" {
			t.Errorf("enilab %s: code %d, but on standard output %q and on standard error %q", s.args, code, out, errs)
		}
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	for _, args := range []string{"ls enis", "why client eth1", "wait replies client", "snapshot take b", "reset"} {
		if out, errs, code := verb(t, here, append(strings.Fields(args), "--output", "json")...); code != 0 || !json.Valid([]byte(out)) {
			t.Errorf("enilab %s --output json: %d %s%s", args, code, out, errs)
		}
	}
}

// A name that two have is refused, and both are named; an id still works.
func TestAnAmbiguousName(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir)...)
	var vpc, subnet struct{ ID string }
	decode(t, post(t, p.url+"/api/v1/vpcs", `{"cidr": "10.0.0.0/16"}`), &vpc)
	decode(t, post(t, p.url+"/api/v1/subnets", `{"cidr": "10.0.0.0/24", "vpcId": "`+vpc.ID+`"}`), &subnet)
	var ids []string
	for range 2 {
		var i struct{ ID string }
		decode(t, post(t, p.url+"/api/v1/instances", `{"subnetId": "`+subnet.ID+`", "tags": {"Name": "twin"}}`), &i)
		ids = append(ids, i.ID)
	}
	_, errs, code := verb(t, nil, "fail", "twin", "--endpoint", p.url)
	if code != 3 || !strings.Contains(errs, ids[0]) || !strings.Contains(errs, ids[1]) || !strings.Contains(errs, "say which by its id") {
		t.Errorf("%d %s", code, errs)
	}
	if _, errs, code := verb(t, nil, "wait", "running", ids[1], "--endpoint", p.url); code != 0 {
		t.Errorf("%d %s", code, errs)
	}
}

// Beyond loopback the token comes from the data directory, a flag, the environment
// or the URL that was printed; what is wrong with it, or with the server, is said.
func TestVerbsFindTheServerAndItsToken(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, "serve", "--listen", "0.0.0.0:0", "--data", dir, "--token", "open-sesame", "--scenario", "demo")
	if out, errs, code := verb(t, nil, "reset", "--data", t.TempDir()); code != 3 || !strings.Contains(errs, "no server is at work in") {
		t.Errorf("a reset of a directory without a server: %d %s%s", code, out, errs)
	}
	_, port, _ := strings.Cut(strings.TrimPrefix(p.url, "http://"), ":")
	at := "http://127.0.0.1:" + port
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		env  string
		code int
		want string
	}{
		{[]string{"--data", dir}, "", 0, "EC2-1"},
		{[]string{"--endpoint", at, "--token", "open-sesame"}, "", 0, "EC2-1"},
		{[]string{"--endpoint", at}, "ENILAB_TOKEN=open-sesame", 0, "EC2-1"},
		{[]string{"--endpoint", at + "/?token=open-sesame"}, "", 0, "EC2-1"},
		{nil, "ENILAB_DATA=" + dir, 0, "EC2-1"},
		{[]string{"--endpoint", at}, "", 3, "asks for a token"},
		{[]string{"--endpoint", at, "--token", "wrong-one"}, "", 3, "does not take this token"},
		{[]string{"--endpoint", "http://127.0.0.1:1", "--data", empty}, "", 3, "no laboratory answers at http://127.0.0.1:1 (--endpoint)"},
		{[]string{"--endpoint", "nonsense://x"}, "", 3, "want the URL that the server prints"},
	} {
		out, errs, code := verb(t, func(cmd *exec.Cmd) {
			cmd.Dir = empty
			cmd.Env = append(os.Environ(), c.env)
		}, append([]string{"ls"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) || strings.Contains(errs, "wrong-one") || strings.Count(errs, "\n") > 1 {
			t.Errorf("ls %v with %s: %d %s%s, want %d and %s", c.args, c.env, code, out, errs, c.code, c.want)
		}
	}
	if runtime.GOOS == "windows" {
		return // which cannot be asked to end
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, patience); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "server.json")); err == nil {
		t.Error("a server that has ended still says where it is")
	}
}

// A wait may begin before the server does.
func TestAWaitForAServerThatIsNotThereYet(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(enilab(t), "wait", "ready", "--data", dir)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	p := start(t, nil, serveArgs(dir)...)
	if err := <-ended; err != nil || !strings.Contains(said.String(), p.url+" is ready") {
		t.Errorf("%v, %s", err, said.String())
	}
}

// What capture writes tshark reads, frames and verdicts.
func TestTsharkReadsACapture(t *testing.T) {
	tshark, ok := tool(t, "tshark")
	if !ok {
		return
	}
	p := start(t, nil, serveArgs(t.TempDir(), "--scenario", "demo")...)
	file := filepath.Join(t.TempDir(), "c.pcapng")
	if _, errs, code := verb(t, nil, "capture", "--endpoint", p.url, "--instance", "client", "--filter", "udp port 7", "--points", "guest_rx", "-c", "20", "-w", file); code != 0 || !strings.Contains(errs, "20 frames in ") {
		t.Fatalf("%d %s", code, errs)
	}
	if got := strings.Fields(read(t, tshark, file, "udp.srcport == 7", "-e", "ip.src")); len(got) != 20 || slices.ContainsFunc(got, func(s string) bool { return s != "192.168.0.42" }) {
		t.Errorf("frames from %q", got)
	}
	ours := exec.Command(enilab(t), "capture", "--endpoint", p.url, "--count", "30")
	theirs := exec.Command(tshark, "-r", "-", "-T", "fields", "-e", "frame.comment")
	pipe, err := ours.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	theirs.Stdin = pipe
	if err := ours.Start(); err != nil {
		t.Fatal(err)
	}
	text, err := theirs.Output()
	if err := errors.Join(err, ours.Wait()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "point="); n != 30 {
		t.Errorf("%d verdicts in\n%s", n, text)
	}
}

// A shell is told verbs, kinds, and names of the living laboratory.
func TestCompletion(t *testing.T) {
	dir := t.TempDir()
	start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	for line, want := range map[string][]string{
		"enilab re":                {"recover", "reset"},
		"enilab fail EC2":          {"EC2-1", "EC2-2", "EC2-3"},
		"enilab move eth":          {"eth1"},
		"enilab ls sub":            {"subnets"},
		"enilab snapshot re":       {"restore"},
		"enilab ls --output ":      {"json", "table"},
		"enilab completion ":       {"bash", "fish", "zsh"},
		"enilab snapshot restore ": nil,
	} {
		out, errs, code := verb(t, func(c *exec.Cmd) {
			c.Env = append(os.Environ(), "COMP_LINE="+line, "ENILAB_DATA="+dir)
		})
		got := strings.Fields(out)
		slices.Sort(got)
		if code != 0 || !slices.Equal(got, want) {
			t.Errorf("%q: %d %q %s, want %q", line, code, got, errs, want)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		script, errs, code := verb(t, nil, "completion", shell)
		if code != 0 || !strings.Contains(script, "complete ") || !strings.Contains(script, enilab(t)) {
			t.Errorf("%s: %d %s%s", shell, code, script, errs)
		}
		bin, err := exec.LookPath(shell)
		if err != nil {
			continue
		}
		check := exec.Command(bin, "-n", "-c", script)
		if shell == "bash" { // which can be asked what it has understood
			check = exec.Command(bin, "-c", script+"complete -p enilab")
		}
		if text, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", shell, err, text)
		}
	}
	if _, _, code := verb(t, nil, "completion", "tcsh"); code == 0 {
		t.Error("tcsh was accepted")
	}
}
