package sigv4

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const (
	exampleKey    = "AKIDEXAMPLE"
	exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

var exampleTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

// header is a request's headers for tests, names in small letters.
type header map[string][]string

func (h header) get(name string) []string { return h[name] }

// vectors are the published ones: AWS's Signature V4 test suite and the worked
// example of the IAM documentation.
var vectors = []struct {
	name, method, query, body, signature string
	header                               header
	service                              string
}{
	{
		name: "get-vanilla", method: "GET", service: "service",
		header:    header{"host": {"example.amazonaws.com"}, "x-amz-date": {"20150830T123600Z"}},
		signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
	},
	{
		name: "get-vanilla-query-order-key-case", method: "GET", query: "Param2=value2&Param1=value1", service: "service",
		header:    header{"host": {"example.amazonaws.com"}, "x-amz-date": {"20150830T123600Z"}},
		signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
	},
	{
		name: "post-vanilla", method: "POST", service: "service",
		header:    header{"host": {"example.amazonaws.com"}, "x-amz-date": {"20150830T123600Z"}},
		signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
	},
	{
		name: "post-x-www-form-urlencoded", method: "POST", body: "Param1=value1", service: "service",
		header: header{
			"host": {"example.amazonaws.com"}, "x-amz-date": {"20150830T123600Z"},
			"content-type": {"application/x-www-form-urlencoded"},
		},
		signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
	},
	{
		name: "iam-list-users", method: "GET", query: "Action=ListUsers&Version=2010-05-08", service: "iam",
		header: header{
			"host": {"iam.amazonaws.com"}, "x-amz-date": {"20150830T123600Z"},
			"content-type": {"application/x-www-form-urlencoded; charset=utf-8"},
		},
		signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
	},
}

func (h header) signed() string {
	if h["content-type"] != nil {
		return "content-type;host;x-amz-date"
	}
	return "host;x-amz-date"
}

func TestPublishedVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			v.header["authorization"] = []string{"AWS4-HMAC-SHA256 Credential=" + exampleKey + "/20150830/us-east-1/" + v.service +
				"/aws4_request, SignedHeaders=" + v.header.signed() + ", Signature=" + v.signature}
			r := Request{Method: v.method, Path: "/", Query: v.query, Body: []byte(v.body), Header: v.header.get}
			s, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if s.AccessKey != exampleKey || s.Region != "us-east-1" || s.Service != v.service || s.Presigned {
				t.Errorf("read %+v", s)
			}
			if err := s.Verify(r, exampleSecret, exampleTime); err != nil {
				t.Error(err)
			}
			if err := s.Verify(r, exampleSecret+"x", exampleTime); !errors.Is(err, ErrMismatch) {
				t.Errorf("another secret: %v, want a mismatch", err)
			}
			r.Body = append(r.Body, '&')
			if err := s.Verify(r, exampleSecret, exampleTime); !errors.Is(err, ErrMismatch) {
				t.Errorf("another body: %v, want a mismatch", err)
			}
			for _, off := range []time.Duration{-skew - time.Second, skew + time.Second} {
				if err := s.Verify(r, exampleSecret, exampleTime.Add(off)); !errors.Is(err, ErrExpired) {
					t.Errorf("a clock off by %s: %v, want expired", off, err)
				}
			}
		})
	}
}

// The request of S3's documentation of presigned requests hashes its payload
// as UNSIGNED-PAYLOAD, which EC2 has not; this one was signed by botocore
// 1.43.11 (SigV4QueryAuth) for the example's key at the example's time.
const presigned = "Action=DescribeVpcs&Version=2016-11-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fec2%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=0a4dbd844474914874733c7a83d77df675201d6bcd7405f69c20813795439ae4"

func TestPresigned(t *testing.T) {
	h := header{"host": {"127.0.0.1:4566"}}
	r := Request{Method: "GET", Path: "/", Query: presigned, Header: h.get}
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if !s.Presigned || s.Expires != time.Minute {
		t.Errorf("read %+v", s)
	}
	if err := s.Verify(r, exampleSecret, exampleTime.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if err := s.Verify(r, exampleSecret, exampleTime.Add(61*time.Second)); !errors.Is(err, ErrExpired) {
		t.Errorf("after 61 s: %v, want expired", err)
	}
	r.Query = strings.Replace(r.Query, "DescribeVpcs", "DeleteVpc", 1)
	if err := s.Verify(r, exampleSecret, exampleTime); !errors.Is(err, ErrMismatch) {
		t.Errorf("another action: %v, want a mismatch", err)
	}
}

func TestIncomplete(t *testing.T) {
	for _, c := range []struct{ name, auth, date string }{
		{"basic", "Basic Zm9vOmJhcg==", "20150830T123600Z"},
		{"no scope", "AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=00", "20150830T123600Z"},
		{"no signature", "AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host", "20150830T123600Z"},
		{"no date", "AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host, Signature=00", ""},
		{"bad date", "AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host, Signature=00", "yesterday"},
	} {
		h := header{"authorization": {c.auth}}
		if c.date != "" {
			h["x-amz-date"] = []string{c.date}
		}
		if s, err := Parse(Request{Method: "POST", Header: h.get}); err == nil || errors.Is(err, ErrUnsigned) {
			t.Errorf("%s: %+v, %v; want it refused", c.name, s, err)
		}
	}
	if _, err := Parse(Request{Method: "POST", Header: header{}.get}); !errors.Is(err, ErrUnsigned) {
		t.Errorf("no signature: %v, want ErrUnsigned", err)
	}
}

// What a signature does not cover must not be trusted.
func TestUnsignedHeaders(t *testing.T) {
	h := header{"host": {"h"}, "x-amz-date": {"20150830T123600Z"}, "x-amz-security-token": {"t"}}
	h["authorization"] = []string{"AWS4-HMAC-SHA256 Credential=A/20150830/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature=00"}
	r := Request{Method: "POST", Path: "/", Header: h.get}
	s, err := Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(r, "secret", exampleTime); !errors.Is(err, ErrHeaders) {
		t.Errorf("an unsigned session token: %v, want ErrHeaders", err)
	}
}

// A signature that is not whole still tells its scope, if it has one.
func TestTheScopeOfAnIncompleteSignature(t *testing.T) {
	const scope = "AWS4-HMAC-SHA256 Credential=A/20150830/eu-west-1/sts/aws4_request"
	for _, c := range []struct {
		name, auth string
		known      bool
	}{
		{"the scope alone", scope, true},
		{"no signed headers", scope + ", Signature=00", true},
		{"no scope", "AWS4-HMAC-SHA256 Credential=AKID, SignedHeaders=host, Signature=00", false},
		{"an empty region", "AWS4-HMAC-SHA256 Credential=A/20150830//ec2/aws4_request, SignedHeaders=host, Signature=00", false},
	} {
		s, err := Parse(Request{Method: "POST", Header: header{"authorization": {c.auth}}.get})
		if err == nil {
			t.Errorf("%s: it was taken for whole", c.name)
		}
		if known := s != nil && s.AccessKey == "A" && s.Region == "eu-west-1" && s.Service == "sts"; known != c.known {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}
