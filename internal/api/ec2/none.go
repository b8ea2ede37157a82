package ec2

import (
	"slices"
	"strings"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
)

// bindNone binds the Describe actions on what enilab has none of. Programs that
// take stock or clean up ask for all that an account can have, and do not go on
// without an answer.
func bindNone(t map[string]handler) {
	for i := range model.Bare {
		a := &model.Bare[i]
		t[a.Name] = handler{empty: true, run: func(c *call, root *query.Node) (result, error) { return c.nothing(a, root) }}
	}
}

// noRows is an answer of lists that hold nothing.
type noRows []string

func (lists noRows) AppendXML(b []byte) []byte {
	for _, name := range lists {
		b = query.AppendStrings(b, name, []string{})
	}
	return b
}

// nothing answers an action on what there is none of, or refuses what names one,
// and what the action does not have.
func (c *call) nothing(a *model.BareAction, root *query.Node) (result, error) {
	in, err := readBare(a, root)
	if err != nil {
		return nil, err
	}
	f := filterable[struct{}]{action: a.Name, absent: strings.Join(model.Filters[a.Name], " ")}
	if a.Tagged || strings.Contains(f.absent, "tag:") || strings.Contains(f.absent, "tag-key") {
		f.tags = func(struct{}) control.Tags { return nil }
	}
	if f.absent == "" {
		// The reference does not say which there are.
		for _, filter := range in.filters {
			f.absent += " " + query.Value(filter.Name)
		}
	}
	if _, err := f.compile(c, in.filters); err != nil {
		return nil, err
	}
	if _, err := c.page(in.max, in.token, "", nil); err != nil {
		return nil, err
	}
	for _, named := range in.named {
		if err := c.absent(a.Name, named.parameter, named.id); err != nil {
			return nil, err
		}
	}
	if in.dry {
		return nil, errDryRun
	}
	return noRows(a.Lists), nil
}

// absent refuses a resource that a parameter names, unless it is of a kind of
// which there are some and there. What names nothing passes.
func (c *call) absent(action, parameter, id string) error {
	k, ok := noneIDs[action+"."+parameter]
	if !ok {
		k, ok = noneIDs[parameter]
	}
	if !ok {
		return nil
	}
	if k.Prefix != "" {
		if err := k.Check(id); err != nil {
			return err
		}
	}
	if of := control.KindOf(id); of != nil && of.ID.Prefix == k.Prefix && of.Row(c.state, id) != nil || k.NotFound == "" {
		return nil
	}
	return k.Missing(clip(id))
}

// bareRequest is a request of an action without types.
type bareRequest struct {
	dry     bool
	filters []model.Filter
	max     *int
	token   *string
	named   []namedID
}

type namedID struct{ parameter, id string }

func readBare(a *model.BareAction, root *query.Node) (in bareRequest, err error) {
	var d query.Decoder
	given := make(map[string]bool)
	for i := range root.Children {
		n := &root.Children[i]
		at := slices.IndexFunc(a.Parameters, func(p model.BareParameter) bool { return p.Name == n.Name })
		if at < 0 {
			d.Unknown(n)
			continue
		}
		given[n.Name] = true
		switch p := a.Parameters[at]; {
		case p.Name == "DryRun":
			in.dry = query.Value(d.Bool(n))
		case p.Name == "MaxResults":
			in.max = d.Int(n)
		case p.Name == "NextToken":
			in.token = d.String(n)
		case p.Kind == model.BareFilters:
			in.filters = query.Structs[model.Filter](&d, n)
		case p.Kind == model.BareText:
			in.named = append(in.named, namedID{p.Name, query.Value(d.String(n))})
		case p.Kind == model.BareTexts:
			for _, id := range d.Strings(n) {
				in.named = append(in.named, namedID{p.Name, id})
			}
		case p.Kind == model.BareNumber:
			d.Long(n)
		case p.Kind == model.BareSwitch:
			d.Bool(n)
		case p.Kind == model.BareTime:
			d.Time(n)
		}
	}
	if err := d.Err(); err != nil {
		return in, err
	}
	for _, p := range a.Parameters {
		if p.Required && !given[p.Name] {
			return in, missing(strings.ToLower(p.Name[:1]) + p.Name[1:])
		}
	}
	return in, nil
}
