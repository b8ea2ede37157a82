package rest

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// newestTo waits until the newest frame on record has gone to a port, and returns it.
func (s *site) newestTo(page *socket, port int) RecordedFrame {
	s.t.Helper()
	var f RecordedFrame
	page.until(func(map[string]any, []byte) bool {
		items := call[RecordedFrames](s.lab, "GET", "/frames?limit=1", nil).Items
		if len(items) == 0 || items[0].Port == nil || int(*items[0].Port) != port {
			return false
		}
		f = items[0]
		return true
	})
	return f
}

func cursorPath(c uint64) string { return "/frames/" + strconv.FormatUint(c, 10) }

// TestFrameDetail: the recording has the very bytes that were sent and delivered, frames of
// one flow name each other, and a segment that comes again is told of.
func TestFrameDetail(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	from := s.primary(s.two)
	page, _, err := s.stream("", nil)
	if err != nil {
		t.Fatal(err)
	}
	page.until(typed("hello"))
	capture := call[Capture](s.lab, "POST", "/captures", map[string]any{})
	var cursors []uint64
	for i, port := range []int{7, 9, 7, 7} {
		sent := call[Injection](s.lab, "POST", "/packets", map[string]any{"networkInterfaceId": from,
			"fields": map[string]any{"dst": "192.168.0.42", "protocol": "tcp", "dstPort": port, "payloadHex": "3c736372697074" + strings.Repeat("00", i/2)}})
		f := s.newestTo(page, port)
		for len(cursors) > 0 && f.Cursor == cursors[len(cursors)-1] {
			f = s.newestTo(page, port)
		}
		cursors = append(cursors, f.Cursor)
		d := call[FrameDetail](s.lab, "GET", cursorPath(f.Cursor), nil)
		if d.Ended == nil || d.Ended.Hex != sent.Frame.Hex || d.Sent != nil || len(d.Ended.Tree.Layers) < 4 || d.Summary() == "" {
			t.Fatalf("the recording has %+v of %s", d.Ended, sent.Frame.Hex)
		}
		if d.SourceInterfaceID != from || d.TCPFlags != "SYN" || len(d.Hops) != len(sent.Hops) || !slices.Equal(d.Captures, []string{capture.ID}) {
			t.Errorf("%+v", d)
		}
	}
	d := call[FrameDetail](s.lab, "GET", cursorPath(cursors[3]), nil)
	if d.Earlier == nil || *d.Earlier != cursors[2] || d.Later != nil {
		t.Errorf("frame %d has %v in front and %v behind, want %d and none", cursors[3], d.Earlier, d.Later, cursors[2])
	}
	if len(d.Notes) != 1 || d.Notes[0].Kind != "retransmission" || d.Notes[0].Cursor == nil || *d.Notes[0].Cursor != cursors[2] {
		t.Errorf("notes %+v, want that %d came before", d.Notes, cursors[2])
	}
	flow := call[RecordedFrames](s.lab, "GET", "/frames?flow="+strconv.FormatUint(cursors[0], 10)+"&at=0", nil)
	var got []uint64
	for _, f := range flow.Items {
		got = append(got, f.Cursor)
	}
	if !slices.Equal(got, []uint64{cursors[0], cursors[2], cursors[3]}) || flow.From == nil || flow.To == nil {
		t.Errorf("the flow has %d, want all of %d but the second", got, cursors)
	}
	at := call[RecordedFrames](s.lab, "GET", "/frames?at="+strconv.FormatInt(d.At.UnixNano(), 10), nil)
	if len(at.Items) == 0 || at.Items[0].Cursor != cursors[3] {
		t.Errorf("at its instant there is %+v", at.Items)
	}
	ff := call[FrameFlow](s.lab, "GET", cursorPath(cursors[3])+"/flow", nil)
	if len(ff.Sides) != 2 || ff.Sides[0].NetworkInterfaceID != from || ff.Sides[0].Flow == nil || ff.Frames != 3 {
		t.Errorf("its flow is %+v", ff)
	}

	// Captured frames are those of the file, in its order.
	call[Capture](s.lab, "POST", "/captures/"+capture.ID+"/stop", nil)
	list := call[CapturedFrames](s.lab, "GET", "/captures/"+capture.ID+"/frames?limit=2", nil)
	if len(list.Items) != 2 || list.Total < 8 || list.Items[0].Number != 1 || list.Items[0].Verdict == "" || list.Items[0].Point == "" {
		t.Fatalf("%+v", list)
	}
	one := call[CapturedDetail](s.lab, "GET", "/captures/"+capture.ID+"/frames/1", nil)
	if raw, err := hex.DecodeString(one.Frame.Hex); err != nil || len(raw) != one.Length || one.Summary != list.Items[0].Summary {
		t.Errorf("%+v", one)
	}
	for path, want := range map[string]int{
		"/captures/" + capture.ID + "/frames/99999":            http.StatusNotFound,
		"/captures/cap-none/frames":                            http.StatusNotFound,
		"/captures/" + capture.ID + "/pcapng?from=yesterday":   http.StatusBadRequest,
		"/captures/" + capture.ID + "/pcapng?from=2&to=1":      http.StatusBadRequest,
		"/captures/" + capture.ID + "/pcap?from=1":             http.StatusBadRequest,
		"/frames?at=soon":                                      http.StatusUnprocessableEntity,
		"/frames?flow=999999999":                               http.StatusNotFound,
		"/frames/0":                                            http.StatusGone,
		"/captures/" + capture.ID + "/pcapng?from=1&to=2":      http.StatusOK,
		"/captures/" + capture.ID + "/pcapng?to=9000000000000": http.StatusOK,
	} {
		if r := s.send("GET", base+path, nil); r.status != want {
			t.Errorf("%s: %d %s, want %d", path, r.status, r.body, want)
		}
	}
	if r := s.send("GET", base+"/frames/0", nil); !strings.Contains(string(r.body), capture.ID) {
		t.Errorf("what is gone is said to be in %s, not in %s", r.body, capture.ID)
	}
}

// Summary is what the tree says in a line.
func (d *FrameDetail) Summary() string { return d.Ended.Tree.Summary }
