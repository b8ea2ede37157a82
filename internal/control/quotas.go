package control

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strconv"
)

// Quota is how many rows of a table an account may have.
type Quota struct {
	PerVPC bool // else in a region
	Most   int
	Code   string // EC2's error code
	What   string // in the text
}

// Quotas are those of an account that AWS raises on request, by table. Nil: as
// if all had been raised. The limits of a single object (addresses and ENIs of
// an instance type, groups of an ENI, rules of a group, routes of a table)
// always hold.
type Quotas map[Table]Quota

// QuotasAWS are the defaults of a new account (VPC User Guide, "Amazon VPC
// quotas"; EC2 User Guide, "Elastic IP addresses").
var QuotasAWS = Quotas{
	TableVPC:              {Most: 5, Code: "VpcLimitExceeded", What: "VPCs"},
	TableSubnet:           {PerVPC: true, Most: 200, Code: "SubnetLimitExceeded", What: "subnets"},
	TableNetworkInterface: {Most: 5000, Code: "NetworkInterfaceLimitExceeded", What: "network interfaces"},
	TableAddress:          {Most: 5, Code: "AddressLimitExceeded", What: "addresses"},
	TableSecurityGroup:    {Most: 2500, Code: "SecurityGroupLimitExceeded", What: "security groups"},
	TableInternetGateway:  {Most: 5, Code: "InternetGatewayLimitExceeded", What: "internet gateways"},
	TableRouteTable:       {PerVPC: true, Most: 200, Code: "RouteTableLimitExceeded", What: "route tables"},
	TableNetworkACL:       {PerVPC: true, Most: 200, Code: "NetworkAclLimitExceeded", What: "network ACLs"},
}

// StartQuotas are those that the Service was opened with.
func (s *Service) StartQuotas() Quotas { return s.opt.Quotas }

// ChangeQuotas replaces the quotas, from the next command on. What there is more of
// already stays, as on AWS. change gets a copy of the present ones and may refuse.
func (s *Service) ChangeQuotas(ctx context.Context, change func(Quotas) (Quotas, error)) (Quotas, error) {
	return result(ctx, s, func(t *tx) (Quotas, error) {
		next, err := change(maps.Clone(t.quotas))
		if err != nil {
			return nil, err
		}
		for table, q := range next {
			if q.Most < 0 {
				return nil, invalid("limits", "A quota is zero or more, not %d (%s).", q.Most, table)
			}
		}
		if len(next) == 0 {
			next = nil
		}
		if reflect.DeepEqual(next, t.quotas) {
			return next, nil
		}
		for _, table := range slices.Sorted(maps.Keys(QuotasAWS)) {
			before, was := t.quotas[table]
			now, is := next[table]
			if was == is && before == now {
				continue
			}
			most := "none"
			if is {
				most = strconv.Itoa(now.Most)
			}
			t.emit("quota.changed", string(table), "most", most)
		}
		t.quotas = next
		return next, nil
	})
}

// quota refuses one more row of a table than there may be. It counts, which
// costs as much as the quota is high, and only where there is one.
func (t *tx) quota(table Table, region, vpc string) error {
	q, ok := t.quotas[table]
	if !ok {
		return nil
	}
	index, args := byCreation, []any(nil)
	if q.PerVPC {
		index, args = byVPC, []any{vpc}
	}
	count := 0
	for row := range t.Scan(string(table), index, wanted(index, args)) {
		if row.(Row).Identity().Region == region {
			count++
		}
	}
	if count < q.Most {
		return nil
	}
	return refuse(q.Code, "", "The maximum number of %s has been reached.", q.What) // unverified: the text, but of addresses
}
