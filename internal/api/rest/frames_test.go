package rest

import (
	"net/http"
	"strconv"
	"testing"
)

// TestFrameWhy: the recording tells of a frame what a trace of it has told.
func TestFrameWhy(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	if got := call[RecordedFrames](s.lab, "GET", "/frames", nil); len(got.Items) != 0 {
		t.Errorf("nobody watches: %+v", got.Items)
	}
	page, _, err := s.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	page.until(typed("hello"))
	for _, port := range []int{7, 23} {
		proto := map[int]string{7: "udp", 23: "tcp"}[port]
		sent := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from, "fields": map[string]any{"dst": "192.168.0.42", "protocol": proto, "dstPort": port}})
		var items []RecordedFrame
		page.until(func(_ map[string]any, binary []byte) bool {
			items = call[RecordedFrames](s.lab, "GET", "/frames?limit=10", nil).Items
			return len(items) > 0 && items[0].Port != nil && int(*items[0].Port) == port
		})
		why := call[FrameWhy](s.lab, "GET", "/frames/"+strconv.FormatUint(items[0].Cursor, 10)+"/why", nil)
		if why.Verdict != sent.Verdict || why.Reason != sent.Reason || why.Code != sent.Code || len(why.Hops) != len(sent.Hops) {
			t.Errorf("%s: %+v, want as sent: %+v", proto, why, sent)
			continue
		}
		for i, h := range sent.Hops {
			g := why.Hops[i]
			if g.Station != h.Station || g.NetworkInterfaceID != h.NetworkInterfaceID || g.Verdict != h.Verdict || g.Route != h.Route || g.NetworkACLEntry != h.NetworkACLEntry ||
				h.Station == "ingress" && g.Rule != h.Rule {
				t.Errorf("%s: station %d: %+v, want %+v", proto, i, g, h)
			}
		}
	}
	if r := s.send("GET", base+"/frames/999999999/why", nil); r.status != http.StatusNotFound {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := s.send("GET", base+"/frames/0/why", nil); r.status != http.StatusGone {
		t.Errorf("%d %s", r.status, r.body)
	}
}
