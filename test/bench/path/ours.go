//go:build linux

package main

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"
)

// compile makes the test binary of a tree's data plane, whose benchmarks are
// enilab's side.
func compile(tree, into, name string) (string, error) {
	bin := filepath.Join(into, name)
	cmd := exec.Command(cmp.Or(os.Getenv("GO"), "go"), "test", "-c", "-o", bin, "./internal/dataplane")
	cmd.Dir = tree
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("compiling the data plane in %s: %w\n%s", tree, err, out)
	}
	return bin, nil
}

var figures = regexp.MustCompile(`(?m)^Benchmark\S+\s+(\d+)\s+([\d.]+) ns/op.*?([\d.]+) cpu-ns/frame`)

// benchmark runs one row of a benchmark of the data plane.
func benchmark(bin, row string, d time.Duration) (result, error) {
	busy := machineBusy()
	cmd := command(bin, "-test.run", "^$", "-test.bench", "^Benchmark"+row+"$", "-test.benchtime", d.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", row, err, out)
	}
	m := figures.FindSubmatch(bytes.TrimSpace(out))
	if m == nil {
		return result{}, fmt.Errorf("%s: no figures in\n%s", row, out)
	}
	n, _ := strconv.ParseUint(string(m[1]), 10, 64)
	wall, _ := strconv.ParseFloat(string(m[2]), 64)
	cpu, _ := strconv.ParseFloat(string(m[3]), 64)
	return result{Frames: n, Wall: time.Duration(wall * float64(n)), CPU: time.Duration(cpu * float64(n)), Busy: machineBusy() - busy}, nil
}

func enilabRow(j job) string {
	return fmt.Sprintf("Path/bytes=%d$/^enis=%d,flows=%d$", j.bytes, j.enis, j.flows)
}
