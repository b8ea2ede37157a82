package control

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"enilab/internal/control/rows"
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

// Names of indexes. Every table has one by id, which is whole.
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

// key is an index of one value of rows of type T, "" for a row without one.
type key[T any] func(T) string

func (k key[T]) in(x *rows.Index) { x.Key = func(row any) string { return k(row.(T)) } }

// keys is an index of several values a row.
type keys[T any] func(T) []string

func (k keys[T]) in(x *rows.Index) { x.Keys = func(row any) []string { return k(row.(T)) } }

// keyOf joins values so that none is a prefix of another and byte order is
// their order.
func keyOf(args ...any) string {
	var most [96]byte // of nearly all: a further byte is no mistake
	b := most[:0]
	for _, arg := range args {
		switch v := arg.(type) {
		case string:
			b = append(append(b, v...), 0)
		case netip.Addr:
			if v.Is4() {
				a := v.As4()
				b = append(b, a[:]...)
			} else {
				a := v.As16()
				b = append(b, a[:]...)
			}
		case time.Time:
			b = binary.BigEndian.AppendUint64(b, uint64(v.UnixNano()))
		case int:
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case uint64:
			b = binary.BigEndian.AppendUint64(b, v)
		default:
			panic("control's schema: a key of a type that it does not know") // naming it would put every argument on the heap
		}
	}
	return string(b)
}

// wanted is the key that arguments look for in an index. An id is its own key.
func wanted(index string, args []any) string {
	if index == byID && len(args) == 1 {
		if id, ok := args[0].(string); ok {
			return id
		}
	}
	return keyOf(args...)
}

// index is whole where rows are listed by it most.
func index(name string, unique bool, of interface{ in(*rows.Index) }) rows.Index {
	x := rows.Index{Name: name, Unique: unique, Whole: name == byID || name == byCreation}
	of.in(&x)
	return x
}

func table(name Table, indexes ...rows.Index) rows.Table {
	t := rows.Table{Name: string(name)}
	for _, x := range indexes {
		if x.Name == byID {
			t.Indexes = append(t.Indexes, x)
		}
	}
	for _, x := range indexes {
		if x.Name != byID {
			t.Indexes = append(t.Indexes, x)
		}
	}
	return t
}

// optional leaves rows without a value out of an index.
func optional(part string) string {
	if part == "" {
		return ""
	}
	return keyOf(part)
}

// newDB returns a version without rows.
func newDB() *rows.View { return emptyDB() }

// emptyDB is made once: its tables and indexes are what costs.
var emptyDB = sync.OnceValue(func() *rows.View {
	var tables []rows.Table
	for _, k := range kinds {
		tables = append(tables, table(k.Table, k.indexes...))
	}
	return rows.New(append(tables,
		table(tableLease,
			index(byID, true, key[*lease](func(l *lease) string { return keyOf(l.VPC, l.Addr) }))),
		table(tableUsage,
			index(byID, true, key[*usage](func(u *usage) string { return u.Subnet }))),
		table(tableEnded,
			index(byID, true, key[*ended](func(e *ended) string { return e.ID })),
			index(byOrdinal, true, key[*ended](func(e *ended) string { return keyOf(e.Ordinal) }))),
	)...)
})

func interfaceIndexes() []rows.Index {
	return []rows.Index{
		index(byID, true, key[*NetworkInterface](func(n *NetworkInterface) string { return n.ID })),
		index(byCreation, false, key[*NetworkInterface](func(n *NetworkInterface) string { return keyOf(n.CreatedAt) })),
		index(byPublicIP, true, key[*NetworkInterface](func(n *NetworkInterface) string {
			if !n.PublicIP.IsValid() {
				return ""
			}
			return keyOf(n.PublicIP)
		})),
		index(byMAC, true, key[*NetworkInterface](func(n *NetworkInterface) string { return keyOf(uint64(n.MAC)) })),
		index(byAttachment, true, key[*NetworkInterface](func(n *NetworkInterface) string {
			if n.Attachment == nil {
				return ""
			}
			return keyOf(n.Attachment.ID)
		})),
		index(byDevice, true, key[*NetworkInterface](func(n *NetworkInterface) string {
			if n.Attachment == nil {
				return ""
			}
			return keyOf(n.Attachment.Instance, n.Attachment.NetworkCard, n.Attachment.DeviceIndex)
		})),
	}
}

func groupIndexes() []rows.Index {
	return []rows.Index{
		index(byID, true, key[*SecurityGroup](func(g *SecurityGroup) string { return g.ID })),
		index(byCreation, false, key[*SecurityGroup](func(g *SecurityGroup) string { return keyOf(g.CreatedAt) })),
		index(byName, true, key[*SecurityGroup](func(g *SecurityGroup) string { return keyOf(g.VPC, g.Name) })),
		index(byRule, true, keys[*SecurityGroup](func(g *SecurityGroup) []string {
			ks := make([]string, len(g.Rules))
			for i := range g.Rules {
				ks[i] = keyOf(g.Rules[i].ID)
			}
			return ks
		})),
		// Groups and prefix lists that rules refer to; a rule that names its own
		// group does not keep it from being deleted.
		index(byReference, false, keys[*SecurityGroup](func(g *SecurityGroup) []string {
			var ks []string
			seen := make(map[string]bool)
			for _, r := range g.Rules {
				peer := cmp.Or(r.Group, r.PrefixList)
				if peer != "" && peer != g.ID && !seen[peer] {
					seen[peer] = true
					ks = append(ks, keyOf(peer))
				}
			}
			return ks
		})),
	}
}

func addressIndexes() []rows.Index {
	return []rows.Index{
		index(byID, true, key[*Address](func(a *Address) string { return a.AllocationID })),
		index(byCreation, false, key[*Address](func(a *Address) string { return keyOf(a.CreatedAt) })),
		index(byPublicIP, true, key[*Address](func(a *Address) string { return keyOf(a.PublicIP) })),
		index(byAssociation, true, key[*Address](func(a *Address) string { return optional(a.AssociationID) })),
		index(byInterface, false, key[*Address](func(a *Address) string { return optional(a.NetworkInterface) })),
		index(byTarget, true, key[*Address](func(a *Address) string {
			if a.NetworkInterface == "" {
				return ""
			}
			return keyOf(a.NetworkInterface, a.PrivateIP)
		})),
	}
}

func routeTableIndexes() []rows.Index {
	associated := func(value func(RouteTableAssociation) string) keys[*RouteTable] {
		return func(t *RouteTable) (ks []string) {
			for _, a := range t.Associations {
				if v := value(a); v != "" {
					ks = append(ks, keyOf(v))
				}
			}
			return ks
		}
	}
	return []rows.Index{
		index(byAssociation, true, associated(func(a RouteTableAssociation) string { return a.ID })),
		index(bySubnet, true, associated(func(a RouteTableAssociation) string { return a.Subnet })),
		index(byGateway, true, associated(func(a RouteTableAssociation) string { return a.Gateway })),
		// What the routes lead to: gateways, ENIs, prefix lists.
		index(byTarget, false, keys[*RouteTable](func(t *RouteTable) (ks []string) {
			seen := make(map[string]bool)
			for _, r := range t.Routes {
				for _, target := range []string{r.Gateway, r.EgressOnly, r.NATGateway, r.Interface, r.Peering, r.PrefixList, r.Transit, r.Endpoint} {
					if target != "" && !seen[target] {
						seen[target] = true
						ks = append(ks, keyOf(target))
					}
				}
			}
			return ks
		})),
	}
}

func aclIndexes() []rows.Index {
	associated := func(value func(NetworkACLAssociation) string) keys[*NetworkACL] {
		return func(a *NetworkACL) []string {
			ks := make([]string, len(a.Associations))
			for i, s := range a.Associations {
				ks[i] = keyOf(value(s))
			}
			return ks
		}
	}
	return []rows.Index{
		index(byAssociation, true, associated(func(a NetworkACLAssociation) string { return a.ID })),
		index(bySubnet, true, associated(func(a NetworkACLAssociation) string { return a.Subnet })),
	}
}
