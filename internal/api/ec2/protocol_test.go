package ec2

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"enilab/internal/control"
)

// raw posts a body as it is and returns status and answer.
func (l *lab) raw(method, path, body string) (int, string, http.Header) {
	l.t.Helper()
	r, err := http.NewRequest(method, l.url+path, strings.NewReader(body))
	if err != nil {
		l.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	a, err := l.client.Do(r)
	if err != nil {
		l.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		l.t.Fatal(err)
	}
	return a.StatusCode, string(text), a.Header
}

// Whatever is sent is answered with an error document, and changes nothing.
func TestBadRequestsAreErrorDocuments(t *testing.T) {
	l := newLab(t)
	l.must("DescribeVpcs") // the first request founds the region
	before := l.svc.State().Revision()
	many := ""
	for i := range 10_001 {
		many += fmt.Sprintf("&Filter.%d.Name=x", i%900)
	}
	tests := []struct {
		name, body, code string
		status           int
	}{
		{"no action", "Version=2016-11-15", "MissingAction", 400},
		{"unknown action", "Action=MakeCoffee", "InvalidAction", 400},
		{"known but not implemented", "Action=CreateVpnGateway", "UnsupportedOperation", 400},
		{"unknown parameter", "Action=DescribeVpcs&Colour=red", "UnknownParameter", 400},
		{"missing parameter", "Action=CreateSubnet&CidrBlock=10.0.0.0%2F24", "MissingParameter", 400},
		{"malformed id", "Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=nic-1", "InvalidNetworkInterfaceID.Malformed", 400},
		{"unknown id", "Action=DescribeNetworkInterfaces&NetworkInterfaceId.1=eni-00000000000000000", "InvalidNetworkInterfaceID.NotFound", 400},
		{"unknown filter", "Action=DescribeVpcs&Filter.1.Name=colour&Filter.1.Value.1=red", "InvalidParameterValue", 400},
		{"not a boolean", "Action=DescribeVpcs&DryRun=maybe", "", 400},
		{"a list index beyond bounds", "Action=DescribeVpcs&VpcId.1000000=vpc-1", "", 400},
		{"nested too deep", "Action=DescribeVpcs&" + strings.Repeat("A.", 20) + "B=1", "MalformedQueryString", 400},
		{"too many parameters", "Action=DescribeVpcs" + many, "MalformedQueryString", 400},
		{"given twice", "Action=DescribeVpcs&VpcId.1=a&VpcId.1=b", "MalformedQueryString", 400},
		{"bad escape", "Action=DescribeVpcs&VpcId.1=%zz", "MalformedQueryString", 400},
		{"not UTF-8", "Action=DescribeVpcs&VpcId.1=%ff%fe", "InvalidCharacter", 400},
		{"a control character", "Action=DescribeVpcs&VpcId.1=%00", "InvalidCharacter", 400},
		{"XML in a value", "Action=DescribeVpcs&VpcId.1=%3C%2FError%3E%26", "", 400},
		{"dry run", "Action=CreateVpc&CidrBlock=10.0.0.0%2F16&DryRun=true", "DryRunOperation", 412},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, text, header := l.raw("POST", "/", tt.body)
			if status != tt.status || !strings.Contains(text, "<Code>"+tt.code) || !strings.Contains(text, "<RequestID>") {
				t.Errorf("%d %s\nwant %d with the code %s", status, text, tt.status, tt.code)
			}
			if header.Get("X-Amzn-Requestid") == "" || !strings.HasPrefix(header.Get("Content-Type"), "text/xml") {
				t.Errorf("headers %v", header)
			}
			if strings.Contains(text, "</Error>&") {
				t.Errorf("what was sent came back as markup: %s", text)
			}
		})
	}
	if after := l.svc.State().Revision(); after != before {
		t.Errorf("revision %d became %d", before, after)
	}
}

func TestGetActsOnAnActionOnly(t *testing.T) {
	l := newLab(t)
	if status, text, _ := l.raw("GET", "/?Action=DescribeVpcs", ""); status != 200 || !strings.Contains(text, "<DescribeVpcsResponse xmlns=") {
		t.Errorf("%d %s", status, text)
	}
	if _, text, _ := l.raw("GET", "/?token=1", ""); text != "the page" {
		t.Errorf("a GET without an action was answered %q", text)
	}
}

// The same token asks for the same thing once.
func TestClientTokens(t *testing.T) {
	l := newLab(t)
	make1 := "Action=CreateVpc&CidrBlock=10.1.0.0%2F16&ClientToken=one"
	// CreateVpc has no token in EC2; an interface has.
	if _, text, _ := l.raw("POST", "/", make1); !strings.Contains(text, "UnknownParameter") {
		t.Errorf("CreateVpc took a ClientToken: %s", text)
	}
	w := l.world()
	create := "Action=CreateNetworkInterface&ClientToken=one&SubnetId=" + w.subnet
	_, first, _ := l.raw("POST", "/", create)
	_, second, _ := l.raw("POST", "/", create)
	id := func(s string) string {
		_, s, _ = strings.Cut(s, "<networkInterfaceId>")
		s, _, _ = strings.Cut(s, "<")
		return s
	}
	if id(first) == "" || id(first) != id(second) {
		t.Errorf("asked twice with one token: %q and %q", id(first), id(second))
	}
	mismatch := func() {
		t.Helper()
		if _, other, _ := l.raw("POST", "/", create+"&Description=other"); !strings.Contains(other, "IdempotentParameterMismatch") {
			t.Errorf("other parameters with the same token: %s", other)
		}
	}
	mismatch()
	// What is remembered is in the State, which a restart loads.
	l.api.tokens = newTokens()
	mismatch()
	_, again, _ := l.raw("POST", "/", create)
	body := func(s string) string { return s[strings.Index(s, "</requestId>"):] }
	if body(again) != body(first) {
		t.Errorf("after a restart it was answered %s, before %s", again, first)
	}
	if n := len(l.svc.State().ClientToken("us-east-1", "CreateNetworkInterface", "one").Answer); n == 0 {
		t.Error("no answer is kept")
	}
	// A server that ends between the commit and the answer does not do it again.
	svc := l.svc.In("us-east-1").Remembering(control.ClientToken{
		Action: "CreateNetworkInterface", Token: "lost", Params: l.svc.State().ClientToken("us-east-1", "CreateNetworkInterface", "one").Params,
	})
	made, err := svc.CreateInterface(t.Context(), control.CreateInterfaceInput{Subnet: w.subnet})
	if err != nil {
		t.Fatal(err)
	}
	had := len(l.svc.State().NetworkInterfaces())
	if _, text, _ := l.raw("POST", "/", strings.Replace(create, "=one", "=lost", 1)); id(text) != made.ID {
		t.Errorf("a lost answer: %s", text)
	}
	if n := len(l.svc.State().NetworkInterfaces()); n != had {
		t.Errorf("%d network interfaces, had %d", n, had)
	}
}

// A link, which anybody may put anywhere, changes nothing.
func TestALinkChangesNothing(t *testing.T) {
	const date = "20260101T000000Z"
	change := "/?" + form("CreateVpc", "CidrBlock=10.0.0.0/16").Encode()
	presigned := change + "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=any%2F20260101%2Fus-east-1%2Fec2%2Faws4_request" +
		"&X-Amz-Date=" + date + "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00"
	l := newLab(t)
	l.must("DescribeVpcs") // the region is founded by the first who asks
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		made               bool
	}{
		{"a link", "GET", change, nil, false},
		{"a link from a mail, in a browser", "GET", change, []string{"Sec-Fetch-Site", "none"}, false},
		{"a link on another site", "GET", change, []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a link that looks signed", "GET", presigned, []string{"User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"}, false},
		{"a link that looks signed, on another site", "GET", presigned, []string{"Sec-Fetch-Site", "cross-site"}, false},
		{"a link that looks signed, without a name", "GET", presigned, []string{"User-Agent", ""}, false},
		{"a program that signs in the URL", "GET", presigned, []string{"User-Agent", "libcloud/3.4.1"}, true},
		{"HEAD", "HEAD", change, nil, false},
		{"a rehearsal", "GET", change + "&DryRun=true", nil, false},
		{"the server's own page", "GET", change, []string{"Sec-Fetch-Site", "same-origin"}, true},
		{"an SDK", "GET", change, []string{"Authorization", scope("us-east-1", "ec2"), "X-Amz-Date", date}, true},
		{"a script with the server's token", "GET", change, []string{"Authorization", "Bearer 0123456789abcdef"}, true},
		{"a form", "POST", change, nil, true},
	} {
		req, err := http.NewRequest(tt.method, l.url+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(tt.headers); i += 2 {
			req.Header.Set(tt.headers[i], tt.headers[i+1])
		}
		had := len(l.svc.State().VPCs())
		r := l.do(req)
		if made := len(l.svc.State().VPCs()) > had; made != tt.made {
			t.Errorf("%s: %d %s", tt.name, r.status, r.raw)
		}
		if !tt.made && tt.method == "GET" && r.code() != "UnauthorizedOperation" && r.code() != "DryRunOperation" {
			t.Errorf("%s: %d %s", tt.name, r.status, r.raw)
		}
	}
}
