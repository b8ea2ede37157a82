// Package served puts the APIs before a laboratory: EC2 and STS, FIS, instance
// metadata and the admin API, on one listener. The command and tests in a process
// of their own serve the same, so that what is proven of one holds for the other.
// It makes no policy: who may ask, where it listens and what is kept is its
// caller's.
package served

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofiber/fiber/v2"

	"enilab/internal/api/apifault"
	"enilab/internal/api/calls"
	"enilab/internal/api/ec2"
	"enilab/internal/api/ec2/query"
	apifis "enilab/internal/api/fis"
	"enilab/internal/api/rest"
	"enilab/internal/control/failover"
	"enilab/internal/dataplane/verdict"
	"enilab/internal/fis"
	"enilab/internal/lab"
)

// noteTime bounds what an event without a change may wait for its commit.
const noteTime = 5 * time.Second

// Lab is a laboratory that APIs can be put before.
type Lab struct {
	*lab.Lab
	// Faults hit calls of the APIs, and those of failover policies and scenarios.
	Faults *apifault.Set
	// Experiments are those of AWS FIS; set by API.
	Experiments *fis.Service

	opt lab.Options
}

// Open starts a laboratory whose failover policies call under the API faults in
// force, see lab.Open. The account is the one that the APIs answer for.
func Open(ctx context.Context, opt lab.Options) (*Lab, error) {
	opt.Account = ec2.DefaultAccount
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	l := &Lab{opt: opt}
	l.Faults = apifault.New(apifault.Options{Now: l.time, Seed: opt.Seed, Note: l.Note, Log: opt.Log})
	l.opt.PolicyCalls = l.CallBy("failover-policy")
	var err error
	l.Lab, err = lab.Open(ctx, l.opt)
	return l, err
}

func (l *Lab) time() time.Time { return time.Unix(0, l.opt.Now()).UTC() }

// Note writes an event that goes with no change.
func (l *Lab) Note(typ, id string, kv ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), noteTime)
	defer cancel()
	return l.Control.Note(ctx, typ, id, kv...)
}

// CallBy makes calls of the EC2 API that come from inside under the API faults in
// force, for who as what makes requests.
func (l *Lab) CallBy(who string) func(context.Context, string, func(context.Context) error) error {
	return func(ctx context.Context, operation string, call func(context.Context) error) error {
		return l.Faults.Around(ctx, apifault.EC2, operation, who, call)
	}
}

// Refuse answers in the form of the API of AWS that a request is for, while there is
// no laboratory behind it. It reports whether the request is for one.
func Refuse(c *fiber.Ctx, status int, detail string) bool {
	return apifis.Refuse(c, status, detail) || ec2.Refuse(c, status, detail)
}

// API builds the server of all APIs; it serves when its Serve is called. Of opt
// the parts of the laboratory are filled in, and its Reset and log of calls if there is none; keys
// are the secrets that EC2 requests must be signed with, by id, none for any.
func (l *Lab) API(opt rest.Options, keys map[string]string) (*rest.Server, error) {
	log := opt.Calls
	if log == nil {
		log = new(calls.Log)
	}
	aws, err := ec2.New(ec2.Options{Control: l.Control, Faults: l.Faults, Calls: log, Keys: keys, Now: l.time})
	if err != nil {
		return nil, err
	}
	experiments, err := l.experiments(aws)
	if err != nil {
		return nil, err
	}
	opt.Control, opt.Engine, opt.Moves, opt.Guests = l.Control, l.Engine, l.Failover, l.Guests
	opt.PolicyStatus, opt.APIFaults, opt.Impairments = l.policyStatus, l.Faults, l.Impairments
	opt.Course = l.Failover.Course
	opt.Region, opt.Signed = l.opt.Region, len(keys) > 0
	opt.Mount = func(app *fiber.App) { l.Metadata.Register(app); aws.Register(app); experiments.Register(app) }
	opt.Refuse = func(c *fiber.Ctx, status int, detail string) bool {
		return apifis.Refuse(c, status, detail) || aws.Refuse(c, status, detail)
	}
	opt.Calls, opt.Call = log, callEC2(aws)
	if opt.Reset == nil {
		opt.Reset = func(ctx context.Context) error { return l.Failover.Reset(ctx, l.Control.Reset) }
	}
	return rest.New(opt)
}

// callEC2 carries out actions of EC2 for the admin API.
func callEC2(aws *ec2.API) func(context.Context, rest.EC2Call) (rest.EC2Answer, error) {
	return func(ctx context.Context, in rest.EC2Call) (rest.EC2Answer, error) {
		params := make([]query.Param, len(in.Flat))
		for i, p := range in.Flat {
			params[i] = query.Param{Name: p.Name, Value: p.Value}
		}
		result, err := aws.Call(ctx, in.Region, in.Action, params, in.From)
		if refused, ok := errors.AsType[*ec2.Refusal](err); ok {
			return rest.EC2Answer{}, rest.RefusedCall(refused.Status, refused.Code, refused.Message, refused.Field)
		}
		return rest.EC2Answer{Result: result}, err
	}
}

// experiments has the laboratory run those of AWS FIS, and returns the API for them.
func (l *Lab) experiments(aws *ec2.API) (*apifis.API, error) {
	service, err := fis.New(fis.Options{Control: l.Control, Faults: l.Faults, Impairments: l.Impairments, Account: l.opt.Account, Now: l.time, Log: l.opt.Log})
	if err != nil {
		return nil, err
	}
	api, err := apifis.New(apifis.Options{
		Control: l.Control, Service: service, Account: l.opt.Account, Authenticate: aws.Authenticate, RequestID: aws.RequestID,
	})
	if err == nil {
		l.Experiments = service
		l.Go("experiments", service.Run)
	}
	return api, err
}

// policyStatus words a policy's watch for the API.
func (l *Lab) policyStatus(id string) (rest.PolicyStatus, bool) {
	st, ok := l.Failover.PolicyStatus(id)
	if !ok {
		return rest.PolicyStatus{}, false
	}
	out := rest.PolicyStatus{State: string(st.State), Misses: st.Misses, Detail: st.Detail, Candidates: []rest.Candidate{}}
	for _, c := range st.Candidates {
		out.Candidates = append(out.Candidates, rest.Candidate{
			InstanceID: c.Instance, Unfit: string(c.Unfit), Detail: c.Detail, Former: c.Former,
		})
	}
	if o := st.Last; o != nil {
		out.LastProbe = probeResult(o)
	}
	return out, true
}

func probeResult(o *failover.Outcome) *rest.ProbeResult {
	r := &rest.ProbeResult{
		At: time.Unix(0, o.At).UTC(), Result: string(o.Result), Detail: o.Detail, FromInterfaceID: o.From,
	}
	if o.RTT > 0 {
		ms := float64(o.RTT) / float64(time.Millisecond)
		r.RTTMs = &ms
	}
	if o.Seen.Reason != verdict.Delivered {
		r.Seen = &rest.FrameFate{
			Reason: o.Seen.Reason.String(), Point: o.Seen.Point.String(), NetworkInterfaceID: o.Seen.NetworkInterface,
		}
	}
	return r
}
