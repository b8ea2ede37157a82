package ec2

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"enilab/internal/api/ec2/model"
	"enilab/internal/control"
	"enilab/internal/control/instancetypes"
	"enilab/internal/dataplane/conntrack"
)

// exactInfo refuses members that the model does not have.
type exactInfo struct{ model.InstanceTypeInfo }

func (e *exactInfo) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(&e.InstanceTypeInfo)
}

func TestTheModelHasEveryFact(t *testing.T) {
	if _, err := instancetypes.Read[exactInfo](); err != nil {
		t.Error(err)
	}
}

// Every real answer has these groups, and clients take that for granted:
// Terraform's data source aws_ec2_instance_type for one.
func TestEveryTypeHasEveryGroup(t *testing.T) {
	list := instanceTypeList()
	if len(list) != len(control.InstanceTypeNames()) {
		t.Errorf("%d types, want the %d that can be launched", len(list), len(control.InstanceTypeNames()))
	}
	optional := strings.Fields("EfaInfo FpgaInfo GpuInfo Hypervisor InferenceAcceleratorInfo InstanceStorageInfo MediaAcceleratorInfo " +
		"NeuronInfo NitroTpmInfo SupportedInRegion")
	for k, name := range control.InstanceTypeNames() {
		info := list[k]
		if *info.InstanceType != name {
			t.Fatalf("type %d is %s, want %s", k, *info.InstanceType, name)
		}
		v := reflect.ValueOf(info).Elem()
		for m := range v.NumField() {
			if member := v.Type().Field(m).Name; v.Field(m).IsZero() && !contains(optional, member) {
				t.Errorf("%s has no %s", name, member)
			}
		}
		if storage := info.InstanceStorageInfo != nil; storage != *info.InstanceStorageSupported {
			t.Errorf("%s: instance storage %t, InstanceStorageSupported %t", name, storage, *info.InstanceStorageSupported)
		}
		n := info.NetworkInfo
		if len(n.NetworkCards) != *n.MaximumNetworkCards || info.EbsInfo.EbsOptimizedSupport == nil || len(info.PlacementGroupInfo.SupportedStrategies) == 0 {
			t.Errorf("%s: %d network cards, EBS %v, placement %v", name, len(n.NetworkCards), info.EbsInfo, info.PlacementGroupInfo)
		}
		for _, card := range n.NetworkCards {
			if *card.BaselineBandwidthInGbps <= 0 || *card.PeakBandwidthInGbps < *card.BaselineBandwidthInGbps {
				t.Errorf("%s: card %+v", name, card)
			}
		}
	}
}

// The idle timeouts that are shown are those that the network goes by.
func TestShownTimeoutsAreTheNetworks(t *testing.T) {
	d := conntrack.DefaultTimeouts()
	for _, info := range instanceTypeList() {
		shown := info.NetworkInfo.ConnectionTrackingConfiguration
		known, _ := control.InstanceTypeByName(*info.InstanceType)
		if *shown.DefaultTcpEstablishedTimeout != int(known.TCPEstablished.Seconds()) ||
			*shown.DefaultUdpStreamTimeout != int(d.UDPStream.Seconds()) || *shown.DefaultUdpTimeout != int(d.UDP.Seconds()) {
			t.Errorf("%s: %d, %d and %d s", *info.InstanceType,
				*shown.DefaultTcpEstablishedTimeout, *shown.DefaultUdpStreamTimeout, *shown.DefaultUdpTimeout)
		}
	}
}

func TestFactsOfInstanceTypes(t *testing.T) {
	l := newLab(t)
	for name, facts := range map[string]string{
		"t3.medium": `ebsInfo.ebsOptimizedSupport=default ebsInfo.encryptionSupport=supported ebsInfo.nvmeSupport=required
			ebsInfo.ebsOptimizedInfo.baselineThroughputInMBps=43.375 ebsInfo.maximumEbsAttachments=27 placementGroupInfo.supportedStrategies.2=spread
			supportedBootModes.1=legacy-bios supportedBootModes.2=uefi vCpuInfo.validThreadsPerCore.2=2 hypervisor=nitro
			processorInfo.manufacturer=Intel nitroEnclavesSupport=unsupported burstablePerformanceSupported=true`,
		"c7a.large":     "vCpuInfo.defaultCores=2 vCpuInfo.defaultThreadsPerCore=1 freeTierEligible=false",
		"t3.micro":      "vCpuInfo.defaultCores=1 vCpuInfo.defaultThreadsPerCore=2 freeTierEligible=true",
		"p4d.24xlarge":  "gpuInfo.gpus.1.name=A100 gpuInfo.gpus.1.count=8 networkInfo.maximumNetworkCards=4 networkInfo.networkCards.4.networkCardIndex=3",
		"f2.6xlarge":    "fpgaInfo.fpgas.1.manufacturer=Xilinx fpgaInfo.totalFpgaMemoryInMiB=81920",
		"inf1.xlarge":   "inferenceAcceleratorInfo.accelerators.1.name=Inferentia neuronInfo.neuronDevices.1.count=1",
		"i3.large":      "instanceStorageInfo.disks.1.type=ssd instanceStorageInfo.totalSizeInGB=475 instanceStorageInfo.nvmeSupport=required",
		"c6in.24xlarge": "networkInfo.networkCards.1.baselineBandwidthInGbps=150 networkInfo.networkCards.1.additionalFlexibleNetworkInterfaces=9",
		"mac1.metal":    "bareMetal=true processorInfo.supportedArchitectures.1=x86_64_mac ebsInfo.attachmentLimitType=shared",
	} {
		shown := l.must("DescribeInstanceTypes", "InstanceType.1="+name).at("instanceTypeSet.1")
		for fact := range strings.FieldsSeq(facts) {
			path, want, _ := strings.Cut(fact, "=")
			if got := shown.text(path); got != want {
				t.Errorf("%s: %s is %q, want %s", name, path, got, want)
			}
		}
	}
	// An instance is shown with the cores of its type.
	for _, name := range []string{"t2.micro", "t3.micro", "c7a.large", "m5.4xlarge", "m7g.xlarge"} {
		options, of := l.launch("InstanceType="+name).at("cpuOptions"), l.must("DescribeInstanceTypes", "InstanceType.1="+name).at("instanceTypeSet.1.vCpuInfo")
		if options.text("coreCount") != of.text("defaultCores") || options.text("threadsPerCore") != of.text("defaultThreadsPerCore") {
			t.Errorf("an instance of type %s has %+v, the type %+v", name, options, of)
		}
	}
}

// How many types each documented filter finds was counted in the dump that the
// facts were made of.
func TestFiltersOfInstanceTypes(t *testing.T) {
	l := newLab(t)
	counts := []struct {
		filter, value string
		types         int
	}{
		{"auto-recovery-supported", "false", 471},
		{"bare-metal", "true", 131},
		{"burstable-performance-supported", "true", 28},
		{"current-generation", "false", 110},
		{"dedicated-hosts-supported", "false", 222},
		{"ebs-info.attachment-limit-type", "dedicated", 566},
		{"ebs-info.maximum-ebs-attachments", "88", 17},
		{"ebs-info.ebs-optimized-info.baseline-bandwidth-in-mbps", "760", 4},
		{"ebs-info.ebs-optimized-info.baseline-iops", "64000", 4},
		{"ebs-info.ebs-optimized-info.baseline-throughput-in-mbps", "95", 4},
		{"ebs-info.ebs-optimized-info.maximum-bandwidth-in-mbps", "500", 8},
		{"ebs-info.ebs-optimized-info.maximum-iops", "50000", 6},
		{"ebs-info.ebs-optimized-info.maximum-throughput-in-mbps", "62.5", 8},
		{"ebs-info.ebs-optimized-support", "unsupported", 19},
		{"ebs-info.encryption-support", "supported", 1263},
		{"ebs-info.nvme-support", "unsupported", 68},
		{"free-tier-eligible", "true", 6},
		{"hibernation-supported", "true", 492},
		{"hypervisor", "xen", 74},
		{"instance-storage-info.disk.count", "6", 21},
		{"instance-storage-info.disk.size-in-gb", "1920", 4},
		{"instance-storage-info.disk.type", "hdd", 27},
		{"instance-storage-info.encryption-support", "unsupported", 39},
		{"instance-storage-info.nvme-support", "unsupported", 43},
		{"instance-storage-info.total-size-in-gb", "100", 3},
		{"instance-storage-supported", "true", 493},
		{"instance-type", "m6in.24xlarge", 1},
		{"memory-info.size-in-mib", "499712", 3},
		{"network-info.bandwidth-weightings", "ebs-1", 241},
		{"network-info.efa-info.maximum-efa-interfaces", "4", 5},
		{"network-info.efa-supported", "true", 263},
		{"network-info.ena-support", "unsupported", 49},
		{"network-info.flexible-ena-queues-support", "supported", 429},
		{"network-info.encryption-in-transit-supported", "false", 278},
		{"network-info.ipv4-addresses-per-interface", "20", 30},
		{"network-info.ipv6-addresses-per-interface", "20", 30},
		{"network-info.ipv6-supported", "false", 14},
		{"network-info.maximum-network-cards", "16", 3},
		{"network-info.maximum-network-interfaces", "64", 3},
		{"network-info.network-performance", "Up to 16.66 Gigabit", 6},
		{"nitro-enclaves-support", "unsupported", 417},
		{"nitro-tpm-support", "unsupported", 262},
		{"nitro-tpm-info.supported-versions", "2.0", 1001},
		{"processor-info.supported-architecture", "i386", 9},
		{"processor-info.sustained-clock-speed-in-ghz", "3.7", 40},
		{"processor-info.supported-features", "amd-sev-snp", 16},
		{"reboot-migration-support", "unsupported", 512},
		{"supported-boot-mode", "legacy-bios", 911},
		{"supported-root-device-type", "instance-store", 33},
		{"supported-usage-class", "spot", 1223},
		{"supported-virtualization-type", "paravirtual", 19},
		{"vcpu-info.default-cores", "12", 13},
		{"vcpu-info.default-threads-per-core", "1", 473},
		{"vcpu-info.default-vcpus", "384", 22},
		{"vcpu-info.valid-cores", "93", 28},
		{"vcpu-info.valid-threads-per-core", "2", 716},
	}
	tested := make(map[string]bool)
	for _, c := range counts {
		tested[c.filter] = true
		body := l.answer("DescribeInstanceTypes", "Filter.1.Name="+c.filter, "Filter.1.Value.1="+c.value)
		if n := bytes.Count(body, []byte("<instanceType>")); n != c.types {
			t.Errorf("%d types have %s=%s, want %d", n, c.filter, c.value, c.types)
		}
	}
	for _, name := range model.Filters["DescribeInstanceTypes"] {
		if !tested[name] {
			t.Errorf("no test of the filter %s", name)
		}
	}
	// As documented, with wildcards and together.
	if n := l.must("DescribeInstanceTypes", "Filter.1.Name=instance-type", "Filter.1.Value.1=t3.*", "Filter.2.Name=vcpu-info.default-vcpus",
		"Filter.2.Value.1=4", "Filter.2.Value.2=8").count("instanceTypeSet"); n != 2 {
		t.Errorf("%d T3 types have 4 or 8 processors, want 2", n)
	}
}

func TestPagesOfInstanceTypes(t *testing.T) {
	l := newLab(t)
	items, tokens := regexp.MustCompile("<instanceType>(.*?)</instanceType>"), regexp.MustCompile("<nextToken>(.*?)</nextToken>")
	var seen []string
	for ask := []string{"MaxResults=100"}; ; {
		body := l.answer("DescribeInstanceTypes", ask...)
		for _, found := range items.FindAllSubmatch(body, -1) {
			seen = append(seen, string(found[1]))
		}
		token := tokens.FindSubmatch(body)
		if token == nil {
			break
		}
		ask = []string{"MaxResults=100", "NextToken=" + string(token[1])}
	}
	if !reflect.DeepEqual(seen, control.InstanceTypeNames()) {
		t.Errorf("the pages have %d types, want all %d in order", len(seen), len(control.InstanceTypeNames()))
	}
}

// answer is a successful answer as text: a parser takes its time for megabytes.
func (l *lab) answer(action string, params ...string) []byte {
	l.t.Helper()
	status, body := l.api.answer(l.t.Context(), &request{
		method: "POST", body: form(action, params...).Encode(), header: func(string) []string { return nil },
	}, nil)
	if status != http.StatusOK {
		l.t.Fatalf("%s %v: %d %s", action, params, status, body)
	}
	return body
}

func BenchmarkDescribeInstanceTypes(b *testing.B) {
	for name, parameters := range map[string][]string{
		"page": {"MaxResults=100"}, "all": nil, "filtered": {"Filter.1.Name=vcpu-info.valid-cores", "Filter.1.Value.1=93"},
	} {
		b.Run(name, func(b *testing.B) {
			l := newLab(b)
			r := request{
				id: "00000000-0000-0000-0000-000000000000", method: "POST", body: form("DescribeInstanceTypes", parameters...).Encode(),
				header: func(string) []string { return nil },
			}
			var buffer []byte
			b.ReportAllocs()
			for b.Loop() {
				status, body := l.api.answer(context.Background(), &r, buffer[:0])
				if status != 200 {
					b.Fatalf("%d %s", status, body)
				}
				buffer = body
			}
			b.SetBytes(int64(len(buffer)))
		})
	}
}

// BenchmarkReadInstanceTypes is what the first DescribeInstanceTypes costs, and
// what stays of it.
func BenchmarkReadInstanceTypes(b *testing.B) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := instanceTypeList()
	runtime.GC()
	runtime.ReadMemStats(&after)
	for b.Loop() {
		if _, err := instancetypes.Read[model.InstanceTypeInfo](); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "kept-bytes")
	runtime.KeepAlive(kept)
}
