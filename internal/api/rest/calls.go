package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/calls"
	"enilab/internal/control"
)

// EC2Call is an action of the EC2 API, carried out for whoever may use this API.
type EC2Call struct {
	Action     string         `json:"action" maxLength:"100" example:"CreateVpc" doc:"As the EC2 API Reference names it"`
	Region     string         `json:"region,omitempty" maxLength:"32" doc:"Default: the server's"`
	Parameters map[string]any `json:"parameters,omitempty" doc:"By the names of the EC2 API Reference without numbers: what it writes as SecurityGroupId.N is a list, what has further names is an object" example:"{\"CidrBlock\": \"10.0.0.0/16\"}"`
	// IfUnchanged guards what somebody has looked at before he changes it.
	IfUnchanged *Unchanged `json:"ifUnchanged,omitempty" doc:"Refuse the call with 412 if that resource is not as it was"`

	// Flat are Parameters in the words of the Query protocol, and From is what the
	// client calls itself. Both are filled in.
	Flat []Parameter `json:"-"`
	From string      `json:"-"`
}

// Parameter is one of the Query protocol, such as IpPermissions.1.IpProtocol.
type Parameter struct{ Name, Value string }

// Unchanged is a resource as somebody has seen it.
type Unchanged struct {
	ID   string `json:"id" maxLength:"64" example:"sg-0123456789abcdef0" doc:"A security group, route table or network ACL"`
	ETag string `json:"etag" maxLength:"64" doc:"Its etag then"`
}

// EC2Answer is what an action answers.
type EC2Answer struct {
	Result map[string]any `json:"result" doc:"EC2's answer: an object for each element, a list for each that has items, strings for the rest"`
}

// Call is one that was made, and how it ended.
type Call struct {
	Seq     uint64    `json:"seq"`
	At      time.Time `json:"at"`
	TookMs  float64   `json:"tookMs"`
	API     string    `json:"api" enum:"ec2,admin"`
	Action  string    `json:"action" doc:"Of EC2; of this API method and path"`
	Region  string    `json:"region,omitempty"`
	From    string    `json:"from,omitempty" doc:"What the client calls itself"`
	Read    bool      `json:"read" doc:"It changes nothing"`
	Status  int       `json:"status"`
	Code    string    `json:"code,omitempty" doc:"Of a refusal"`
	Message string    `json:"message,omitempty" doc:"Of a refusal"`
	Line    string    `json:"line,omitempty" doc:"The same call for a shell, by the AWS CLI or curl; absent: it had more than 8 KiB of arguments, or could not be read"`
}

type callsInput struct {
	After uint64 `query:"after" doc:"Only calls after this one"`
	Reads bool   `query:"reads" doc:"Also those that change nothing and succeeded"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
	Host  string `header:"Host" hidden:"true"`
}

// maxFlat bounds the parameters of a call, as EC2's own limit does.
const maxFlat = 10_000

func (s *Server) callOperations(api huma.API) {
	op := act("calls", "Carry out an action of the EC2 API")
	op.Description = "The call is one of EC2's as any client's would be: the same rules, faults and log. Nothing is signed, and no region gets its default VPC by it. " +
		"A refusal has EC2's code; errors name the parameter where EC2's rule is about one."
	huma.Register(api, op, func(ctx context.Context, in *struct {
		Body  EC2Call
		Agent string `header:"User-Agent" hidden:"true"`
	}) (*output[EC2Answer], error) {
		call := in.Body
		if s.opt.Call == nil {
			return nil, newProblem(http.StatusNotImplemented, "", "this server has no EC2 API")
		}
		if call.Region != "" && !knownRegion(call.Region) {
			return nil, wrongField("body.region", "no region "+clip(call.Region)+", want one such as us-east-1")
		}
		if err := s.unchanged(call.IfUnchanged); err != nil {
			return nil, err
		}
		var err error
		if call.Flat, err = flatten(nil, "", call.Parameters, 0); err != nil {
			return nil, err
		}
		call.From = in.Agent
		out, err := s.opt.Call(ctx, call)
		return answer(&out, err, func(o *EC2Answer) EC2Answer { return *o })
	})
	newest := get("calls", "The newest calls of every client, refused ones too, newest first")
	newest.Description = "Calls of the EC2 API, and those of this one that change something. The newest 1,000 that changed something or were " +
		"refused are kept, and 200 others."
	huma.Register(api, newest, func(_ context.Context, in *callsInput) (*listOutput[Call], error) {
		return &listOutput[Call]{Body: list[Call]{Items: views(s.opt.Calls.Since(in.After, in.Reads, in.Limit), notedView("http://"+in.Host))}}, nil
	})
}

func notedView(endpoint string) func(calls.Call) Call {
	return func(c calls.Call) Call {
		v := Call{
			Seq: c.Seq, At: c.At.UTC(), TookMs: float64(c.Took) / float64(time.Millisecond), API: c.API, Action: c.Action, Region: c.Region,
			From: c.From, Read: c.Read, Status: c.Status, Code: c.Code, Message: c.Message,
		}
		if c.Line != nil {
			v.Line = c.Line(endpoint)
		}
		return v
	}
}

func wrongField(location, text string) *Problem {
	return newProblem(http.StatusUnprocessableEntity, "", text, &huma.ErrorDetail{Location: location, Message: text})
}

// RefusedCall is EC2's refusal of a call; field is its parameter, "" if none.
func RefusedCall(status int, code, message, field string) error {
	if better := statusOf(code); status == http.StatusBadRequest {
		status = better
	}
	p := newProblem(status, code, message)
	if field != "" {
		p.Errors = []*huma.ErrorDetail{{Location: "body.parameters." + strings.ToUpper(field[:1]) + field[1:], Message: message}}
	}
	return p
}

// unchanged refuses a call whose author has not seen what is there now.
func (s *Server) unchanged(seen *Unchanged) error {
	if seen == nil {
		return nil
	}
	now := ""
	st := s.state()
	if g := st.SecurityGroup(seen.ID); g != nil {
		now = etag(g)
	} else if t := st.RouteTable(seen.ID); t != nil {
		now = etag(t)
	} else if a := st.NetworkACL(seen.ID); a != nil {
		now = etag(a)
	}
	switch now {
	case seen.ETag:
		return nil
	case "":
		return newProblem(http.StatusPreconditionFailed, "", clip(seen.ID)+" is gone, or is no security group, route table or network ACL: nothing was changed")
	}
	return newProblem(http.StatusPreconditionFailed, "", clip(seen.ID)+" has been changed since you looked at it: nothing was changed; look again, then repeat the call")
}

// flatten writes parameters in the words of the Query protocol.
func flatten(out []Parameter, name string, v any, depth int) ([]Parameter, error) {
	at := strings.TrimSuffix("body.parameters."+name, ".")
	if depth > 12 || len(out) > maxFlat {
		return nil, wrongField(at, fmt.Sprintf("too much: parameters are at most 12 deep and %d in all", maxFlat))
	}
	under := func(key string) string { return strings.TrimPrefix(name+"."+key, ".") }
	var err error
	switch x := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			if out, err = flatten(out, under(key), x[key], depth+1); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, one := range x {
			if out, err = flatten(out, under(strconv.Itoa(i+1)), one, depth+1); err != nil {
				return nil, err
			}
		}
	case string:
		out = append(out, Parameter{name, x})
	case bool:
		out = append(out, Parameter{name, strconv.FormatBool(x)})
	case float64:
		out = append(out, Parameter{name, strconv.FormatFloat(x, 'f', -1, 64)})
	case nil:
	default:
		return nil, wrongField(at, "want a string, a number, true or false, a list or an object")
	}
	return out, nil
}

// noted remembers calls of this API that change something. What EC2's actions
// are is remembered where they are carried out.
func (s *Server) noted(c *fiber.Ctx) error {
	method := c.Method()
	if s.opt.Calls == nil || method == fiber.MethodGet || method == fiber.MethodHead || method == fiber.MethodOptions || c.Path() == base+"/calls" {
		return c.Next()
	}
	began := time.Now()
	path, body := strings.Clone(c.OriginalURL()), ""
	long := len(c.Request().Body()) > calls.MaxArguments || len(path) > calls.MaxArguments
	if !long {
		body = string(c.Request().Body())
	}
	err := c.Next()
	call := calls.Call{
		At: began, Took: time.Since(began), API: "admin", Action: method + " " + clip(strings.TrimPrefix(c.Path(), base)),
		From: strings.Clone(c.Get(fiber.HeaderUserAgent)), Status: c.Response().StatusCode(),
	}
	if !long {
		call.Line = func(endpoint string) string { return calls.Curl(endpoint, method, path, body) }
	}
	if p, ok := err.(*Problem); ok { //nolint:errorlint // what handlers here return is it itself
		call.Status, call.Code, call.Message = p.Status, p.Code, p.Detail
	} else if call.Status >= http.StatusBadRequest {
		var p Problem
		if json.Unmarshal(c.Response().Body(), &p) == nil {
			call.Code, call.Message = p.Code, p.Detail
		}
	}
	s.opt.Calls.Add(call)
	return err
}

func knownRegion(name string) bool { return control.RegionByName(name) != nil }
