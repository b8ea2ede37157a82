package rest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/dataplane/tap"
	"enilab/internal/plan"
	"enilab/internal/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// One for the process, for good.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// Sees only after its ten seconds of sleep that the server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		// Packs the bombs of the tests, for good.
		goleak.IgnoreTopFunction("github.com/valyala/fasthttp/stackless.funcWorker"))
}

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

// lab is the whole server over loopback: store, control plane, engine, API.
type lab struct {
	t      *testing.T
	engine *dataplane.Engine
	svc    *control.Service
	server *Server
	url    string
	client *http.Client

	end func()
}

// tapCount is an engine that counts who listens.
type tapCount struct {
	*dataplane.Engine
	n atomic.Int64
}

func (e *tapCount) AddTap(t *tap.Tap, vnics []string) {
	e.n.Add(1)
	e.Engine.AddTap(t, vnics)
}

func (e *tapCount) AddHostTap(t *tap.Tap, host string) {
	e.n.Add(1)
	e.Engine.AddHostTap(t, host)
}

func (e *tapCount) RemoveTap(t *tap.Tap) {
	e.n.Add(-1)
	e.Engine.RemoveTap(t)
}

// recorder leaves a record for every move, as the failover controller does.
type recorder struct{ *control.Service }

func (r recorder) Move(ctx context.Context, in control.MoveInput) (control.MoveResult, string, error) {
	res, err := r.Service.Move(ctx, in)
	if err != nil {
		return res, "", err
	}
	f, err := r.PutFailover(ctx, control.Failover{
		Kind: control.KindMove, State: control.FailoverCompleted, NetworkInterface: in.Interface, To: in.Instance,
		StartedAt: res.AcceptedAt, EndedAt: res.AttachedAt,
	})
	if err != nil {
		return res, "", err
	}
	return res, f.ID, nil
}

func newLab(t *testing.T, change ...func(*Options)) *lab {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := &lab{t: t, client: &http.Client{Transport: &http.Transport{}}}
	l.engine = dataplane.New(dataplane.Options{Workers: 2, Now: func() int64 { return time.Now().UnixNano() }})
	l.engine.Start(ctx)
	st, err := store.Open(ctx, store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l.svc, err = control.Open(ctx, control.Options{
		Store: st, Plane: plan.Plane{Network: l.engine}, Region: "us-east-1", Now: time.Now,
		Random: func(b []byte) { _, _ = rand.Read(b) }, Timing: control.Timing{},
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- l.svc.Run(ctx) }()
	taps := &tapCount{Engine: l.engine}
	opt := Options{
		Control: l.svc, Engine: taps, Moves: recorder{l.svc},
		Version: "test", Region: "us-east-1", Timing: "fast", Loopback: true,
	}
	for _, f := range change {
		f(&opt)
	}
	if l.server, err = New(opt); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.url = "http://" + ln.Addr().String()
	serving, stop := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- l.server.Serve(serving, ln) }()
	l.end = func() {
		stop()
		if err := within(t, served); err != nil {
			t.Errorf("serving: %v", err)
		}
		l.client.CloseIdleConnections()
		if n := taps.n.Load(); n != 0 {
			t.Errorf("%d taps are left on the interfaces", n)
		}
		cancel()
		if err := within(t, ran); err != nil {
			t.Errorf("control plane: %v", err)
		}
		l.engine.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
		l.end = func() {}
	}
	t.Cleanup(func() { l.end() })
	return l
}

// within waits for what has to come soon.
func within[T any](t testing.TB, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("nothing within " + patience.String())
		panic("unreachable")
	}
}

// reply is one answer of the server.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (l *lab) send(method, path string, body any, headers ...string) reply {
	l.t.Helper()
	var r io.Reader
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		raw, err := json.Marshal(b)
		if err != nil {
			l.t.Fatal(err)
		}
		r = bytes.NewReader(raw)
	}
	req, err := http.NewRequest(method, l.url+path, r)
	if err != nil {
		l.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	client := *l.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header, raw}
}

// call is send for the API, into the type of the answer.
func call[T any](l *lab, method, path string, body any) T {
	l.t.Helper()
	r := l.send(method, base+path, body)
	var out T
	if r.status >= 300 {
		l.t.Fatalf("%s %s: %d %s", method, path, r.status, r.body)
	}
	if len(r.body) > 0 {
		if err := json.Unmarshal(r.body, &out); err != nil {
			l.t.Fatalf("%s %s: %v in %s", method, path, err, r.body)
		}
	}
	return out
}

// refused expects a problem.
func (l *lab) refused(status int, code, method, path string, body any, headers ...string) Problem {
	l.t.Helper()
	r := l.send(method, base+path, body, headers...)
	var p Problem
	if err := json.Unmarshal(r.body, &p); err != nil {
		l.t.Fatalf("%s %s: %d %q is no problem: %v", method, path, r.status, r.body, err)
	}
	if r.status != status || p.Status != status || p.Code != code {
		l.t.Errorf("%s %s: %d %s\nwant %d %s", method, path, r.status, r.body, status, code)
	}
	if ct := r.header.Get("Content-Type"); ct != "application/problem+json" {
		l.t.Errorf("%s %s: content type %q", method, path, ct)
	}
	return p
}

// site is a VPC with two running instances in one zone and one in another,
// and a free interface that pings and UDP may reach.
type site struct {
	*lab
	vpc           VPC
	a, b          Subnet
	one, two, far Instance
	eni           NetworkInterface
	group         SecurityGroup
}

func newSite(t *testing.T, change ...func(*Options)) *site {
	t.Helper()
	s := &site{lab: newLab(t, change...)}
	s.vpc = call[VPC](s.lab, "POST", "/vpcs", map[string]any{"cidr": "192.168.0.0/16"})
	s.a = s.subnet("192.168.0.0/24", "us-east-1a")
	s.b = s.subnet("192.168.1.0/24", "us-east-1b")
	s.group = call[SecurityGroup](s.lab, "POST", "/security-groups",
		map[string]any{"vpcId": s.vpc.ID, "name": "web", "description": "pings and echo"})
	call[list[SecurityGroupRule]](s.lab, "POST", "/security-groups/"+s.group.ID+"/rules", map[string]any{
		"direction": "ingress", "rules": []any{
			map[string]any{"protocol": "udp", "fromPort": 7, "toPort": 7, "cidr": "192.168.0.0/16"},
			map[string]any{"protocol": "icmp", "cidr": "192.168.0.0/16"},
		}})
	s.one, s.two, s.far = s.run(s.a, "one", "192.168.0.21"), s.run(s.a, "two", "192.168.0.22"), s.run(s.b, "far", "192.168.1.23")
	s.eni = call[NetworkInterface](s.lab, "POST", "/network-interfaces",
		map[string]any{"subnetId": s.a.ID, "privateIp": "192.168.0.42", "groupIds": []string{s.group.ID}})
	return s
}

func (s *site) subnet(cidr, zone string) Subnet {
	return call[Subnet](s.lab, "POST", "/subnets", map[string]any{"vpcId": s.vpc.ID, "cidr": cidr, "zone": zone})
}

func (s *site) run(sub Subnet, name, ip string) Instance {
	i := call[Instance](s.lab, "POST", "/instances", map[string]any{
		"subnetId": sub.ID, "type": "t3.medium", "privateIp": ip, "tags": map[string]string{"Name": name, "enilab:role": "active"},
	})
	return s.settled(i.ID, "running")
}

// settled waits until an instance is in a state.
func (s *site) settled(id, state string) Instance {
	s.t.Helper()
	notices, cancel := s.svc.Watch(16)
	defer cancel()
	for {
		if i := s.svc.State().Instance(id); i != nil && string(i.State) == state {
			return call[Instance](s.lab, "GET", "/instances/"+id, nil)
		}
		within(s.t, notices)
	}
}

func (s *site) primary(i Instance) string { return i.Interfaces[0].NetworkInterfaceID }

func (s *site) attach(instance string) {
	s.t.Helper()
	call[NetworkInterface](s.lab, "POST", "/network-interfaces/"+s.eni.ID+"/attach",
		map[string]any{"instanceId": instance, "deviceIndex": 1})
	notices, cancel := s.svc.Watch(16)
	defer cancel()
	for s.svc.State().NetworkInterface(s.eni.ID).Attachment.State != control.Attached {
		within(s.t, notices)
	}
}
