package control

import (
	"fmt"
	"slices"
	"testing"
)

func (s *site) list(size int, cidrs ...string) *PrefixList {
	s.t.Helper()
	in := CreatePrefixListInput{Name: "list", Family: familyIPv4, MaxEntries: size}
	for _, c := range cidrs {
		in.Entries = append(in.Entries, PrefixListEntryInput{CIDR: c})
	}
	return must(s.lab, func(t *tx) (*PrefixList, error) { return t.createPrefixList(in) })
}

// A list that a rule names cannot go, and its versions count changes of entries.
func TestPrefixListInUse(t *testing.T) {
	s := newSite(t)
	g := s.group("web")
	l := s.list(10, "10.9.0.0/16", "10.8.1.2/16")
	rule := s.authorize(g, RuleInput{Protocol: "tcp", FromPort: ptr(80), ToPort: ptr(80), PrefixList: l.ID})[0]
	change := func(in ModifyPrefixListInput) *PrefixList {
		t.Helper()
		in.ID = l.ID
		return must(s.lab, func(t *tx) (*PrefixList, error) { return t.modifyPrefixList(in) })
	}
	if l := change(ModifyPrefixListInput{Version: ptr(1), Add: []PrefixListEntryInput{{CIDR: "10.7.0.0/16"}}, Remove: []string{"10.9.0.0/16"}}); l.Version != 2 {
		t.Errorf("version %d", l.Version)
	}
	change(ModifyPrefixListInput{Name: new("renamed")})
	refusedErr := func(t *tx) error { return t.deletePrefixList(l.ID) }
	s.refuses("DependencyViolation", "The prefix list '"+l.ID+"' is in use and cannot be deleted.", refusedErr)
	s.ok(func(t *tx) error { return t.revokeRules(g.ID, []string{rule.ID}) })
	s.ok(refusedErr)
}

// A list weighs with all that it may ever hold, also when it grows later.
func TestPrefixListWeighs(t *testing.T) {
	s := newSite(t)
	g, l := s.group("web"), s.list(59)
	s.authorize(g, RuleInput{Protocol: "-1", PrefixList: l.ID}, RuleInput{Protocol: "-1", CIDR: "10.0.0.0/8"})
	const full = "The maximum number of rules per security group has been reached."
	refused(s.lab, "RulesPerSecurityGroupLimitExceeded", full, func(t *tx) ([]SecurityGroupRule, error) {
		return t.authorizeRules(g.ID, false, []RuleInput{{Protocol: "-1", CIDR: "11.0.0.0/8"}})
	})
	s.authorize(g, RuleInput{Protocol: "-1", CIDR: "fd00::/8"}) // IPv6 has a quota of its own
	refused(s.lab, "RulesPerSecurityGroupLimitExceeded", full, func(t *tx) (*PrefixList, error) {
		return t.modifyPrefixList(ModifyPrefixListInput{ID: l.ID, MaxEntries: ptr(60)})
	})
	table := s.state.MainRouteTable(s.vpc.ID)
	s.refuses("RouteLimitExceeded", "The maximum number of routes (50) in route table "+table.ID+" has been reached.", func(t *tx) error {
		c := *table
		c.Routes = append(slices.Clone(table.Routes), Route{PrefixList: l.ID, Origin: originRoute})
		return t.routesFit(&c)
	})
}

func TestPrefixListRefusals(t *testing.T) {
	s := newSite(t)
	s.ok((*tx).found)
	l := s.list(2, "10.0.0.0/8")
	entries := func(cidrs ...string) (ins []PrefixListEntryInput) {
		for _, c := range cidrs {
			ins = append(ins, PrefixListEntryInput{CIDR: c})
		}
		return ins
	}
	for _, c := range []struct {
		in   ModifyPrefixListInput
		code string
		text string
	}{
		{ModifyPrefixListInput{}, "InvalidParameterCombination", "No attributes specified."},
		{ModifyPrefixListInput{Add: entries("11.0.0.0/8")}, "MissingParameter", "The request must contain the parameter currentVersion"},
		{ModifyPrefixListInput{Version: ptr(2), Add: entries("11.0.0.0/8")}, "PrefixListVersionMismatch", "The prefix list has the incorrect version number."},
		{ModifyPrefixListInput{Version: ptr(1), Add: entries("11.0.0.0/8", "12.0.0.0/8")}, "PrefixListMaxEntriesExceeded",
			"You've reached the maximum number of entries for the prefix list."},
		{ModifyPrefixListInput{Version: ptr(1), Add: entries("10.1.0.0/8")}, "InvalidParameterValue", "The prefix list contains the CIDR block 10.0.0.0/8 already."},
		{ModifyPrefixListInput{Version: ptr(1), Add: entries("fd00::/8")}, "InvalidParameterValue",
			"Value (fd00::/8) for parameter cidr is invalid. This is not a valid IPv4 CIDR block."},
		{ModifyPrefixListInput{Version: ptr(1), Remove: []string{"11.0.0.0/8"}}, "InvalidParameterValue",
			"The prefix list '" + l.ID + "' does not contain the CIDR block 11.0.0.0/8."},
		{ModifyPrefixListInput{Version: ptr(1), Remove: []string{"10.0.0.0/8"}, MaxEntries: ptr(3)}, "InvalidParameterCombination",
			"You cannot modify the entries of a prefix list and its size at the same time."},
		{ModifyPrefixListInput{Name: new("com.amazonaws.mine")}, "InvalidParameterValue", "The name of a prefix list cannot start with com.amazonaws."},
		{ModifyPrefixListInput{MaxEntries: ptr(0)}, "InvalidParameterValue", "Value (0) for parameter maxEntries is invalid. It must be 1 to 1000."},
	} {
		c.in.ID = l.ID
		refused(s.lab, c.code, c.text, func(t *tx) (*PrefixList, error) { return t.modifyPrefixList(c.in) })
	}
	refused(s.lab, "OperationNotPermitted", "The prefix list 'pl-63a5400a' is managed by AWS.", func(t *tx) (*PrefixList, error) {
		return t.modifyPrefixList(ModifyPrefixListInput{ID: "pl-63a5400a", Name: new("mine")})
	})
}

// However often a list changes, its newest versions are kept and no more.
func TestPrefixListVersionsAreBounded(t *testing.T) {
	s := newSite(t)
	l := s.list(1000)
	for v := 1; v <= keptVersions+5; v++ {
		l = must(s.lab, func(t *tx) (*PrefixList, error) {
			return t.modifyPrefixList(ModifyPrefixListInput{ID: l.ID, Version: &v, Add: []PrefixListEntryInput{{CIDR: fmt.Sprintf("10.%d.0.0/16", v)}}})
		})
	}
	if len(l.Versions) != keptVersions || l.Version != keptVersions+6 || len(l.Entries()) != keptVersions+5 {
		t.Errorf("%d versions kept, version %d", len(l.Versions), l.Version)
	}
	if e, ok := l.EntriesOf(l.Version - 1); !ok || len(e) != keptVersions+4 {
		t.Errorf("the version before has %d entries", len(e))
	}
	if _, ok := l.EntriesOf(1); ok {
		t.Error("the first version is still there")
	}
}

// A modified rule keeps its id, number and tags; what it becomes must be new.
func TestModifyRules(t *testing.T) {
	s := newSite(t)
	g := s.group("web")
	rules := s.authorize(g, RuleInput{Protocol: "tcp", FromPort: ptr(22), ToPort: ptr(22), CIDR: "10.0.0.0/8", Tags: Tags{"a": "b"}},
		RuleInput{Protocol: "tcp", FromPort: ptr(23), ToPort: ptr(23), CIDR: "10.0.0.0/8"})
	becomes := func(port int) error {
		return s.try(func(t *tx) error {
			return t.modifyRules(g.ID, []RuleChange{{ID: rules[0].ID, RuleInput: RuleInput{
				Protocol: "tcp", FromPort: &port, ToPort: &port, CIDR: "10.0.0.0/8"}}})
		})
	}
	if err := becomes(24); err != nil {
		t.Fatal(err)
	}
	now := s.state.SecurityGroupOfRule(rules[0].ID)
	for _, r := range now.Rules {
		if r.ID == rules[0].ID && (r.FromPort != 24 || r.Ref != rules[0].Ref || r.Tags["a"] != "b") {
			t.Errorf("became %+v", r)
		}
	}
	if e, ok := becomes(23).(*Error); !ok || e.Code != "InvalidPermission.Duplicate" {
		t.Errorf("became another rule: %v", e)
	}
}
