package rest

import (
	"bytes"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"enilab/internal/api/ec2"
	"enilab/internal/api/imds"
)

// everything mounts what the program mounts. With the keys nil, any key does.
func everything(t *testing.T, keys map[string]string) func(*Options) {
	t.Helper()
	return func(o *Options) {
		api, err := ec2.New(ec2.Options{Control: o.Control, Keys: keys})
		if err != nil {
			t.Fatal(err)
		}
		metadata := imds.New(o.Control, imds.Options{})
		o.Mount = func(app *fiber.App) { metadata.Register(app); api.Register(app) }
		o.Refuse = api.Refuse
	}
}

// A body that unpacks to a thousand times its size costs the server no more
// than its own bytes, whoever sends it where.
func TestPackedBodiesAreRefusedUnopened(t *testing.T) {
	const unpacked = 64 << 20
	zeros := make([]byte, unpacked)
	gz := fasthttp.AppendGzipBytes(nil, zeros)
	bombs := []struct {
		coding string
		body   []byte
	}{
		{"gzip", gz},
		{"GZIP", gz},
		{"gzip, gzip", fasthttp.AppendGzipBytes(nil, gz)},
		{"identity, gzip", gz},
		{"br", fasthttp.AppendBrotliBytesLevel(nil, zeros, fasthttp.CompressBrotliBestSpeed)},
		{"deflate", fasthttp.AppendDeflateBytes(nil, zeros)},
		{"zstd", fasthttp.AppendZstdBytes(nil, zeros)},
		{"x-gzip", gz}, {"aws-chunked", gz}, {"\"", gz}, {",", gz},
	}
	type target struct{ method, path, contentType string }
	form, js := "application/x-www-form-urlencoded", "application/json"
	for name, keys := range map[string]map[string]string{"any key": nil, "signatures": {"AKIDEXAMPLE": "secret"}} {
		l := newLab(t, everything(t, keys))
		for _, to := range []target{
			{"POST", "/", form}, {"POST", "/", "multipart/form-data; boundary=x"}, {"GET", "/?Action=DescribeVpcs", form},
			{"POST", base + "/vpcs", js}, {"PUT", base + "/traffic", js}, {"POST", base + "/vpcs", "multipart/form-data; boundary=x"},
			{"PUT", "/imds/i-0123456789abcdef0/latest/api/token", ""}, {"GET", "/healthz", ""}, {"GET", base + "/stream", ""},
			{"GET", "/metrics", ""}, {"POST", "/nowhere", js},
		} {
			for _, b := range bombs {
				if len(b.body) > maxBody {
					t.Fatalf("the bomb %q has %d bytes", b.coding, len(b.body))
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				r := l.send(to.method, to.path, string(b.body), "Content-Type", to.contentType, "Content-Encoding", b.coding)
				runtime.ReadMemStats(&after)
				what := name + ": " + to.method + " " + to.path + " " + b.coding
				if r.status != http.StatusUnsupportedMediaType || !bytes.Contains(bytes.ToLower(r.body), []byte("content-encoding")) {
					t.Errorf("%s: %d %.200s, want 415 that names the header", what, r.status, r.body)
				}
				if took := after.TotalAlloc - before.TotalAlloc; took > unpacked/4 {
					t.Errorf("%s: %d bytes were taken for a body of %d", what, took, len(b.body))
				}
			}
		}
		if r := l.send("GET", "/healthz", nil); r.status != http.StatusOK {
			t.Errorf("%s: afterwards /healthz says %d", name, r.status)
		}
	}
}

// Saying that a body is not packed is fine, and it is read as it was sent.
func TestIdentityIsNoPacking(t *testing.T) {
	l := newLab(t, everything(t, nil))
	for _, coding := range []string{"identity", " Identity ", ""} {
		r := l.send("POST", "/", "Action=DescribeVpcs&Version=2016-11-15", "Content-Type", "application/x-www-form-urlencoded", "Content-Encoding", coding)
		if r.status != http.StatusOK || !strings.Contains(string(r.body), "DescribeVpcsResponse") {
			t.Errorf("EC2, %q: %d %.200s", coding, r.status, r.body)
		}
		if r := l.send("POST", base+"/vpcs", `{"cidr":"10.0.0.0/16"}`, "Content-Encoding", coding); r.status != http.StatusCreated {
			t.Errorf("admin API, %q: %d %.200s", coding, r.status, r.body)
		}
	}
}
