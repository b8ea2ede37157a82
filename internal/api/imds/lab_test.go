package imds

import (
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"go.uber.org/goleak"

	"enilab/internal/control"
	"enilab/internal/dataplane/spec"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}

// rows stores in memory, so that a test can change what no command can.
type rows struct {
	last control.Commit
	all  map[string]control.Change // by table and id
}

func (r *rows) Load(context.Context) (control.Commit, error) {
	c := r.last
	c.Changes, c.Events = nil, nil
	for _, key := range slices.Sorted(maps.Keys(r.all)) {
		c.Changes = append(c.Changes, r.all[key])
	}
	return c, nil
}
func (r *rows) Begin(context.Context) (control.Batch, error) { return r, nil }
func (r *rows) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 1, nil
}
func (r *rows) Write(c control.Commit) error {
	for _, ch := range c.Changes {
		if key := string(ch.Table) + " " + ch.ID; ch.After == nil {
			delete(r.all, key)
		} else {
			r.all[key] = control.Change{Table: ch.Table, ID: ch.ID, After: ch.After}
		}
	}
	r.last = c
	return nil
}
func (r *rows) Commit() error { return nil }
func (r *rows) Rollback()     {}

// nothing forwards no frame: what is tested reads State.
type nothing struct{}

func (nothing) Follow(_ context.Context, t control.Turn) (spec.Ack, error) {
	return spec.Ack{Generation: t.After.Revision()}, nil
}

// lab is a control plane that runs, with metadata on top.
type lab struct {
	*control.Service
	t      testing.TB
	app    *fiber.App
	now    time.Time // what tokens see
	rows   *rows
	region string
	timing control.Timing
	rng    *rand.ChaCha8
	stop   func()

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
	l := &lab{
		t: t, now: time.Unix(1_800_000_000, 0), region: region, timing: timing,
		rows: &rows{all: map[string]control.Change{}}, rng: rand.NewChaCha8([32]byte{7}),
	}
	l.start()
	t.Cleanup(func() { l.stop() })
	l.app = fiber.New()
	New(l, Options{
		Now: func() time.Time { return l.now }, Account: "111122223333",
	}).Register(l.app)

	l.vpc = must(l.CreateVPC(t.Context(), control.CreateVPCInput{CIDR: "192.168.0.0/16"}))(t)
	l.subnet = must(l.CreateSubnet(t.Context(), control.CreateSubnetInput{VPC: l.vpc.ID, CIDR: "192.168.0.0/24", Zone: region + "a"}))(t)
	return l
}

// start opens the control plane on what is stored.
func (l *lab) start() {
	l.t.Helper()
	svc, err := control.Open(context.Background(), control.Options{
		Store: l.rows, Plane: nothing{}, Region: l.region, Now: time.Now,
		Random: func(b []byte) { _, _ = l.rng.Read(b) }, Timing: l.timing,
	})
	if err != nil {
		l.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- svc.Run(ctx) }()
	l.Service = svc
	l.stop = func() {
		cancel()
		if err := <-done; err != nil {
			l.t.Error(err)
		}
	}
}

// alter changes a stored row, in a restart.
func alter[T any](l *lab, table control.Table, id string, change func(*T)) {
	l.t.Helper()
	l.stop()
	key := string(table) + " " + id
	row, ok := l.rows.all[key].After.(*T)
	if !ok {
		l.t.Fatalf("no %s", key)
	}
	c := *row
	change(&c)
	l.rows.all[key] = control.Change{Table: table, ID: id, After: &c}
	l.start()
}

// options changes how an instance's metadata may be asked for.
func (l *lab) options(id string, change func(*control.MetadataOptions)) {
	l.t.Helper()
	alter(l, control.TableInstance, id, func(i *control.Instance) { change(&i.Metadata) })
}

func (l *lab) tokensRequired(id string) {
	l.t.Helper()
	l.options(id, func(m *control.MetadataOptions) { m.HTTPTokens = "required" })
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
