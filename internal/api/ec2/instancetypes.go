package ec2

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"enilab/internal/api/ec2/model"
	"enilab/internal/api/ec2/query"
	"enilab/internal/control"
	"enilab/internal/dataplane/conntrack"
)

// What the control plane has no use for; the rest is control.InstanceType's.
//
//go:embed instance_types.csv
var instanceTypesCSV string

type networkCard struct {
	interfaces     int
	performance    string
	baseline, peak float64 // Gbit/s, 0: not published
}

type instanceType struct {
	control.InstanceType
	architectures                 []string
	current, bareMetal, burstable bool
	ena                           string
	cards                         []networkCard
}

// instanceTypeList is in alphabetical order.
var instanceTypeList = sync.OnceValue(func() []*instanceType {
	var list []*instanceType
	for _, line := range strings.Split(strings.TrimSpace(instanceTypesCSV), "\n")[1:] {
		t, err := parseInstanceType(line)
		if err != nil {
			// The file is part of the binary; a test reads all of it.
			panic(err)
		}
		list = append(list, t)
	}
	slices.SortFunc(list, func(a, b *instanceType) int { return strings.Compare(a.Name, b.Name) })
	return list
})

func parseInstanceType(line string) (*instanceType, error) {
	f := strings.Split(line, ",")
	if len(f) != 7 {
		return nil, fmt.Errorf("instance_types.csv: %q has %d columns, want 7", line, len(f))
	}
	known, ok := control.InstanceTypeByName(f[0])
	if !ok {
		return nil, fmt.Errorf("instance_types.csv: control knows no type %s", f[0])
	}
	t := &instanceType{
		InstanceType: known, architectures: strings.Fields(f[1]),
		current: f[2] == "true", bareMetal: f[3] == "true", burstable: f[4] == "true", ena: f[5],
	}
	cards := strings.Split(f[6], ";")
	if len(cards) != len(known.Cards) {
		return nil, fmt.Errorf("instance_types.csv: %s has %d cards, control knows %d", f[0], len(cards), len(known.Cards))
	}
	for i, card := range cards {
		parts := strings.Split(card, ":")
		if len(parts) != 3 {
			return nil, fmt.Errorf("instance_types.csv: %s: a card has %d parts, want 3", f[0], len(parts))
		}
		n := networkCard{interfaces: known.Cards[i], performance: parts[0]}
		var err error
		if n.baseline, err = strconv.ParseFloat(parts[1], 64); err == nil {
			n.peak, err = strconv.ParseFloat(parts[2], 64)
		}
		if err != nil {
			return nil, fmt.Errorf("instance_types.csv: %s: %w", f[0], err)
		}
		t.cards = append(t.cards, n)
	}
	return t, nil
}

// tracking are the idle timeouts that the network keeps connections of this
// type's interfaces for, unless one has its own.
func (t *instanceType) tracking() *model.DefaultConnectionTrackingConfiguration {
	d := conntrack.DefaultTimeouts()
	seconds := func(of time.Duration) *int { return new(int(of.Seconds())) }
	return &model.DefaultConnectionTrackingConfiguration{
		DefaultTcpEstablishedTimeout: seconds(cmp.Or(t.TCPEstablished, d.TCPEstablished)),
		DefaultUdpStreamTimeout:      seconds(d.UDPStream),
		DefaultUdpTimeout:            seconds(d.UDP),
	}
}

func (t *instanceType) info() model.InstanceTypeInfo {
	n := &model.NetworkInfo{
		NetworkPerformance: &t.Performance, MaximumNetworkInterfaces: &t.Interfaces, MaximumNetworkCards: new(len(t.cards)),
		DefaultNetworkCardIndex: new(0), Ipv4AddressesPerInterface: &t.AddressesPerInterface,
		Ipv6AddressesPerInterface: &t.IPv6PerInterface, Ipv6Supported: new(t.IPv6PerInterface > 0),
		EnaSupport: &t.ena, EfaSupported: &t.EFA, NetworkCards: []model.NetworkCardInfo{},
		ConnectionTrackingConfiguration: t.tracking(),
	}
	for i, card := range t.cards {
		m := model.NetworkCardInfo{
			NetworkCardIndex: &i, NetworkPerformance: &card.performance, MaximumNetworkInterfaces: &card.interfaces,
		}
		if card.baseline > 0 {
			m.BaselineBandwidthInGbps, m.PeakBandwidthInGbps = &card.baseline, &card.peak
		}
		n.NetworkCards = append(n.NetworkCards, m)
	}
	return model.InstanceTypeInfo{
		InstanceType: &t.Name, CurrentGeneration: &t.current, BareMetal: &t.bareMetal,
		BurstablePerformanceSupported: &t.burstable, Hypervisor: text(t.Hypervisor),
		MemoryInfo: &model.MemoryInfo{SizeInMiB: new(int64(t.MemoryMiB))},
		VCpuInfo: &model.VCpuInfo{
			DefaultVCpus: &t.VCPUs, DefaultCores: new(cores(t)), DefaultThreadsPerCore: new(threads(t)),
		},
		FreeTierEligible: new(t.freeTier()), SupportedUsageClasses: usageClasses,
		SupportedRootDeviceTypes: []string{rootDeviceType}, SupportedVirtualizationTypes: []string{virtualization},
		ProcessorInfo: &model.ProcessorInfo{SupportedArchitectures: t.architectures},
		NetworkInfo:   n,
	}
}

// What every type is said to support.
var usageClasses = []string{"on-demand", "spot"}

const virtualization = "hvm"

// freeTier reports whether AWS's Free Tier has the type, in some region at least.
func (t *instanceType) freeTier() bool { return t.Name == "t2.micro" || t.Name == "t3.micro" }

func typePlace(t *instanceType) string { return t.Name }

var typeFilters = filterable[*instanceType]{
	action: "DescribeInstanceTypes",
	fields: map[string]field[*instanceType]{
		"bare-metal":                      one(func(_ *call, t *instanceType) string { return yes(t.bareMetal) }),
		"burstable-performance-supported": one(func(_ *call, t *instanceType) string { return yes(t.burstable) }),
		"current-generation":              one(func(_ *call, t *instanceType) string { return yes(t.current) }),
		"free-tier-eligible":              one(func(_ *call, t *instanceType) string { return yes(t.freeTier()) }),
		"hypervisor": func(_ *call, t *instanceType, match func(string) bool) bool {
			return t.Hypervisor != "" && match(t.Hypervisor)
		},
		"instance-type":                             one(func(_ *call, t *instanceType) string { return t.Name }),
		"memory-info.size-in-mib":                   one(func(_ *call, t *instanceType) string { return number(t.MemoryMiB) }),
		"network-info.efa-supported":                one(func(_ *call, t *instanceType) string { return yes(t.EFA) }),
		"network-info.ena-support":                  one(func(_ *call, t *instanceType) string { return t.ena }),
		"network-info.ipv4-addresses-per-interface": one(func(_ *call, t *instanceType) string { return number(t.AddressesPerInterface) }),
		"network-info.ipv6-addresses-per-interface": one(func(_ *call, t *instanceType) string { return number(t.IPv6PerInterface) }),
		"network-info.ipv6-supported":               one(func(_ *call, t *instanceType) string { return yes(t.IPv6PerInterface > 0) }),
		"network-info.maximum-network-cards":        one(func(_ *call, t *instanceType) string { return number(len(t.cards)) }),
		"network-info.maximum-network-interfaces":   one(func(_ *call, t *instanceType) string { return number(t.Interfaces) }),
		"network-info.network-performance":          one(func(_ *call, t *instanceType) string { return t.Performance }),
		"processor-info.supported-architecture":     some(func(_ *call, t *instanceType) []string { return t.architectures }),
		"supported-root-device-type":                fixed[*instanceType](rootDeviceType),
		"supported-usage-class":                     some(func(*call, *instanceType) []string { return usageClasses }),
		"supported-virtualization-type":             fixed[*instanceType](virtualization),
		"vcpu-info.default-cores":                   one(func(_ *call, t *instanceType) string { return number(cores(t)) }),
		"vcpu-info.default-threads-per-core":        one(func(_ *call, t *instanceType) string { return number(threads(t)) }),
		"vcpu-info.default-vcpus":                   one(func(_ *call, t *instanceType) string { return number(t.VCPUs) }),
	},
	// Facts about disks, processors and firmware that enilab does not know.
	absent: `auto-recovery-supported dedicated-hosts-supported ebs-info.attachment-limit-type ebs-info.maximum-ebs-attachments
		ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps ebs-info.ebs-optimized-info.baseline-iops
		ebs-info.ebs-optimized-info.baseline-throughput-in-mbps ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps
		ebs-info.ebs-optimized-info.maximum-iops ebs-info.ebs-optimized-info.maximum-throughput-in-mbps
		ebs-info.ebs-optimized-support ebs-info.encryption-support ebs-info.nvme-support
		hibernation-supported instance-storage-info.disk.count instance-storage-info.disk.size-in-gb
		instance-storage-info.disk.type instance-storage-info.encryption-support instance-storage-info.nvme-support
		instance-storage-info.total-size-in-gb instance-storage-supported network-info.bandwidth-weightings
		network-info.efa-info.maximum-efa-interfaces network-info.flexible-ena-queues-support
		network-info.encryption-in-transit-supported nitro-enclaves-support nitro-tpm-support
		nitro-tpm-info.supported-versions processor-info.sustained-clock-speed-in-ghz processor-info.supported-features
		reboot-migration-support supported-boot-mode vcpu-info.valid-cores vcpu-info.valid-threads-per-core`,
}

func describeInstanceTypes(c *call, in *model.DescribeInstanceTypesRequest) (result, error) {
	keep, err := typeFilters.compile(c, in.Filters)
	if err != nil {
		return nil, err
	}
	p, err := c.page(in.MaxResults, in.NextToken, "instanceTypes", in.InstanceTypes)
	if err != nil {
		return nil, err
	}
	rows := instanceTypeList()
	if len(in.InstanceTypes) > 0 {
		var wrong []string
		for _, name := range in.InstanceTypes {
			if _, ok := control.InstanceTypeByName(name); !ok {
				wrong = append(wrong, clip(name))
			}
		}
		if len(wrong) > 0 {
			return nil, query.Refuse("InvalidInstanceType", "The following supplied instance types do not exist: [%s]", strings.Join(wrong, ", "))
		}
		rows = slices.DeleteFunc(slices.Clone(rows), func(t *instanceType) bool { return !contains(in.InstanceTypes, t.Name) })
	}
	rows, next := cutPage(p, rows, typePlace, keep)
	out := &model.DescribeInstanceTypesResult{InstanceTypes: []model.InstanceTypeInfo{}, NextToken: next}
	for _, t := range rows {
		out.InstanceTypes = append(out.InstanceTypes, t.info())
	}
	return out, nil
}
