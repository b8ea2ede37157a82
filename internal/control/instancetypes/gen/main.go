// Command gen writes facts.json.gz of package instancetypes from what EC2's
// DescribeInstanceTypes answered: a JSON object of InstanceTypeInfo by name, as
// moto keeps it, or of the answer's own form, {"InstanceTypes": [...]}. Run it
// in internal/control/instancetypes:
//
//	go run ./gen DUMP.json[.gz]
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"enilab/internal/control/instancetypes"
)

const (
	factsFile = "facts.json.gz"
	nameKey   = "InstanceType"
)

// info is an InstanceTypeInfo, as it was answered.
type info map[string]json.RawMessage

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "gen: want one argument, the answer of DescribeInstanceTypes (json or json.gz)")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dump string) error {
	types, err := read(dump)
	if err != nil {
		return fmt.Errorf("%s: %w", dump, err)
	}
	facts, err := pack(types)
	if err != nil {
		return err
	}
	text, err := write(facts)
	if err != nil {
		return err
	}
	return os.WriteFile(factsFile, text, 0o644)
}

func read(path string) (map[string]info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	var all map[string]json.RawMessage
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		return nil, err
	}
	types := make(map[string]info)
	if answer, ok := all["InstanceTypes"]; ok {
		var list []info
		if err := json.Unmarshal(answer, &list); err != nil {
			return nil, err
		}
		for _, t := range list {
			var name string
			if err := json.Unmarshal(t[nameKey], &name); err != nil {
				return nil, fmt.Errorf("an instance type without its name: %w", err)
			}
			types[name] = t
		}
		return types, nil
	}
	for name, raw := range all {
		var t info
		if err := json.Unmarshal(raw, &t); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		types[name] = t
	}
	return types, nil
}

// pack finds the parts. A structure or list is a part of its own; what else a
// type has, its flags, is one together.
func pack(types map[string]info) (*instancetypes.Facts[json.RawMessage], error) {
	if len(types) == 0 {
		return nil, errors.New("there are no instance types")
	}
	of := make(map[string][]string)    // parts by type
	written := make(map[string]string) // parts by member and text
	seen := make(map[string]bool)
	for name, t := range types {
		flags := info{}
		for member, raw := range t {
			switch {
			case member == nameKey:
			case raw[0] == '{' || raw[0] == '[':
				part := written[member+string(raw)]
				if part == "" {
					var err error
					if part, err = canonical(info{member: raw}); err != nil {
						return nil, fmt.Errorf("%s: %w", name, err)
					}
					written[member+string(raw)] = part
				}
				of[name], seen[part] = append(of[name], part), true
			default:
				flags[member] = raw
			}
		}
		part, err := canonical(flags)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		of[name], seen[part] = append(of[name], part), true
	}
	// Parts of a kind stand together, which compresses well.
	parts := slices.Sorted(maps.Keys(seen))
	facts := &instancetypes.Facts[json.RawMessage]{Types: make(map[string][]int)}
	for _, p := range parts {
		facts.Parts = append(facts.Parts, json.RawMessage(p))
	}
	for name, list := range of {
		for _, p := range list {
			n, _ := slices.BinarySearch(parts, p)
			facts.Types[name] = append(facts.Types[name], n)
		}
		slices.Sort(facts.Types[name])
	}
	return facts, nil
}

// canonical is one text for values that are equal: members in order, no space.
// Numbers stay as they were written.
func canonical(v info) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var any map[string]any
	if err := d.Decode(&any); err != nil {
		return "", err
	}
	text, err := json.Marshal(any)
	return string(text), err
}

func write(facts *instancetypes.Facts[json.RawMessage]) ([]byte, error) {
	text, err := json.Marshal(facts)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(text); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
