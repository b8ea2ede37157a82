package unserved

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// Codes and statuses are those that AWS gives an operation that it does not
// know, and none of them is one that SDKs try again.
const (
	codeQuery = "InvalidAction"             // EC2's and others' "Common Errors", status 400
	codeJSON  = "UnknownOperationException" // DynamoDB's and others', 400; REST services' 404
	codeS3    = "NotImplemented"            // Amazon S3, "Error responses", 501
)

// Message says what there is.
func Message(service string) string {
	if service == "" {
		return "enilab has no such service: it is EC2 (ec2), STS (sts) and FIS (fis) only. Point this client at another endpoint."
	}
	return "enilab has no service '" + service + "': it is EC2 (ec2), STS (sts) and FIS (fis) only. Point this client at another endpoint."
}

// Answer refuses a request in the protocol that it came in.
func Answer(c *fiber.Ctx, service string) error {
	id, text := RequestID(), Message(service)
	c.Set("X-Amzn-Requestid", id)
	c.Set(fiber.HeaderCacheControl, "no-store")
	kind := strings.TrimSpace(strings.Split(c.Get(fiber.HeaderContentType), ";")[0])
	switch {
	case c.Get("Smithy-Protocol") == "rpc-v2-cbor":
		c.Set("Smithy-Protocol", "rpc-v2-cbor")
		return send(c, http.StatusBadRequest, "application/cbor", appendCBOR(nil, "__type", codeJSON, "message", text))
	case c.Get("X-Amz-Target") != "":
		if kind != "application/x-amz-json-1.1" {
			kind = "application/x-amz-json-1.0"
		}
		return sendJSON(c, http.StatusBadRequest, kind, map[string]string{"__type": codeJSON, "message": text})
	case c.Method() == fiber.MethodPost && kind == fiber.MIMEApplicationForm, c.Context().QueryArgs().Has("Action"):
		return send(c, http.StatusBadRequest, "text/xml", errorResponse(codeQuery, text, id))
	case service == "s3" && strings.HasPrefix(c.Path(), "/v20180820/"), service == "cloudfront", service == "route53":
		return send(c, http.StatusBadRequest, "text/xml", errorResponse(codeQuery, text, id))
	case service == "s3", service == "s3express", service == "s3-outposts":
		c.Set("X-Amz-Request-Id", id)
		return send(c, http.StatusNotImplemented, "application/xml",
			[]byte(xml.Header+"<Error>"+element("Code", codeS3)+element("Message", text)+element("RequestId", id)+"</Error>"))
	}
	c.Set("X-Amzn-Errortype", codeJSON)
	return sendJSON(c, http.StatusNotFound, fiber.MIMEApplicationJSON, map[string]string{"code": codeJSON, "message": text})
}

func send(c *fiber.Ctx, status int, kind string, body []byte) error {
	c.Set(fiber.HeaderContentType, kind)
	return c.Status(status).Send(body)
}

func sendJSON(c *fiber.Ctx, status int, kind string, body map[string]string) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return send(c, status, kind, text)
}

// errorResponse is the error document of the query protocol, and that of the
// REST services that answer in XML but for S3.
func errorResponse(code, text, id string) []byte {
	return []byte("<ErrorResponse><Error>" + element("Type", "Sender") + element("Code", code) + element("Message", text) +
		"</Error>" + element("RequestId", id) + "</ErrorResponse>")
}

func element(name, value string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(value)) // a buffer takes everything
	return "<" + name + ">" + b.String() + "</" + name + ">"
}

// appendCBOR writes a map of text strings (RFC 8949 §3.1), of pairs of key and
// value.
func appendCBOR(b []byte, pairs ...string) []byte {
	b = append(b, 0xa0|byte(len(pairs)/2))
	for _, s := range pairs {
		// Text of a length in two bytes, which is valid for short ones too.
		b = append(b, 0x79)
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return b
}
