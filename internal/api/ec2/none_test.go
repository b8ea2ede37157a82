package ec2

import (
	"slices"
	"strings"
	"testing"

	"enilab/internal/api/ec2/model"
)

// bareParams are what an action needs to be answered with an empty list. Those
// that want the name of what there is none of are not.
func bareParams(action string) (params []string, answers bool) {
	at := slices.IndexFunc(model.Bare, func(a model.BareAction) bool { return a.Name == action })
	if at < 0 {
		return nil, true
	}
	for _, p := range model.Bare[at].Parameters {
		if !p.Required {
			continue
		}
		if _, names := noneIDs[p.Name]; names {
			return nil, false
		}
		value := map[model.BareKind]string{
			model.BareText: "x", model.BareNumber: "5", model.BareTime: "2026-11-29T10:00:00Z", model.BareStructure: "",
		}[p.Kind]
		if p.Kind == model.BareStructure {
			p.Name += ".Interval"
		}
		params = append(params, p.Name+"="+value)
	}
	return params, true
}

// walkNone asks for all that there is none of: everything, one that is named,
// one whose name has not the form, what is no parameter, and a dry run.
func walkNone(t *testing.T, l *lab) {
	t.Helper()
	for _, a := range model.Bare {
		params, answers := bareParams(a.Name)
		if answers {
			r := l.must(a.Name, params...)
			for _, list := range a.Lists {
				if r.count(list) != 0 {
					t.Errorf("%s: %s", a.Name, r.raw)
				}
			}
			// Whatever has tags is asked for by them, documented or not.
			filters := slices.IndexFunc(a.Parameters, func(p model.BareParameter) bool { return p.Kind == model.BareFilters })
			if a.Tagged && filters >= 0 {
				for _, name := range []string{"tag:k", "tag-key", "tag-value"} {
					f := a.Parameters[filters].Name + ".1."
					l.must(a.Name, append(slices.Clone(params), f+"Name="+name, f+"Value.1=v")...)
				}
			}
			dry := slices.ContainsFunc(a.Parameters, func(p model.BareParameter) bool { return p.Name == "DryRun" })
			if r := l.ask(a.Name, append(params, "DryRun=true")...); r.code() != map[bool]string{true: "DryRunOperation", false: "UnknownParameter"}[dry] {
				t.Errorf("%s, dry: %s", a.Name, r.raw)
			}
		}
		l.answered[a.Name] = true
		l.refused("UnknownParameter", a.Name, "Colour=red")
		for _, p := range a.Parameters {
			k, ok := noneIDs[a.Name+"."+p.Name]
			if !ok {
				k, ok = noneIDs[p.Name]
			}
			if p.Required {
				l.refused("MissingParameter", a.Name)
			}
			if !ok || k.NotFound == "" {
				continue
			}
			name := p.Name
			if p.Kind == model.BareTexts {
				name += ".1"
			}
			others := slices.DeleteFunc(slices.Clone(params), func(s string) bool { return strings.HasPrefix(s, p.Name+"=") })
			for _, other := range a.Parameters {
				if other.Required && other.Name != p.Name && !answers {
					others = append(others, other.Name+"="+map[model.BareKind]string{model.BareNumber: "1", model.BareTime: "2026-11-29T10:00:00Z",
						model.BareText: noneIDs[other.Name].Prefix + "0123456789abcdef0"}[other.Kind])
				}
			}
			l.refused(k.NotFound, a.Name, append(others, name+"="+k.Prefix+"0123456789abcdef0")...)
			if k.Prefix != "" {
				l.refused(k.Malformed, a.Name, append(others, name+"=nonsense")...)
			}
		}
	}
	// What is named may be of a kind of which there are some.
	allocation := l.must("AllocateAddress").text("allocationId")
	l.must("DescribeAddressTransfers", "AllocationId.1="+allocation)
	l.must("ReleaseAddress", "AllocationId="+allocation)
	l.must("DescribeStoreImageTasks", "ImageId.1=ami-0123456789abcdef0")
	l.refused("InvalidPlacementGroup.Unknown", "DescribePlacementGroups", "GroupName.1=close")
	if got := l.ask("DescribeTransitGatewayConnects", "TransitGatewayAttachmentIds.1=tgw-attach-0123456789abcdef0").message(); got != "Transit Gateway Attachment tgw-attach-0123456789abcdef0 was deleted or does not exist." {
		t.Error(got)
	}
	l.refused("InvalidParameterValue", "DescribeFleets", "MaxResults=x")
	l.refused("InvalidParameterValue", "DescribeVpnGateways", "Filter.1.Name=colour", "Filter.1.Value.1=red")
	l.refused("InvalidNextToken", "DescribeHosts", "NextToken=x")
}
