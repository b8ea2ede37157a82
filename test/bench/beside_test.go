package bench

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

const (
	// turns of each measurement; medians are of these.
	turns = 5
	// slow is for what takes moto a minute a turn.
	slow = 2

	owners   = 16
	slots    = 14 // interfaces of a c5.24xlarge besides its primary one
	attached = owners * slots
)

// row is one line of the result: the turns of each emulator.
type row struct {
	what   string
	unit   string
	lower  bool // is better
	values [2][]float64
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return s[len(s)/2]
}

func (r row) cell(i int) string {
	v := r.values[i]
	if len(v) == 0 {
		return "-"
	}
	form := "%.0f"
	if slices.Max(v) < 100 {
		form = "%.1f"
	}
	if slices.Max(v) < 1 {
		form = "%.2f"
	}
	return fmt.Sprintf(form+" ["+form+".."+form+"]", median(v), slices.Min(v), slices.Max(v))
}

func (r row) ratio() string {
	if len(r.values[0]) == 0 || len(r.values[1]) == 0 {
		return "-"
	}
	ratio := median(r.values[0]) / median(r.values[1])
	if r.lower {
		ratio = 1 / ratio
	}
	return fmt.Sprintf("%.1f", ratio)
}

// report collects rows, and prints them as a table of Markdown.
type report struct {
	b    *testing.B
	them []*emulator
	rows []*row

	printed int // rows
}

func (r *report) add(what, unit string, lower bool) *row {
	r.rows = append(r.rows, &row{what: what, unit: unit, lower: lower})
	return r.rows[len(r.rows)-1]
}

// each lets everybody have n turns at something, one after another.
func (r *report) each(n int, f func(i int, e *emulator)) {
	for range n {
		for i, e := range r.them {
			f(i, e)
		}
	}
}

// rates measures calls a second, and their 50th and 99th percentile in ms.
func (r *report) rates(what string, callers, n int, calls func(e *emulator) int, one func(e *emulator) func(int) error, after func(e *emulator)) {
	if callers > 1 {
		what += fmt.Sprintf(", %d at once", callers)
	}
	rate, p50, p99 := r.add(what, "/s", false), r.add("", "p50 ms", true), r.add("", "p99 ms", true)
	r.each(n, func(i int, e *emulator) {
		t := measure(r.b, callers, calls(e), one(e))
		rate.values[i] = append(rate.values[i], t.rate)
		p50.values[i] = append(p50.values[i], float64(t.p50.Microseconds())/1e3)
		p99.values[i] = append(p99.values[i], float64(t.p99.Microseconds())/1e3)
		if after != nil {
			after(e)
		}
	})
	r.print()
}

func (r *report) memory(when string) {
	row := r.add("resident memory, "+when, "MiB", true)
	r.each(1, func(i int, e *emulator) {
		if m := e.rss(); m > 0 {
			row.values[i] = append(row.values[i], m)
		}
	})
}

// print shows the rows since the last call, so that a run which is cut short
// has not been for nothing.
func (r *report) print() {
	if r.printed == 0 {
		fmt.Println("\n| what | | enilab | moto_server | ratio |")
		fmt.Println("|---|---|---|---|---|")
	}
	for _, w := range r.rows[r.printed:] {
		fmt.Printf("| %s | %s | %s | %s | %s |\n", w.what, w.unit, w.cell(0), w.cell(1), w.ratio())
	}
	r.printed = len(r.rows)
}

// BenchmarkBesideMoto measures both, turn and turn about. Ratios above 1 are
// in enilab's favour.
func BenchmarkBesideMoto(b *testing.B) {
	commands := []command{enilab(b)}
	names := []string{"enilab", "moto_server"}
	if m := moto(b); m != nil {
		commands = append(commands, m)
	}
	for b.Loop() {
		beside(b, names, commands)
	}
	b.ReportMetric(0, "ns/op") // says nothing
}

func beside(b *testing.B, names []string, commands []command) {
	r := &report{b: b}
	started := r.add("start to first answer", "ms", true)
	for n := range turns {
		for i, c := range commands {
			e := launch(b, names[i], c)
			started.values[i] = append(started.values[i], float64(e.ready.Microseconds())/1e3)
			if n < turns-1 {
				e.stop()
				continue
			}
			r.them = append(r.them, e)
		}
	}
	r.memory("idle")
	for _, e := range r.them {
		e.world(b)
	}
	var first [2][2]float64 // of creating and attaching, at the first size, by emulator
	for at, size := range []int{10, 1_000, 10_000} {
		r.at(size)
		created, assigned := len(r.rows), 0
		r.creating(size)
		if size != 1_000 {
			assigned = len(r.rows)
			r.attaching(size)
		}
		for i := range r.them {
			if at == 0 {
				first[i] = [2]float64{median(r.rows[created].values[i]), median(r.rows[assigned].values[i])}
			} else if assigned > 0 {
				b.Logf("%s, rates at %d interfaces by those at 10, sequential: create %.2f, attach %.2f", r.them[i].name, size,
					median(r.rows[created].values[i])/first[i][0], median(r.rows[assigned].values[i])/first[i][1])
			}
		}
	}
}

// at brings everybody to a number of interfaces and lists them.
func (r *report) at(size int) {
	for _, e := range r.them {
		e.fill(r.b, size)
	}
	if size > 10 {
		r.memory(fmt.Sprintf("%d interfaces", size))
	}
	list := func(e *emulator) func(int) error {
		return func(int) error {
			answer, err := e.call("Action=DescribeNetworkInterfaces")
			if n := countOf(answer, "<interfaceType>"); err == nil && n < size {
				err = fmt.Errorf("%s lists %d of %d interfaces", e.name, n, size)
			}
			return err
		}
	}
	// As many as take about a second.
	quick := map[int]int{10: 500, 1_000: 200, 10_000: 40}[size]
	others := map[int]int{10: 100, 1_000: 2, 10_000: 1}[size]
	calls := func(least int) func(e *emulator) int {
		return func(e *emulator) int {
			n := quick
			if e.name != "enilab" {
				n = others
			}
			return max(n, least)
		}
	}
	n := turns
	what := fmt.Sprintf("DescribeNetworkInterfaces, %d", size)
	r.rates(what, 1, n, calls(1), list, nil)
	if size == 10_000 {
		n = slow
	}
	r.rates(what, parallel, n, calls(parallel), list, nil)
}

// creating deletes after each turn what was created in it.
func (r *report) creating(size int) {
	made := make(map[*emulator][]string)
	calls := func(e *emulator) int {
		if e.name == "enilab" {
			return 400
		}
		return 40
	}
	create := func(e *emulator) func(int) error {
		made[e] = make([]string, calls(e))
		return func(i int) error { return e.create(&made[e][i]) }
	}
	after := func(e *emulator) {
		for _, id := range made[e] {
			if _, err := e.call("Action=DeleteNetworkInterface&NetworkInterfaceId=" + id); err != nil {
				r.b.Fatal(err)
			}
		}
	}
	what := fmt.Sprintf("CreateNetworkInterface, %d present", size)
	r.rates(what, 1, turns, calls, create, after)
	r.rates(what, parallel, turns, calls, create, after)
}

// attaching attaches the same interfaces in each turn, and lets go of them after it.
func (r *report) attaching(size int) {
	for _, e := range r.them {
		for len(e.enis) < attached {
			var id string
			if err := e.create(&id); err != nil {
				r.b.Fatal(err)
			}
			e.enis = append(e.enis, id)
		}
	}
	made := make(map[*emulator][]string)
	attach := func(e *emulator) func(int) error {
		made[e] = make([]string, attached)
		return func(i int) (err error) {
			made[e][i], err = e.attach(i)
			return err
		}
	}
	what := fmt.Sprintf("AttachNetworkInterface, %d present", max(size, attached))
	calls := func(*emulator) int { return attached }
	after := func(e *emulator) { e.detach(r.b, made[e]) }
	r.rates(what, 1, turns, calls, attach, after)
	r.rates(what, parallel, turns, calls, attach, after)
}

func countOf(answer []byte, text string) int { return bytes.Count(answer, []byte(text)) }
