// Package unserved answers requests for AWS services that enilab has not, in the
// protocol that the client speaks: a test that needs one should fail at once and
// say of what, and not parse a page or try again.
package unserved

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// served are the signing names of the services that enilab has.
var served = map[string]bool{"ec2": true, "sts": true, "fis": true}

// Addressed reports whether a request says itself that it is for another
// service: by what it is signed for, by the header that names the operation, or
// by a Smithy RPC path. service is "" if it does not say which.
func Addressed(c *fiber.Ctx) (service string, ok bool) {
	if name, signed := SignedFor(c); signed {
		return clean(name), !served[name]
	}
	if target := c.Get("X-Amz-Target"); target != "" {
		return clean(ofTarget(target)), true
	}
	if c.Get("Smithy-Protocol") != "" {
		return clean(ofRPC(c.Path())), true
	}
	return "", false
}

// Handle answers what is Addressed to another service, and lets all else pass.
func Handle(c *fiber.Ctx) error {
	service, ok := Addressed(c)
	if !ok {
		return c.Next()
	}
	return Answer(c, service)
}

// HandleSDK answers what an AWS SDK sends without a signature. It belongs behind
// all routes that SDKs may ask for.
func HandleSDK(c *fiber.Ctx) error {
	agent := c.Get(fiber.HeaderUserAgent) + " " + c.Get("X-Amz-User-Agent")
	if !sdk.MatchString(agent) {
		return c.Next()
	}
	service := ""
	if m := agentAPI.FindStringSubmatch(agent); m != nil {
		service = strings.ToLower(m[1])
	}
	if service == "" && c.Path() == "/" && (c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead) {
		service = "s3" // its ListBuckets; no other service has an operation there
	}
	return Answer(c, service)
}

var (
	sdk = regexp.MustCompile(`(?i)\b(aws-cli|aws-sdk-[a-z0-9-]+|boto3|botocore|aws-chalice|APN)/`)
	// agentAPI is the service in an SDK's user agent, "api/s3#1.2", or in that of
	// the AWS CLI, "md/command#s3.ls".
	agentAPI = regexp.MustCompile(`\b(?:api/|command#)([A-Za-z0-9-]+)`)
	name     = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
)

// clean leaves out what cannot be a service's name.
func clean(s string) string {
	if !name.MatchString(s) {
		return ""
	}
	return s
}

// SignedFor reads the service of a signature: version 4's credential scope, of
// either algorithm, or version 2 in the header, which only S3 has (AWS General
// Reference, "Signing AWS API requests"). ok is false without a signature.
func SignedFor(c *fiber.Ctx) (service string, ok bool) {
	auth := c.Get(fiber.HeaderAuthorization)
	credential := c.Query("X-Amz-Credential")
	switch {
	case strings.HasPrefix(auth, "AWS4-"):
		_, rest, _ := strings.Cut(auth, "Credential=")
		credential, _, _ = strings.Cut(rest, ",")
	case strings.HasPrefix(auth, "AWS "):
		return "s3", true
	case credential == "":
		return "", false
	}
	// ACCESSKEY/DATE/REGION/SERVICE/aws4_request, without REGION for ECDSA.
	scope := strings.Split(strings.TrimSpace(credential), "/")
	if len(scope) < 4 {
		return "", false // incomplete: for whoever verifies it to say
	}
	return scope[len(scope)-2], true
}

// ofTarget reads the service of an X-Amz-Target: "DynamoDB_20120810.ListTables".
func ofTarget(target string) string {
	service, _, _ := strings.Cut(target, ".")
	service, _, _ = strings.Cut(service, "_")
	return service
}

// ofRPC reads the service of /service/NAME/operation/NAME.
func ofRPC(path string) string {
	rest, _ := strings.CutPrefix(path, "/service/")
	service, _, _ := strings.Cut(rest, "/")
	return service
}

func RequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
