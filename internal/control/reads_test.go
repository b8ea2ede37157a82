package control

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"enilab/internal/dataplane/spec"
)

// TestEveryFieldReachesThePlane changes every field of every row, in random
// order, and compares what the deltas made with the State compiled as a whole:
// a spec that reads a row which compile does not know of is found here.
func TestEveryFieldReachesThePlane(t *testing.T) {
	for seed := range uint64(20) {
		s := founded(t)
		i := s.run(s.a, "m5.large")
		n := s.attach(s.eni(s.a, "192.168.0.42"), i, 1)
		list := must(s.lab, func(t *tx) (*PrefixList, error) {
			return t.createPrefixList(CreatePrefixListInput{Name: "l", Family: familyIPv4, MaxEntries: 5,
				Entries: []PrefixListEntryInput{{CIDR: "10.1.0.0/16"}}})
		})
		g := s.group("web")
		s.authorize(g, RuleInput{Protocol: "tcp", FromPort: ptr(80), ToPort: ptr(81), PrefixList: list.ID})
		main := s.state.MainRouteTable(s.vpc.ID)
		s.ok(func(t *tx) error {
			return t.createRoute(RouteInput{Table: main.ID, DestinationInput: DestinationInput{CIDR: "172.31.0.1/32"}, Interface: n.ID})
		})
		s.ok(func(t *tx) error {
			return t.createRoute(RouteInput{Table: main.ID, DestinationInput: DestinationInput{PrefixList: list.ID}, Interface: n.ID})
		})
		gateway := s.gateway()
		edge := s.table()
		must(s.lab, associate(AssociateRouteTableInput{Table: edge.ID, Gateway: gateway.ID}))
		eip := s.eip()
		must(s.lab, func(t *tx) (*Address, error) {
			return t.associateAddress(association(eip.AllocationID, n.ID, "", true))
		})
		nat := s.nat(CreateNATGatewayInput{Subnet: s.a.ID, Allocation: s.eip().AllocationID})
		other := s.otherVPC()
		peering := must(s.lab, func(t *tx) (*Peering, error) {
			return t.createPeering(CreatePeeringInput{VPC: s.vpc.ID, Peer: other.vpc.ID, Account: "1"})
		})
		must(s.lab, func(t *tx) (*Peering, error) { return t.acceptPeering(peering.ID) })
		s.settle()
		for cidr, in := range map[string]RouteInput{
			"0.0.0.0/0": {Gateway: gateway.ID}, "172.16.0.0/12": {NATGateway: nat.ID}, "10.0.0.0/16": {Peering: peering.ID},
		} {
			in.Table, in.CIDR = main.ID, cidr
			s.ok(func(t *tx) error { return t.createRoute(in) })
		}
		s.host("203.0.113.200", spec.Workload{Name: "w", Kind: spec.WorkloadPing, Target: n.PrimaryAddress(), Rate: 1})
		s.transit()
		s.endpoint(CreateVPCEndpointInput{Service: s3Service, RouteTables: []string{main.ID}})
		plane := newModelPlane()
		if _, err := plane.Apply(context.Background(), compileAll(s.state)); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 1))
		edits := fieldEdits(s.state)
		r.Shuffle(len(edits), func(i, j int) { edits[i], edits[j] = edits[j], edits[i] })
		for _, e := range edits {
			before := s.state
			s.ok(func(t *tx) error {
				row := e.kind.clone(firstIn[Row](t.Txn, string(e.kind.Table), byID, e.id))
				e.change(reflect.ValueOf(row).Elem())
				t.put(e.kind.Table, row)
				return nil
			})
			if s.state == before {
				continue
			}
			if d := s.delta(before); !d.Empty() {
				if _, err := plane.Apply(context.Background(), d); err != nil {
					t.Fatalf("seed %d, %s of %s: %v", seed, e.field, e.kind.Table, err)
				}
			}
			if err := plane.differs(s.state); err != nil {
				t.Fatalf("seed %d, %s of %s: %v", seed, e.field, e.kind.Table, err)
			}
		}
	}
}

type fieldEdit struct {
	kind   *Kind
	id     string
	field  string
	change func(row reflect.Value)
}

// fieldEdits is a change of each field of each row that has another value which
// keeps the rows consistent: no id, no reference, no key of an index.
func fieldEdits(s *State) (edits []fieldEdit) {
	for _, k := range Kinds() {
		for _, row := range k.Rows(s) {
			for _, f := range reflect.VisibleFields(reflect.TypeOf(row).Elem()) {
				if f.Anonymous || !f.IsExported() {
					continue
				}
				if change := otherValue(f.Name, reflect.ValueOf(row).Elem().FieldByIndex(f.Index)); change != nil {
					edits = append(edits, fieldEdit{k, row.Identity().ID, f.Name, func(row reflect.Value) {
						change(row.FieldByIndex(f.Index))
					}})
				}
			}
		}
	}
	return edits
}

// otherValue returns what gives a field another value, nil for one that others
// refer to.
func otherValue(name string, v reflect.Value) func(reflect.Value) {
	switch name {
	case "Region", "ID", "AllocationID", "CreatedAt", "LaunchAt", "RequesterManaged", "Owner", "Ref", "MAC", "RouterMAC", "CIDR", "Family",
		"Associations": // every subnet has an ACL; the random commands of TestInvariants change these
		return nil
	case "Type":
		return func(v reflect.Value) { v.SetString("m8i.large") }
	}
	switch p := v.Interface().(type) {
	case string:
		if KindOf(p) != nil {
			return nil
		}
		return func(v reflect.Value) { v.SetString(p + "x") }
	case InstanceState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(InstanceStopped)) }
	case TransitState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(TransitDeleting)) }
	case TransitAssociationState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(TransitDisassociating)) }
	case Fault:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(FaultFreeze)) }
	case time.Time:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(p.Add(time.Hour))) }
	case NATGatewayState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(NATDeleting)) }
	case PeeringState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(PeeringDeleted)) }
	case netip.Addr:
		if name != "PublicIP" && name != "Source" || !p.IsValid() {
			return nil
		}
		return func(v reflect.Value) { v.Set(reflect.ValueOf(netip.MustParseAddr("198.18.77.77"))) }
	case *Attachment:
		if p == nil || p.DeviceIndex == 0 {
			return nil
		}
		return func(v reflect.Value) {
			detaching := *p
			detaching.State = Detaching
			v.Set(reflect.ValueOf(&detaching))
		}
	case [][]PrefixListEntry:
		return func(v reflect.Value) {
			v.Set(reflect.ValueOf([][]PrefixListEntry{{{CIDR: netip.MustParsePrefix("10.2.0.0/16")}, {CIDR: netip.MustParsePrefix("10.3.0.0/16")}}}))
		}
	case []CIDRAssociation:
		if len(p) == 0 {
			return nil
		}
		return func(v reflect.Value) {
			more := p[0]
			more.CIDR = netip.MustParsePrefix("172.16.0.0/16")
			v.Set(reflect.Append(v, reflect.ValueOf(more)))
		}
	}
	switch v.Kind() {
	case reflect.Bool:
		return func(v reflect.Value) { v.SetBool(!v.Bool()) }
	case reflect.Int, reflect.Int64:
		return func(v reflect.Value) { v.SetInt(v.Int() + 1) }
	case reflect.Uint32, reflect.Uint64:
		return func(v reflect.Value) { v.SetUint(v.Uint() + 1) }
	case reflect.Map:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(Tags{"Name": fmt.Sprint(v.Len())})) }
	case reflect.Slice:
		if v.Len() < 2 {
			return nil
		}
		return func(v reflect.Value) { v.Set(v.Slice(0, v.Len()-1)) }
	}
	return nil
}
