package control

import (
	"reflect"
	"testing"
)

// TestKindsAreTold holds the registry to what its users rely on: one kind a
// table, one a prefix, one a resource type, and tags where EC2 has them.
func TestKindsAreTold(t *testing.T) {
	tables, prefixes, types := make(map[Table]bool), make(map[string]bool), make(map[string]bool)
	for _, k := range Kinds() {
		if tables[k.Table] || k.ID.Prefix != "" && prefixes[k.ID.Prefix] || k.Type != "" && types[k.Type] {
			t.Errorf("%s is there twice, or its prefix %q or type %q", k.Table, k.ID.Prefix, k.Type)
		}
		tables[k.Table], prefixes[k.ID.Prefix], types[k.Type] = true, true, true
		row := k.Blank()
		_, has := reflect.TypeOf(row).Elem().FieldByName("Tags")
		if has != (k.Type != "") {
			t.Errorf("%s has tags: %v, and the type %q", k.Table, has, k.Type)
		}
		if k.tags != nil {
			copied := k.clone(row)
			*k.tags(copied) = Tags{"a": "b"}
			if len(k.Tags(row)) != 0 || k.Tags(copied)["a"] != "b" {
				t.Errorf("tags of a copy of %s: %v, of the row: %v", k.Table, k.Tags(copied), k.Tags(row))
			}
		}
		if k.ID.Prefix != "" && KindOf(k.ID.Prefix+"0123456789abcdef0") != k {
			t.Errorf("%s is not found by an id of %q", k.Table, k.ID.Prefix)
		}
	}
}
