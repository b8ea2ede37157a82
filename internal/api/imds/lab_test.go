package imds

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// nothing stores no commit and forwards no frame: what is tested reads State.
type nothing struct{}

func (nothing) Load(context.Context) (control.Commit, error) { return control.Commit{}, nil }
func (nothing) Begin(context.Context) (control.Batch, error) { return nothing{}, nil }
func (nothing) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 1, nil
}
func (nothing) Write(control.Commit) error { return nil }
func (nothing) Commit() error              { return nil }
func (nothing) Rollback()                  {}
func (nothing) Apply(_ context.Context, d dataplane.Delta) (dataplane.Ack, error) {
	return dataplane.Ack{Generation: d.Generation}, nil
}

// lab is a control plane that runs, with metadata on top.
type lab struct {
	*control.Service
	t   testing.TB
	app *fiber.App
	now time.Time // what tokens see
	v2  map[string]bool

	vpc    *control.VPC
	subnet *control.Subnet
}

// patience bounds every wait; a good run never reaches it.
const patience = time.Minute

// newLab ends every transition at once.
func newLab(t testing.TB, region string) *lab {
	t.Helper()
	return newTimedLab(t, region, control.Timing{})
}

func newTimedLab(t testing.TB, region string, timing control.Timing) *lab {
	t.Helper()
	rng := rand.NewChaCha8([32]byte{7})
	svc, err := control.Open(t.Context(), control.Options{
		Store: nothing{}, Plane: nothing{}, Region: region, Now: time.Now,
		Random: func(b []byte) { _, _ = rng.Read(b) }, Timing: timing,
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	l := &lab{Service: svc, t: t, now: time.Unix(1_800_000_000, 0), v2: make(map[string]bool)}
	l.app = fiber.New()
	New(svc.State, Options{
		Now: func() time.Time { return l.now }, Account: "111122223333",
		TokensRequired: func(id string) bool { return l.v2[id] },
	}).Register(l.app)

	l.vpc = must(l.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "192.168.0.0/16"}))(t)
	l.subnet = must(l.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "192.168.0.0/24", Zone: region + "a"}))(t)
	return l
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (l *lab) ok(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// run launches an instance and waits until it runs.
func (l *lab) run(ip string) string {
	l.t.Helper()
	i := must(l.RunInstance(l.t.Context(), control.RunInstanceInput{Subnet: l.subnet.ID, Type: "t3.medium", PrivateIP: ip}))(l.t)
	l.await(func(s *control.State) bool { return s.Instance(i.ID).State == control.InstanceRunning })
	return i.ID
}

// eni makes an ENI and attaches it at device index 1.
func (l *lab) eni(instance, ip string, more ...string) *control.NetworkInterface {
	l.t.Helper()
	n := must(l.CreateInterface(l.t.Context(), control.CreateInterfaceInput{
		Subnet: l.subnet.ID, PrivateIP: ip, SecondaryIPs: more,
	}))(l.t)
	return must(l.Attach(l.t.Context(), control.AttachInput{Interface: n.ID, Instance: instance, DeviceIndex: 1}))(l.t)
}

// await waits until the State is so.
func (l *lab) await(so func(*control.State) bool) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	notices, stop := l.Watch(64)
	defer stop()
	for !so(l.State()) {
		select {
		case <-notices:
		case <-ctx.Done():
			l.t.Fatal("the State never became so")
		}
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// do sends a request with the path as it is; headers are names and values.
func (l *lab) do(method, path string, headers ...string) answer {
	l.t.Helper()
	r := httptest.NewRequest(method, "/", nil)
	r.RequestURI = path
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := l.app.Test(r, -1)
	if err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{resp.StatusCode, resp.Header, string(body)}
}

// get fetches a path of an instance; "" unless it is there.
func (l *lab) get(instance, path string) string {
	l.t.Helper()
	a := l.do("GET", "/imds/"+instance+"/latest/"+path)
	switch a.status {
	case http.StatusOK:
		return a.body
	case http.StatusNotFound:
		return ""
	}
	l.t.Fatalf("%s: %d", path, a.status)
	return ""
}

func (l *lab) token(instance, ttl string) string {
	l.t.Helper()
	a := l.do("PUT", "/imds/"+instance+"/latest/api/token", headerTokenTTL, ttl)
	if a.status != http.StatusOK {
		l.t.Fatalf("no token: %d", a.status)
	}
	return a.body
}
