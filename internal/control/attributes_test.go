package control

import "testing"

// One attribute a call (EC2 API reference, ModifyVpcAttribute and
// ModifySubnetAttribute).
func TestModifyAttributes(t *testing.T) {
	s := newSite(t)
	on, off := new(true), new(false)
	modifyVPC := func(in ModifyVPCInput) func(*tx) (*VPC, error) {
		in.ID = s.vpc.ID
		return func(t *tx) (*VPC, error) { return t.modifyVPC(in) }
	}
	modifySubnet := func(in ModifySubnetInput) func(*tx) (*Subnet, error) {
		in.ID = s.a.ID
		return func(t *tx) (*Subnet, error) { return t.modifySubnet(in) }
	}
	refused(s.lab, "InvalidParameterCombination", "No attributes specified.", modifyVPC(ModifyVPCInput{}))
	refused(s.lab, "InvalidParameterCombination", "Multiple attributes specified", modifyVPC(ModifyVPCInput{DNSSupport: on, DNSHostnames: on}))
	refused(s.lab, "InvalidParameterCombination", "No attributes specified.", modifySubnet(ModifySubnetInput{}))
	refused(s.lab, "InvalidParameterCombination", "Multiple attributes specified", modifySubnet(ModifySubnetInput{MapPublicIP: on, DNS64: off}))
	must(s.lab, modifyVPC(ModifyVPCInput{DNSHostnames: on}))
	must(s.lab, modifyVPC(ModifyVPCInput{AddressUsageMetrics: on}))
	if v := must(s.lab, modifyVPC(ModifyVPCInput{DNSSupport: off})); v.DNSSupport || !v.DNSHostnames || !v.AddressUsageMetrics {
		t.Errorf("%+v", v.VPCSettings)
	}
	must(s.lab, modifyVPC(ModifyVPCInput{DNSHostnames: off}))
	refused(s.lab, "InvalidParameterValue",
		"Invalid value 'true' for enableDnsHostnames. DNS hostnames can only be enabled while enableDnsSupport is true for VPC '"+s.vpc.ID+"'.",
		modifyVPC(ModifyVPCInput{DNSHostnames: on}))

	refused(s.lab, "InvalidParameterValue",
		"Invalid value 'true' for assignIpv6AddressOnCreation. There is no IPv6 CIDR block associated with subnet '"+s.a.ID+"'.",
		modifySubnet(ModifySubnetInput{AssignIPv6: on}))
	refused(s.lab, "InvalidParameterValue",
		"Value (name) for parameter privateDnsHostnameTypeOnLaunch is invalid. It is one of: ip-name, resource-name.",
		modifySubnet(ModifySubnetInput{HostnameType: new("name")}))
	for _, in := range []ModifySubnetInput{
		{MapPublicIP: on}, {DNS64: on}, {HostnameType: new("resource-name")}, {RecordA: on}, {RecordAAAA: on}, {AssignIPv6: off},
	} {
		must(s.lab, modifySubnet(in))
	}
	want := SubnetSettings{MapPublicIP: true, DNS64: true, HostnameType: "resource-name", RecordA: true, RecordAAAA: true}
	if got := s.state.Subnet(s.a.ID).SubnetSettings; got.MapPublicIP != want.MapPublicIP || got.DNS64 != want.DNS64 ||
		got.HostnameType != want.HostnameType || got.RecordA != want.RecordA || got.RecordAAAA != want.RecordAAAA || got.AssignIPv6 {
		t.Errorf("%+v, want %+v", got, want)
	}
}
