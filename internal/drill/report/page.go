package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"enilab/internal/drill"
)

//go:embed page.html
var pageSource string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"histogram": histogram, "timeline": timeline, "quantile": Quantile, "ofEnough": ofEnough,
	"instant": func(nanos int64) string { return time.Unix(0, nanos).UTC().Format("2006-01-02 15:04:05") },
	"format":  func(m drill.Metric, v int64) string { return m.Format(v) },
	"late":    drill.FormatTime,
}).Parse(pageSource))

// Label tells a variant from others of its file.
func (v *Variant) Label() string {
	label := v.Strategy
	if label == "" {
		label = "as the file says"
	}
	return label
}

// file is all variants of one file.
type file struct {
	Name, Description string
	Variants          []*Variant
}

// Comparisons are pictures of the file's variants side by side.
func (f file) Comparisons() (out []template.HTML) {
	for _, m := range drill.Metrics {
		if slices.ContainsFunc(f.Variants, func(v *Variant) bool { _, ok := v.Metrics[m]; return ok }) {
			out = append(out, comparison(m, f.Variants, labelsOf(f.Variants)))
		}
	}
	return out
}

// Rows are the metrics that a variant has values of, in their order.
func (v *Variant) Rows() (out []metricRow) {
	for _, m := range drill.Metrics {
		if s, ok := v.Metrics[m]; ok {
			out = append(out, metricRow{m, s})
		}
	}
	return out
}

type metricRow struct {
	Name drill.Metric
	Metric
}

// Runs are those that are drawn, in the order of their numbers.
func (v *Variant) Drawn() (out []*drill.Run) {
	for _, r := range v.Shown {
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *drill.Run) int { return a.Number - b.Number })
	return out
}

// What says why a run is shown.
func (v *Variant) What(r *drill.Run) string {
	var what []string
	for _, k := range []string{"first", "worst"} {
		if v.Shown[k] == r {
			what = append(what, k)
		}
	}
	return strings.Join(what, " and ")
}

// CaptureFiles are the captures in the order first, median, worst.
func (v *Variant) CaptureFiles() (out []template.HTML) {
	for _, k := range []string{"first", "median", "worst"} {
		if c, ok := v.Captures[k]; ok {
			out = append(out, template.HTML(fmt.Sprintf(`<a href="%s">%s</a> (%s, run %d)`,
				template.HTMLEscapeString(c.File), template.HTMLEscapeString(c.File), k, c.Run.Number)))
		}
	}
	return out
}

// WritePage writes the report as one page without scripts and without anything
// that would be loaded.
func WritePage(w io.Writer, res *Results) error {
	files := byFile(res)
	if err := page.Execute(w, struct {
		*Results
		Files []*file
	}{res, files}); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// byFile gathers the variants of each file, in their order.
func byFile(res *Results) (files []*file) {
	for _, v := range res.Variants {
		i := slices.IndexFunc(files, func(f *file) bool { return f.Name == v.File })
		if i < 0 {
			files, i = append(files, &file{Name: v.File, Description: v.Description}), len(files)
		}
		files[i].Variants = append(files[i].Variants, v)
	}
	return files
}
