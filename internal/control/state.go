package control

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/go-memdb"
)

// State is an immutable snapshot of everything, with indexes. Getters return
// pointers to immutable values, nil if there is none; lists are in order of
// creation, then id. Safe for concurrent use.
type State struct {
	db       *memdb.MemDB
	revision uint64
	next     counters
	scope    string // the region that it shows, "" all
	timing   Timing // of transitions that begin from here on
}

// counters are the numbers that only rise.
type counters struct {
	group, rule uint32 // next reference to give
	event       uint64 // last given
}

// Timing is what transitions draw from that begin now. It is not stored: a
// restart begins with the preset.
func (s *State) Timing() Timing { return s.timing }

// Revision is the number of the last commit in the snapshot.
func (s *State) Revision() uint64 { return s.revision }

// in is the State as one region shows it.
func (s *State) in(scope string) *State {
	if s.scope == scope {
		return s
	}
	c := *s
	c.scope = scope
	return &c
}

// seek returns nil for a row that is not there, or in a region that s does not
// show.
func seek[T any, P interface {
	*T
	Row
}](s *State, table Table, index string, args ...any) P {
	row := firstIn[P](s.db.Txn(false), string(table), index, args...)
	if row == nil || !visible(s.scope, row) {
		return nil
	}
	return row
}

func all[T Row](s *State, table Table, index string, args ...any) []T {
	rows := allIn[T](s.db.Txn(false), string(table), index, args...)
	if s.scope == "" {
		return rows
	}
	return slices.DeleteFunc(rows, func(row T) bool { return !visible(s.scope, row) })
}

// firstIn returns the zero T if nothing matches. The schema is fixed, so an
// error of memdb is a mistake in this package, not in any input.
func firstIn[T any](txn *memdb.Txn, table, index string, args ...any) T {
	raw, err := txn.First(table, index, args...)
	if err != nil {
		panic("reading " + table + "." + index + ": " + err.Error())
	}
	row, _ := raw.(T)
	return row
}

func allIn[T any](txn *memdb.Txn, table, index string, args ...any) []T {
	it, err := txn.Get(table, index, args...)
	if err != nil {
		panic("reading " + table + "." + index + ": " + err.Error())
	}
	var rows []T
	for raw := it.Next(); raw != nil; raw = it.Next() {
		rows = append(rows, raw.(T))
	}
	return rows
}

// VPC returns one VPC.
func (s *State) VPC(id string) *VPC { return seek[VPC](s, TableVPC, byID, id) }

// VPCs returns every VPC.
func (s *State) VPCs() []*VPC { return all[*VPC](s, TableVPC, byCreation) }

// Subnet returns one subnet.
func (s *State) Subnet(id string) *Subnet { return seek[Subnet](s, TableSubnet, byID, id) }

// Subnets returns every subnet.
func (s *State) Subnets() []*Subnet { return all[*Subnet](s, TableSubnet, byCreation) }

// Instance returns one instance; a terminated one stays for an hour.
func (s *State) Instance(id string) *Instance { return seek[Instance](s, TableInstance, byID, id) }

// Instances returns every instance.
func (s *State) Instances() []*Instance { return all[*Instance](s, TableInstance, byCreation) }

// NetworkInterface returns one ENI.
func (s *State) NetworkInterface(id string) *NetworkInterface {
	return seek[NetworkInterface](s, TableNetworkInterface, byID, id)
}

// NetworkInterfaces returns every ENI.
func (s *State) NetworkInterfaces() []*NetworkInterface {
	return all[*NetworkInterface](s, TableNetworkInterface, byCreation)
}

// InterfacesOf returns the ENIs attached to an instance, by network card and
// device index, the primary one first.
func (s *State) InterfacesOf(instance string) []*NetworkInterface {
	return all[*NetworkInterface](s, TableNetworkInterface, byDevice, instance)
}

// InterfaceByAddr returns the ENI that holds a private address in a VPC.
func (s *State) InterfaceByAddr(vpc string, a netip.Addr) *NetworkInterface {
	l := firstIn[*lease](s.db.Txn(false), tableLease, byID, vpc, a)
	if l == nil {
		return nil
	}
	return s.NetworkInterface(l.Interface)
}

// InterfaceByAttachment returns the ENI of an attachment.
func (s *State) InterfaceByAttachment(id string) *NetworkInterface {
	return seek[NetworkInterface](s, TableNetworkInterface, byAttachment, id)
}

// SecurityGroup returns one security group.
func (s *State) SecurityGroup(id string) *SecurityGroup {
	return seek[SecurityGroup](s, TableSecurityGroup, byID, id)
}

// SecurityGroups returns every security group.
func (s *State) SecurityGroups() []*SecurityGroup {
	return all[*SecurityGroup](s, TableSecurityGroup, byCreation)
}

// Address returns one Elastic IP.
func (s *State) Address(allocationID string) *Address {
	return seek[Address](s, TableAddress, byID, allocationID)
}

// Addresses returns every Elastic IP.
func (s *State) Addresses() []*Address { return all[*Address](s, TableAddress, byCreation) }

// AddressesOf returns the Elastic IPs associated with an ENI.
func (s *State) AddressesOf(eni string) []*Address {
	return all[*Address](s, TableAddress, byInterface, eni)
}

// Policy returns one failover policy.
func (s *State) Policy(id string) *FailoverPolicy {
	return seek[FailoverPolicy](s, TablePolicy, byID, id)
}

// Policies returns every failover policy.
func (s *State) Policies() []*FailoverPolicy {
	return all[*FailoverPolicy](s, TablePolicy, byCreation)
}

// Failover returns one failover record.
func (s *State) Failover(id string) *Failover { return seek[Failover](s, TableFailover, byID, id) }

// Failovers returns the failover records, newest first.
func (s *State) Failovers() []*Failover { return all[*Failover](s, TableFailover, byNewest) }

// AvailableAddresses is EC2's AvailableIpAddressCount of a subnet, 0 if there
// is no such subnet.
func (s *State) AvailableAddresses(subnet string) int {
	sub := s.Subnet(subnet)
	if sub == nil {
		return 0
	}
	free := capacity(sub.CIDR)
	if u := firstIn[*usage](s.db.Txn(false), tableUsage, byID, subnet); u != nil {
		free -= u.Used
	}
	return free
}
