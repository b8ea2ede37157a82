package control

import (
	"testing"
	"time"
)

// However many commits fall into a lag, few States are kept, and what is shown
// is newer than it should be by little.
func TestHistoryIsBounded(t *testing.T) {
	const lag, commits = time.Hour, 20_000
	h := history{}
	h.note([]Change{{Table: TableInstance, ID: "i-1", After: &Instance{ID: "i-1", InstanceSettings: InstanceSettings{MetadataLag: lag}}}})
	start := time.Unix(1_800_000_000, 0)
	var states [commits]*State
	for k := range states {
		states[k] = &State{revision: uint64(k)}
		h.supersede(states[k], start.Add(time.Duration(k+1)*time.Second))
	}
	if len(h.past) > maxPast {
		t.Fatalf("%d States are kept, want at most %d", len(h.past), maxPast)
	}
	end := start.Add(commits * time.Second)
	for ago := time.Duration(0); ago <= lag; ago += 7 * time.Second {
		exact := commits - uint64(ago/time.Second)
		got := uint64(commits) // the newest
		if past := h.at(end.Add(-ago)); past != nil {
			got = past.revision
		}
		if got < exact || got-exact > 2*uint64(lag/time.Second)/maxPast {
			t.Errorf("%v ago was revision %d, shown is %d", ago, exact, got)
		}
	}
}

func TestMetadataLagRefusals(t *testing.T) {
	s := newSite(t)
	i := s.run(s.a, "")
	for _, c := range []struct {
		id         string
		lag        time.Duration
		code, text string
	}{
		{i.ID, -1, "InvalidParameterValue", "Metadata cannot lag by -1ns, want 0 to 1h0m0s."},
		{i.ID, time.Hour + 1, "InvalidParameterValue", "Metadata cannot lag by 1h0m0.000000001s, want 0 to 1h0m0s."},
		{"i-00000000000000000", 1, "InvalidInstanceID.NotFound", "The instance ID 'i-00000000000000000' does not exist"},
	} {
		refused(s.lab, c.code, c.text, func(t *tx) (*Instance, error) { return t.setMetadataLag(c.id, c.lag) })
	}
	must(s.lab, func(t *tx) (*Instance, error) { return t.setMetadataLag(i.ID, time.Hour) })
	if e := s.last().Events; len(e) != 1 || e[0].Type != "instance.metadata-lag-changed" || e[0].Resource != i.ID || e[0].Detail["lag"] != "1h0m0s" {
		t.Errorf("told as %+v", e)
	}
	must(s.lab, func(t *tx) (*Instance, error) { return t.terminateInstance(i.ID) })
	refused(s.lab, "IncorrectInstanceState", "The instance '"+i.ID+"' is shutting-down and has no metadata any more.",
		func(t *tx) (*Instance, error) { return t.setMetadataLag(i.ID, 0) })
}
