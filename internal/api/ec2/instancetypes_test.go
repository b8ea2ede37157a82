package ec2

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is shown of a type is what its filters find, and of cores what its
// instances show.
func TestFactsOfInstanceTypes(t *testing.T) {
	l := newLab(t)
	for _, c := range []struct{ name, cores, threads, free string }{
		{"t2.micro", "1", "1", "true"},
		{"t3.micro", "1", "2", "true"},
		{"t3.small", "1", "2", "false"},
		{"m5.4xlarge", "8", "2", "false"},
		{"m7g.xlarge", "4", "1", "false"},
	} {
		i := l.launch("InstanceType=" + c.name)
		shown := l.must("DescribeInstanceTypes", "InstanceType.1="+c.name).at("instanceTypeSet.1")
		for path, want := range map[string]string{
			"vCpuInfo.defaultCores": c.cores, "vCpuInfo.defaultThreadsPerCore": c.threads, "freeTierEligible": c.free,
			"supportedUsageClasses.1": "on-demand", "supportedUsageClasses.2": "spot",
			"supportedRootDeviceTypes.1": i.text("rootDeviceType"), "supportedVirtualizationTypes.1": i.text("virtualizationType"),
		} {
			if got := shown.text(path); got != want {
				t.Errorf("%s: %s is %s, want %s", c.name, path, got, want)
			}
		}
		if got := i.text("cpuOptions.coreCount") + "x" + i.text("cpuOptions.threadsPerCore"); got != c.cores+"x"+c.threads {
			t.Errorf("an instance of type %s has %s cores and threads, the type %sx%s", c.name, got, c.cores, c.threads)
		}
		for filter, finds := range map[string]bool{
			"supported-usage-class=on-demand": true, "supported-usage-class=spot": true, "supported-usage-class=capacity-block": false,
			"supported-root-device-type=ebs": true, "supported-root-device-type=instance-store": false,
			"supported-virtualization-type=hvm": true, "supported-virtualization-type=paravirtual": false,
			"vcpu-info.default-cores=" + c.cores: true, "vcpu-info.default-cores=3": false,
			"vcpu-info.default-threads-per-core=" + c.threads: true, "vcpu-info.default-threads-per-core=3": false,
			"free-tier-eligible=true": c.free == "true", "free-tier-eligible=false": c.free == "false",
		} {
			name, value, _ := strings.Cut(filter, "=")
			n := l.must("DescribeInstanceTypes", "InstanceType.1="+c.name, "Filter.1.Name="+name, "Filter.1.Value.1="+value).count("instanceTypeSet")
			if finds != (n == 1) {
				t.Errorf("%s: %d types by %s", c.name, n, filter)
			}
		}
	}
	if n := l.must("DescribeInstanceTypes", "Filter.1.Name=free-tier-eligible", "Filter.1.Value.1=true").count("instanceTypeSet"); n != 2 {
		t.Errorf("%d types are in the Free Tier, want t2.micro and t3.micro", n)
	}
}

// docs/differences.md names the filters that match nothing, all and no others.
func TestFiltersWithoutFactsAreDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", "differences.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, row, _ := strings.Cut(string(text), "| filters of `DescribeInstanceTypes` |")
	row, _, _ = strings.Cut(row, "\n")
	var said []string
	for n, part := range strings.Split(row, "`") {
		if n%2 == 1 {
			said = append(said, part)
		}
	}
	absent := strings.Fields(typeFilters.absent)
	for _, pattern := range said {
		if !slices.ContainsFunc(absent, func(name string) bool { return wild(pattern, name) }) {
			t.Errorf("%s is said to match nothing", pattern)
		}
	}
	for _, name := range absent {
		if !slices.ContainsFunc(said, func(pattern string) bool { return wild(pattern, name) }) {
			t.Errorf("%s matches nothing, and that is not said", name)
		}
	}
}
