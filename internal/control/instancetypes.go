package control

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// InstanceType is what EC2's DescribeInstanceTypes says of a type's network.
type InstanceType struct {
	Name         string
	VCPUs        int
	MemoryMiB    int
	Hypervisor   string // "nitro", "xen", "" for bare metal of old
	Architecture string
	// Cards is how many ENIs each network card takes, card 0 first, and
	// Interfaces how many they take together.
	Cards      []int
	Interfaces int
	// AddressesPerInterface and IPv6PerInterface limit the private addresses of
	// one ENI, of which a prefix takes one; 0: the type has no IPv6.
	AddressesPerInterface, IPv6PerInterface int
	// EFA: takes Elastic Fabric Adapters.
	EFA bool
	// TCPEstablished is the default idle timeout of tracked TCP connections:
	// five days, 350 s on Nitro v6.
	TCPEstablished time.Duration
	Performance    string // "Up to 5 Gigabit"
}

//go:embed instance_types.csv
var instanceTypesCSV string

// instanceTypes is parsed on first use: a server that never launches an
// instance does not pay for 1,263 rows.
var instanceTypes = sync.OnceValue(func() map[string]InstanceType {
	lines := strings.Split(strings.TrimSpace(instanceTypesCSV), "\n")[1:]
	types := make(map[string]InstanceType, len(lines))
	for _, line := range lines {
		t, err := parseInstanceType(line)
		if err != nil {
			// The file is part of the binary; a test reads all of it.
			panic(err)
		}
		types[t.Name] = t
	}
	return types
})

func parseInstanceType(line string) (InstanceType, error) {
	f := strings.Split(line, ",")
	if len(f) != 11 {
		return InstanceType{}, fmt.Errorf("instance_types.csv: %q has %d columns, want 11", line, len(f))
	}
	var n [5]int
	for i, column := range []int{1, 2, 6, 7, 9} {
		v, err := strconv.Atoi(f[column])
		if err != nil {
			return InstanceType{}, fmt.Errorf("instance_types.csv: %q: %w", line, err)
		}
		n[i] = v
	}
	t := InstanceType{
		Name: f[0], VCPUs: n[0], MemoryMiB: n[1], Hypervisor: f[3], Architecture: f[4],
		AddressesPerInterface: n[2], IPv6PerInterface: n[3], EFA: f[8] == "true",
		TCPEstablished: time.Duration(n[4]) * time.Second, Performance: f[10],
	}
	for card := range strings.FieldsSeq(f[5]) {
		v, err := strconv.Atoi(card)
		if err != nil {
			return InstanceType{}, fmt.Errorf("instance_types.csv: %q: %w", line, err)
		}
		t.Cards = append(t.Cards, v)
		t.Interfaces += v
	}
	return t, nil
}

// Nitro reports whether the type has what only AWS's Nitro system offers:
// prefixes and connection tracking timeouts of one's own.
func (t *InstanceType) Nitro() bool { return t.Hypervisor == "nitro" }

// InstanceTypeByName finds a type such as "t3.micro".
func InstanceTypeByName(name string) (InstanceType, bool) {
	t, ok := instanceTypes()[name]
	return t, ok
}
