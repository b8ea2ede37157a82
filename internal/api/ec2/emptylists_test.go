package ec2

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// emptyListsFile says of every list of every answer whether EC2 sends it without
// items as an empty element, "sent", or leaves it out, "omitted", with where that
// was seen; "-" where nobody has looked. Clients differ by it: boto3 has no key
// for what is left out. A line is of a structure's member, or of a member in one
// action's answers only, which goes first.
const emptyListsFile = "testdata/emptylists.txt"

type emptyList struct{ rule, seen string }

var readEmptyLists = sync.OnceValues(func() (map[string]emptyList, error) {
	raw, err := os.ReadFile(emptyListsFile)
	if err != nil {
		return nil, err
	}
	rules := make(map[string]emptyList)
	for line := range strings.Lines(string(raw)) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), "\t", 3)
		if len(f) != 3 || f[1] != "sent" && f[1] != "omitted" && f[1] != "-" || f[1] != "-" && f[2] == "" {
			return nil, fmt.Errorf("%s: %q is no list, rule and source", emptyListsFile, line)
		}
		rules[f[0]] = emptyList{f[1], f[2]}
	}
	return rules, nil
})

// misses judges the lists of one structure of an answer.
func (m *modelShapes) misses(action, path, name string, e *element) (wrong []string) {
	rules, err := readEmptyLists()
	if err != nil {
		return []string{err.Error()}
	}
	for member, ref := range m.Shapes[name].Members {
		if m.Shapes[ref.Shape].Type != "list" {
			continue
		}
		rule, ok := rules[action+":"+name+"."+member]
		if !ok {
			rule = rules[name+"."+member]
		}
		local := ref.LocationName
		if local == "" {
			local = member
		}
		switch n := e.count(local); {
		case n < 0 && rule.rule == "sent":
			wrong = append(wrong, fmt.Sprintf("%s: no %s, which EC2 sends empty too (%s)", path, local, rule.seen))
		case n == 0 && rule.rule == "omitted":
			wrong = append(wrong, fmt.Sprintf("%s: an empty %s, which EC2 leaves out (%s)", path, local, rule.seen))
		}
	}
	return wrong
}

// TestEmptyListsAreKnown holds the file to the lists that answers can have.
func TestEmptyListsAreKnown(t *testing.T) {
	m, err := readShapes()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := readEmptyLists()
	if err != nil {
		t.Fatal(err)
	}
	lists, done := make(map[string]bool), make(map[string]bool)
	var walk func(name string)
	walk = func(name string) {
		if done[name] {
			return
		}
		done[name] = true
		s := m.Shapes[name]
		for member, ref := range s.Members {
			if m.Shapes[ref.Shape].Type == "list" {
				lists[name+"."+member] = true
			}
			walk(ref.Shape)
		}
		if s.Type == "list" {
			walk(s.Member.Shape)
		}
	}
	for action := range handlers {
		if out := m.Operations[action].Output; out != nil {
			walk(out.Shape)
		}
	}
	if *update {
		var b strings.Builder
		all := maps.Clone(rules)
		for list := range lists {
			if _, ok := all[list]; !ok {
				all[list] = emptyList{rule: "-"}
			}
		}
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if _, list, ok := strings.Cut(key, ":"); lists[key] || ok && lists[list] {
				fmt.Fprintf(&b, "%s\t%s\t%s\n", key, all[key].rule, all[key].seen)
			}
		}
		if err := os.WriteFile(emptyListsFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	for list := range lists {
		if _, ok := rules[list]; !ok {
			t.Errorf("%s does not have %s: run go test ./internal/api/ec2 -update, and find out what EC2 does", emptyListsFile, list)
		}
	}
	for key := range rules {
		action, list, ok := strings.Cut(key, ":")
		if _, known := handlers[action]; ok && !known || ok && !lists[list] || !ok && !lists[key] {
			t.Errorf("%s has %s, which no answer has", emptyListsFile, key)
		}
	}
}
