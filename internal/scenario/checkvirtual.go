package scenario

import (
	"fmt"
	"net/netip"
)

// ours are the addresses of the network's own services, which do not run in
// virtual time.
var ours = netip.MustParsePrefix("169.254.0.0/16")

// CheckVirtual tells what of the scenario only real time has, with its place: in
// virtual time hosts are small machines and nobody serves DHCP, DNS, time and
// metadata.
func (s *Scenario) CheckVirtual() error {
	c := &checker{src: s.src, file: &s.file}
	for i, in := range s.file.Instances {
		c.virtualTargets(fmt.Sprintf("$.instances[%d]", i), in.Workloads)
	}
	for i, h := range s.file.Internet.Hosts {
		c.virtualTargets(fmt.Sprintf("$.internet.hosts[%d]", i), h.Workloads)
	}
	for i, cond := range s.file.Hypothesis {
		c.virtualCondition(fmt.Sprintf("$.hypothesis[%d]", i), cond)
	}
	for i, st := range s.file.Steps {
		for k, cond := range st.WaitUntil {
			c.virtualCondition(fmt.Sprintf("$.steps[%d].waitUntil[%d]", i, k), cond)
		}
		for k, cond := range st.Expect {
			c.virtualCondition(fmt.Sprintf("$.steps[%d].expect[%d]", i, k), cond)
		}
	}
	return c.err
}

func (c *checker) virtualTargets(at string, ws []workload) {
	for k, w := range ws {
		c.virtualTarget(fmt.Sprintf("%s.workloads[%d].target", at, k), w.Target)
	}
}

func (c *checker) virtualCondition(at string, cond condition) {
	if cond.Metadata != nil {
		c.fail(at+".metadata", "nobody serves metadata in virtual time: run this with --time real")
	}
	if cond.Answers != nil {
		c.virtualTarget(at+".answers.address", cond.Answers.Address)
	}
}

// virtualTarget refuses the addresses at which the network itself answers.
func (c *checker) virtualTarget(at, to string) {
	a, err := netip.ParseAddr(to)
	if err != nil {
		return // a name
	}
	own := ours.Contains(a)
	for _, v := range c.file.VPCs {
		// Reserved for DNS: the base of the VPC's block plus two.
		if p, err := netip.ParsePrefix(v.CIDR); err == nil {
			own = own || a == p.Masked().Addr().Next().Next()
		}
	}
	if own {
		c.fail(at, "%s is an address of the network's own services (DHCP, DNS, time, metadata), which do not run in virtual time: run this with --time real", a)
	}
}
