package ec2

import (
	"net/http"
	"strings"
	"testing"
)

// What AWS's own tools send to say that nothing is wanted is taken, what would
// change something is refused.
func TestOptionsThatChangeNothing(t *testing.T) {
	l := newLab(t)
	w := l.world()
	const nic, srd = "NetworkInterface.1.DeviceIndex=0 NetworkInterface.1.SubnetId=", "NetworkInterface.1.EnaSrdSpecification."
	ask := func(params string) *reply {
		return l.ask("RunInstances", append([]string{"ImageId=ami-0123456789abcdef0", "MinCount=1", "MaxCount=1"}, strings.Fields(params)...)...)
	}
	for _, params := range []string{
		"InstanceType=t3.micro Placement.GroupName=",
		"InstanceType=t3.micro NetworkPerformanceOptions.BandwidthWeighting=default",
		"InstanceType=t3.micro " + nic + w.subnet + " " + srd + "EnaSrdEnabled=false " + srd + "EnaSrdUdpSpecification.EnaSrdUdpEnabled=false",
		"InstanceType=t3.micro CpuOptions.CoreCount=1 CpuOptions.ThreadsPerCore=2",
		"InstanceType=t2.micro CpuOptions.CoreCount=1 CpuOptions.ThreadsPerCore=1",
		"InstanceType=m7g.xlarge CpuOptions.CoreCount=4 CpuOptions.ThreadsPerCore=1",
		"InstanceType=m5.xlarge CpuOptions.CoreCount=2",
		"InstanceType=m5.xlarge CpuOptions.ThreadsPerCore=2",
	} {
		r := ask(params)
		if r.status != http.StatusOK {
			t.Errorf("%s: %s", params, r.raw)
			continue
		}
		i := r.at("instancesSet.1")
		for name, path := range map[string]string{"CoreCount=": "cpuOptions.coreCount", "ThreadsPerCore=": "cpuOptions.threadsPerCore"} {
			if _, want, ok := strings.Cut(params, name); ok && !strings.HasPrefix(want, i.text(path)) {
				t.Errorf("%s: %s is shown as %s", params, path, i.text(path))
			}
		}
		if got := i.text("networkPerformanceOptions.bandwidthWeighting"); got != "default" {
			t.Errorf("%s: bandwidth weighting %s", params, got)
		}
	}
	const cpu = "CpuOptions of instances of type m5.xlarge are not supported by enilab but for what they have: CoreCount 2, ThreadsPerCore 2."
	lacks := func(param string) string {
		return "The parameter " + param + " of RunInstances is not supported by enilab."
	}
	for _, c := range []struct{ params, text string }{
		{"InstanceType=m5.xlarge CpuOptions.CoreCount=1", cpu},
		{"InstanceType=m5.xlarge CpuOptions.CoreCount=2 CpuOptions.ThreadsPerCore=1", cpu},
		{"CpuOptions.AmdSevSnp=enabled", lacks("CpuOptions.AmdSevSnp")},
		{"Placement.GroupName=spread", lacks("Placement.GroupName")},
		{"NetworkPerformanceOptions.BandwidthWeighting=vpc-1", lacks("NetworkPerformanceOptions.BandwidthWeighting")},
		{nic + w.subnet + " " + srd + "EnaSrdEnabled=true", lacks(srd + "EnaSrdEnabled")},
		{nic + w.subnet + " " + srd + "EnaSrdEnabled=false " + srd + "EnaSrdUdpSpecification.EnaSrdUdpEnabled=true", lacks(srd + "EnaSrdUdpSpecification.EnaSrdUdpEnabled")},
	} {
		if r := ask(c.params); r.code() != "UnsupportedOperation" || r.message() != c.text {
			t.Errorf("%s: %s\nwant %s", c.params, r.raw, c.text)
		}
	}
	if r := ask("InstanceType=t9.huge CpuOptions.CoreCount=1"); r.code() != "InvalidParameterValue" {
		t.Errorf("an unknown type: %s", r.raw)
	}
}
