package control

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/hashicorp/go-memdb"
)

// Tables that exist only in memory, derived from the network interfaces by
// tx.putInterface. See tableEnded for one more. Those of kinds are stored.
const (
	tableLease = "leases" // who holds an address in a VPC
	tableUsage = "usage"  // how many addresses of a subnet are held
)

type lease struct {
	VPC, Subnet string
	Addr        netip.Addr
	Interface   string
}

type usage struct {
	Subnet string
	Used   int
}

// Names of indexes. memdb wants "id" for the primary one.
const (
	byID          = "id"
	byCreation    = "created"
	byVPC         = "vpc"
	byMAC         = "mac"
	bySubnet      = "subnet"
	byAttachment  = "attachment"
	byDevice      = "device"
	byName        = "name"
	byReference   = "reference"
	byAssociation = "association"
	byInterface   = "interface"
	byTarget      = "target"
	byPublicIP    = "public_ip"
	byGateway     = "gateway"
	byNewest      = "newest"
	byProbe       = "probe"
	byRule        = "rule"
	byOrdinal     = "ordinal"
	bySource      = "source"
)

// key is an index of one value of rows of type T. It does not reflect, as
// memdb's own indexes do: a change indexes a row half a dozen times.
type key[T any] func(T) []byte

func (k key[T]) FromObject(raw any) (bool, []byte, error) {
	row, ok := raw.(T)
	if !ok {
		return false, nil, fmt.Errorf("indexing a %T as %T", raw, row)
	}
	b := k(row)
	return b != nil, b, nil
}

func (k key[T]) FromArgs(args ...any) ([]byte, error) { return keyOf(args...) }

// keys is an index of several values a row.
type keys[T any] func(T) [][]byte

func (k keys[T]) FromObject(raw any) (bool, [][]byte, error) {
	row, ok := raw.(T)
	if !ok {
		return false, nil, fmt.Errorf("indexing a %T as %T", raw, row)
	}
	bs := k(row)
	return len(bs) > 0, bs, nil
}

func (k keys[T]) FromArgs(args ...any) ([]byte, error) { return keyOf(args...) }

// keyOf joins values so that none is a prefix of another and byte order is
// their order. Numbers go in by half bytes: memdb's radix trees copy every node
// on the way to a change, and a node with 256 branches is 6 KB. The trees keep
// the keys, so they are cut to their length.
func keyOf(args ...any) ([]byte, error) {
	var longest [96]byte // of most: a further byte is no mistake
	b := longest[:0]
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			b = append(append(b, v...), 0)
		case netip.Addr:
			b = halves(b, v.AsSlice()...)
		case time.Time:
			b = number(b, uint64(v.UnixNano()))
		case int:
			b = number(b, uint64(v))
		case uint64:
			b = number(b, v)
		default:
			return nil, fmt.Errorf("no index key of a %T", arg)
		}
	}
	return bytes.Clone(b), nil
}

func number(b []byte, v uint64) []byte {
	var whole [8]byte
	binary.BigEndian.PutUint64(whole[:], v)
	return halves(b, whole[:]...)
}

func halves(b []byte, whole ...byte) []byte {
	for _, c := range whole {
		b = append(b, c>>4, c&0xf)
	}
	return b
}

func mustKey(args ...any) []byte {
	b, err := keyOf(args...)
	if err != nil {
		panic(err) // an index of this file gives a type that keyOf does not know
	}
	return b
}

func index(name string, unique bool, i memdb.Indexer) *memdb.IndexSchema {
	return &memdb.IndexSchema{Name: name, Unique: unique, AllowMissing: name != byID, Indexer: i}
}

func table(name Table, indexes ...*memdb.IndexSchema) *memdb.TableSchema {
	t := &memdb.TableSchema{Name: string(name), Indexes: make(map[string]*memdb.IndexSchema)}
	for _, i := range indexes {
		t.Indexes[i.Name] = i
	}
	return t
}

// optional leaves rows without a value out of an index.
func optional(parts ...string) []byte {
	args := make([]any, len(parts))
	for i, p := range parts {
		if p == "" {
			return nil
		}
		args[i] = p
	}
	return mustKey(args...)
}

var schema = func() *memdb.DBSchema {
	s := &memdb.DBSchema{Tables: make(map[string]*memdb.TableSchema)}
	for _, k := range kinds {
		s.Tables[string(k.Table)] = table(k.Table, k.indexes...)
	}
	for _, t := range []*memdb.TableSchema{
		table(tableLease,
			index(byID, true, key[*lease](func(l *lease) []byte { return mustKey(l.VPC, l.Addr) }))),
		table(tableUsage,
			index(byID, true, key[*usage](func(u *usage) []byte { return mustKey(u.Subnet) }))),
		table(tableEnded,
			index(byID, true, key[*ended](func(e *ended) []byte { return mustKey(e.ID) })),
			index(byOrdinal, true, key[*ended](func(e *ended) []byte { return mustKey(e.Ordinal) }))),
	} {
		s.Tables[t.Name] = t
	}
	return s
}()

func interfaceIndexes() []*memdb.IndexSchema {
	return []*memdb.IndexSchema{
		index(byID, true, key[*NetworkInterface](func(n *NetworkInterface) []byte { return mustKey(n.ID) })),
		index(byCreation, false, key[*NetworkInterface](func(n *NetworkInterface) []byte { return mustKey(n.CreatedAt) })),
		index(byPublicIP, true, key[*NetworkInterface](func(n *NetworkInterface) []byte {
			if !n.PublicIP.IsValid() {
				return nil
			}
			return mustKey(n.PublicIP)
		})),
		index(byMAC, true, key[*NetworkInterface](func(n *NetworkInterface) []byte { return mustKey(uint64(n.MAC)) })),
		index(byAttachment, true, key[*NetworkInterface](func(n *NetworkInterface) []byte {
			if n.Attachment == nil {
				return nil
			}
			return mustKey(n.Attachment.ID)
		})),
		index(byDevice, true, key[*NetworkInterface](func(n *NetworkInterface) []byte {
			if n.Attachment == nil {
				return nil
			}
			return mustKey(n.Attachment.Instance, n.Attachment.NetworkCard, n.Attachment.DeviceIndex)
		})),
	}
}

func groupIndexes() []*memdb.IndexSchema {
	return []*memdb.IndexSchema{
		index(byID, true, key[*SecurityGroup](func(g *SecurityGroup) []byte { return mustKey(g.ID) })),
		index(byCreation, false, key[*SecurityGroup](func(g *SecurityGroup) []byte { return mustKey(g.CreatedAt) })),
		index(byName, true, key[*SecurityGroup](func(g *SecurityGroup) []byte { return mustKey(g.VPC, g.Name) })),
		index(byRule, true, keys[*SecurityGroup](func(g *SecurityGroup) [][]byte {
			ks := make([][]byte, len(g.Rules))
			for i := range g.Rules {
				ks[i] = mustKey(g.Rules[i].ID)
			}
			return ks
		})),
		// Groups and prefix lists that rules refer to; a rule that names its own
		// group does not keep it from being deleted.
		index(byReference, false, keys[*SecurityGroup](func(g *SecurityGroup) [][]byte {
			var ks [][]byte
			seen := make(map[string]bool)
			for _, r := range g.Rules {
				peer := cmp.Or(r.Group, r.PrefixList)
				if peer != "" && peer != g.ID && !seen[peer] {
					seen[peer] = true
					ks = append(ks, mustKey(peer))
				}
			}
			return ks
		})),
	}
}

func addressIndexes() []*memdb.IndexSchema {
	return []*memdb.IndexSchema{
		index(byID, true, key[*Address](func(a *Address) []byte { return mustKey(a.AllocationID) })),
		index(byCreation, false, key[*Address](func(a *Address) []byte { return mustKey(a.CreatedAt) })),
		index(byPublicIP, true, key[*Address](func(a *Address) []byte { return mustKey(a.PublicIP) })),
		index(byAssociation, true, key[*Address](func(a *Address) []byte { return optional(a.AssociationID) })),
		index(byInterface, false, key[*Address](func(a *Address) []byte { return optional(a.NetworkInterface) })),
		index(byTarget, true, key[*Address](func(a *Address) []byte {
			if a.NetworkInterface == "" {
				return nil
			}
			return mustKey(a.NetworkInterface, a.PrivateIP)
		})),
	}
}

func routeTableIndexes() []*memdb.IndexSchema {
	associated := func(value func(RouteTableAssociation) string) keys[*RouteTable] {
		return func(t *RouteTable) (ks [][]byte) {
			for _, a := range t.Associations {
				if v := value(a); v != "" {
					ks = append(ks, mustKey(v))
				}
			}
			return ks
		}
	}
	return []*memdb.IndexSchema{
		index(byAssociation, true, associated(func(a RouteTableAssociation) string { return a.ID })),
		index(bySubnet, true, associated(func(a RouteTableAssociation) string { return a.Subnet })),
		index(byGateway, true, associated(func(a RouteTableAssociation) string { return a.Gateway })),
		// What the routes lead to: gateways, ENIs, prefix lists.
		index(byTarget, false, keys[*RouteTable](func(t *RouteTable) (ks [][]byte) {
			seen := make(map[string]bool)
			for _, r := range t.Routes {
				for _, target := range []string{r.Gateway, r.EgressOnly, r.NATGateway, r.Interface, r.Peering, r.PrefixList, r.Transit, r.Endpoint} {
					if target != "" && !seen[target] {
						seen[target] = true
						ks = append(ks, mustKey(target))
					}
				}
			}
			return ks
		})),
	}
}

func aclIndexes() []*memdb.IndexSchema {
	associated := func(value func(NetworkACLAssociation) string) keys[*NetworkACL] {
		return func(a *NetworkACL) [][]byte {
			ks := make([][]byte, len(a.Associations))
			for i, s := range a.Associations {
				ks[i] = mustKey(value(s))
			}
			return ks
		}
	}
	return []*memdb.IndexSchema{
		index(byAssociation, true, associated(func(a NetworkACLAssociation) string { return a.ID })),
		index(bySubnet, true, associated(func(a NetworkACLAssociation) string { return a.Subnet })),
	}
}
