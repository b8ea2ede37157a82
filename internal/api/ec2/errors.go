package ec2

import (
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// statuses are the HTTP statuses of errors that are not 400.
var statuses = map[string]int{
	"AuthFailure":                http.StatusUnauthorized,
	"MissingAuthenticationToken": http.StatusUnauthorized,
	"SignatureDoesNotMatch":      http.StatusForbidden,
	"UnauthorizedOperation":      http.StatusForbidden,
	"DryRunOperation":            http.StatusPreconditionFailed,
	"InternalError":              http.StatusInternalServerError,
	"RequestLimitExceeded":       http.StatusServiceUnavailable,
	"Unavailable":                http.StatusServiceUnavailable,
}

// stsStatuses are those of STS.
var stsStatuses = map[string]int{
	"InvalidClientTokenId":       http.StatusForbidden,
	"SignatureDoesNotMatch":      http.StatusForbidden,
	"MissingAuthenticationToken": http.StatusForbidden,
	"ExpiredToken":               http.StatusForbidden,
	"AccessDenied":               http.StatusForbidden,
	"InternalError":              http.StatusInternalServerError,
}

// maxMessage bounds the text of a refusal, in bytes: it repeats what was sent.
const maxMessage = 1000

// refusal gives an error the code and text that the client sees.
func refusal(err error) *query.Error {
	q := *said(err)
	if len(q.Message) > maxMessage {
		q.Message = strings.ToValidUTF8(q.Message[:maxMessage], "") + "..."
	}
	return &q
}

func said(err error) *query.Error {
	if q, ok := errors.AsType[*query.Error](err); ok {
		return q
	}
	if f, ok := errors.AsType[*apifault.Answer](err); ok {
		return &query.Error{Code: f.Code, Message: f.Message}
	}
	if c, ok := errors.AsType[*control.Error](err); ok {
		code := c.Code
		if code == "RequestCanceled" {
			code = "Unavailable" // EC2 has no word for it, and this one is retried
		}
		return &query.Error{Code: code, Message: c.Message}
	}
	return &query.Error{Code: "InternalError", Message: err.Error()}
}

func statusOf(svc service, code string) int {
	table := statuses
	if svc == serviceSTS {
		table = stsStatuses
	}
	if s, ok := table[code]; ok {
		return s
	}
	return http.StatusBadRequest
}

// appendError writes the error document of either service.
func (a *API) appendError(b []byte, r *request, svc service, err error) (int, []byte) {
	e := refusal(err)
	status := statusOf(svc, e.Code)
	if f, ok := errors.AsType[*apifault.Answer](err); ok {
		status = f.Status
	}
	if c, ok := errors.AsType[*control.Error](err); ok && c.Code == "AuthFailure" {
		status = http.StatusBadRequest // the caller is known, and the resource somebody else's
	}
	return status, appendErrorDocument(b, r.id, svc, status, e)
}

func appendErrorDocument(b []byte, id string, svc service, status int, e *query.Error) []byte {
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)
	if svc == serviceSTS {
		kind := "Sender"
		if status >= 500 {
			kind = "Receiver"
		}
		b = append(b, `<ErrorResponse xmlns="`+stsNamespace+`"><Error>`...)
		b = query.AppendString(b, "Type", &kind)
		b = query.AppendString(b, "Code", &e.Code)
		b = query.AppendString(b, "Message", &e.Message)
		b = append(b, "</Error>"...)
		b = query.AppendString(b, "RequestId", &id)
		return append(b, "</ErrorResponse>"...)
	}
	b = append(b, "<Response><Errors><Error>"...)
	b = query.AppendString(b, "Code", &e.Code)
	b = query.AppendString(b, "Message", &e.Message)
	b = append(b, "</Error></Errors>"...)
	b = query.AppendString(b, "RequestID", &id)
	return append(b, "</Response>"...)
}

// RequestID makes the id of a request.
func (a *API) RequestID() string { return newRequestID(a.opt.Random) }

// newRequestID makes a random UUID (RFC 9562, version 4).
func newRequestID(random func([]byte)) string {
	var u [16]byte
	random(u[:])
	u[6], u[8] = u[6]&0x0f|0x40, u[8]&0x3f|0x80
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
