package rest

import (
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"enilab/internal/control"
)

// Problem is every error of the API (RFC 9457), with EC2's error code where
// the control plane gave one.
type Problem struct {
	huma.ErrorModel
	Code string `json:"code,omitempty" example:"InvalidNetworkInterfaceID.NotFound" doc:"EC2's error code"`
}

// Both are variables of huma for the whole process, and huma reads them while
// operations are registered, so they are set before any Server exists.
func init() {
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return newProblem(status, "", msg, errs...)
	}
	huma.DefaultArrayNullable = false
}

// maxEcho bounds how much of a wrong value an answer repeats.
const maxEcho = 200

func newProblem(status int, code, detail string, errs ...error) *Problem {
	if status == http.StatusUnsupportedMediaType {
		detail = "send JSON, and say so: Content-Type: application/json"
	}
	p := &Problem{Code: code, ErrorModel: huma.ErrorModel{
		Status: status, Title: http.StatusText(status), Detail: detail,
	}}
	for _, err := range errs {
		if err != nil {
			p.Add(err)
		}
	}
	for _, e := range p.Errors {
		if s, ok := e.Value.(string); ok && len(s) > maxEcho {
			e.Value = strings.ToValidUTF8(s[:maxEcho], "") + "..."
		}
	}
	return p
}

// problem turns an error of the control plane into the answer's Problem.
func problem(err error) error {
	var known *Problem
	if err == nil || errors.As(err, &known) {
		return err
	}
	var refusal *control.Error
	if !errors.As(err, &refusal) {
		return newProblem(http.StatusInternalServerError, "", err.Error())
	}
	p := newProblem(statusOf(refusal.Code), refusal.Code, refusal.Message)
	if refusal.Field != "" {
		p.Errors = []*huma.ErrorDetail{{Location: refusal.Field, Message: refusal.Message}}
	}
	return p
}

// statuses of EC2's error codes. EC2 itself answers nearly all of them with
// 400; here the status tells what kind of refusal it is.
var statuses = map[string]int{
	"AddressLimitExceeded":                    http.StatusConflict,
	"AttachmentLimitExceeded":                 http.StatusConflict,
	"CannotDelete":                            http.StatusConflict,
	"DependencyViolation":                     http.StatusConflict,
	"IncorrectInstanceState":                  http.StatusConflict,
	"IncorrectState":                          http.StatusConflict,
	"InsufficientFreeAddressesInSubnet":       http.StatusConflict,
	"InternalError":                           http.StatusInternalServerError,
	"InvalidGroup.Duplicate":                  http.StatusConflict,
	"InvalidID":                               http.StatusBadRequest,
	"InvalidIPAddress.InUse":                  http.StatusConflict,
	"InvalidInterface.IpAddressLimitExceeded": http.StatusConflict,
	"InvalidNetworkInterface.InUse":           http.StatusConflict,
	"InvalidParameter":                        http.StatusBadRequest,
	"InvalidParameterCombination":             http.StatusBadRequest,
	"InvalidParameterValue":                   http.StatusBadRequest,
	"InvalidPermission.Duplicate":             http.StatusConflict,
	"InvalidSubnet.Conflict":                  http.StatusConflict,
	"InvalidSubnet.Range":                     http.StatusBadRequest,
	"InvalidVpc.Range":                        http.StatusBadRequest,
	"MissingParameter":                        http.StatusBadRequest,
	"OperationNotPermitted":                   http.StatusForbidden,
	"PrivateIpAddressLimitExceeded":           http.StatusConflict,
	"RequestCanceled":                         http.StatusServiceUnavailable,
	"Resource.AlreadyAssociated":              http.StatusConflict,
	"RulesPerSecurityGroupLimitExceeded":      http.StatusConflict,
	"SecurityGroupsPerInterfaceLimitExceeded": http.StatusConflict,
	"TagLimitExceeded":                        http.StatusConflict,
	"Unavailable":                             http.StatusServiceUnavailable,
}

// statusOf is total: a code that the table does not name is a conflict if its
// form says so, else a bad request.
func statusOf(code string) int {
	if status, ok := statuses[code]; ok {
		return status
	}
	switch {
	case strings.HasSuffix(code, ".NotFound"):
		return http.StatusNotFound
	case strings.HasSuffix(code, "LimitExceeded"), strings.HasSuffix(code, ".Duplicate"), strings.HasSuffix(code, ".InUse"):
		return http.StatusConflict
	}
	return http.StatusBadRequest
}

// missing is the answer for an id that no resource of the API's own has.
func missing(what, id string) error {
	return newProblem(http.StatusNotFound, "", "no "+what+" "+clip(id))
}

func clip(s string) string {
	if len(s) > maxEcho {
		return strings.ToValidUTF8(s[:maxEcho], "") + "..."
	}
	return s
}
