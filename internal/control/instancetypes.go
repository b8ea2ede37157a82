package control

import (
	"maps"
	"slices"
	"sync"
	"time"

	"enilab/internal/control/instancetypes"
)

// InstanceType is what the control plane has to know of an instance type (EC2
// API Reference, InstanceTypeInfo). Values are to be read only.
type InstanceType struct {
	Name      string
	VCPUs     int
	MemoryMiB int
	// Cores and ThreadsPerCore are those that an instance has unless its launch
	// says otherwise.
	Cores, ThreadsPerCore int
	Hypervisor            string // "nitro", "xen", "" of bare metal
	// Architectures are those whose images it runs, Architecture the one that
	// its instances are shown with.
	Architectures []string
	Architecture  string
	Burstable     bool // has CPU credits
	// DedicatedHosts and Hibernation: its instances can have these.
	DedicatedHosts, Hibernation bool
	// ENA: an Elastic Network Adapter, "required", "supported" or "unsupported".
	ENA string
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
	Bandwidth      int64  // bits a second that it may always send, and receive; of all cards together
}

// typeFacts are the members of InstanceTypeInfo that InstanceType is made of.
type typeFacts struct {
	BurstablePerformanceSupported bool
	DedicatedHostsSupported       bool
	HibernationSupported          bool
	Hypervisor                    string
	MemoryInfo                    struct{ SizeInMiB int }
	ProcessorInfo                 struct{ SupportedArchitectures []string }
	VCpuInfo                      struct{ DefaultVCpus, DefaultCores, DefaultThreadsPerCore int }
	NetworkInfo                   struct {
		ConnectionTrackingConfiguration                      struct{ DefaultTcpEstablishedTimeout int }
		EfaSupported                                         bool
		EnaSupport                                           string
		Ipv4AddressesPerInterface, Ipv6AddressesPerInterface int
		MaximumNetworkInterfaces                             int
		NetworkCards                                         []struct {
			MaximumNetworkInterfaces int
			BaselineBandwidthInGbps  float64
		}
		NetworkPerformance string
	}
}

// instanceTypes are read on first use: a server that never launches an instance
// does not pay for them.
var instanceTypes = sync.OnceValue(func() map[string]InstanceType {
	list, err := instancetypes.Read[typeFacts]()
	if err != nil {
		// The facts are part of the binary; a test reads all of them.
		panic(err)
	}
	types := make(map[string]InstanceType, len(list))
	for _, l := range list {
		t := InstanceType{Name: l.Name}
		for _, part := range l.Parts {
			t.learn(part)
		}
		types[l.Name] = t
	}
	return types
})

// learn takes what one part says; a part has one member or the flags.
func (t *InstanceType) learn(f *typeFacts) {
	t.Burstable = t.Burstable || f.BurstablePerformanceSupported
	t.DedicatedHosts = t.DedicatedHosts || f.DedicatedHostsSupported
	t.Hibernation = t.Hibernation || f.HibernationSupported
	if f.Hypervisor != "" {
		t.Hypervisor = f.Hypervisor
	}
	if m := f.MemoryInfo.SizeInMiB; m > 0 {
		t.MemoryMiB = m
	}
	if a := f.ProcessorInfo.SupportedArchitectures; len(a) > 0 {
		t.Architectures, t.Architecture = a, a[len(a)-1]
	}
	if v := f.VCpuInfo; v.DefaultVCpus > 0 {
		t.VCPUs, t.Cores, t.ThreadsPerCore = v.DefaultVCpus, v.DefaultCores, v.DefaultThreadsPerCore
	}
	n := &f.NetworkInfo
	if len(n.NetworkCards) == 0 {
		return
	}
	t.Interfaces, t.EFA, t.ENA, t.Performance = n.MaximumNetworkInterfaces, n.EfaSupported, n.EnaSupport, n.NetworkPerformance
	t.AddressesPerInterface, t.IPv6PerInterface = n.Ipv4AddressesPerInterface, n.Ipv6AddressesPerInterface
	t.TCPEstablished = time.Duration(n.ConnectionTrackingConfiguration.DefaultTcpEstablishedTimeout) * time.Second
	for _, card := range n.NetworkCards {
		t.Cards = append(t.Cards, card.MaximumNetworkInterfaces)
		t.Bandwidth += int64(card.BaselineBandwidthInGbps * 1e9)
	}
}

// Nitro reports whether the type has what only AWS's Nitro system offers:
// prefixes and connection tracking timeouts of one's own.
func (t *InstanceType) Nitro() bool { return t.Hypervisor == "nitro" }

// InstanceTypeByName finds a type such as "t3.micro".
func InstanceTypeByName(name string) (InstanceType, bool) {
	t, ok := instanceTypes()[name]
	return t, ok
}

// InstanceTypeNames are all there are, in alphabetical order.
func InstanceTypeNames() []string { return slices.Sorted(maps.Keys(instanceTypes())) }
