package report

import (
	"html/template"
	"slices"

	"enilab/internal/drill"
)

// Picture is one of the report's pictures on its own, for whoever shows results
// in another place than the report's page.
type Picture struct {
	Kind    string       `json:"kind" enum:"histogram,comparison,client,timeline"`
	Variant int          `json:"variant" doc:"Index of the variant that it is of; -1: of all side by side"`
	Metric  drill.Metric `json:"metric,omitempty" doc:"Of a histogram and a comparison"`
	Client  string       `json:"client,omitempty" doc:"Of the outage that one client saw"`
	Run     int          `json:"run,omitempty" doc:"Of a timeline: the run's number"`
	What    string       `json:"what,omitempty" doc:"Of a timeline: why that run is shown"`
	SVG     string       `json:"svg" doc:"Takes its colours from whoever shows it, by the classes of the report's page"`
}

// Pictures are those of the report's page, in its order.
func Pictures(res *Results) []Picture {
	out := []Picture{}
	if len(res.Variants) > 1 {
		out = Compare(res.Variants, labelsOf(res.Variants))
	}
	add := func(p Picture, svg template.HTML) {
		if p.SVG = string(svg); p.SVG != "" {
			out = append(out, p)
		}
	}
	for i, v := range res.Variants {
		for _, m := range v.Rows() {
			if v.Runs > 1 {
				add(Picture{Kind: "histogram", Variant: i, Metric: m.Name}, histogram(m.Name, m.Metric))
			}
		}
		for _, r := range v.Drawn() {
			add(Picture{Kind: "timeline", Variant: i, Run: r.Number, What: v.What(r)}, timeline(r))
		}
	}
	return out
}

// Compare draws variants side by side, each under its label: of one file, or of
// what was found at different times.
func Compare(vs []*Variant, labels []string) []Picture {
	out := []Picture{}
	for _, m := range drill.Metrics {
		if slices.ContainsFunc(vs, func(v *Variant) bool { _, ok := v.Metrics[m]; return ok }) {
			out = append(out, Picture{Kind: "comparison", Variant: -1, Metric: m, SVG: string(comparison(m, vs, labels))})
		}
	}
	for _, name := range clientNames(vs) {
		out = append(out, Picture{Kind: "client", Variant: -1, Client: name, SVG: string(clientChart(name, vs, labels))})
	}
	return out
}

// labelsOf are the labels of variants of one file.
func labelsOf(vs []*Variant) []string {
	labels := make([]string, len(vs))
	for i, v := range vs {
		labels[i] = v.Label()
	}
	return labels
}
