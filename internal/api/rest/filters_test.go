package rest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// The API, its list of frames and its completions speak the language of the stream.
func TestFilters(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	page, _, err := s.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	page.until(typed("hello"))
	for _, port := range []int{7, 7, 23} {
		call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "fields": map[string]any{"dst": "192.168.0.42", "protocol": "udp", "dstPort": port}})
	}
	check := func(filter string) FilterCheck {
		return call[FilterCheck](s.lab, "POST", "/filters/check", map[string]any{"filter": filter})
	}
	page.until(func(map[string]any, []byte) bool { return check("dport:(7,23)").Matched == 3 })

	c := check("dport:7 src:" + from + " verdict:lost")
	if !c.Valid || c.Records < 3 || c.Matched != 0 || len(c.Terms) != 3 || c.Terms[0].Matched != 2 || c.Terms[1].Matched < 3 || c.Terms[2].At != len("dport:7 src:"+from+" ") {
		t.Errorf("%+v", c)
	}
	if c := check("verdict:acept"); c.Valid || c.Error == nil || c.Error.At != 8 || c.Error.Length != 5 || c.Error.Code != "bad_verdict" || c.Error.Hint == "" {
		t.Errorf("%+v", c.Error)
	}
	if got := call[RecordedFrames](s.lab, "GET", "/frames?filter="+url.QueryEscape("dport:23"), nil).Items; len(got) != 1 || *got[0].Port != 23 {
		t.Errorf("%+v", got)
	}
	p := s.refused(http.StatusBadRequest, "", "GET", "/frames?filter=ttl:64", nil)
	if !strings.Contains(p.Detail, "records hold no TTL") || len(p.Errors) != 1 || p.Errors[0].Location != "query.filter" {
		t.Errorf("%+v", p)
	}
	done := call[FilterCompletions](s.lab, "GET", "/filters/complete?at=8&filter="+url.QueryEscape("-dport:2"), nil)
	if done.From != 7 || done.To != 8 || done.Field != "dport" || len(done.Items) != 1 || done.Items[0].Text != "23" || done.Items[0].Count != 1 {
		t.Errorf("%+v", done)
	}
	if got := call[FilterFields](s.lab, "GET", "/filters/fields", nil).Items; len(got) < 20 || got[0].Name != "ip" || got[0].Example == "" {
		t.Errorf("%+v", got)
	}
}
