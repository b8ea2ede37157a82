package inplane

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"enilab/internal/api/imds"
	"enilab/internal/control"
	"enilab/internal/dataplane"
	"enilab/internal/guest"
	"enilab/internal/plan"
)

// unstored is a store that keeps nothing.
type unstored struct{}

func (unstored) Load(context.Context) (control.Commit, error) { return control.Commit{}, nil }
func (unstored) Begin(context.Context) (control.Batch, error) { return unstored{}, nil }
func (unstored) Events(context.Context, uint64, int) ([]control.Event, uint64, error) {
	return nil, 1, nil
}
func (unstored) Write(control.Commit) error { return nil }
func (unstored) Commit() error              { return nil }
func (unstored) Rollback()                  {}

// lab is the laboratory without its API: control plane, data plane, guests and
// metadata.
type lab struct {
	*control.Service
	t      *testing.T
	ctx    context.Context
	guests *guest.Lab
}

func newLab(t *testing.T) *lab {
	start := time.Now()
	now := func() int64 { return start.UnixNano() + int64(time.Since(start)) }
	rng := rand.NewChaCha8([32]byte{3})
	engine := dataplane.New(dataplane.Options{Workers: 2, Now: now, Seed: 1})
	guests := guest.NewLab(guest.Options{Engine: engine, Now: now, Seed: 1})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	svc, err := control.Open(ctx, control.Options{
		Store: unstored{}, Plane: plan.Plane{Network: &guest.Plane{Engine: engine, Lab: guests}}, Region: "us-east-1", Now: time.Now,
		Random: func(b []byte) { _, _ = rng.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	server, err := New(Options{Engine: engine, Answer: imds.New(svc, imds.Options{}).Answer})
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range []func(context.Context) error{
		func(ctx context.Context) error { engine.Start(ctx); engine.Wait(); return nil },
		guests.Run, svc.Run, server.Run,
	} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- run(ctx) }()
		t.Cleanup(func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	return &lab{Service: svc, t: t, ctx: ctx, guests: guests}
}

func must[T any](l *lab) func(T, error) T {
	return func(v T, err error) T {
		l.t.Helper()
		if err != nil {
			l.t.Fatal(err)
		}
		return v
	}
}

// ask has a guest ask from one of its addresses, with a session token or "".
func (l *lab) ask(method, instance, local, path, token string) (status int, body string) {
	l.t.Helper()
	tr := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return l.guests.Host(instance).DialTCP(ctx, netip.MustParseAddr(local), metadata)
	}}
	req, err := http.NewRequestWithContext(l.ctx, method, "http://169.254.169.254"+path, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	req.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "60")
	if token != "" {
		req.Header.Set("X-aws-ec2-metadata-token", token)
	}
	resp, err := (&http.Client{Transport: tr}).Do(req)
	if err != nil {
		l.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// What the agents of a failover pair read from inside, while an ENI changes
// sides and metadata of its old owner lags behind.
func TestGuestsReadTheirOwnMetadata(t *testing.T) {
	l := newLab(t)
	vpc := must[*control.VPC](l)(l.CreateVPC(l.ctx, control.CreateVPCInput{CIDR: "192.168.0.0/16"}))
	subnet := must[*control.Subnet](l)(l.CreateSubnet(l.ctx, control.CreateSubnetInput{VPC: vpc.ID, CIDR: "192.168.0.0/24", Zone: "us-east-1a"}))
	run := func(ip string) string {
		i := must[*control.Instance](l)(l.RunInstance(l.ctx, control.RunInstanceInput{Subnet: subnet.ID, Type: "t3.medium", PrivateIP: ip}))
		notices, cancel := l.Watch(64)
		defer cancel()
		for l.State().Instance(i.ID).State != control.InstanceRunning {
			select {
			case <-notices:
			case <-l.ctx.Done():
				t.Fatalf("%s does not run", i.ID)
			}
		}
		return i.ID
	}
	one, two := run("192.168.0.21"), run("192.168.0.22")
	n := must[*control.NetworkInterface](l)(l.CreateInterface(l.ctx, control.CreateInterfaceInput{Subnet: subnet.ID, PrivateIP: "192.168.0.42"}))
	must[*control.NetworkInterface](l)(l.Attach(l.ctx, control.AttachInput{Interface: n.ID, Instance: one, DeviceIndex: 1}))
	path := "/latest/meta-data//network/interfaces/macs/" + n.MAC.String() + "/interface-id"
	reads := func(what, instance, local, token string, status int, body string) {
		t.Helper()
		got, text := l.ask(http.MethodGet, instance, local, path, token)
		if got != status || status == http.StatusOK && text != body {
			t.Errorf("%s: %d %q, want %d %q", what, got, text, status, body)
		}
	}
	reads("from eth0", one, "192.168.0.21", "", 200, n.ID)
	reads("from eth1 itself", one, "192.168.0.42", "", 200, n.ID)
	reads("by another", two, "192.168.0.22", "", 404, "")
	_, token := l.ask(http.MethodPut, one, "192.168.0.42", "/latest/api/token", "")
	reads("with a token got through eth1", one, "192.168.0.21", token, 200, n.ID)
	reads("with another's token", two, "192.168.0.22", token, 401, "")

	must[*control.Instance](l)(l.SetMetadataLag(l.ctx, one, time.Hour))
	must[control.MoveResult](l)(l.Move(l.ctx, control.MoveInput{Interface: n.ID, Instance: two, DeviceIndex: 1, Force: true}))
	reads("by the new owner through the ENI", two, "192.168.0.42", "", 200, n.ID)
	reads("by the old owner, whose metadata lags", one, "192.168.0.21", token, 200, n.ID)
	must[*control.Instance](l)(l.SetMetadataLag(l.ctx, one, 0))
	reads("by the old owner", one, "192.168.0.21", token, 404, "")
	if _, id := l.ask(http.MethodGet, two, "192.168.0.42", "/latest/meta-data/instance-id", ""); id != two {
		t.Errorf("the ENI's owner is %q, want %s", id, two)
	}
	if status, page := l.ask("DELETE", two, "192.168.0.42", "/latest/meta-data/", ""); status != 405 || !strings.Contains(page, "<h1>405") {
		t.Errorf("DELETE: %d %s", status, page)
	}
}
