package instancetypes

import (
	"encoding/json"
	"testing"
)

func TestReadGivesEveryMemberOnce(t *testing.T) {
	types, err := Read[map[string]json.RawMessage]()
	if err != nil {
		t.Fatal(err)
	}
	if len(types) != 1263 || types[0].Name != "a1.2xlarge" || types[len(types)-1].Name != "z1d.xlarge" {
		t.Fatalf("%d types", len(types))
	}
	shared := make(map[*map[string]json.RawMessage]int)
	for k, typ := range types {
		if k > 0 && types[k-1].Name >= typ.Name {
			t.Errorf("%s after %s", typ.Name, types[k-1].Name)
		}
		seen := make(map[string]bool)
		for _, part := range typ.Parts {
			shared[part]++
			for member := range *part {
				if seen[member] {
					t.Errorf("%s has two %s", typ.Name, member)
				}
				seen[member] = true
			}
		}
		for _, member := range []string{"EbsInfo", "NetworkInfo", "PlacementGroupInfo", "ProcessorInfo", "VCpuInfo", "BareMetal"} {
			if !seen[member] {
				t.Errorf("%s has no %s", typ.Name, member)
			}
		}
	}
	if len(shared) > len(types)*3/2 {
		t.Errorf("%d parts of %d types: they share too little", len(shared), len(types))
	}
}
