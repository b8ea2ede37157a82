//go:build linux

// The path command measures, turn and turn about, how many frames enilab's data
// plane carries and how many the Linux kernel, gVisor's stack and
// gvisor-tap-vsock's switch do: see run.sh.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	var (
		rounds  = flag.Int("rounds", 5, "turns of each")
		d       = flag.Duration("time", time.Second, "length of a turn")
		lengths = flag.String("lengths", "64,512,1500,9000", "bytes of a frame, Ethernet header included")
		flows   = flag.String("all-flows", "1,64/64,10000,100000,10000/64,100000/64", "numbers of flows, of two interfaces or of as many as /N says")
		tree    = flag.String("tree", ".", "the enilab tree to measure")
		alone   = flag.Bool("realtime", false, "run each turn at real-time priority, which keeps other programs off its processors")
		base    = flag.String("base", "", "another enilab tree: measure BenchmarkForward of both in turn, and nothing else")
		only    = flag.String("lane", "", "run this lane once and print its figures as JSON")
		bytes   = flag.Int("bytes", 64, "with -lane: bytes of a frame")
		n       = flag.Int("flows", 1, "with -lane: flows")
		enis    = flag.Int("enis", 2, "with -lane: interfaces")
		prefix  = flag.String("namespaces", "", "with -lane kernel: beginning of the namespaces' names")
	)
	flag.Parse()
	if *alone {
		realtime = []string{"chrt", "--rr", "1"}
	}
	var err error
	switch {
	case *only != "":
		err = one(*only, *prefix, job{*bytes, *n, *enis}, *d)
	case *base != "":
		err = against(*base, *tree, *rounds, *d)
	default:
		err = compare(*tree, jobs(*lengths, *flows), *rounds, *d)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-path:", err)
		os.Exit(1)
	}
}

// jobs are all that two lists say, one with another.
func jobs(lengths, flows string) (out []job) {
	number := func(text string, most int) int {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > most {
			fmt.Fprintf(os.Stderr, "bench-path: %q: want numbers with commas between them, 1 to %d\n", text, most)
			os.Exit(2)
		}
		return n
	}
	for _, length := range strings.Split(lengths, ",") {
		for _, shape := range strings.Split(flows, ",") {
			n, of, many := strings.Cut(shape, "/")
			j := job{bytes: number(length, 9000), flows: number(n, 1<<20), enis: 2}
			if many {
				j.enis = number(of, namespaces)
			}
			if j.enis%2 != 0 || j.flows < j.enis/2 {
				fmt.Fprintf(os.Stderr, "bench-path: %q: want an even number of interfaces, and a flow for each pair\n", shape)
				os.Exit(2)
			}
			out = append(out, j)
		}
	}
	return out
}

func one(name, prefix string, j job, d time.Duration) error {
	lanes := map[string]lane{"kernel": kernelPath(prefix), "gvisor": gvisorForward, "tap-vsock": tapSwitch}
	l, ok := lanes[name]
	if !ok {
		return fmt.Errorf("no lane %q: want kernel, gvisor or tap-vsock", name)
	}
	r, err := measured(l, j, d)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

func compare(tree string, jobs []job, rounds int, d time.Duration) error {
	dir, err := os.MkdirTemp("", "enilab-path-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin, err := compile(tree, dir, "dataplane.test")
	if err != nil {
		return err
	}
	w, err := build()
	if err != nil {
		return err
	}
	defer w.end()
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)

	heading(rounds, d)
	var counted, busy time.Duration
	fmt.Println("| bytes | ENIs | flows | | enilab | kernel | gVisor | tap-vsock | enilab by kernel | by gVisor | by tap-vsock |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	for _, j := range jobs {
		turns, err := inTurns(rounds, interrupted,
			func() (result, error) { return benchmark(bin, enilabRow(j), d) },
			func() (result, error) { return inChild("kernel", j, d, "-namespaces", w.prefix) },
			func() (result, error) { return inChild("gvisor", j, d) },
			func() (result, error) { return inChild("tap-vsock", j, d) },
		)
		if err != nil {
			return err
		}
		for _, r := range turns[1] {
			counted, busy = counted+r.CPU, busy+r.Busy
		}
		row := fmt.Sprintf("%d | %d | %d", j.bytes, j.enis, j.flows)
		line(row+" | frames a second", turns, result.rate)
		line(row+" | the same, of processor time", turns, result.perCore)
	}
	fmt.Printf("\nThe kernel's turns are charged %.1f s of processor time; the whole machine worked %.1f s in them (/proc/stat), other programs included.\n",
		counted.Seconds(), busy.Seconds())
	return nil
}

// against measures what every commit's data plane has, in two trees.
func against(base, tree string, rounds int, d time.Duration) error {
	dir, err := os.MkdirTemp("", "enilab-path-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	now, err := compile(tree, dir, "now.test")
	if err != nil {
		return err
	}
	then, err := compile(base, dir, "base.test")
	if err != nil {
		return err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	heading(rounds, d)
	fmt.Println("| workers | ENIs | flows | | now | base | now by base |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, c := range [][3]int{{2, 64, 64}, {2, 2, 1}, {1, 2, 10_000}, {1, 2, 100_000}} {
		row := fmt.Sprintf("Forward/workers=%d/enis=%d/flows=%d", c[0], c[1], c[2])
		turns, err := inTurns(rounds, interrupted,
			func() (result, error) { return benchmark(now, row, d) },
			func() (result, error) { return benchmark(then, row, d) },
		)
		if err != nil {
			return err
		}
		row = fmt.Sprintf("%d | %d | %d", c[0], c[1], c[2])
		line(row+" | frames a second", turns, result.rate)
		line(row+" | the same, of processor time", turns, result.perCore)
	}
	return nil
}

// inTurns runs each lane so many times, one after another.
func inTurns(rounds int, interrupted <-chan os.Signal, lanes ...func() (result, error)) ([][]result, error) {
	turns := make([][]result, len(lanes))
	for range rounds {
		for i, lane := range lanes {
			select {
			case s := <-interrupted:
				return nil, fmt.Errorf("stopped by %v", s)
			default:
			}
			r, err := lane()
			if err != nil {
				return nil, err
			}
			turns[i] = append(turns[i], r)
		}
	}
	return turns, nil
}

func heading(rounds int, d time.Duration) {
	fmt.Printf("\n%s, Linux %s, %d processors, %s; turns of %v, n = %d: median [least..most]\n\n", processor(), release(), runtime.NumCPU(),
		time.Now().UTC().Format("2 January 2006"), d, rounds)
}

// line prints medians of a figure, and of its ratios turn by turn.
func line(row string, turns [][]result, figure func(result) float64) {
	cells := []string{row}
	for _, t := range turns {
		var v []float64
		for _, r := range t {
			v = append(v, figure(r)/1e6)
		}
		cells = append(cells, spread(v, "M"))
	}
	for i := 1; i < len(turns); i++ {
		var v []float64
		for k := range turns[i] {
			v = append(v, figure(turns[0][k])/figure(turns[i][k]))
		}
		cells = append(cells, spread(v, ""))
	}
	fmt.Println("| " + strings.Join(cells, " | ") + " |")
}

func spread(v []float64, unit string) string {
	slices.Sort(v)
	form := func(x float64) string {
		switch {
		case x >= 100:
			return fmt.Sprintf("%.0f", x)
		case x >= 10:
			return fmt.Sprintf("%.1f", x)
		}
		return fmt.Sprintf("%.2f", x)
	}
	return fmt.Sprintf("%s%s [%s..%s]", form(v[len(v)/2]), unit, form(v[0]), form(v[len(v)-1]))
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, "\t :"))
		}
	}
	return runtime.GOARCH
}

func release() string {
	text, _ := os.ReadFile(filepath.Join("/proc/sys/kernel", "osrelease"))
	version, _, _ := strings.Cut(strings.TrimSpace(string(text)), "-")
	return version
}
