package ec2

import (
	"context"
	"errors"
	"slices"
	"strings"

	"enilab/internal/api/apifault"
	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/api/ec2/sigv4"
	"enilab/internal/control"
)

// namespace is EC2's of answers, whatever version was asked for.
const namespace = "http://ec2.amazonaws.com/doc/2016-11-15/"

// result is what an action answers.
type result interface{ AppendXML([]byte) []byte }

// done is the answer of an action that only succeeds.
type done struct{}

func (done) AppendXML(b []byte) []byte { return query.AppendBool(b, "return", new(true)) }

// input is a pointer to a request of the model.
type input[T any] interface {
	*T
	Decode(*query.Decoder, *query.Node)
	Action() string
	Missing() string
	DryRunning() bool
	Token() string
}

// handler is one implemented action.
type handler struct {
	// honours are the parameters that the action acts on, by their names
	// without indexes and with all below them, or "Name=value" where only that
	// value is. The others of the model are refused: silence would pretend.
	honours []string
	empty   bool // it lists what there is none of
	run     func(c *call, root *query.Node) (result, error)
	// request decodes parameters into the model's structure, without checks.
	request func(root *query.Node) (any, error)
}

// call is one request of an action.
type call struct {
	ctx    context.Context
	api    *API
	region *control.RegionFacts
	svc    *control.Service // of the region
	state  *control.State   // of the region, as it was when the request came
	params []query.Param
	action string
	dry    bool
	// honoured refuses what the action does not act on.
	honoured func(root *query.Node) error
	seen     lookups
}

// errDryRun is how a dry run ends that would have succeeded.
var errDryRun = query.Refuse("DryRunOperation", "Request would have succeeded, but DryRun flag is set.")

// command gives the way to change something, which a dry run may only rehearse.
func (c *call) command() *control.Service {
	if c.dry {
		return c.svc.Rehearsal()
	}
	return c.svc
}

// bind makes a handler of a function on one of the model's requests.
func bind[T any, P input[T]](table map[string]handler, honours string, f func(*call, P) (result, error)) {
	h := handler{honours: append(strings.Fields(honours), "DryRun", "ClientToken")}
	h.request = func(root *query.Node) (any, error) {
		in := P(new(T))
		var d query.Decoder
		in.Decode(&d, root)
		return in, d.Err()
	}
	h.run = func(c *call, root *query.Node) (result, error) {
		in := P(new(T))
		var d query.Decoder
		in.Decode(&d, root)
		if err := d.Err(); err != nil {
			return nil, err
		}
		if name := in.Missing(); name != "" {
			return nil, lacking(c.action, name)
		}
		c.honoured = func(root *query.Node) error { return h.acts(c.action, root, "") }
		if err := c.honoured(root); err != nil {
			return nil, err
		}
		if token := in.Token(); token != "" && !in.DryRunning() {
			return c.api.tokens.once(c, token, func() (result, error) { return f(c, in) })
		}
		if c.dry = in.DryRunning(); !c.dry {
			return f(c, in)
		}
		if _, err := f(c, in); err != nil && !errors.Is(err, control.ErrRehearsed) {
			return nil, err
		}
		return nil, errDryRun
	}
	table[P(nil).Action()] = h
}

func missing(name string) error {
	return query.Refuse("MissingParameter", "The request must contain the parameter %s", name)
}

func invalid(format string, args ...any) error {
	return query.Refuse("InvalidParameterValue", format, args...)
}

func combination(format string, args ...any) error {
	return query.Refuse("InvalidParameterCombination", format, args...)
}

// unsupported refuses what EC2 has and enilab has not.
func unsupported(format string, args ...any) error {
	return query.Refuse("UnsupportedOperation", format, args...)
}

func (a *API) dispatch(ctx context.Context, r *request, svc service, params []query.Param,
	signature *sigv4.Signature, signatureErr error, b []byte,
) ([]byte, error) {
	who := a.root()
	if r.region == "" { // else it comes from inside
		var err error
		if who, err = a.authenticate(r.signed(), svc, signature, signatureErr); err != nil {
			return b, err
		}
	}
	action := valueOf(params, "Action")
	if action == "" {
		return b, query.Refuse("MissingAction", "The request must contain the parameter Action")
	}
	if err := a.meant(r, action, params); err != nil {
		return b, err
	}
	hit := a.opt.Faults.Begin(apifault.EC2, action, who.role, r.id)
	if hit == nil {
		return a.perform(ctx, r, svc, who, action, params, signature, b)
	}
	if err := a.inject(ctx, r, hit, apifault.Before); err != nil {
		return b, err
	}
	if hit.Hangs() {
		// The time that a call was held is not its own.
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(r.base, commandTime)
		defer cancel()
	}
	b, err := a.perform(ctx, r, svc, who, action, params, signature, b)
	if err := a.inject(ctx, r, hit, apifault.After); err != nil {
		return b, err
	}
	return b, err
}

// perform does what an authenticated request asks for.
func (a *API) perform(ctx context.Context, r *request, svc service, who caller, action string, params []query.Param,
	signature *sigv4.Signature, b []byte,
) ([]byte, error) {
	own := slices.DeleteFunc(slices.Clone(params), func(p query.Param) bool { return envelope(p.Name) })
	root, err := query.Tree(own)
	if err != nil {
		return b, err
	}
	if svc == serviceSTS {
		return a.serveSTS(r, who, action, root, b)
	}
	h, ok := handlers[action]
	if !ok {
		if _, known := slices.BinarySearch(model.Names, action); known {
			return b, unsupported("The action %s is not supported by enilab; docs/ec2-api.md lists those that are.", action)
		}
		return b, query.Refuse("InvalidAction", "The action %s is not valid for this web service.", clip(action))
	}
	c, err := a.enter(ctx, signature, r.region == "")
	if err != nil {
		return b, err
	}
	c.params, c.action = own, action
	out, err := h.run(c, root)
	if err != nil {
		return b, spell(action, err)
	}
	b = append(b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<"...)
	b = append(b, action...)
	b = append(b, `Response xmlns="`+namespace+`"><requestId>`...)
	b = append(b, r.id...)
	b = append(b, `</requestId>`...)
	b = out.AppendXML(b)
	b = append(b, "</"...)
	b = append(b, action...)
	return append(b, "Response>"...), nil
}

// enter begins a call in the region it is signed for. A region that no client has
// asked for yet gets its default VPC first; for calls from inside, with which
// people build a laboratory from nothing, none is founded.
func (a *API) enter(ctx context.Context, signature *sigv4.Signature, found bool) (*call, error) {
	name := a.opt.Control.Region()
	if signature != nil && signature.Region != "" {
		name = signature.Region
	}
	r := control.RegionByName(name)
	if r == nil {
		return nil, query.Refuse("AuthFailure", "Credential should be scoped to a valid region, not '%s'.", clip(name))
	}
	c := &call{ctx: ctx, api: a, region: r, svc: a.opt.Control.In(name)}
	if c.state = c.svc.State(); found && !c.state.Founded(name) {
		if err := c.svc.Found(ctx); err != nil {
			return nil, err
		}
		c.state = c.svc.State()
	}
	return c, nil
}

// clip keeps refusals short whatever was sent.
func clip(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "..."
	}
	return s
}

// acts refuses the first parameter below n that h does not act on.
func (h *handler) acts(action string, n *query.Node, path string) error {
	for i := range n.Children {
		child := &n.Children[i]
		name := path
		if strings.Trim(child.Name, "0123456789") != "" {
			name = strings.TrimPrefix(path+"."+child.Name, ".")
		}
		if slices.Contains(h.honours, name) {
			continue
		}
		if child.Set && !slices.Contains(h.honours, name+"="+child.Value) {
			return unsupported("The parameter %s of %s is not supported by enilab.", clip(child.Path), action)
		}
		if err := h.acts(action, child, name); err != nil {
			return err
		}
	}
	return nil
}
