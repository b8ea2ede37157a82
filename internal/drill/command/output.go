package command

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"enilab/internal/drill"
	"enilab/internal/drill/report"
	"enilab/internal/plain"
)

// output is where results go while they come.
type output struct {
	opt    *Options
	bar    bar
	json   *report.JSON
	junit  *os.File
	folder *report.Folder
	index  int // of the variant that runs
	begun  bool
	told   int // runs that did not hold and were told, of this variant
}

// maxTold is how many runs of a variant that did not hold are told one by one.
const maxTold = 20

// Capture is where the capture of a run goes.
func (o *output) Capture(_ *report.Variant, number int) string {
	if o.folder == nil {
		return ""
	}
	return o.folder.Capture(number)
}

// Began tells that a variant begins.
func (o *output) Began(v *report.Variant) {
	if o.begun {
		o.index++
	}
	o.begun, o.told = true, 0
	if o.folder != nil {
		o.folder.Begin(v, o.index)
	}
	o.bar.line(fmt.Sprintf("%s: %d runs, timing %s, %s time, seed %d", title(v), v.Asked, v.Timing, v.Time, v.Seed))
	o.bar.draw(0, v.Asked, "")
}

func title(v *report.Variant) string {
	if v.Strategy != "" {
		return v.File + " (" + v.Strategy + ")"
	}
	return v.File
}

// Ran takes one run.
func (o *output) Ran(v *report.Variant, r *drill.Run, verdict drill.Verdict, t *drill.Tally) error {
	if verdict != drill.Held {
		if o.told++; o.told <= maxTold {
			o.bar.line(fmt.Sprintf("  run %d %s; again: %s", r.Number, verdict, v.CommandOf(r.Seed, 1)))
		} else if o.told == maxTold+1 {
			o.bar.line("  further runs that do not hold are counted only")
		}
	}
	note := ""
	if p50, ok := t.Series(drill.MetricOutage).At(drill.P50, 0, 0); ok {
		note = "outage p50 " + drill.MetricOutage.FormatEndless(p50)
	}
	o.bar.draw(int(t.Runs()), v.Asked, note)
	var err error
	if o.json != nil {
		err = o.json.Add(o.index, r, verdict)
	}
	if o.folder != nil {
		err = errors.Join(err, o.folder.Add(v, o.index, r, verdict, t))
	}
	return err
}

// Ended tells what came of a variant.
func (o *output) Ended(v *report.Variant) (err error) {
	if o.folder != nil {
		err = o.folder.End(v)
	}
	o.bar.variant(v)
	return err
}

// close ends what is written.
func (o *output) close(res *report.Results) (err error) {
	if o.json != nil {
		err = o.json.Close(res)
	}
	if o.junit != nil {
		if e := errors.Join(report.WriteJUnit(o.junit, res), o.junit.Close()); e != nil {
			err = errors.Join(err, fmt.Errorf("writing %s: %w", o.opt.JUnit, e))
		}
	}
	if o.folder != nil {
		err = errors.Join(err, o.folder.Close(res))
	}
	return err
}

// abandon closes what was begun when something else could not be.
func (o *output) abandon() {
	if o.json != nil {
		o.json.Abandon()
	}
	if o.junit != nil {
		_ = o.junit.Close() // empty
	}
}

// summary is the last line.
func (o *output) summary(res *report.Results) {
	n := map[drill.Verdict]int{}
	for _, v := range res.Variants {
		n[v.Verdict]++
	}
	line := fmt.Sprintf("%s: %d held, %d failed, %d inconclusive", res.Verdict, n[drill.Held], n[drill.Failed], n[drill.Inconclusive])
	if res.Partial != "" {
		line += "; partial: " + res.Partial
	}
	if err := report.WriteComparison(o.bar.w, res); err != nil {
		return // the terminal has gone
	}
	o.bar.line(line)
	if o.folder != nil {
		o.bar.line("report: " + o.opt.Report + string(os.PathSeparator) + "index.html")
	}
}

// variant tells what came of a variant.
func (b *bar) variant(v *report.Variant) {
	outcomes := v.Outcomes
	if v.Runs == 0 {
		outcomes = nil // nothing was judged
	}
	for _, c := range outcomes {
		line := fmt.Sprintf("  %-12s %s", c.Verdict, c.Name)
		if c.Value != "" {
			line += ": " + c.Value
		}
		if c.Verdict != drill.Held {
			line += " (" + c.Reason + ")"
			if n := c.Failed + c.Inconclusive; v.Runs > 1 && n > 0 {
				line += fmt.Sprintf(", in %d of %d runs", n, v.Runs)
			}
		}
		b.line(line)
	}
	for _, m := range v.Rows() {
		if v.Runs > 1 {
			b.line(fmt.Sprintf("  over %d runs %s %s", v.Runs, m.Name, m.Quantiles(m.Name)))
		}
	}
	if v.Failing != "" {
		b.line("  again: " + v.Failing)
	}
	if v.Partial != "" {
		b.line(fmt.Sprintf("  partial, %d of %d runs: %s", v.Runs, v.Asked, v.Partial))
	}
}

// bar is a line that is drawn over, on a terminal; elsewhere nothing, and lines
// only.
type bar struct {
	w     io.Writer
	on    bool
	shown bool
}

const (
	barWidth = 30
	clear    = "\r\x1b[K"
)

// line prints a line above the bar. Where a message has several, as with the place
// in a file, the further ones are indented: no name makes a line that looks like ours.
func (b *bar) line(s string) {
	s = strings.ReplaceAll(plain.Text(s), "\n", "\n      ")
	if b.shown {
		s = clear + s
		b.shown = false
	}
	fmt.Fprintln(b.w, s)
}

// draw shows how far a variant is.
func (b *bar) draw(done, of int, note string) {
	if !b.on {
		return
	}
	full := barWidth * done / max(of, 1)
	fmt.Fprintf(b.w, "%s[%s%s] %d/%d %s", clear, strings.Repeat("#", full), strings.Repeat("-", barWidth-full), done, of, note)
	b.shown = true
}
