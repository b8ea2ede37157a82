package rest

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"enilab/internal/dataplane/tap"
)

// ping sends n echo requests to the site's interface.
func (s *site) ping(n int) {
	s.t.Helper()
	for range n {
		call[Injection](s.lab, "POST", "/packets", map[string]any{
			"networkInterfaceId": s.primary(s.two), "fields": map[string]any{"dst": "192.168.0.42", "protocol": "icmp"}})
	}
}

// recorded waits until a capture has n frames.
func (s *site) recorded(id string, n uint64) Capture {
	s.t.Helper()
	for range 10_000 {
		if c := call[Capture](s.lab, "GET", "/captures/"+id, nil); c.Frames >= n {
			return c
		}
	}
	s.t.Fatalf("capture %s never had %d frames", id, n)
	panic("unreachable")
}

func frames(t *testing.T, file []byte) (n int) {
	t.Helper()
	if err := tap.ReadFile(bytes.NewReader(file), func(int64, int, []byte) error { n++; return nil }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestCapture(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	c := call[Capture](s.lab, "POST", "/captures", map[string]any{
		"networkInterfaceId": s.eni.ID, "filter": "icmp", "points": []string{"ingress_pre", "guest_rx"}, "comment": "pings"})
	if c.State != "recording" || len(c.Points) != 2 || c.NetworkInterfaceIDs[0] != s.eni.ID || c.RingBytes != tap.DefaultRingBytes {
		t.Errorf("capture: %+v", c)
	}
	s.ping(10)
	s.recorded(c.ID, 20)

	// While it records.
	r := s.send("GET", base+"/captures/"+c.ID+"/pcapng", nil)
	if r.status != http.StatusOK || r.header.Get("Content-Type") != "application/x-pcapng" ||
		!strings.Contains(r.header.Get("Content-Disposition"), "enilab-"+c.ID+".pcapng") {
		t.Errorf("download: %d %v", r.status, r.header)
	}
	if n := frames(t, r.body); n != 20 || !bytes.Contains(r.body, []byte(s.eni.ID)) || !bytes.Contains(r.body, []byte("verdict=accept")) {
		t.Errorf("%d frames in %d bytes", n, len(r.body))
	}
	s.ping(1)
	s.recorded(c.ID, 22)
	if n := frames(t, s.send("GET", base+"/captures/"+c.ID+"/pcap", nil).body); n != 22 {
		t.Errorf("%d frames as pcap", n)
	}

	c = call[Capture](s.lab, "POST", "/captures/"+c.ID+"/stop", nil)
	if c.State != "stopped" || c.StopReason != "requested" || c.StoppedAt == nil {
		t.Errorf("stopped capture: %+v", c)
	}
	s.ping(1)
	if got := call[Capture](s.lab, "GET", "/captures/"+c.ID, nil); got.Frames != c.Frames {
		t.Errorf("a stopped capture grew to %d frames", got.Frames)
	}
	if n := frames(t, s.send("GET", base+"/captures/"+c.ID+"/pcapng", nil).body); n != 22 {
		t.Errorf("%d frames after the stop", n)
	}
	if all := call[list[Capture]](s.lab, "GET", "/captures", nil).Items; len(all) != 1 || all[0].ID != c.ID {
		t.Errorf("captures: %+v", all)
	}
	call[struct{}](s.lab, "DELETE", "/captures/"+c.ID, nil)
	s.refused(http.StatusNotFound, "", "GET", "/captures/"+c.ID, nil)
}

func TestCapturesAreBounded(t *testing.T) {
	s := newSite(t)
	var first Capture
	for i := range maxCaptures {
		c := call[Capture](s.lab, "POST", "/captures", map[string]any{"instanceId": s.one.ID, "ringBytes": 1 << 20})
		if i == 0 {
			first = c
		}
	}
	p := s.refused(http.StatusConflict, "CaptureLimitExceeded", "POST", "/captures", nil)
	if !strings.Contains(p.Detail, "stop one") {
		t.Errorf("the refusal does not help: %s", p.Detail)
	}
	call[Capture](s.lab, "POST", "/captures/"+first.ID+"/stop", nil)
	call[Capture](s.lab, "POST", "/captures", nil) // takes the place of the stopped one
	s.refused(http.StatusNotFound, "", "GET", "/captures/"+first.ID, nil)

	for _, c := range call[list[Capture]](s.lab, "GET", "/captures", nil).Items {
		call[struct{}](s.lab, "DELETE", "/captures/"+c.ID, nil)
	}
	for range 2 {
		call[Capture](s.lab, "POST", "/captures", map[string]any{"ringBytes": tap.MaxRingBytes})
	}
	s.refused(http.StatusConflict, "CaptureLimitExceeded", "POST", "/captures", map[string]any{"ringBytes": 1 << 20})
}

// What was recorded is there after a restart.
func TestCapturesAreKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "captures")
	s := newSite(t, func(o *Options) { o.CaptureDir = dir })
	s.attach(s.one.ID)
	c := call[Capture](s.lab, "POST", "/captures", map[string]any{"networkInterfaceId": s.eni.ID, "comment": "kept", "points": []string{"guest_rx"}})
	s.ping(5)
	s.recorded(c.ID, 5)
	s.end()
	for name, text := range map[string]string{
		"cap-cut.json": `{"id":"cap-cut`, "cap-cut.pcapng": "",
		"cap-alone.json":   `{"id":"cap-alone"}`,
		"cap-other.json":   `{"id":"../../etc/passwd"}`,
		"cap-other.pcapng": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	l := newLab(t, func(o *Options) { o.CaptureDir = dir })
	all := call[list[Capture]](l, "GET", "/captures", nil).Items
	if len(all) != 1 || all[0].ID != c.ID || all[0].State != "stopped" || all[0].Comment != "kept" || all[0].Frames != 5 {
		t.Fatalf("captures after a restart: %+v", all)
	}
	for _, format := range []string{"pcapng", "pcap"} {
		if n := frames(t, l.send("GET", base+"/captures/"+c.ID+"/"+format, nil).body); n != 5 {
			t.Errorf("%d frames as %s", n, format)
		}
	}
	call[struct{}](l, "DELETE", "/captures/"+c.ID, nil)
	if _, err := os.Stat(filepath.Join(dir, c.ID+".pcapng")); !os.IsNotExist(err) {
		t.Errorf("the file of a deleted capture: %v", err)
	}
}

// liveStream opens live.pcapng; a read from body is a read from the network.
// liveStream follows what passes. While as many follow as may, it sends frames
// until the server has noticed that one has left.
func (s *site) liveStream(query string) (body io.ReadCloser, cancel func()) {
	s.t.Helper()
	for {
		res, cancel := s.tryLiveStream(query)
		switch res.StatusCode {
		case http.StatusOK:
			return res.Body, cancel
		case http.StatusConflict:
			_ = res.Body.Close()
			cancel()
			s.ping(1)
		default:
			s.t.Fatalf("live stream: %d", res.StatusCode)
		}
	}
}

func (s *site) tryLiveStream(query string) (*http.Response, func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+base+"/live.pcapng?"+query, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	res, err := s.client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, cancel
}

func TestLiveStream(t *testing.T) {
	s := newSite(t)
	s.attach(s.one.ID)
	body, cancel := s.liveStream("networkInterfaceId=" + s.eni.ID + "&points=guest_rx&filter=icmp")
	var file bytes.Buffer
	chunk := make([]byte, 4096)
	for sent := false; !bytes.Contains(file.Bytes(), []byte("verdict=accept")); {
		n, err := body.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		file.Write(chunk[:n])
		if !sent { // the section header has come: the tap is in place
			s.ping(1)
			sent = true
		}
	}
	cancel()
	_ = body.Close()
	if n := frames(t, file.Bytes()); n != 1 {
		t.Errorf("%d frames", n)
	}
	// The client has left; the server notices at the next frames or heartbeat, and
	// as many as may follow do.
	for range maxLive {
		body, cancel := s.liveStream("")
		defer cancel()
		defer func() { _ = body.Close() }()
		_, _ = body.Read(chunk)
	}
	res, cancel := s.tryLiveStream("")
	defer cancel()
	if _ = res.Body.Close(); res.StatusCode != http.StatusConflict {
		t.Errorf("one more than may follow: %d", res.StatusCode)
	}
}

// A server that stops ends live streams as whole files.
func TestLiveStreamEndsWithTheServer(t *testing.T) {
	s := newSite(t)
	body, cancel := s.liveStream("")
	defer cancel()
	head := make([]byte, 1)
	if _, err := io.ReadFull(body, head); err != nil {
		t.Fatal(err)
	}
	rest := make(chan []byte, 1)
	go func() {
		b, _ := io.ReadAll(body)
		rest <- b
	}()
	s.end()
	frames(t, append(head, within(t, rest)...))
}

func TestTsharkReadsDownloads(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("tshark is not installed")
		}
		t.Skip("tshark is not installed: nobody judged the downloads")
	}
	s := newSite(t)
	s.attach(s.one.ID)
	c := call[Capture](s.lab, "POST", "/captures", nil)
	s.ping(3)
	s.recorded(c.ID, 12)
	file := filepath.Join(t.TempDir(), "capture")
	for _, format := range []string{"pcapng", "pcap"} {
		if err := os.WriteFile(file, s.send("GET", base+"/captures/"+c.ID+"/"+format, nil).body, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tshark, "-r", file, "-Y", "icmp && !_ws.malformed", "-T", "fields", "-e", "frame.number").Output()
		if err != nil || strings.Count(string(out), "\n") != 12 {
			t.Errorf("tshark reads %s as %q, %v", format, out, err)
		}
	}
}
