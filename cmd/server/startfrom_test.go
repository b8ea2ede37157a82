package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"enilab/internal/scenario"
)

// TestDrillStartsFromASnapshot: in real and in virtual time a drill begins with what
// a laboratory had come to, and is refused where the snapshot is not one, is not
// there, or has not what the file names.
func TestDrillStartsFromASnapshot(t *testing.T) {
	text, err := scenario.Read("eni-failover")
	if err != nil {
		t.Fatal(err)
	}
	network, _, _ := strings.Cut(text, "\nhypothesis:")
	dir := t.TempDir()
	still := filepath.Join(dir, "lab.yaml")
	if err := os.WriteFile(still, []byte(network), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, nil, serveArgs(t.TempDir(), "--scenario", still)...)
	snapshot := filepath.Join(dir, "lab.db")
	for _, args := range [][]string{
		{"wait", "replies", "client"}, {"move", "eth1", "EC2-2"}, {"wait", "attached", "eth1", "EC2-2"}, {"snapshot", "take", "moved"}, {"snapshot", "save", "moved", snapshot},
	} {
		cmd := exec.CommandContext(t.Context(), enilab(t), append(args, "--endpoint", p.url)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	drill := "\nhypothesis: [replies: {client: client, workload: requests, by: EC2-2, within: 1s}]\n" +
		"steps:\n" +
		"  - expect: [networkInterface: {name: eth1, attachedTo: EC2-2}]\n" +
		"  - move: {networkInterface: eth1, instance: EC2-1}\n" +
		"  - waitUntil: [instance: {name: EC2-1, state: running}]\n" +
		"assert:\n" +
		"  - moves: {to: EC2-1, min: 1, max: 1}\n" +
		"  - unchanged: [eni, mac]\n"
	drill = strings.Replace(drill, "by: EC2-2, ", "", 1)
	files := map[string]string{
		"d.yaml":       network + "\nstart: {snapshot: " + snapshot + "}" + drill,
		"missing.yaml": network + "\nstart: {snapshot: nothing.db}" + drill,
		"garbage.yaml": network + "\nstart: {snapshot: d.yaml}" + drill,
		"none.yaml":    network + "\nstart: {snapshot: \"\"}" + drill,
		"more.yaml":    strings.Replace(network, "\nsubnets:", "\n  - {name: another, cidr: 10.9.0.0/16}\n\nsubnets:", 1) + "\nstart: {snapshot: " + snapshot + "}" + drill,
	}
	for _, clock := range []string{"real", "virtual"} {
		code, stdout, stderr, _ := runDrill(t, files, "d.yaml", "--time", clock, "--repeat", "2")
		if code != 0 || !strings.Contains(stdout, "steps: 3 done") {
			t.Errorf("%s: code %d\n%s%s", clock, code, stdout, stderr)
		}
		for name, says := range map[string]string{
			"missing.yaml": "nothing.db", "garbage.yaml": "the snapshot: ", "none.yaml": "the file of a snapshot is missing here",
			"more.yaml": `VPC "another" is not in the snapshot`,
		} {
			code, stdout, stderr, _ := runDrill(t, files, name, "--time", clock)
			if code != 3 || !strings.Contains(stderr, says) || !strings.Contains(stderr, name+":") || strings.Contains(stdout, "held") {
				t.Errorf("%s, %s: code %d, want %s\n%s%s", clock, name, code, says, stdout, stderr)
			}
		}
	}
}
