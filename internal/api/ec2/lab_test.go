package ec2

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/plan"
	"enilab/internal/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m,
		// One for the process, for good.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"),
		// Sees only after its ten seconds of sleep that the server has stopped.
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"))
}

// lab is the API over loopback, before the real control plane, store and engine.
type lab struct {
	t      testing.TB
	svc    *control.Service
	api    *API
	url    string
	client *http.Client

	answered map[string]bool // actions that succeeded
}

// seeded gives the same bytes in every run, to any number of goroutines.
func seeded() func([]byte) {
	var mu sync.Mutex
	r := rand.NewChaCha8([32]byte{1})
	return func(b []byte) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = r.Read(b)
	}
}

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

func newLab(t testing.TB, change ...func(*Options)) *lab {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	engine := dataplane.New(dataplane.Options{Workers: 1, Now: func() int64 { return time.Now().UnixNano() }})
	engine.Start(ctx)
	st, err := store.Open(ctx, store.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, client: &http.Client{Transport: &http.Transport{}}, answered: make(map[string]bool)}
	l.svc, err = control.Open(ctx, control.Options{
		Store: st, Plane: plan.Plane{Network: engine}, Region: "us-east-1", Now: time.Now, Random: seeded(), Timing: control.Timing{},
	})
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- l.svc.Run(ctx) }()
	opt := Options{Control: l.svc, Random: seeded()}
	for _, f := range change {
		f(&opt)
	}
	if l.api, err = New(opt); err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, BodyLimit: 1 << 20})
	l.api.Register(app)
	app.Get("/*", func(c *fiber.Ctx) error { return c.SendString("the page") })
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.url = "http://" + ln.Addr().String()
	served := make(chan error, 1)
	go func() { served <- app.Listener(ln) }()
	t.Cleanup(func() {
		l.client.CloseIdleConnections()
		if err := app.ShutdownWithTimeout(patience); err != nil {
			t.Error(err)
		}
		for _, ch := range []<-chan error{served, func() <-chan error { cancel(); return ran }()} {
			select {
			case err := <-ch:
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case <-time.After(patience):
				t.Error("nothing ended within a minute")
			}
		}
		engine.Wait()
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// element is any XML element.
type element struct {
	XMLName  xml.Name
	Text     string    `xml:",chardata"`
	Children []element `xml:",any"`
}

// at follows a path of names, the first of each; nil if there is none. A
// number is the item of a list, from 1.
func (e *element) at(path string) *element {
	for name := range strings.SplitSeq(path, ".") {
		if e == nil {
			return nil
		}
		nth := 1
		if n, err := strconv.Atoi(name); err == nil {
			name, nth = "item", n
		}
		var found *element
		for i := range e.Children {
			if e.Children[i].XMLName.Local == name {
				if nth--; nth == 0 {
					found = &e.Children[i]
					break
				}
			}
		}
		e = found
	}
	return e
}

// text is the text at a path, "-" if there is no such element.
func (e *element) text(path string) string {
	if found := e.at(path); found != nil {
		return found.Text
	}
	return "-"
}

func (e *element) count(path string) int {
	if found := e.at(path); found != nil {
		return len(found.Children)
	}
	return -1
}

// reply is one answer.
type reply struct {
	status int
	header http.Header
	raw    []byte
	element
}

func (r *reply) code() string {
	if c := r.text("Errors.Error.Code"); c != "-" {
		return c
	}
	return r.text("Error.Code")
}

func (r *reply) message() string { return r.text("Errors.Error.Message") }

// form makes parameters of "Name=value" texts.
func form(action string, params ...string) url.Values {
	v := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		v.Add(name, value)
	}
	return v
}

func (l *lab) post(body string, headers ...string) *reply {
	l.t.Helper()
	req, err := http.NewRequest(http.MethodPost, l.url+"/", strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return l.do(req)
}

func (l *lab) do(req *http.Request) *reply {
	l.t.Helper()
	res, err := l.client.Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer res.Body.Close()
	r := &reply{status: res.StatusCode, header: res.Header}
	if r.raw, err = io.ReadAll(res.Body); err != nil {
		l.t.Fatal(err)
	}
	if bytes.HasPrefix(r.raw, []byte("<?xml")) {
		if err := xml.Unmarshal(r.raw, &r.element); err != nil {
			l.t.Fatalf("%v in %s", err, r.raw)
		}
	}
	return r
}

// ask performs an action, whatever comes of it.
func (l *lab) ask(action string, params ...string) *reply {
	l.t.Helper()
	return l.post(form(action, params...).Encode())
}

// must performs an action that has to succeed.
func (l *lab) must(action string, params ...string) *reply {
	l.t.Helper()
	r := l.ask(action, params...)
	if r.status != http.StatusOK {
		l.t.Fatalf("%s %v: %d %s", action, params, r.status, r.raw)
	}
	checkShape(l.t, action, &r.element)
	l.answered[action] = true
	return r
}

// refused performs an action that has to be refused with a code and status 400.
func (l *lab) refused(code, action string, params ...string) *reply {
	l.t.Helper()
	r := l.ask(action, params...)
	if r.status != http.StatusBadRequest || r.code() != code {
		l.t.Errorf("%s %v: %d %s, want 400 %s", action, params, r.status, r.raw, code)
	}
	return r
}

// until asks until a path has a text: the end of a transition that the control
// plane makes by itself.
func (l *lab) until(path, want, action string, params ...string) *reply {
	l.t.Helper()
	events, stop := l.svc.Watch(8)
	defer stop()
	deadline := time.After(patience)
	for {
		r := l.must(action, params...)
		if r.text(path) == want {
			return r
		}
		select {
		case <-events:
		case <-deadline:
			l.t.Fatalf("%s %v: %s stays %q, want %q", action, params, path, r.text(path), want)
		}
	}
}

// world is a VPC with a subnet, a group and two running instances.
type world struct{ vpc, subnet, group, a, b string }

func (l *lab) world() world {
	l.t.Helper()
	var w world
	w.vpc = l.must("CreateVpc", "CidrBlock=10.0.0.0/16").text("vpc.vpcId")
	w.subnet = l.must("CreateSubnet", "VpcId="+w.vpc, "CidrBlock=10.0.1.0/24", "AvailabilityZone=us-east-1a").text("subnet.subnetId")
	w.group = l.must("CreateSecurityGroup", "VpcId="+w.vpc, "GroupName=web", "GroupDescription=web servers").text("groupId")
	run := func() string {
		id := l.must("RunInstances", "ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1", "InstanceType=t3.medium",
			"SubnetId="+w.subnet, "SecurityGroupId.1="+w.group).text("instancesSet.1.instanceId")
		l.until("reservationSet.1.instancesSet.1.instanceState.name", "running", "DescribeInstances", "InstanceId.1="+id)
		return id
	}
	w.a, w.b = run(), run()
	return w
}
