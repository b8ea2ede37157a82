package stream

import (
	"encoding/json"
	"fmt"
	"testing"

	"enilab/internal/dataplane"
	"enilab/internal/dataplane/frame"
	"enilab/internal/dataplane/verdict"
)

// names is a Source that only names.
type names struct{}

func (names) Observe(dataplane.Observer) func() { return func() {} }
func (names) VNICName(i uint32) (string, frame.MAC) {
	return fmt.Sprintf("eni-%d", i), frame.MAC(i)
}
func (names) RuleName(id verdict.RuleID) string {
	if id == verdict.RuleNone {
		return ""
	}
	return fmt.Sprintf("sgr-%d", id)
}
func (names) Way(id dataplane.WayID) dataplane.Way {
	return dataplane.Way{Route: verdict.RuleID(id.Number() + 1000), ACLIn: 17}
}

func TestDictionaryTellsOnce(t *testing.T) {
	d := newDictionary(names{}, &roster{})
	d.vnic(0)
	d.vnic(7)
	d.vnic(7)
	a, none, b := d.rule(1<<30), d.rule(verdict.RuleNone), d.rule(17)
	if none != 0 || a == 0 || b == 0 || a == b || a > lastRule {
		t.Errorf("rules are numbered %d, %d, %d", a, none, b)
	}
	news := d.news()
	if len(news) != 2 || len(news[0].Items) != 1 || news[0].Items[0].ID != "eni-7" || len(news[1].Items) != 2 {
		t.Errorf("news: %+v", news)
	}
	d.vnic(7)
	if d.rule(17) != b || d.news() != nil {
		t.Error("what is known is told again")
	}
	// A way is the same whether an address was changed on it or not.
	d.way(0)
	d.way(1 << 31)
	d.way(5)
	d.way(1<<31 | 5)
	news = d.news()
	if len(news) != 1 || news[0].Kind != "way" || len(news[0].Items) != 1 {
		t.Fatalf("news: %+v", news)
	}
	text, err := json.Marshal(news[0].Items)
	if want := `[{"i":5,"route":"sgr-1005","aclIn":"sgr-17"}]`; err != nil || string(text) != want {
		t.Errorf("told %s (%v), want %s", text, err, want)
	}
}

func TestDictionaryIsBounded(t *testing.T) {
	d := newDictionary(names{}, &roster{})
	for i := range uint32(maxKnown + 10) {
		d.vnic(i + 1)
		d.rule(verdict.RuleID(i + 1))
		d.way(dataplane.WayID(i + 1))
	}
	d.news()
	if len(d.vnics) != maxKnown || len(d.rules) != maxKnown || len(d.ways) != maxKnown || len(d.vnicOrder.ring) != maxKnown {
		t.Fatalf("%d VNICs and %d rules are remembered", len(d.vnics), len(d.rules))
	}
	d.vnic(maxKnown + 10) // the newest
	if len(d.news()) != 0 {
		t.Error("the newest was forgotten")
	}
	d.vnic(1) // the oldest
	if len(d.news()) != 1 {
		t.Error("the oldest was not told again")
	}
}

func TestDictionaryNumbersStayInRange(t *testing.T) {
	d := newDictionary(names{}, &roster{})
	d.nextRule = lastRule
	if n := d.rule(1); n != lastRule {
		t.Errorf("number %d", n)
	}
	if n := d.rule(2); n != firstRule {
		t.Errorf("number %d after the last", n)
	}
}
