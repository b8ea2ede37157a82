package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// asked is what a server answers; body and headers are pairs that are sent.
func asked(t *testing.T, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	client := http.Client{Timeout: patience}
	r, err := client.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, r.Header, string(text)
}

// What the LocalStack modules of Testcontainers for Go (v0.45) and Python
// do with an image, done with the process: they set variables, wait until the
// port's /_localstack/health is 200 or a line of the log is "Ready.", and give
// clients the mapped port and keys of their own.
func TestTheLocalStackModulesOfTestcontainersWork(t *testing.T) {
	p := start(t, func(c *exec.Cmd) { // waits for the line
		c.Env = append(os.Environ(), "ENILAB_ACCESS_KEY=any", "ENILAB_TOKEN=0123456789abcdef",
			"HOSTNAME_EXTERNAL=localhost", "LOCALSTACK_HOST=localhost", "SERVICES=ec2,sts", "AWS_DEFAULT_REGION=us-west-1",
			"AWS_ACCESS_KEY_ID=testcontainers-localstack", "AWS_SECRET_ACCESS_KEY=testcontainers-localstack")
	}, "serve", "--listen", "0.0.0.0:0", "--data", t.TempDir())
	if status, _, text := asked(t, "GET", p.url+"/_localstack/health", ""); status != 200 || !strings.Contains(text, `"ec2":"available"`) {
		t.Errorf("health: %d %s", status, text)
	}
	const signed = "AWS4-HMAC-SHA256 Credential=testcontainers-localstack/20260101/us-west-1/ec2/aws4_request, SignedHeaders=host, Signature=00"
	call := []string{"Authorization", signed, "X-Amz-Date", "20260101T000000Z", "Content-Type", "application/x-www-form-urlencoded"}
	for _, host := range []string{"127.0.0.1", "localhost"} {
		at := strings.Replace(p.url, "127.0.0.1", host, 1)
		if status, _, text := asked(t, "POST", at+"/", "Action=DescribeVpcs&Version=2016-11-15", call...); status != 200 || !strings.Contains(text, "<isDefault>true</isDefault>") {
			t.Errorf("the EC2 API at %s: %d %s", host, status, text)
		}
	}
	for _, c := range [][2]string{{"GET", "/"}, {"GET", "/api/v1/vpcs"}, {"POST", "/_localstack/state/reset"}} {
		if status, _, text := asked(t, c[0], p.url+c[1], "", "Accept", "text/html"); status != 401 {
			t.Errorf("%s %s without the token: %d %s", c[0], c[1], status, text)
		}
	}
	if status, _, text := asked(t, "POST", p.url+"/_localstack/state/reset", "", "Authorization", "Bearer 0123456789abcdef"); status != 200 {
		t.Errorf("a reset with the token: %d %s", status, text)
	}

	image, err := os.ReadFile(filepath.Join("..", "..", "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"EXPOSE 4566", `CMD ["serve", "--listen", "0.0.0.0:4566", "--data", "/data"]`} {
		if !slices.Contains(strings.Split(string(image), "\n"), line) {
			t.Errorf("the Dockerfile has no line %s", line)
		}
	}
	// The module for Go takes images of tag latest or stable, or of a version
	// from 0.11 on, and refuses others as LocalStack of another age.
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	images := regexp.MustCompile(`(?:localstack\.Run\(ctx, |LocalStackContainer\()"([^"]*)"`).FindAllStringSubmatch(string(guide), -1)
	if len(images) != 2 {
		t.Errorf("docs/ci.md shows the modules with %q, want one of each", images)
	}
	for _, m := range images {
		if m[1] != "enilab:latest" && m[1] != "enilab:stable" {
			t.Errorf("docs/ci.md shows a module with %s, whose tag it refuses", m[1])
		}
	}
}

// While its scenario is built the server says where it is and what it waits for,
// and asks every client to come again. With AWS's timing the instances of the
// demo are pending for ten seconds at least.
func TestAServerThatBuildsAnswers(t *testing.T) {
	p := begin(t, nil, serveArgs(t.TempDir(), "--scenario", "demo", "--timing", "aws")...)
	for _, path := range []string{"/healthz", "/readyz", "/health", "/_localstack/health", "/api/v1/vpcs", "/"} {
		status, header, text := asked(t, "GET", p.url+path, "")
		if status != 503 || header.Get("Retry-After") != "1" || !strings.Contains(text, "the laboratory is starting: it waits for ") {
			t.Errorf("%s: %d, Retry-After %q, %s", path, status, header.Get("Retry-After"), text)
		}
	}
	status, header, text := asked(t, "POST", p.url+"/", "Action=DescribeVpcs&Version=2016-11-15", "Content-Type", "application/x-www-form-urlencoded")
	if status != 503 || header.Get("Retry-After") != "1" || !strings.Contains(text, "<Code>Unavailable</Code>") {
		t.Errorf("the EC2 API: %d %s", status, text)
	}
	status, header, text = asked(t, "GET", p.url+"/experiments", "", "Authorization",
		"AWS4-HMAC-SHA256 Credential=any/20260101/us-east-1/fis/aws4_request, SignedHeaders=host, Signature=0")
	if status != 503 || header.Get("Retry-After") != "1" || header.Get("X-Amzn-Errortype") != "ServiceUnavailableException" ||
		!strings.HasPrefix(text, `{"message":"the laboratory is starting`) {
		t.Errorf("FIS: %d %v %s", status, header, text)
	}
	for enough := time.Now().Add(patience); !strings.Contains(text, "until every instance runs"); {
		if _, _, text = asked(t, "GET", p.url+"/healthz", ""); time.Now().After(enough) {
			t.Fatalf("the health does not say what the scenario waits for: %s", text)
		}
	}
	select {
	case <-p.ready:
		t.Error("it was ready though it asked to wait")
	default:
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, patience); err != nil {
		t.Errorf("ended with %v, want exit 0\n%s", err, p.stderr)
	}
}

// The reset of a demo brings back the demo: by its own ids while the process
// knows them, else by new ones that stay.
func TestResetOfAScenario(t *testing.T) {
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	type instance struct{ ID, Name, State, Fault string }
	instances := func() (all []instance) {
		t.Helper()
		var list struct{ Items []instance }
		decode(t, get(t, p.url+"/api/v1/instances"), &list)
		return list.Items
	}
	reset := func() {
		t.Helper()
		if status, _, text := asked(t, "POST", p.url+"/api/v1/reset", ""); status != 204 {
			t.Fatalf("reset: %d %s", status, text)
		}
	}
	spoil := func() {
		t.Helper()
		all := instances()
		post(t, p.url+"/api/v1/instances/"+all[1].ID+"/fail", `{"mode": "freeze"}`)
		post(t, p.url+"/api/v1/vpcs", `{"cidr": "10.0.0.0/16"}`)
		if status, _, text := asked(t, "DELETE", p.url+"/api/v1/instances/"+all[0].ID, ""); status != 200 {
			t.Fatalf("%d %s", status, text)
		}
	}
	first := instances()
	spoil()
	reset()
	if got := instances(); !slices.Equal(got, first) {
		t.Errorf("after a reset: %+v\nwant %+v", got, first)
	}
	// Guests boot anew: the client's requests are answered again.
	stream := watch(t, p.url)
	stream.until(t, "a client gets replies", func(m map[string]any) bool {
		flows, _ := m["flows"].([]any)
		return slices.ContainsFunc(flows, func(f any) bool {
			n, _ := f.(map[string]any)["received"].(float64)
			return n > 0
		})
	})
	spoil()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-p.exited
	p = start(t, nil, serveArgs(dir, "--scenario", "demo")...)
	reset()
	second := instances()
	if len(second) != len(first) || second[0].ID == first[0].ID {
		t.Errorf("after a restart and a reset: %+v", second)
	}
	for k := range second {
		if second[k].Name != first[k].Name || second[k].State != "running" || second[k].Fault != first[k].Fault {
			t.Errorf("instance %d is %+v, want it like %+v", k, second[k], first[k])
		}
	}
	spoil()
	reset()
	if got := instances(); !slices.Equal(got, second) {
		t.Errorf("after a second reset: %+v\nwant %+v", got, second)
	}
}

// A server that is killed while it resets has done all of it or nothing.
func TestAKilledResetIsWholeOrNone(t *testing.T) {
	dir := t.TempDir()
	const interfaces = 120
	none := 0
	for round := range 8 {
		p := start(t, nil, serveArgs(dir)...)
		var network struct{ VPCs, NetworkInterfaces []struct{ ID string } }
		count := func() (vpcs, nics int) {
			t.Helper()
			decode(t, get(t, p.url+"/api/v1/topology"), &network)
			return len(network.VPCs), len(network.NetworkInterfaces)
		}
		switch vpcs, nics := count(); {
		case vpcs == 0 && nics == 0:
			none++
			var vpc, subnet struct{ ID string }
			decode(t, post(t, p.url+"/api/v1/vpcs", `{"cidr": "10.0.0.0/16"}`), &vpc)
			decode(t, post(t, p.url+"/api/v1/subnets", `{"cidr": "10.0.0.0/20", "vpcId": "`+vpc.ID+`"}`), &subnet)
			for range interfaces {
				post(t, p.url+"/api/v1/network-interfaces", `{"subnetId": "`+subnet.ID+`"}`)
			}
		case vpcs != 1 || nics != interfaces:
			t.Fatalf("round %d: %d VPCs and %d interfaces are left", round, vpcs, nics)
		}
		asking, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"/api/v1/reset", nil)
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan struct{})
		go func() {
			defer close(asked)
			if r, err := http.DefaultClient.Do(asking); err == nil {
				r.Body.Close()
			}
		}()
		for range round * 4 { // each time a little later
			get(t, p.url+"/healthz")
		}
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.exited
		<-asked
	}
	t.Logf("%d of 8 starts found nothing", none)
}

// The unmodified CLI says at once, after one request, what is not here.
func TestTheAWSCLIHearsOfOtherServices(t *testing.T) {
	bin, ok := tool(t, "aws")
	if !ok {
		return
	}
	p := start(t, nil, serveArgs(t.TempDir())...)
	to, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	var requests atomic.Int64
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { requests.Add(1); r.SetURL(to) },
	})
	defer proxy.Close()
	for args, service := range map[string]string{
		"sns list-topics": "sns", "s3 ls": "s3", "s3 cp /etc/hostname s3://bucket/key": "s3", "dynamodb list-tables": "dynamodb",
		"iam list-users": "iam", "sqs list-queues": "sqs", "lambda list-functions": "lambda", "cloudwatch list-metrics": "monitoring",
		"route53 list-hosted-zones": "route53",
	} {
		requests.Store(0)
		cmd := exec.Command(bin, append([]string{"--endpoint-url", proxy.URL, "--output", "json"}, strings.Fields(args)...)...)
		cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_DEFAULT_REGION=us-east-1",
			"AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true", "NO_PROXY=127.0.0.1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null")
		text, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(text), "enilab has no service '"+service+"'") {
			t.Errorf("aws %s: %v, %s", args, err, text)
		}
		if n := requests.Load(); n != 1 {
			t.Errorf("aws %s: %d requests", args, n)
		}
		t.Logf("aws %s: %s", args, strings.TrimSpace(string(text)))
	}
	var health struct{ Services map[string]string }
	if err := json.Unmarshal([]byte(get(t, p.url+"/_localstack/health")), &health); err != nil || health.Services["ec2"] != "available" {
		t.Errorf("health %+v, %v", health, err)
	}
}
