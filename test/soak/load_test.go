//go:build soak

package soak

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// ledger is what the servers of a run have acknowledged, and asked for without
// an answer.
type ledger struct {
	subnet, eth1 string
	hosts        [2]string

	mu      sync.Mutex
	serial  int
	made    map[string]string // by client token: the id that was answered
	pending []string          // client tokens without an answer
}

// kept is how many interfaces stay in the laboratory from round to round.
const kept = 100

var madeHere = regexp.MustCompile(`(?s)<description>(soak-\d+)</description>.*?<networkInterfaceId>(eni-[0-9a-f]{17})<`)

var eniID = regexp.MustCompile(`<networkInterfaceId>(eni-[0-9a-f]{17})<`)

// prepare finds the demo's parts.
func (l *ledger) prepare(t *testing.T, p *process) {
	t.Helper()
	text := p.must(t, "DescribeNetworkInterfaces", "Filter.1.Name=addresses.private-ip-address", "Filter.1.Value.1=192.168.0.42")
	if m := eniID.FindStringSubmatch(text); m != nil {
		l.eth1 = m[1]
	}
	if m := regexp.MustCompile(`<subnetId>(subnet-[0-9a-f]+)<`).FindStringSubmatch(text); m != nil {
		l.subnet = m[1]
	}
	for i, name := range []string{"EC2-1", "EC2-2"} {
		text := p.must(t, "DescribeInstances", "Filter.1.Name=tag:Name", "Filter.1.Value.1="+name)
		if m := regexp.MustCompile(`<instanceId>(i-[0-9a-f]+)<`).FindStringSubmatch(text); m != nil {
			l.hosts[i] = m[1]
		}
	}
	if l.eth1 == "" || l.subnet == "" || l.hosts[0] == "" || l.hosts[1] == "" {
		t.Fatalf("the demo is not there: %+v", l)
	}
}

func (p *process) ec2(action string, params ...string) (int, string, error) {
	v := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for _, param := range params {
		name, value, _ := strings.Cut(param, "=")
		v.Set(name, value)
	}
	status, text, err := p.send("POST", "/", "application/x-www-form-urlencoded", strings.NewReader(v.Encode()))
	return status, string(text), err
}

// must performs an action that has to succeed.
func (p *process) must(t *testing.T, action string, params ...string) string {
	t.Helper()
	status, text, err := p.ec2(action, params...)
	if err != nil || status != http.StatusOK {
		t.Fatalf("%s: %d %s, %v", action, status, text, err)
	}
	return text
}

// write makes interfaces until it is told to stop or the server is gone.
func (l *ledger) write(p *process, f *figures, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-p.exited:
			return
		default:
		}
		l.mu.Lock()
		l.serial++
		token := fmt.Sprint("soak-", l.serial)
		l.mu.Unlock()
		id, err := l.create(p, token)
		l.mu.Lock()
		if err != nil {
			l.pending = append(l.pending, token)
			l.mu.Unlock()
			select { // it is being killed, or told to stop
			case <-stop:
				return
			case <-p.exited:
				return
			case <-time.After(100 * time.Millisecond):
				continue
			}
		}
		l.made[token] = id
		l.mu.Unlock()
		f.add(func() { f.writes++ })
		l.mu.Lock()
		keep := len(l.made) <= kept && rand.IntN(20) == 0
		l.mu.Unlock()
		if keep {
			continue
		}
		// Most are deleted again, so that the laboratory stays small. Without an
		// answer nothing was promised, neither that it is there nor that it is not.
		l.mu.Lock()
		delete(l.made, token)
		l.mu.Unlock()
		if status, _, err := p.ec2("DeleteNetworkInterface", "NetworkInterfaceId="+id); err == nil && status == http.StatusOK {
			f.add(func() { f.writes++ })
		}
	}
}

func (l *ledger) create(p *process, token string) (string, error) {
	status, text, err := p.ec2("CreateNetworkInterface", "SubnetId="+l.subnet, "ClientToken="+token, "Description="+token)
	if err != nil {
		return "", err
	}
	m := eniID.FindStringSubmatch(text)
	if status != http.StatusOK || m == nil {
		return "", fmt.Errorf("%d %s", status, text)
	}
	return m[1], nil
}

// verify looks for everything that was acknowledged, and asks again for what was
// not: with its token nothing is made twice.
func (l *ledger) verify(t *testing.T, p *process, f *figures) {
	t.Helper()
	if l.subnet == "" {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	there := func() map[string][]string {
		byToken := map[string][]string{}
		text := p.must(t, "DescribeNetworkInterfaces", "Filter.1.Name=description", "Filter.1.Value.1=soak-*")
		for _, m := range madeHere.FindAllStringSubmatch(text, -1) {
			byToken[m[1]] = append(byToken[m[1]], m[2])
		}
		for token, id := range l.made {
			if !strings.Contains(text, id) {
				t.Errorf("%s, which was acknowledged for %s, is lost", id, token)
			}
		}
		return byToken
	}
	there()
	for _, token := range l.pending {
		id, err := l.create(p, token)
		if err != nil {
			p.explain(t)
			t.Errorf("asking for %s again: %v", token, err)
			return
		}
		l.made[token] = id
		f.repeated++
	}
	l.pending = nil
	for token, ids := range there() {
		if len(ids) != 1 {
			t.Errorf("%s was made %d times", token, len(ids))
		}
		if l.made[token] == "" { // its deletion was cut off
			p.must(t, "DeleteNetworkInterface", "NetworkInterfaceId="+ids[0])
		}
	}
	for token, id := range l.made {
		if len(l.made) <= kept {
			break
		}
		p.must(t, "DeleteNetworkInterface", "NetworkInterfaceId="+id)
		delete(l.made, token)
	}
	text := p.must(t, "DescribeNetworkInterfaces", "NetworkInterfaceId.1="+l.eth1)
	if n := strings.Count(text, "<attachmentId>"); n > 1 {
		t.Errorf("eth1 is attached %d times: %s", n, text)
	}
}

// move moves eth1 to and fro under the demo's traffic.
func (l *ledger) move(t *testing.T, p *process, f *figures, stop <-chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-p.exited:
			return
		default:
		}
		body, _ := json.Marshal(map[string]any{"instanceId": l.hosts[n%2], "force": true})
		status, text, err := p.send("POST", "/api/v1/network-interfaces/"+l.eth1+"/move", "application/json", strings.NewReader(string(body)))
		switch {
		case err != nil: // killed
		case status == http.StatusOK:
			f.add(func() { f.moves++ })
		case status == http.StatusBadRequest || status == http.StatusConflict:
			f.add(func() { f.refusedMoves++ })
		case status == http.StatusServiceUnavailable: // stopping
		default:
			t.Errorf("a move: %d %s", status, text)
		}
	}
}

// stream reads the page's websocket.
func stream(p *process, f *figures, stop <-chan struct{}) {
	c, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(p.url, "http")+"/api/v1/stream", nil)
	if err != nil {
		return
	}
	go func() {
		select {
		case <-stop:
		case <-p.exited:
		}
		_ = c.Close()
	}()
	for {
		_, b, err := c.ReadMessage()
		if err != nil {
			return
		}
		f.add(func() { f.streamed += int64(len(b)) })
	}
}

// capture records, downloads and deletes captures, and reads a live one.
func capture(p *process, f *figures, stop <-chan struct{}) {
	var live sync.WaitGroup
	defer live.Wait()
	if r, err := http.Get(p.url + "/api/v1/live.pcapng"); err == nil {
		live.Go(func() {
			n, _ := io.Copy(io.Discard, r.Body)
			f.add(func() { f.captured += n })
		})
		live.Go(func() {
			select {
			case <-stop:
			case <-p.exited:
			}
			_ = r.Body.Close()
		})
	}
	for {
		select {
		case <-stop:
			return
		case <-p.exited:
			return
		default:
		}
		status, text, err := p.send("POST", "/api/v1/captures", "application/json", strings.NewReader(`{"maxFrames":2000}`))
		var made struct{ ID string }
		if err != nil || status != http.StatusCreated || json.Unmarshal(text, &made) != nil {
			continue
		}
		if _, file, err := p.send("GET", "/api/v1/captures/"+made.ID+"/pcapng", "", nil); err == nil {
			f.add(func() { f.captured += int64(len(file)) })
		}
		_, _, _ = p.send("DELETE", "/api/v1/captures/"+made.ID, "", nil)
	}
}
