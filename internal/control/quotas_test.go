package control

import (
	"fmt"
	"testing"
)

// ec2-facts §1.1, §2, §3.1, §4: what AWS raises on request is refused at its
// default only where quotas are on, and counted by region or VPC.
func TestQuotas(t *testing.T) {
	s := newSite(t)
	free := must(s.lab, func(t *tx) (*VPC, error) { return t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"}) })
	group := func(vpc, name string) func(*tx) error {
		return func(t *tx) error {
			_, err := t.createGroup(CreateGroupInput{VPC: vpc, Name: name, Description: "x"})
			return err
		}
	}
	for _, c := range []struct {
		table Table
		most  int // what is there already
		code  string
		text  string
		again func(*tx) error
		other func(*tx) error // counts elsewhere; nil: nothing does
	}{
		{TableVPC, 2, "VpcLimitExceeded", "VPCs", func(t *tx) error { _, err := t.createVPC(CreateVPCInput{CIDR: "10.1.0.0/16"}); return err }, nil},
		{TableSubnet, 2, "SubnetLimitExceeded", "subnets",
			func(t *tx) error {
				_, err := t.createSubnet(CreateSubnetInput{VPC: s.vpc.ID, CIDR: "192.168.9.0/24"})
				return err
			},
			func(t *tx) error {
				_, err := t.createSubnet(CreateSubnetInput{VPC: free.ID, CIDR: "10.0.9.0/24"})
				return err
			}},
		{TableNetworkInterface, 0, "NetworkInterfaceLimitExceeded", "network interfaces",
			func(t *tx) error { _, err := t.createInterface(CreateInterfaceInput{Subnet: s.a.ID}); return err }, nil},
		{TableNetworkInterface, 0, "NetworkInterfaceLimitExceeded", "network interfaces",
			func(t *tx) error { _, err := t.runInstance(RunInstanceInput{Subnet: s.a.ID}); return err }, nil},
		{TableAddress, 0, "AddressLimitExceeded", "addresses", func(t *tx) error { _, err := t.allocateAddress(nil, ""); return err }, nil},
		{TableSecurityGroup, 2, "SecurityGroupLimitExceeded", "security groups", group(s.vpc.ID, "one more"), nil},
		{TableInternetGateway, 0, "InternetGatewayLimitExceeded", "internet gateways", func(t *tx) error { _, err := t.createInternetGateway(nil); return err }, nil},
		{TableRouteTable, 1, "RouteTableLimitExceeded", "route tables",
			func(t *tx) error { _, err := t.createRouteTable(s.vpc.ID, nil); return err },
			nil},
		{TableNetworkACL, 1, "NetworkAclLimitExceeded", "network ACLs",
			func(t *tx) error { _, err := t.createNetworkACL(s.vpc.ID, nil); return err },
			nil},
	} {
		t.Run(fmt.Sprint(c.table), func(t *testing.T) {
			s.t = t
			q := QuotasAWS[c.table]
			if q.Code != c.code || q.Most < 5 {
				t.Errorf("the quota is %+v", q)
			}
			q.Most = c.most
			s.quotas = Quotas{c.table: q}
			s.refuses(c.code, "The maximum number of "+c.text+" has been reached.", c.again)
			if c.other != nil {
				s.ok(c.other)
			}
			s.quotas = nil
			s.ok(c.again)
		})
	}
}

// Another region has quotas of its own.
func TestQuotasAreOfARegion(t *testing.T) {
	s := newSite(t)
	s.quotas = Quotas{TableVPC: {Most: 1, Code: "VpcLimitExceeded", What: "VPCs"}}
	s.ok(func(t *tx) error {
		t.region = "eu-west-1"
		_, err := t.createVPC(CreateVPCInput{CIDR: "10.0.0.0/16"})
		return err
	})
}
