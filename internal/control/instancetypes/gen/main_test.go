package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"enilab/internal/control/instancetypes"
)

func TestPackSharesParts(t *testing.T) {
	// Both forms of a dump, members in different orders.
	for name, dump := range map[string]string{
		"moto.json": `{"b.large": {"InstanceType": "b.large", "VCpuInfo": {"DefaultVCpus": 2, "ValidCores": [1, 2]}, "BareMetal": false},
			"a.large": {"BareMetal": false, "VCpuInfo": {"ValidCores": [1, 2], "DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 4}}}`,
		"answer.json": `{"InstanceTypes": [{"InstanceType": "b.large", "VCpuInfo": {"DefaultVCpus": 2, "ValidCores": [1, 2]}, "BareMetal": false},
			{"InstanceType": "a.large", "BareMetal": false, "VCpuInfo": {"ValidCores": [1, 2], "DefaultVCpus": 2}, "MemoryInfo": {"SizeInMiB": 4}}]}`,
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(dump), 0o600); err != nil {
			t.Fatal(err)
		}
		types, err := read(path)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		facts, err := pack(types)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := json.Marshal(facts)
		want := `{"parts":[{"BareMetal":false},{"MemoryInfo":{"SizeInMiB":4}},{"VCpuInfo":{"DefaultVCpus":2,"ValidCores":[1,2]}}],` +
			`"types":{"a.large":[0,1,2],"b.large":[0,2]}}`
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, %v, want\n%s", name, got, err, want)
		}
	}
	if _, err := pack(nil); err == nil {
		t.Error("no types at all are taken")
	}
}

// The committed facts are what this command writes of them.
func TestFactsAreAsWritten(t *testing.T) {
	list, err := instancetypes.Read[info]()
	if err != nil {
		t.Fatal(err)
	}
	types := make(map[string]info)
	places := make(map[*info]int)
	for _, l := range list {
		whole := info{}
		for _, part := range l.Parts {
			places[part]++
			for member, raw := range *part {
				whole[member] = raw
			}
		}
		types[l.Name] = whole
	}
	again, err := pack(types)
	if err != nil {
		t.Fatal(err)
	}
	if len(again.Parts) != len(places) || len(again.Types) != len(types) {
		t.Errorf("%d parts of %d types, want %d of %d", len(places), len(types), len(again.Parts), len(again.Types))
	}
	for _, l := range list {
		for k, part := range l.Parts {
			var want info
			if err := json.Unmarshal(again.Parts[again.Types[l.Name][k]], &want); err != nil || !reflect.DeepEqual(*part, want) {
				t.Fatalf("%s, part %d: %s, want %s (%v)", l.Name, k, *part, want, err)
			}
		}
	}
}
