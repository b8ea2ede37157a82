package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

var update = flag.Bool("update", false, "write docs/failover-transcript.md from this run")

// What the test reads of the API.
type (
	view struct {
		Instances []struct{ ID, Name string }
		Nics      []struct {
			ID, MacAddress string
			PrivateIps     []struct{ Address string }
			Attachment     *struct{ InstanceID string }
		} `json:"networkInterfaces"`
	}
	record struct {
		ID, State, Kind, FromInstanceID, ToInstanceID string
		Phases                                        []struct {
			Name string
			Ms   float64
		}
		OutageMs *float64
		Control  struct{ FaultAt, DetectedAt, AttachedAt string }
		Traffic  []traffic
		TCP      struct{ Open, Reset, Closed, Survived, Reconnected int }
		Checks   []struct{ Name, Before, After, Result string }
	}
	traffic struct {
		Kind, LastReplyAt, LastReplyFrom, FirstReplyAt, FirstReplyFrom string
		LastReplySeq, FirstReplySeq, Sent, Lost, LostFirst, LostLast   uint64
		OutageMs                                                       float64
		Incomplete                                                     string
	}
)

// echoFrame is an echo request or reply as tshark shows it.
type echoFrame struct {
	at        int64
	reply     bool
	seq       uint64
	responder string
}

// TestTheCaptureProvesTheRecord runs the demo from the built binary, fails
// EC2-1 under traffic, and holds the record's numbers against the frames that
// tshark finds in the exported capture.
func TestTheCaptureProvesTheRecord(t *testing.T) {
	p := start(t, nil, serveArgs(t.TempDir(), "--scenario", "demo")...)
	var log transcript
	var v view
	decode(t, get(t, p.url+"/api/v1/topology"), &v)
	ec2 := map[string]string{}
	for _, i := range v.Instances {
		ec2[i.Name] = i.ID
	}
	client, eth1 := "", ""
	for _, n := range v.Nics {
		switch {
		case n.PrivateIps[0].Address == "192.168.0.42":
			eth1 = n.ID
		case n.Attachment != nil && n.Attachment.InstanceID == ec2["client"]:
			client = n.ID
		}
	}
	if client == "" || eth1 == "" || ec2["EC2-1"] == "" || ec2["EC2-2"] == "" {
		t.Fatalf("the demo lacks a part: %+v", v)
	}
	stream := watch(t, p.url)
	log.add("The client's vNIC is captured, and traffic flows",
		`curl -s -X POST $URL/api/v1/captures -H 'content-type: application/json' -d '{"networkInterfaceId":"`+client+`"}'`, "")
	var c struct{ ID string }
	decode(t, post(t, p.url+"/api/v1/captures", `{"networkInterfaceId":"`+client+`","ringBytes":67108864}`), &c)
	stream.until(t, "a second of traffic", func(m map[string]any) bool {
		flows, _ := m["flows"].([]any)
		for _, f := range flows {
			if f := f.(map[string]any); f["kind"] == "udp-echo" {
				return f["received"].(float64) >= 500
			}
		}
		return false
	})
	log.add("EC2-1 freezes", "curl -s -X POST $URL/api/v1/instances/"+ec2["EC2-1"]+`/fail -H 'content-type: application/json' -d '{"mode":"freeze"}'`, "")
	post(t, p.url+"/api/v1/instances/"+ec2["EC2-1"]+"/fail", `{"mode":"freeze"}`)
	stream.until(t, "the failover is complete", func(m map[string]any) bool {
		f, _ := m["failover"].(map[string]any)
		return m["type"] == "failover" && f["state"] == "completed"
	})
	var all struct{ Items []record }
	decode(t, get(t, p.url+"/api/v1/failovers"), &all)
	f := all.Items[0]
	log.add("The record", "curl -s $URL/api/v1/failovers", f.String())
	if f.Kind != "failover" || f.FromInstanceID != ec2["EC2-1"] || f.ToInstanceID != ec2["EC2-2"] {
		t.Errorf("record of another move: %+v", f)
	}
	for _, check := range f.Checks {
		if check.Before != check.After || check.Result == "changed" {
			t.Errorf("%s changed: %q to %q", check.Name, check.Before, check.After)
		}
	}
	if f.TCP.Open != 8 || f.TCP.Reset+f.TCP.Closed+f.TCP.Survived != 8 || f.TCP.Reconnected < 8-f.TCP.Survived {
		t.Errorf("TCP %+v, want the fate of all 8 connections, and 8 again", f.TCP)
	}
	post(t, p.url+"/api/v1/captures/"+c.ID+"/stop", "")
	file := filepath.Join(t.TempDir(), "failover.pcapng")
	if err := os.WriteFile(file, []byte(get(t, p.url+"/api/v1/captures/"+c.ID+"/pcapng")), 0o600); err != nil {
		t.Fatal(err)
	}
	tshark, ok := tool(t, "tshark")
	if !ok {
		return
	}
	log.add("The capture", "curl -s -o failover.pcapng $URL/api/v1/captures/"+c.ID+"/pcapng", "")
	if bad := read(t, tshark, file, "_ws.malformed", "-e", "frame.number"); bad != "" {
		t.Errorf("malformed frames: %s", bad)
	}
	names := read(t, tshark, file, "frame.number<=1", "-e", "frame.interface_name")
	if strings.TrimSpace(names) != client {
		t.Errorf("interface %q, want %s", names, client)
	}
	for _, tr := range f.Traffic {
		if tr.Kind == "udp-echo" {
			prove(t, &log, tr, frames(t, tshark, file), ec2)
			writeTranscript(t, &log)
			return
		}
	}
	t.Errorf("no udp-echo client in the record: %+v", f.Traffic)
}

// prove finds the record's numbers in the frames at the client's vNIC.
func prove(t *testing.T, log *transcript, r traffic, frames []echoFrame, ec2 map[string]string) {
	t.Helper()
	var last, first echoFrame
	sent, answered := map[uint64]int64{}, map[uint64]int64{}
	for _, f := range frames {
		if !f.reply {
			sent[f.seq] = f.at
			continue
		}
		answered[f.seq] = f.at
		switch f.responder {
		case ec2["EC2-1"]:
			last = f
		case ec2["EC2-2"]:
			if first.at == 0 {
				first = f
			}
		}
	}
	if got := strconv.FormatInt(last.at, 10); got != r.LastReplyAt || last.seq != r.LastReplySeq || r.LastReplyFrom != ec2["EC2-1"] {
		t.Errorf("last reply from EC2-1: frame %d at %s, record %d at %s", last.seq, got, r.LastReplySeq, r.LastReplyAt)
	}
	if got := strconv.FormatInt(first.at, 10); got != r.FirstReplyAt || first.seq != r.FirstReplySeq || r.FirstReplyFrom != ec2["EC2-2"] {
		t.Errorf("first reply from EC2-2: frame %d at %s, record %d at %s", first.seq, got, r.FirstReplySeq, r.FirstReplyAt)
	}
	outage := float64(first.at-last.at) / 1e6
	if diff := outage - r.OutageMs; diff > 0.001 || diff < -0.001 {
		t.Errorf("outage by the frames %.6f ms, by the record %.6f", outage, r.OutageMs)
	}
	lost := uint64(0)
	for seq := last.seq + 1; seq < first.seq; seq++ {
		at, asked := sent[seq]
		reply, got := answered[seq]
		if !asked {
			t.Errorf("request %d is not in the capture", seq)
		}
		if !got || reply-at > int64(time.Second) {
			lost++
		}
	}
	if lost != r.Lost || lost == 0 {
		t.Errorf("%d requests unanswered in the capture, %d lost in the record", lost, r.Lost)
	}
	if r.Incomplete != "" {
		t.Errorf("the measurement is incomplete: %s", r.Incomplete)
	}
	log.add("What tshark finds in it",
		`tshark -r failover.pcapng -Y "udp.port == 7" -T fields -e frame.time_epoch -e udp.payload`, fmt.Sprintf(
			"last reply from EC2-1:   sequence %d at %s\nfirst reply from EC2-2:  sequence %d at %s\noutage:                  %.3f ms (record: %.3f ms)\nrequests without reply:  %d, sequence %d to %d (record: %d, %d to %d)",
			last.seq, seconds(last.at), first.seq, seconds(first.at), outage, r.OutageMs, lost, last.seq+1, first.seq-1, r.Lost, r.LostFirst, r.LostLast))
}

func seconds(ns int64) string { return fmt.Sprintf("%d.%09d", ns/1e9, ns%1e9) }

// frames reads the echo requests and replies of a capture with tshark.
func frames(t *testing.T, tshark, file string) (out []echoFrame) {
	t.Helper()
	text := read(t, tshark, file, "udp.port == 7", "-e", "frame.time_epoch", "-e", "udp.srcport", "-e", "udp.payload", "-e", "frame.comment")
	for line := range strings.Lines(text) {
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cols) < 4 {
			t.Fatalf("tshark printed %q", line)
		}
		f := echoFrame{at: nanos(t, cols[0]), reply: cols[1] == "7"}
		// Each frame is seen at two points; where the guest meets the network counts.
		if f.reply && !strings.Contains(cols[3], "point=guest_rx") || !f.reply && !strings.Contains(cols[3], "point=guest_tx") {
			continue
		}
		b, err := hex.DecodeString(strings.ReplaceAll(cols[2], ":", ""))
		if err != nil || len(b) < 47 || string(b[:4]) != "ENL1" {
			t.Fatalf("no echo payload: %q", cols[2])
		}
		f.seq, f.responder = binary.BigEndian.Uint64(b[12:]), string(bytes.TrimRight(b[28:47], "\x00"))
		out = append(out, f)
	}
	return out
}

func nanos(t *testing.T, s string) int64 {
	t.Helper()
	whole, frac, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole+(frac + "000000000")[:9], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func read(t *testing.T, tshark, file, filter string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(tshark, append([]string{"-r", file, "-Y", filter, "-T", "fields"}, args...)...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("tshark: %v\n%s", err, errs.String())
	}
	return out.String()
}

func post(t *testing.T, url, body string) string {
	t.Helper()
	r, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode/100 != 2 {
		t.Fatalf("POST %s: %s, %v\n%s", url, r.Status, err, text)
	}
	return string(text)
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
}

// events is the stream's text messages.
type events struct{ conn *websocket.Conn }

func watch(t *testing.T, url string) events {
	t.Helper()
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/api/v1/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return events{c}
}

// until reads messages until one is what the test waits for.
func (e events) until(t *testing.T, what string, ok func(map[string]any) bool) {
	t.Helper()
	if err := e.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for {
		kind, data, err := e.conn.ReadMessage()
		if err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
		if kind != websocket.TextMessage {
			continue
		}
		var m map[string]any
		decode(t, string(data), &m)
		if ok(m) {
			return
		}
	}
}
