package report

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"enilab/internal/drill"
)

var update = flag.Bool("update", false, "write testdata anew")

const ms = int64(time.Millisecond)

func limit(d time.Duration) *drill.Limit { l := drill.Limit(d); return &l }

func run(n int, outage int64) *drill.Run {
	return &drill.Run{
		Number: n, Seed: uint64(n), StartedAt: 1000 * ms, EndedAt: 5000 * ms,
		Steps: []drill.Step{{Line: 4, Text: "fail one by freeze", StartedAt: 1000 * ms, EndedAt: 1001 * ms}},
		Moves: []drill.Move{{
			Kind: "failover", Moved: "interface", State: "completed", NetworkInterface: "eth1", From: "one", To: "two <b>",
			StartedAt: 1000 * ms, EndedAt: 4000 * ms, FaultAt: 1000 * ms, DetectedAt: 1600 * ms,
			Phases: []drill.Span{{Name: "detect", Start: 1000 * ms, End: 1600 * ms}, {Name: "recover", Start: 1600 * ms, End: 1000*ms + outage}},
			Traffic: []drill.Traffic{{
				Client: "client", Workload: "requests", Target: "10.0.0.42", LastReplyAt: 1000 * ms, FirstReplyAt: 1000*ms + outage,
				OutageNanos: outage, Sent: 500, Lost: uint64(outage / ms / 2),
			}},
		}},
		Dropped: map[string]uint64{"guest_frozen": 3},
	}
}

// results are those of a drill under two strategies, of which one fails.
func results(t *testing.T, json *JSON) *Results {
	t.Helper()
	res := &Results{Version: "1.2.3", Time: "virtual"}
	spec := drill.Spec{Asserts: []drill.Assertion{
		{Outage: &drill.TimeBound{Max: limit(time.Second)}, Line: 9},
		{OverRuns: &drill.OverRuns{Metric: drill.MetricOutage, P50: "800ms", P99: "2s"}, Line: 10},
	}}
	for i, strategy := range []string{"eni", "eip"} {
		v := &Variant{
			File: "dir/drill.yaml", Description: "Says <what> it shows", Strategy: strategy, Timing: "aws", Time: "virtual", Seed: 1, Asked: 3 + i,
			StartedAt: 1_800_000_000_000_000_000, EndedAt: 1_800_000_001_500_000_000, Set: []string{"repeat.runs=3"},
		}
		v.Command = v.CommandOf(1, 3)
		tally := drill.NewTally(spec, false)
		for n := 1; n <= 3; n++ {
			r := run(n, int64(600+n*100+i*400*(n/3))*ms)
			verdict := tally.Add(r)
			if n == 1 {
				v.Shown = map[string]*drill.Run{"first": r}
			}
			v.Shown["worst"] = r
			if json != nil {
				if err := json.Add(i, r, verdict); err != nil {
					t.Fatal(err)
				}
			}
		}
		if i == 1 {
			v.Partial, v.Failing = "interrupted", v.CommandOf(3, 1)
		}
		v.Summarize(tally)
		res.Variants = append(res.Variants, v)
	}
	res.Judge()
	return res
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s (%v): go test ./internal/drill/report -update, and look at what changes; got\n%s", name, err, got)
	}
}

func TestJUnitGolden(t *testing.T) {
	var b bytes.Buffer
	if err := WriteJUnit(&b, results(t, nil)); err != nil {
		t.Fatal(err)
	}
	golden(t, "junit.xml", b.Bytes())
	if err := xml.Unmarshal(b.Bytes(), new(suites)); err != nil {
		t.Error(err)
	}
}

func TestJSONGolden(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.json")
	j, err := CreateJSON(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(results(t, j)); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || !json.Valid(data) {
		t.Fatalf("%v\n%s", err, data)
	}
	golden(t, "results.json", data)
}

// TestPage: it is whole, escapes what files say, and loads nothing.
func TestPage(t *testing.T) {
	var b bytes.Buffer
	if err := WritePage(&b, results(t, nil)); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{
		"Side by side", "Histogram of outage", "Comparison of outage", "Timeline of a run", "Says &lt;what&gt; it shows", "two &lt;b&gt;",
		"prefers-color-scheme: dark", "Partial: interrupted", "enilab run dir/drill.yaml --seed 3 --repeat 1 --strategy eip",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	for _, bad := range []string{"<script", "src=", "http://", "https://", "@import", "url(", "<b>", "ZgotmplZ"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

// TestFolderKeepsFewCaptures: of many runs those of the first, the median and the
// worst, and never many at once.
func TestFolderKeepsFewCaptures(t *testing.T) {
	dir := t.TempDir()
	f, err := CreateFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	v := &Variant{File: "drill.yaml", Strategy: "eni", Asked: 101}
	f.Begin(v, 0)
	tally := drill.NewTally(drill.Spec{}, false)
	for n := 1; n <= 101; n++ {
		if err := os.WriteFile(f.Capture(n), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		r := run(n, int64(300+n*37%101)*ms) // each of 300 to 400 once
		verdict := tally.Add(r)
		if v.Shown == nil {
			v.Shown = map[string]*drill.Run{"worst": r}
		}
		if drill.Values(r)[drill.MetricOutage].Nanos > drill.Values(v.Shown["worst"])[drill.MetricOutage].Nanos {
			v.Shown["worst"] = r
		}
		if err := f.Add(v, 0, r, verdict, tally); err != nil {
			t.Fatal(err)
		}
		if files, _ := filepath.Glob(filepath.Join(dir, "*.pcapng")); len(files) > near+2 {
			t.Fatalf("%d captures after %d runs", len(files), n)
		}
	}
	// A run that nobody has judged, since the end was decided.
	if err := os.WriteFile(f.Capture(102), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	v.Summarize(tally)
	if err := f.End(v); err != nil {
		t.Fatal(err)
	}
	outage := func(role string) string {
		return fmt.Sprint(300 + v.Captures[role].Run.Number*37%101)
	}
	if outage("worst") != "400" || outage("median") != "350" || v.Captures["first"].Run.Number != 1 {
		t.Errorf("%+v", v.Captures)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "*.pcapng")); len(files) != 3 {
		t.Errorf("left: %v", files)
	}
	if err := f.Close(&Results{Variants: []*Variant{v}}); err != nil {
		t.Error(err)
	}
	// Its own files make room for the next report; others' do not.
	if _, err := CreateFolder(dir); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateFolder(dir); err == nil || !strings.Contains(err.Error(), "thesis.txt") {
		t.Errorf("a folder with somebody's files: %v", err)
	}
}

func TestCommandIsOneForAShell(t *testing.T) {
	v := Variant{File: "a b's.yaml", Time: "real", Timing: "fast", Set: []string{"x[0].y=z"}}
	want := `enilab run 'a b'\''s.yaml' --seed 4 --repeat 2 --time real --timing fast --set 'x[0].y=z'`
	if got := v.CommandOf(4, 2); got != want {
		t.Errorf("got %s", got)
	}
}

// TestQuantilesOfTooFew: nothing says a quantile of fewer runs than an assertion
// would take for it.
func TestQuantilesOfTooFew(t *testing.T) {
	for _, c := range []struct {
		runs           int
		p90, p99, text string
	}{
		{9, "null", "null", "p50 5s, max 9s"},
		{10, "9000000000", "null", "p50 5s, p90 9s, max 10s"},
		{99, "90000000000", "null", "p50 50s, p90 1m30s, max 1m39s"},
		{100, "90000000000", "99000000000", "p50 50s, p90 1m30s, p99 1m39s, max 1m40s"},
	} {
		tally := drill.NewTally(drill.Spec{}, false)
		for i := range c.runs {
			nanos := int64(i+1) * 1e9
			tally.Add(&drill.Run{Number: i + 1, Moves: []drill.Move{{Policy: "eth1", Traffic: []drill.Traffic{{
				Client: "desk", Workload: "w", Kind: "ping", LastReplyAt: 1, FirstReplyAt: nanos + 1, OutageNanos: nanos,
			}}}}})
		}
		v := &Variant{}
		v.Summarize(tally)
		m := v.Metrics[drill.MetricOutage]
		if got := m.Quantiles(drill.MetricOutage); got != c.text {
			t.Errorf("%d runs: %s, want %s", c.runs, got, c.text)
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(`"p90":%s,"p99":%s,`, c.p90, c.p99); !strings.Contains(string(text), want) {
			t.Errorf("%d runs: no %s in %s", c.runs, want, text)
		}
	}
}

// TestComparison: several strategies of one file are told apart by client, calls,
// scope and what became of connections, and their picture is one on its own.
func TestComparison(t *testing.T) {
	res := &Results{}
	for _, s := range []string{"eni", "address"} {
		v := &Variant{File: "d.yaml", Strategy: s, Shown: map[string]*drill.Run{}}
		tally := drill.NewTally(drill.Spec{}, false)
		for i := range 3 {
			r := &drill.Run{Number: i + 1, Moves: []drill.Move{{
				Policy: "eth1", Scope: "zone", Calls: []drill.Call{{Operation: "ReplaceRoute"}, {Operation: "ReplaceRoute"}, {Operation: "StopInstances"}},
				TCP: drill.TCP{Open: 2, Reset: 1, Survived: 1},
				Traffic: []drill.Traffic{{
					Client: "desk<", Workload: s, Kind: "ping", LastReplyAt: 1, FirstReplyAt: int64(i+1)*1e9 + 1, OutageNanos: int64(i+1) * 1e9, Lost: 7,
				}},
			}}}
			if i == 0 {
				v.Shown["first"] = r
			}
			tally.Add(r)
		}
		v.Summarize(tally)
		res.Variants = append(res.Variants, v)
	}
	var b bytes.Buffer
	if err := WriteComparison(&b, res); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  address, desk< address  2s   –    –    3s   7\n",
		"  eni reaches any in the zone, by ReplaceRoute ×2, StopInstances; connections: 50% reset, 50% survived\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	var page bytes.Buffer
	if err := WritePage(&page, res); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"outage of desk&lt; eni", "not concerned", "ReplaceRoute ×2"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("no %q on the page", want)
		}
	}
	dir := t.TempDir()
	for range 2 { // an earlier report's picture is a report's file
		f, err := CreateFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(res); err != nil {
			t.Fatal(err)
		}
	}
	picture, err := os.ReadFile(filepath.Join(dir, "d-comparison.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if err := xml.Unmarshal(picture, new(struct{})); err != nil || !bytes.Contains(picture, []byte("desk&lt; address")) {
		t.Errorf("%v:\n%s", err, picture)
	}
}

// TestAxisOfNearNothing: times that differ by less than what is shown of them get
// an axis with two ends all the same.
func TestAxisOfNearNothing(t *testing.T) {
	page := string(histogram(drill.MetricAnsweredByTwo, Metric{Known: 2, Bins: []drill.Bin{{From: 0, To: 20, Count: 1}, {From: 20, To: 40, Count: 1}}}))
	if !strings.Contains(page, ">40ns<") || !strings.Contains(page, "20ns to 40ns: 1 runs") {
		t.Error(page)
	}
}
