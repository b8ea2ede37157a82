package cli

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"enilab/internal/api/rest"
)

func TestWhatANameMeans(t *testing.T) {
	all := []thing{
		{id: "i-1", name: "web", note: "running"}, {id: "i-2", name: "twin", note: "running"}, {id: "i-3", name: "twin", note: "stopped"},
		{id: "i-4", name: "web", past: true}, {id: "i-5", also: []string{"10.0.0.5"}}, {id: "i-6", name: "i-1"},
	}
	for want, found := range map[string]string{"web": "i-1", "i-1": "i-1", "i-4": "i-4", "10.0.0.5": "i-5", "i-3": "i-3"} {
		if got, err := choose("instance", want, all); err != nil || got.id != found {
			t.Errorf("%s: %v, %v, want %s", want, got, err, found)
		}
	}
	for want, text := range map[string]string{
		"twin": `instance "twin" may be i-2 (twin running) or i-3 (twin stopped): say which by its id`,
		"wab":  `there is no instance "wab": want web, twin, twin, i-5 or i-1`,
		"":     `there is no instance ""`,
	} {
		if got, err := choose("instance", want, all); err == nil || !strings.HasPrefix(err.Error(), text) {
			t.Errorf("%q: %v, %v, want %s", want, got, err, text)
		}
	}
	if _, err := choose("instance", "web", nil); err == nil || err.Error() != `there is no instance "web", and no other` {
		t.Errorf("of none: %v", err)
	}
	var many []thing
	for k := range 20 {
		many = append(many, thing{id: fmt.Sprint("i-", k)})
	}
	if _, err := choose("instance", "x", many); !strings.Contains(err.Error(), "i-11 or one of 8 others") || strings.Contains(err.Error(), "i-12") {
		t.Errorf("of many: %v", err)
	}
	if got := offered(all); !slices.Equal(got, []string{"web", "i-5", "i-1"}) {
		t.Errorf("completed are %q", got)
	}
}

func TestTables(t *testing.T) {
	var out bytes.Buffer
	if err := writeTable(&out, []string{"NAME", "ID"}, [][]string{{"wäb", "i-1"}, {"", "i-22"}, {"\x1b[31mred\n", ""}}); err != nil {
		t.Fatal(err)
	}
	if want := "NAME       ID\nwäb        i-1\n-          i-22\n?[31mred?  -\n"; out.String() != want {
		t.Errorf("got\n%q", out.String())
	}
	item := map[string]any{
		"a": map[string]any{"b": []any{map[string]any{"c": "deep"}}}, "n": 12.5, "t": true, "l": []any{"x", 1.0},
	}
	for path, want := range map[string]string{"a.b.0.c": "deep", "a.b.1.c": "", "a.b.x": "", "n": "12.5", "t": "yes", "l": "x 1", "no": "", "n.m": ""} {
		if got := word(at(item, path)); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	routes := routes([]any{map[string]any{"destination": "0.0.0.0/0", "target": "igw-1", "state": "blackhole"}}, func(id string) string { return "<" + id + ">" })
	if routes != "0.0.0.0/0=<igw-1>(blackhole)" {
		t.Errorf("routes: %q", routes)
	}
}

// A long name does not push the other columns out of sight.
func TestTablesCutLongCells(t *testing.T) {
	var out strings.Builder
	if err := writeTable(&out, []string{"NAME", "ID"}, [][]string{{strings.Repeat("é", 300), "i-1"}}); err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("é", 59) + "…  i-1\n"; !strings.HasSuffix(out.String(), "\n"+want) {
		t.Errorf("got %q", out.String())
	}
}

// The words for a packet that is translated, and for one that a rule refuses.
func TestTheWordsOfATrace(t *testing.T) {
	names := map[string]string{"eni-0a": "eth0 of web", "igw-1": "way-out", "eni-0b": "eth1 of db"}
	got := explain(endpoint{"eni-0a", "web", "10.0.0.5"}, endpoint{address: "198.51.100.1"}, "TCP to port 443", rest.Injection{
		Verdict: "accept",
		Hops: []rest.Hop{
			{Station: "egress", NetworkInterfaceID: "eni-0a", Verdict: "pass", Rule: "sgr-1", Detail: "allowed by sgr-1", Route: "rtb-1 0.0.0.0/0",
				Via: "igw-1", Gateways: []string{"igw-1"}, NetworkACLEntry: "acl-1 egress 100",
				Translation: &rest.Translation{Source: "10.0.0.5:40000", Destination: "198.51.100.1:443", NewSource: "203.0.113.1:40000", NewDestination: "198.51.100.1:443"}},
			{Station: "delivery", Verdict: "accept", Detail: "placed"},
		},
		Answer: &rest.Injection{Verdict: "reject", Step: "groups_in", Reason: "ingress_denied", ReasonText: "no rule allows it", Rule: "implicit deny", Code: "ENI_SG_RULES_MISMATCH",
			Hops: []rest.Hop{{Station: "ingress", NetworkInterfaceID: "eni-0b", Verdict: "reject", Reason: "ingress_denied", Rule: "implicit deny", Detail: "to eni-0b"},
				{Station: "egress", Verdict: "pass", Established: true, Rule: "sgr-2", Detail: "known"}}},
	}, names)
	want := `web (10.0.0.5) to 198.51.100.1: TCP to port 443
  1. leaving eth0 of web: pass
     allowed by sgr-1
     network ACL entry acl-1 egress 100
     route rtb-1 0.0.0.0/0
     via way-out (igw-1)
     through way-out (igw-1)
     translated 10.0.0.5:40000 > 198.51.100.1:443 to 203.0.113.1:40000 > 198.51.100.1:443
  2. delivery to: accept
     placed
it arrives

the answer
  1. arriving at eth1 of db: reject, ingress_denied
     to eth1 of db (eni-0b)
     rule implicit deny
  2. leaving: pass
     known
     admitted by sgr-2
the answer does not arrive: no rule allows it (implicit deny); reason ingress_denied at groups_in, AWS's code ENI_SG_RULES_MISMATCH
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestEndpoints(t *testing.T) {
	for text, want := range map[string][2]string{
		"http://127.0.0.1:4566":              {"http://127.0.0.1:4566", ""},
		"http://10.0.0.1:4566/?token=secret": {"http://10.0.0.1:4566", "secret"},
		"localhost:4567":                     {"http://localhost:4567", ""},
		"https://lab.example/":               {"https://lab.example", ""},
	} {
		base, token, err := parseEndpoint(text)
		if err != nil || base != want[0] || token != want[1] {
			t.Errorf("%s: %q %q %v", text, base, token, err)
		}
	}
	for _, text := range []string{"", "ftp://x", "http://", "http://x/api/v1", "http://u:p@x", "://"} {
		if base, _, err := parseEndpoint(text); err == nil || !strings.Contains(err.Error(), "want the URL that the server prints") {
			t.Errorf("%q: %q, %v", text, base, err)
		}
	}
}

// What a server leaves leads to it, and only whoever may read it; a flag overrides it.
func TestTheServersFile(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	none, err := (&Remote{Data: defaultData}).client()
	if err != nil || none.base != defaultEndpoint || !strings.Contains(none.from, defaultData) {
		t.Errorf("without: %+v, %v", none, err)
	}
	// Who names a directory does not mean whatever else may be running.
	if c, err := (&Remote{Data: dir}).client(); !errors.Is(err, errAbsent) || !strings.Contains(err.Error(), dir) {
		t.Errorf("without, in a directory that was named: %+v, %v", c, err)
	}
	if err := os.WriteFile(filepath.Join(dir, serverFile+".partial"), nil, 0o644); err != nil { // of one that was killed
		t.Fatal(err)
	}
	remove, err := Leave(dir, Server{"http://127.0.0.1:1234/", "secret"})
	if err != nil {
		t.Fatal(err)
	}
	if about, err := os.Stat(filepath.Join(dir, serverFile)); err != nil || about.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v: others may read the token", about, err)
	}
	for r, want := range map[Remote][2]string{
		{Data: dir}:                        {"http://127.0.0.1:1234", "secret"},
		{Data: dir, Token: "mine"}:         {"http://127.0.0.1:1234", "mine"},
		{Data: dir, Endpoint: "localhost"}: {"http://localhost", ""}, // another's token is none of its business
	} {
		c, err := r.client()
		if err != nil || c.base != want[0] || c.token != want[1] {
			t.Errorf("%+v: %+v, %v", r, c, err)
		}
	}
	for k := range 2 {
		if err := remove(); err != nil {
			t.Errorf("removal %d: %v", k, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, serverFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, serverFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&Remote{Data: dir}).client(); err == nil || !strings.Contains(err.Error(), "delete it, and give --endpoint") {
		t.Errorf("damaged: %v", err)
	}
}

func TestRefusalsAreSentences(t *testing.T) {
	var status int
	var media, body string
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization")+" "+r.URL.RequestURI())
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer srv.Close()
	const problem = "application/problem+json"
	for _, tt := range []struct {
		status            int
		media, body       string
		token, want, code string
	}{
		{404, problem, `{"detail": "no instance i-1"}`, "", "no instance i-1", ""},
		{400, problem, `{"detail": "it is wrong", "code": "InvalidParameterValue"}`, "", "it is wrong (InvalidParameterValue)", ""},
		{422, problem, `{"detail": "validation failed", "errors": [{"location": "body.name", "message": "too long"}]}`, "", "validation failed; body.name: too long", ""},
		{401, problem, `{"detail": "a token is required"}`, "", "asks for a token", ""},
		{401, problem, `{"detail": "a token is required"}`, "secret", "does not take this token", ""},
		{404, "text/html", "<html>", "", "answers 404 Not Found, and not as an enilab does", ""},
		{200, "application/json", "<html>", "", "the answer is not that of an enilab (--endpoint)", ""},
	} {
		status, media, body, asked = tt.status, tt.media, tt.body, nil
		c, err := newClient(srv.URL, tt.token, "--endpoint")
		if err != nil {
			t.Fatal(err)
		}
		var out any
		err = c.call(t.Context(), "GET", "status", nil, &out)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d %s: %v, want %q", tt.status, tt.body, err, tt.want)
		}
		header := ""
		if tt.token != "" {
			header = "Bearer secret"
		}
		if len(asked) != 1 || asked[0] != header+" /api/v1/status" {
			t.Errorf("asked %q", asked)
		}
	}
	srv.Close()
	c, _ := newClient(srv.URL, "", "the default")
	if err := c.call(t.Context(), "GET", "status", nil, nil); !errors.Is(err, errAbsent) || !strings.Contains(err.Error(), srv.URL+" (the default)") || !strings.Contains(err.Error(), "Start one with enilab serve") {
		t.Errorf("of nobody: %v", err)
	}
}

// Lists are read to their end.
func TestPages(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := map[string]string{"": `{"items": [{"id": "a"}], "nextToken": "t"}`, "t": `{"items": [{"id": "b"}, {"id": "c"}]}`}[r.URL.Query().Get("nextToken")]
		_, _ = w.Write([]byte(body))
	}))
	defer srv.Close()
	c, err := newClient(srv.URL, "", "")
	if err != nil {
		t.Fatal(err)
	}
	all, err := listOf[struct{ ID string }](t.Context(), c, "things")
	if err != nil || fmt.Sprint(all) != "[{a} {b} {c}]" {
		t.Errorf("%v, %v", all, err)
	}
}

// What is written of a stream that breaks off, or is enough, ends with a whole block.
func TestBlocks(t *testing.T) {
	block := func(typ uint32, payload int) []byte {
		b := binary.LittleEndian.AppendUint32(nil, typ)
		b = binary.LittleEndian.AppendUint32(b, uint32(payload+12))
		return binary.LittleEndian.AppendUint32(append(b, make([]byte, payload)...), uint32(payload+12))
	}
	const section, interfaces = 0x0a0d0d0a, 1
	whole := slices.Concat(block(section, 16), block(interfaces, 8), block(enhancedPacket, 100), block(enhancedPacket, 8000), block(enhancedPacket, 4))
	for _, tt := range []struct {
		name           string
		in             []byte
		count, written int
		frames         int
		err            string
	}{
		{"all", whole, 0, len(whole), 3, ""},
		{"enough", whole, 2, len(whole) - 16, 2, ""},
		{"broken off", whole[:len(whole)-5], 0, len(whole) - 16, 2, "sends no more"},
		{"broken off in a head", whole[:len(whole)-13], 0, len(whole) - 16, 2, "sends no more"},
		{"no pcapng", []byte("HTTP/1.1 200 OK, and so on"), 0, 0, 0, "no pcapng"},
		{"nothing", nil, 0, 0, 0, ""},
	} {
		var out bytes.Buffer
		frames, err := copyBlocks(&out, bytes.NewReader(tt.in), tt.count)
		if frames != tt.frames || out.Len() != tt.written || !bytes.Equal(out.Bytes(), tt.in[:tt.written]) {
			t.Errorf("%s: %d frames in %d bytes, want %d in %d", tt.name, frames, out.Len(), tt.frames, tt.written)
		}
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.err)
		}
	}
}

func TestWhichLaboratoryALineMeans(t *testing.T) {
	env := map[string]string{"ENILAB_DATA": "d", "ENILAB_TOKEN": "t"}
	for line, want := range map[string]Remote{
		"fail EC2":                          {Data: "d", Token: "t"},
		"fail --endpoint http://x EC2":      {Endpoint: "http://x", Data: "d", Token: "t"},
		"fail --endpoint=http://x --token=": {Endpoint: "http://x", Data: "d"},
		"ls --data e --token":               {Data: "e", Token: "t"},
	} {
		if got := remoteOf(strings.Fields(line), func(k string) string { return env[k] }); got != want {
			t.Errorf("%s: %+v, want %+v", line, got, want)
		}
	}
	if got := remoteOf(nil, func(string) string { return "" }); got.Data != ".enilab" {
		t.Errorf("of nothing: %+v", got)
	}
}

// Every kind of ls has a name of its own.
func TestKindsAreTold(t *testing.T) {
	held := map[string]bool{}
	for _, k := range kinds {
		for _, word := range append([]string{k.name}, k.also...) {
			if held[word] {
				t.Errorf("%s means two kinds", word)
			}
			held[word] = true
			if got, err := kindOf(word); err != nil || got.name != k.name {
				t.Errorf("%s: %v, %v", word, got.name, err)
			}
		}
	}
	if _, err := kindOf("nonsense"); err == nil || !strings.Contains(err.Error(), "want one of instances, enis") {
		t.Errorf("nonsense: %v", err)
	}
}
