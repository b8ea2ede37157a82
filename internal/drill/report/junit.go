package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"enilab/internal/drill"
)

type suites struct {
	XMLName  xml.Name `xml:"testsuites"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Time     string   `xml:"time,attr"`
	Suites   []*suite `xml:"testsuite"`
}

type suite struct {
	Name       string     `xml:"name,attr"`
	Tests      int        `xml:"tests,attr"`
	Failures   int        `xml:"failures,attr"`
	Errors     int        `xml:"errors,attr"`
	Time       string     `xml:"time,attr"`
	Timestamp  string     `xml:"timestamp,attr"`
	Properties []property `xml:"properties>property"`
	Cases      []testCase `xml:"testcase"`

	took, began int64
}

type property struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type testCase struct {
	Name    string   `xml:"name,attr"`
	Class   string   `xml:"classname,attr"`
	Time    string   `xml:"time,attr"`
	File    string   `xml:"file,attr"`
	Line    int      `xml:"line,attr,omitempty"`
	Failure *problem `xml:"failure"`
	Error   *problem `xml:"error"`
	Out     string   `xml:"system-out,omitempty"`
}

type problem struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the results as JUnit XML: a suite for each file, a case for
// each variant and assertion. An assertion that is inconclusive is an error, for
// what is skipped counts as passed in many places.
func WriteJUnit(w io.Writer, res *Results) error {
	all := suites{Name: "enilab"}
	byFile := map[string]*suite{}
	total := int64(0)
	for _, v := range res.Variants {
		s := byFile[v.File]
		if s == nil {
			s = &suite{Name: v.File, began: v.StartedAt}
			s.Properties = []property{{"enilab.version", res.Version}, {"enilab.time", v.Time}, {"enilab.timing", v.Timing}}
			byFile[v.File] = s
			all.Suites = append(all.Suites, s)
		}
		prefix := ""
		if v.Strategy != "" {
			prefix = v.Strategy + "."
		}
		s.Properties = append(s.Properties,
			property{prefix + "seed", strconv.FormatUint(v.Seed, 10)}, property{prefix + "runs", fmt.Sprintf("%d of %d", v.Runs, v.Asked)},
			property{prefix + "command", v.Command})
		if v.Partial != "" {
			s.Properties = append(s.Properties, property{prefix + "partial", v.Partial})
		}
		s.cases(v)
		s.took += v.EndedAt - v.StartedAt
	}
	for _, w := range res.Wrong {
		base := filepath.Base(w.File)
		message, _, _ := strings.Cut(w.Error, "\n")
		all.Suites = append(all.Suites, &suite{
			Name: w.File, Tests: 1, Errors: 1, Properties: []property{{"enilab.version", res.Version}},
			Cases: []testCase{{
				Name: "the file", Class: "enilab." + strings.TrimSuffix(base, filepath.Ext(base)), File: w.File, Time: "0",
				Error: &problem{Message: message, Type: "wrong", Text: w.Error},
			}},
		})
	}
	for _, s := range all.Suites {
		s.Time, total = seconds(s.took), total+s.took
		s.Timestamp = time.Unix(0, s.began).UTC().Format("2006-01-02T15:04:05")
		all.Tests += s.Tests
		all.Failures += s.Failures
		all.Errors += s.Errors
	}
	all.Time = seconds(total)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return fmt.Errorf("writing JUnit XML: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (s *suite) cases(v *Variant) {
	base := filepath.Base(v.File)
	class := []string{"enilab", strings.TrimSuffix(base, filepath.Ext(base))}
	if v.Strategy != "" {
		class = append(class, v.Strategy)
	}
	class = append(class, v.Timing, v.Time)
	for i, o := range v.Outcomes {
		c := testCase{Name: o.Name, Class: strings.Join(class, "."), File: v.File, Line: o.Line, Time: "0"}
		if i == 0 {
			c.Time = seconds(v.EndedAt - v.StartedAt) // of all runs, once
		}
		c.Out = fmt.Sprintf("%s; %d runs held, %d failed, %d inconclusive", o.Value, o.Held, o.Failed, o.Inconclusive)
		p := &problem{Message: o.Reason, Type: string(o.Verdict), Text: v.failing(o)}
		switch o.Verdict {
		case drill.Failed:
			c.Failure = p
			s.Failures++
		case drill.Inconclusive:
			c.Error = p
			s.Errors++
		}
		s.Tests++
		s.Cases = append(s.Cases, c)
	}
	if v.Partial != "" {
		s.Tests++
		s.Errors++
		s.Cases = append(s.Cases, testCase{
			Name: "all runs", Class: strings.Join(class, "."), File: v.File, Time: "0",
			Error: &problem{Message: fmt.Sprintf("%d of %d runs: %s", v.Runs, v.Asked, v.Partial), Type: "partial"},
		})
	}
}

// failing says how to see what decided an outcome again.
func (v *Variant) failing(o drill.Outcome) string {
	if o.Run == nil {
		return v.Command
	}
	return fmt.Sprintf("run %d: %s", o.Run.Number, v.CommandOf(o.Run.Seed, 1))
}

func seconds(nanos int64) string {
	return strconv.FormatFloat(time.Duration(nanos).Seconds(), 'f', 3, 64)
}
