package store

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// fill sets every field that v holds to a value of its own, so that one which
// the store forgets, or swaps with another, comes back different.
func fill(v reflect.Value, n *int) {
	*n++
	switch p := v.Addr().Interface().(type) {
	case *time.Time:
		*p = pairTime(uint64(*n))
		return
	case *netip.Addr:
		*p = netip.AddrFrom4([4]byte{10, 0, byte(*n >> 8), byte(*n)})
		return
	case *netip.Prefix:
		*p = netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(*n >> 8), byte(*n), 0}), 24)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(key, n)
			fill(value, n)
			v.SetMapIndex(key, value)
		}
	default:
		panic(fmt.Sprintf("no test value for a %s", v.Type()))
	}
}

func filled[T any](n *int) *T {
	t := new(T)
	fill(reflect.ValueOf(t).Elem(), n)
	return t
}

// fullWorld has one resource of each kind with no field left zero, and what they
// refer to.
func fullWorld() control.Commit {
	n := 0
	v, sub, inst := filled[control.VPC](&n), filled[control.Subnet](&n), filled[control.Instance](&n)
	eni, group := filled[control.NetworkInterface](&n), filled[control.SecurityGroup](&n)
	addr, policy, fo := filled[control.Address](&n), filled[control.FailoverPolicy](&n), filled[control.Failover](&n)
	eni.VPC, eni.Subnet, eni.Groups, eni.Attachment.Instance = v.ID, sub.ID, []string{group.ID}, inst.ID
	eni.Addresses[1].Primary = false
	sub.VPC, group.VPC, addr.NetworkInterface = v.ID, v.ID, eni.ID
	group.Rules[0].CIDR, group.Rules[0].Group = netip.Prefix{}, group.ID
	group.Rules[1].Group = ""
	list := filled[control.PrefixList](&n)
	group.Rules[0].PrefixList, group.Rules[1].PrefixList = "", ""
	third := group.Rules[1]
	third.ID, third.Ref, third.CIDR, third.PrefixList = third.ID+"b", third.Ref+1000, netip.Prefix{}, list.ID
	group.Rules = append(group.Rules, third)
	region, dhcp := filled[control.Region](&n), filled[control.DHCPOptions](&n)
	igw, eigw, nat := filled[control.InternetGateway](&n), filled[control.EgressOnlyGateway](&n), filled[control.NATGateway](&n)
	routes, acl := filled[control.RouteTable](&n), filled[control.NetworkACL](&n)
	igw.VPC, eigw.VPC, routes.VPC, acl.VPC = v.ID, v.ID, v.ID, v.ID
	endpoint := filled[control.VPCEndpoint](&n)
	endpoint.VPC = v.ID
	for i := range group.Rules {
		group.Rules[i].Protocol %= 256
	}
	c := control.Commit{Revision: 7, At: pairTime(7), NextGroupRef: 8, NextRuleRef: 9, EventSeq: 10}
	known := map[control.Table]control.Row{
		control.TableRegion: region, control.TableDHCPOptions: dhcp, control.TableVPC: v, control.TableSubnet: sub,
		control.TablePrefixList: list, control.TableInstance: inst, control.TableNetworkInterface: eni,
		control.TableSecurityGroup: group, control.TableAddress: addr, control.TableInternetGateway: igw,
		control.TableEgressOnlyGateway: eigw, control.TableNATGateway: nat, control.TableRouteTable: routes,
		control.TableNetworkACL: acl, control.TablePolicy: policy, control.TableFailover: fo, control.TableVPCEndpoint: endpoint,
	}
	for _, k := range control.Kinds() {
		row := known[k.Table]
		if row == nil {
			row = k.Blank()
			fill(reflect.ValueOf(row).Elem(), &n)
		}
		c.Changes = append(c.Changes, control.Change{Table: k.Table, ID: row.Identity().ID, After: row})
	}
	return c
}

// TestEveryKindIsStored: a kind is a document, or has tables of its own.
func TestEveryKindIsStored(t *testing.T) {
	for _, k := range control.Kinds() {
		if k.Document == (own[k.Table] != nil) {
			t.Errorf("%s is a document: %v, and has tables of its own: %v", k.Table, k.Document, own[k.Table] != nil)
		}
	}
}

func TestEveryFieldIsStored(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	want := fullWorld()
	write(t, s, want)
	same(t, load(t, s), want)
}

// TestEveryFieldIsUpdated replaces each row by one with other values.
func TestEveryFieldIsUpdated(t *testing.T) {
	s := open(t, t.TempDir())
	want := fullWorld()
	first := fullWorld()
	for i, c := range first.Changes {
		blank := reflect.New(reflect.TypeOf(c.After).Elem())
		switch b := blank.Interface().(type) {
		case *control.VPC:
			b.CIDR = netip.MustParsePrefix("192.0.2.0/24")
		case *control.Subnet:
			b.CIDR, b.VPC = netip.MustParsePrefix("192.0.2.0/25"), c.After.(*control.Subnet).VPC
		case *control.NetworkInterface:
			full := c.After.(*control.NetworkInterface)
			b.VPC, b.Subnet = full.VPC, full.Subnet
		case *control.SecurityGroup:
			b.VPC = c.After.(*control.SecurityGroup).VPC
		case *control.Address:
			b.PublicIP = netip.MustParseAddr("192.0.2.1")
		}
		setID(blank.Interface(), c.ID)
		first.Changes[i].After = blank.Interface()
		want.Changes[i].Before = blank.Interface()
	}
	first.Revision, first.EventSeq = 1, 0
	write(t, s, first)
	same(t, load(t, s), first)
	write(t, s, want)
	for i := range want.Changes {
		want.Changes[i].Before = nil
	}
	same(t, load(t, s), want)
}

func setID(row any, id string) {
	field := "ID"
	switch row.(type) {
	case *control.Address:
		field = "AllocationID"
	case *control.Region:
		field = "Name"
	}
	reflect.ValueOf(row).Elem().FieldByName(field).SetString(id)
}

// TestJSONColumns pins the form of the columns of JSON. Their keys are the names
// of Go fields: who renames one must migrate what is stored.
func TestJSONColumns(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, fullWorld())
	var got bytes.Buffer
	for _, column := range []string{
		"instances.tags", "instances.workloads", "instances.stale", "failover_policies.standbys", "failover_policies.probe", "failovers.findings",
		"vpcs.settings", "subnets.settings", "instances.settings", "network_interfaces.settings", "documents.body",
	} {
		table, name, _ := strings.Cut(column, ".")
		for _, text := range texts(t, s, "SELECT json_pretty("+name+") FROM "+table) {
			fmt.Fprintf(&got, "%s\n%s\n\n", column, text)
		}
	}
	const golden = "testdata/json_columns.golden"
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("stored JSON has another form than %s; a key renamed or gone needs a migration; then run with -update\n%s", golden, got.Bytes())
	}
}

// A key that nobody reads any more is an error, not a loss.
func TestUnknownKeyOfJSON(t *testing.T) {
	s := open(t, t.TempDir())
	write(t, s, fullWorld())
	_, err := s.conn.ExecContext(t.Context(), `UPDATE failovers SET findings = json_set(findings, '$.Former', 1)`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(t.Context()); err == nil || !strings.Contains(err.Error(), "Former") {
		t.Errorf("got %v, want an error naming the key", err)
	}
}
