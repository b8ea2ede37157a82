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
	// Interfaces is how many ENIs all network cards take together;
	// CardInterfaces how many card 0 takes, the only card enilab models.
	Interfaces     int
	CardInterfaces int
	// AddressesPerInterface limits the private IPv4 addresses of one ENI.
	AddressesPerInterface int
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
	if len(f) != 10 {
		return InstanceType{}, fmt.Errorf("instance_types.csv: %q has %d columns, want 10", line, len(f))
	}
	var n [6]int
	for i, column := range []int{1, 2, 5, 6, 7, 8} {
		v, err := strconv.Atoi(f[column])
		if err != nil {
			return InstanceType{}, fmt.Errorf("instance_types.csv: %q: %w", line, err)
		}
		n[i] = v
	}
	return InstanceType{
		Name: f[0], VCPUs: n[0], MemoryMiB: n[1], Hypervisor: f[3], Architecture: f[4],
		Interfaces: n[2], CardInterfaces: n[3], AddressesPerInterface: n[4],
		TCPEstablished: time.Duration(n[5]) * time.Second, Performance: f[9],
	}, nil
}

// InstanceTypeByName finds a type such as "t3.micro".
func InstanceTypeByName(name string) (InstanceType, bool) {
	t, ok := instanceTypes()[name]
	return t, ok
}
