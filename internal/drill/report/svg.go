package report

import (
	"fmt"
	"html"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"enilab/internal/drill"
)

// The pictures are SVG inside the page: they take its colours, light or dark, and
// need no script.

// drawing collects the elements of one picture.
type drawing struct {
	b    strings.Builder
	w, h int
}

func (d *drawing) el(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

// text writes a label; anchor is start, middle or end.
func (d *drawing) text(x, y float64, class, anchor, label string) {
	d.el(`<text x="%.1f" y="%.1f" class="%s" text-anchor="%s">%s</text>`, x, y, class, anchor, html.EscapeString(label))
}

// bar draws a rectangle with a tooltip.
func (d *drawing) bar(x, y, w, h float64, class, tip string) {
	d.el(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2" class="%s"><title>%s</title></rect>`, x, y, max(w, 1), h, class, html.EscapeString(tip))
}

func (d *drawing) line(x1, y1, x2, y2 float64, class string) {
	d.el(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`, x1, y1, x2, y2, class)
}

func (d *drawing) done(label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d %d" role="img" aria-label="%s">%s</svg>`, d.w, d.h, html.EscapeString(label), d.b.String()))
}

// ticks are round values from 0 to at least top, some five of them.
func ticks(top int64) (out []int64) {
	step := int64(1)
	for m := int64(1); step*5 < top; m *= 10 {
		for _, k := range []int64{1, 2, 5} {
			if step = k * m; step*5 >= top {
				break
			}
		}
	}
	for v := int64(0); ; v += step {
		out = append(out, v)
		if v >= top {
			return out
		}
	}
}

// histogram shows how a metric's values lie.
func histogram(m drill.Metric, stat Metric) template.HTML {
	const left, right, top, bottom = 44.0, 12.0, 22.0, 30.0
	d := &drawing{w: 560, h: 200}
	if len(stat.Bins) < 2 {
		return "" // one value, which the table says
	}
	most := uint64(1)
	for _, b := range stat.Bins {
		most = max(most, b.Count)
	}
	width, height := float64(d.w)-left-right, float64(d.h)-top-bottom
	low, high := stat.Bins[0].From, stat.Bins[len(stat.Bins)-1].To
	x := func(v int64) float64 { return left + width*float64(v-low)/float64(max(high-low, 1)) }
	format := m.Format
	if m.IsTime() && stat.Bins[0].To-low < int64(time.Microsecond) { // rounded, bars would begin where they end
		format = func(v int64) string { return time.Duration(v).String() }
	}
	yt := ticks(int64(most))
	y := func(n int64) float64 { return top + height*(1-float64(n)/float64(yt[len(yt)-1])) }
	for _, n := range yt {
		d.line(left, y(n), left+width, y(n), "grid")
		d.text(left-6, y(n)+4, "tick", "end", fmt.Sprint(n))
	}
	for _, b := range stat.Bins {
		if b.Count > 0 {
			bx := x(b.From)
			d.bar(bx+1, y(int64(b.Count)), x(b.To)-bx-2, top+height-y(int64(b.Count)), "data",
				fmt.Sprintf("%s to %s: %d runs", format(b.From), format(b.To), b.Count))
		}
	}
	d.text(left, float64(d.h)-10, "tick", "start", format(low))
	d.text(left+width, float64(d.h)-10, "tick", "end", format(high))
	d.text(left, 12, "axis", "start", "runs")
	d.text(left+width/2, float64(d.h)-10, "axis", "middle", string(m))
	return d.done(fmt.Sprintf("Histogram of %s over %d runs", m, stat.Known))
}

// compared is one row of a comparison; stat nil: there is none.
type compared struct {
	label string
	stat  *Metric
}

// comparison shows a metric's quantiles of several variants, a row each.
func comparison(m drill.Metric, vs []*Variant, labels []string) template.HTML {
	rows := make([]compared, len(vs))
	for i, v := range vs {
		rows[i].label = labels[i]
		if s, ok := v.Metrics[m]; ok {
			rows[i].stat = &s
		}
	}
	return comparisonOf(string(m), m, rows, "not measured")
}

func comparisonOf(title string, m drill.Metric, rows []compared, without string) template.HTML {
	return drawComparison(title, m, rows, without).done("Comparison of " + title)
}

func drawComparison(title string, m drill.Metric, rows []compared, without string) *drawing {
	const left, right, row, top = 150.0, 110.0, 40.0, 34.0
	d := &drawing{w: 860, h: int(top + row*float64(len(rows)) + 26)}
	longest := int64(1)
	for _, r := range rows {
		if s := r.stat; s != nil {
			longest = max(longest, s.P50, s.Max)
			for _, q := range []*int64{s.P90, s.P99} {
				if q != nil {
					longest = max(longest, *q)
				}
			}
		}
	}
	tk := ticks(longest)
	end := tk[len(tk)-1]
	width := float64(d.w) - left - right
	x := func(v int64) float64 {
		if v == NoEnd {
			v = end
		}
		return left + width*float64(v)/float64(end)
	}
	bottom := top + row*float64(len(rows))
	for _, t := range tk {
		d.line(x(t), top-6, x(t), bottom, "grid")
		d.text(x(t), bottom+16, "tick", "middle", m.Format(t))
	}
	d.text(left, 14, "axis", "start", title+": bar from p50 to p99, ● p50, ◆ p90, | the greatest")
	for i, r := range rows {
		y := top + row*float64(i) + row/2
		d.text(left-10, y+4, "label", "end", r.label)
		s := r.stat
		if s == nil {
			d.text(left+6, y+4, "tick", "start", without)
			continue
		}
		tip := r.label + ": " + s.Quantiles(m)
		d.line(x(s.P50), y, x(s.Max), y, "whisker")
		if s.P99 != nil {
			d.bar(x(s.P50), y-7, x(*s.P99)-x(s.P50), 14, "data", tip)
		}
		d.el(`<circle cx="%.1f" cy="%.1f" r="5" class="mark"><title>%s</title></circle>`, x(s.P50), y, html.EscapeString(tip))
		if s.P90 != nil {
			d.el(`<path d="M%.1f %.1f l5 5 l-5 5 l-5 -5 z" class="mark"/>`, x(*s.P90), y-5)
		}
		d.line(x(s.Max), y-8, x(s.Max), y+8, "whisker")
		d.text(x(s.Max)+8, y+4, "value", "start", "p50 "+Quantile(m, s.P50))
	}
	return d
}

// style is that of a picture on its own, in light and in dark.
const style = `<style>
text { fill: #1c1f24; font: 12px system-ui, sans-serif } .tick, .axis { fill: #5b6270; font-size: 11px }
.ground { fill: #ffffff } .grid { stroke: #e2e3e0 } .data { fill: #3b6fb6 } .mark { fill: #16365f } .whisker { stroke: #5b6270; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
text { fill: #e6e8ec } .tick, .axis { fill: #9aa3b2 }
.ground { fill: #1b1e24 } .grid { stroke: #2d323b } .data { fill: #5b93dd } .mark { fill: #d7e6fb } .whisker { stroke: #9aa3b2 } }
</style>`

// writePicture writes the clients' outages under each variant as one picture that
// needs no page.
func writePicture(w io.Writer, f *file) error {
	const gap = 14
	h, parts := gap, ""
	for _, name := range clientNames(f.Variants) {
		rows := make([]compared, len(f.Variants))
		for i, v := range f.Variants {
			rows[i].label = v.Label()
			if c := v.find(name); c != nil {
				rows[i].stat = &c.Outage
			}
		}
		d := drawComparison("outage of "+name, drill.MetricOutage, rows, "not concerned")
		parts += fmt.Sprintf("<g transform=\"translate(0 %d)\">%s</g>\n", h, d.b.String())
		h += d.h + gap
	}
	_, err := fmt.Fprintf(w, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 %d\" role=\"img\" aria-label=\"Outage of each client under each strategy\">\n%s\n<rect class=\"ground\" width=\"860\" height=\"%d\"/>\n%s</svg>\n",
		h, style, h, parts)
	if err != nil {
		return fmt.Errorf("writing a picture: %w", err)
	}
	return nil
}

// Quantile words a quantile of a metric.
func Quantile(m drill.Metric, v int64) string {
	if v == NoEnd {
		return "no end"
	}
	return m.Format(v)
}

// ofEnough words a quantile that a table has no room to leave out.
func ofEnough(m drill.Metric, v *int64) string {
	if v == nil {
		return "–"
	}
	return Quantile(m, *v)
}

// Quantiles words those quantiles of a metric that it has runs enough for.
func (s Metric) Quantiles(m drill.Metric) string {
	text := "p50 " + Quantile(m, s.P50)
	if s.P90 != nil {
		text += ", p90 " + Quantile(m, *s.P90)
	}
	if s.P99 != nil {
		text += ", p99 " + Quantile(m, *s.P99)
	}
	return text + ", max " + Quantile(m, s.Max)
}

// timeline shows one run: its steps, the phases of each move, and when each
// client had no answer.
func timeline(r *drill.Run) template.HTML {
	const left, right, row, top = 190.0, 20.0, 26.0, 30.0
	type lane struct {
		label, class string
		spans        []drill.Span
	}
	var lanes []lane
	steps := lane{label: "steps", class: "step"}
	for _, s := range r.Steps {
		steps.spans = append(steps.spans, drill.Span{Name: s.Text, Start: s.StartedAt, End: s.EndedAt})
	}
	if len(steps.spans) > 0 {
		lanes = append(lanes, steps)
	}
	const maxLanes = 40
	for _, m := range r.Moves {
		if len(m.Phases) > 0 {
			lanes = append(lanes, lane{fmt.Sprintf("%s %s → %s", m.Kind, name(m.From), name(m.To)), "phase", m.Phases})
		}
		for _, t := range m.Traffic {
			if t.LastReplyAt == 0 {
				continue
			}
			end, what := t.FirstReplyAt, "no answer for "+drill.FormatTime(t.OutageNanos)
			if end == 0 {
				end, what = m.EndedAt, "no answer while it was measured"
			}
			lanes = append(lanes, lane{t.Client + " " + t.Workload, "gap", []drill.Span{{Name: fmt.Sprintf("%s, %d lost", what, t.Lost), Start: t.LastReplyAt, End: end}}})
		}
	}
	more := max(0, len(lanes)-maxLanes)
	lanes = lanes[:len(lanes)-more]
	if len(lanes) == 0 {
		return ""
	}
	// Around what has happened, not the whole run: what follows is waiting.
	from, to := int64(0), int64(0)
	for _, l := range lanes {
		for _, s := range l.spans {
			if from == 0 || s.Start < from {
				from = s.Start
			}
			to = max(to, s.End)
		}
	}
	d := &drawing{w: 860, h: int(top+row*float64(len(lanes))) + 24}
	tk := ticks(max(to-from, 1))
	end := tk[len(tk)-1]
	width := float64(d.w) - left - right
	x := func(at int64) float64 { return left + width*float64(at-from)/float64(end) }
	bottom := top + row*float64(len(lanes))
	for _, t := range tk {
		d.line(x(from+t), top-6, x(from+t), bottom, "grid")
		d.text(x(from+t), bottom+16, "tick", "middle", drill.FormatTime(t))
	}
	for i, l := range lanes {
		y := top + row*float64(i)
		d.text(left-10, y+row/2+4, "label", "end", cut(l.label, 28))
		for _, s := range l.spans {
			class := l.class
			if class == "phase" {
				class += fmt.Sprintf(" p%d", slices.Index(drill.PhaseNames, s.Name)+1)
			}
			d.bar(x(s.Start), y+5, x(s.End)-x(s.Start), row-10, class,
				fmt.Sprintf("%s: %s, %s after the beginning", s.Name, drill.FormatTime(s.End-s.Start), drill.FormatTime(s.Start-from)))
			if label := s.Name; x(s.End)-x(s.Start) > 7*float64(len(label)) {
				d.text((x(s.Start)+x(s.End))/2, y+row/2+4, "inside", "middle", label)
			}
		}
	}
	if more > 0 {
		d.text(left, 14, "axis", "start", fmt.Sprintf("%d more rows are in results.json", more))
	}
	return d.done("Timeline of a run")
}

func name(host string) string {
	if host == "" {
		return "nobody"
	}
	return host
}

func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
