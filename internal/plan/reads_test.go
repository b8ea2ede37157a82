package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"enilab/internal/control"
	"enilab/internal/control/controltest"
	"enilab/internal/dataplane/spec"
)

// everything is a State with rows of every kind that reaches the network, each in
// use by those that read it.
func everything(t testing.TB) *control.State {
	s := foundedSite(t)
	i := s.Run(s.A, "m5.large")
	n := s.Plug(s.ENI(s.A, "192.168.0.42"), i, 1)
	list := controltest.Must(s.CreatePrefixList(s.Ctx, control.CreatePrefixListInput{Name: "l", Family: "IPv4", MaxEntries: 5,
		Entries: []control.PrefixListEntryInput{{CIDR: "10.1.0.0/16"}}}))
	controltest.Must(s.AuthorizeRules(s.Ctx, group(s, "web").ID, false, []control.RuleInput{
		{Protocol: "tcp", FromPort: new(80), ToPort: new(81), PrefixList: list.ID},
	}))
	main := s.State().MainRouteTable(s.VPC.ID)
	route(s, control.RouteInput{Interface: n.ID}, "172.31.0.1/32")
	s.Check(s.CreateRoute(s.Ctx, control.RouteInput{Table: main.ID, DestinationInput: control.DestinationInput{PrefixList: list.ID}, Interface: n.ID}))
	gateway := s.Gateway()
	edge := controltest.Must(s.CreateRouteTable(s.Ctx, s.VPC.ID, nil))
	controltest.Must(s.AssociateRouteTable(s.Ctx, control.AssociateRouteTableInput{Table: edge.ID, Gateway: gateway.ID}))
	eip, second := controltest.Must(s.AllocateAddress(s.Ctx, nil)), controltest.Must(s.AllocateAddress(s.Ctx, nil))
	controltest.Must(s.AssociateAddress(s.Ctx, eip.AllocationID, n.ID, "", true))
	nat := controltest.Must(s.CreateNATGateway(s.Ctx, control.CreateNATGatewayInput{Subnet: s.A.ID, Allocation: second.AllocationID}))
	peering := s.Peer(otherVPC(s))
	route(s, control.RouteInput{Gateway: gateway.ID}, "0.0.0.0/0")
	route(s, control.RouteInput{NATGateway: nat.ID}, "172.16.0.0/12")
	route(s, control.RouteInput{Peering: peering.ID}, "10.0.0.0/16")
	controltest.Must(s.CreateInternetHost(s.Ctx, control.CreateInternetHostInput{Name: "another", Address: "203.0.113.200",
		Workloads: []spec.Workload{{Name: "w", Kind: spec.WorkloadPing, Target: n.PrimaryAddress(), Rate: 1}}}))
	newHub(s)
	controltest.Must(s.CreateVPCEndpoint(s.Ctx, control.CreateVPCEndpointInput{VPC: s.VPC.ID, Service: s3, RouteTables: []string{main.ID}}))
	s.Stop()
	return s.State()
}

// TestEveryFieldReachesThePlane changes every field of every row, in random
// order, and compares what the deltas made with the State compiled as a whole: a
// spec that reads a row which reads does not tell of is found here.
func TestEveryFieldReachesThePlane(t *testing.T) {
	var start *control.State
	synctest.Test(t, func(t *testing.T) { start = everything(t) })
	for seed := range uint64(20) {
		store, network := controltest.StoreOf(start), controltest.NewNetwork()
		state := controltest.Restore(t, store)
		follow := func(turn control.Turn) error {
			if _, err := network.Plane().Follow(t.Context(), turn); err != nil {
				return err
			}
			return network.Differs(turn.After)
		}
		if err := follow(control.FromNothing(state)); err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 1))
		edits := fieldEdits(state)
		r.Shuffle(len(edits), func(i, j int) { edits[i], edits[j] = edits[j], edits[i] })
		for _, e := range edits {
			before := e.table.Kind().Row(state, e.id)
			after := reflect.New(reflect.TypeOf(before).Elem())
			after.Elem().Set(reflect.ValueOf(before).Elem())
			e.change(after.Elem())
			c := control.Change{Table: e.table, ID: e.id, Before: before, After: after.Interface()}
			store.Put(c)
			turn := control.Turn{Before: state, After: controltest.Restore(t, store), Changes: []control.Change{c}}
			if err := follow(turn); err != nil {
				t.Fatalf("seed %d, %s of %s: %v", seed, e.field, e.table, err)
			}
			state = turn.After
		}
	}
}

type fieldEdit struct {
	table  control.Table
	id     string
	field  string
	change func(row reflect.Value)
}

// fieldEdits is a change of each field of each row that has another value which
// keeps the rows consistent: no id, no reference, no key of an index.
func fieldEdits(s *control.State) (edits []fieldEdit) {
	for _, k := range control.Kinds() {
		for _, row := range k.Rows(s) {
			for _, f := range reflect.VisibleFields(reflect.TypeOf(row).Elem()) {
				if f.Anonymous || !f.IsExported() {
					continue
				}
				if change := otherValue(f.Name, reflect.ValueOf(row).Elem().FieldByIndex(f.Index)); change != nil {
					edits = append(edits, fieldEdit{k.Table, row.Identity().ID, f.Name, func(row reflect.Value) {
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
		if control.KindOf(p) != nil {
			return nil
		}
		return func(v reflect.Value) { v.SetString(p + "x") }
	case control.InstanceState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.InstanceStopped)) }
	case control.TransitState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.TransitDeleting)) }
	case control.TransitAssociationState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.TransitDisassociating)) }
	case control.Fault:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.FaultFreeze)) }
	case time.Time:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(p.Add(time.Hour))) }
	case control.NATGatewayState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.NATDeleting)) }
	case control.PeeringState:
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.PeeringDeleted)) }
	case netip.Addr:
		if name != "PublicIP" && name != "Source" || !p.IsValid() {
			return nil
		}
		return func(v reflect.Value) { v.Set(reflect.ValueOf(netip.MustParseAddr("198.18.77.77"))) }
	case *control.Attachment:
		if p == nil || p.DeviceIndex == 0 {
			return nil
		}
		return func(v reflect.Value) {
			detaching := *p
			detaching.State = control.Detaching
			v.Set(reflect.ValueOf(&detaching))
		}
	case [][]control.PrefixListEntry:
		return func(v reflect.Value) {
			v.Set(reflect.ValueOf([][]control.PrefixListEntry{{{CIDR: netip.MustParsePrefix("10.2.0.0/16")}, {CIDR: netip.MustParsePrefix("10.3.0.0/16")}}}))
		}
	case []control.CIDRAssociation:
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
		return func(v reflect.Value) { v.Set(reflect.ValueOf(control.Tags{"Name": fmt.Sprint(v.Len())})) }
	case reflect.Slice:
		if v.Len() < 2 {
			return nil
		}
		return func(v reflect.Value) { v.Set(v.Slice(0, v.Len()-1)) }
	}
	return nil
}
