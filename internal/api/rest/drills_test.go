package rest

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"enilab/internal/drill/simulated"
	"enilab/internal/drill/trials"
	"enilab/internal/scenario"
)

// sacred is a laboratory in which nothing may be carried out.
type sacred struct{ trials.Living }

func (sacred) Refuse(_ *scenario.Scenario, _ string, force bool) error {
	if force {
		return Refused(http.StatusConflict, "not even by force")
	}
	return Refused(http.StatusConflict, "the laboratory is not empty")
}

// TestDrillsAndTrials walks from the list to a result, and sees what is refused.
func TestDrillsAndTrials(t *testing.T) {
	set := trials.New(trials.Options{
		Dir: t.TempDir(), Virtual: simulated.Driver{}, Living: sacred{}, Now: time.Now, Version: "test", Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(set.Close)
	l := newLab(t, func(o *Options) { o.Trials = set })
	decode := func(r reply, into any) {
		t.Helper()
		if r.status/100 != 2 {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if err := json.Unmarshal(r.body, into); err != nil {
			t.Fatal(err)
		}
	}
	var drills struct{ Items []Drill }
	decode(l.send("GET", base+"/drills?limit=100", nil), &drills)
	if len(drills.Items) < 15 || drills.Items[0].Name != "eni-failover" || drills.Items[0].TitleKo == "" || drills.Items[0].TakesMs == 0 {
		t.Errorf("drills: %+v", drills.Items[:1])
	}
	var whole WholeDrill
	decode(l.send("GET", base+"/drills/split-brain-fenced", nil), &whole)
	if !strings.Contains(whole.Text, "steps:") || !strings.HasPrefix(whole.Page, "# ") || !strings.HasPrefix(whole.PageKo, "# ") || whole.File != "split-brain" || len(whole.Assertions) == 0 {
		t.Errorf("a drill: %+v", whole.Drill)
	}
	var begun, got Trial
	decode(l.send("POST", base+"/trials", map[string]any{"drill": "four-strategies", "runs": 2, "seed": 5, "strategies": []string{"eni", "address"}, "timing": "aws"}), &begun)
	if begun.State != "running" || begun.Of != 4 || begun.In != "virtual" {
		t.Errorf("begun: %+v", begun)
	}
	for got = begun; got.State == "running"; {
		decode(l.send("GET", base+"/trials/"+begun.ID+"?wait=10&done=1000", nil), &got)
	}
	if got.State != "done" || got.Done != 4 || got.Verdict == "" || len(got.Outage) != 2 || got.Outage[0].P50Ms == nil || got.Results["variants"] == nil || got.EndedAt == nil {
		t.Errorf("ended: %+v", got)
	}
	var drawn TrialPictures
	decode(l.send("GET", base+"/trials/"+begun.ID+"/pictures", nil), &drawn)
	one := len(drawn.Pictures)
	decode(l.send("GET", base+"/trials/"+begun.ID+"/pictures?with="+begun.ID, nil), &drawn)
	if one < 5 || len(drawn.Pictures) < 2 || !strings.Contains(drawn.Pictures[0].SVG, "B: eni") {
		t.Errorf("%d pictures of one, %d of two", one, len(drawn.Pictures))
	}
	if r := l.send("GET", base+"/trials/"+begun.ID+"/report", nil); r.status != 200 || !strings.Contains(string(r.body), "<h1>Drills:") {
		t.Errorf("the report: %d %.200s", r.status, r.body)
	}
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		says         string
	}{
		{"GET", "/drills/demo", nil, 404, "no such drill"},
		{"POST", "/trials", map[string]any{"drill": "frob"}, 404, "frob"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "runs": 0}, 422, "runs"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "runs": 1001}, 422, "runs"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "strategies": []string{"luck"}}, 422, "luck"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "strategies": []string{"address"}}, 422, "needs addresses"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "strategies": []string{"eni", "eni"}}, 422, "strategies"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "in": "laboratory", "runs": 21}, 409, "not empty"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "in": "laboratory", "force": true}, 409, "not even by force"},
		{"POST", "/trials", map[string]any{"drill": "eni-failover", "in": "real"}, 422, "real"},
		{"GET", "/trials/tr-x", nil, 404, "no such trial"},
		{"GET", "/trials/tr-x/pictures", nil, 404, "no such trial"},
		{"GET", "/trials/" + begun.ID + "/pictures?with=tr-x", nil, 404, "no such trial"},
		{"GET", "/trials/tr-x/report", nil, 404, "no such trial"},
		{"POST", "/trials/tr-x/stop", nil, 404, "no such trial"},
		{"DELETE", "/trials/tr-x", nil, 404, "no such trial"},
		{"DELETE", "/trials/" + begun.ID, nil, 204, ""},
		{"GET", "/trials/" + begun.ID, nil, 404, "no such trial"},
	} {
		if r := l.send(c.method, base+c.path, c.body); r.status != c.status || !strings.Contains(string(r.body), c.says) {
			t.Errorf("%s %s: %d %s, want %d with %q", c.method, c.path, r.status, r.body, c.status, c.says)
		}
	}
}

// TestWithoutTrials: a server that carries out no drills says so, and lists them.
func TestWithoutTrials(t *testing.T) {
	l := newLab(t)
	if r := l.send("GET", base+"/trials", nil); r.status != 501 || !strings.Contains(string(r.body), "carries out no drills") {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := l.send("GET", base+"/drills/flapping", nil); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
