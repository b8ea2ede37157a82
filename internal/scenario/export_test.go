package scenario

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

const exportRegion = "us-east-1"

// apart builds a scenario in a control plane of its own.
func apart(t *testing.T, sc *Scenario) (*Loaded, *control.State) {
	t.Helper()
	random := rand.NewChaCha8([32]byte{7})
	loaded, state, err := sc.BuildApart(bounded(t), control.Options{
		Region: exportRegion, Now: time.Now, Random: func(b []byte) { _, _ = random.Read(b) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return loaded, state
}

// everyFile is every scenario of the binary and of testdata.
func everyFile(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/scenarios/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios in testdata: %v", err)
	}
	return slices.Concat(Names(), files)
}

func TestExportedIsBuiltEqual(t *testing.T) {
	for _, name := range everyFile(t) {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			_, was := apart(t, mustOpen(t, name))
			text := Export(was, exportRegion, "again")
			again, err := Parse(t.Context(), "again.yaml", text)
			if err != nil {
				t.Fatalf("what was exported is no scenario: %v\n%s", err, text)
			}
			_, is := apart(t, again)
			if got := Export(is, exportRegion, "again"); string(got) != string(text) {
				t.Errorf("exported anew it is\n%s\nwant\n%s", got, text)
			}
			if lost := strings.Contains(string(text), "# - "); lost {
				t.Errorf("something has no word:\n%s", text)
			}
			compare(t, anonymous(t, is), anonymous(t, was))
		})
	}
}

func compare(t *testing.T, got, want map[control.Table][]string) {
	t.Helper()
	for table, rows := range want {
		if !slices.Equal(got[table], rows) {
			t.Errorf("%s:\n got %s\nwant %s", table, strings.Join(got[table], "\n     "), strings.Join(rows, "\n     "))
		}
	}
}

var (
	someID   = regexp.MustCompile(`\b[a-z]+(-[a-z]+)*-[0-9a-f]{8,17}\b`)
	someTime = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`)
	someMAC  = regexp.MustCompile(`\b0[26](:[0-9a-f]{2}){5}\b`)
)

// anonymous is every row of a State without what is drawn or told by the clock:
// ids are the names that rows have, or their kind. It knows nothing of Export.
func anonymous(t *testing.T, s *control.State) map[control.Table][]string {
	t.Helper()
	names := map[string]string{}
	public := map[string]string{}
	for _, k := range control.Kinds() {
		for _, row := range k.Rows(s) {
			id := row.Identity().ID
			names[id] = id[:strings.LastIndexByte(id, '-')] + "=" + k.Tags(row)["Name"]
		}
	}
	for _, n := range s.NetworkInterfaces() {
		if a := n.Attachment; a != nil && a.DeviceIndex == 0 {
			names[n.ID] = "eth0 of " + names[a.Instance]
		}
		if n.RequesterManaged { // whose addresses are drawn
			public[n.Addresses[0].Addr.String()] = "drawn"
		}
	}
	for _, h := range s.InternetHosts() {
		names[h.ID] = h.Name
	}
	for _, a := range s.Addresses() {
		public[a.PublicIP.String()] = "public of " + a.Tags["Name"]
	}
	out := map[control.Table][]string{}
	for _, k := range control.Kinds() {
		if k.Table == control.TableRegion || k.Table == control.TablePrefixList {
			continue
		}
		for _, row := range k.Rows(s) {
			raw, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			text := someID.ReplaceAllStringFunc(string(raw), func(id string) string {
				if name, ok := names[id]; ok {
					return name
				}
				return id[:strings.LastIndexByte(id, '-')]
			})
			text = someMAC.ReplaceAllString(someTime.ReplaceAllString(text, "time"), "mac")
			var doc any
			if err := json.Unmarshal([]byte(text), &doc); err != nil {
				t.Fatal(err)
			}
			out[k.Table] = append(out[k.Table], canonical(doc, public))
		}
		slices.Sort(out[k.Table])
	}
	return out
}

// numbered are fields that count what was made, in whatever order.
var numbered = []string{"Ref", "RouterMAC", "MAC", "Boot", "Source", "DNSLabel", "ReservationID", "Hardware"}

// canonical is a document's text with its lists in an order of their own.
func canonical(doc any, public map[string]string) string {
	switch v := doc.(type) {
	case map[string]any:
		var fields []string
		for key, value := range v {
			if !slices.Contains(numbered, key) {
				fields = append(fields, fmt.Sprintf("%s:%s", key, canonical(value, public)))
			}
		}
		slices.Sort(fields)
		return "{" + strings.Join(fields, " ") + "}"
	case []any:
		items := make([]string, len(v))
		for i, one := range v {
			items[i] = canonical(one, public)
		}
		slices.Sort(items)
		return "[" + strings.Join(items, " ") + "]"
	case string:
		if name, ok := public[v]; ok {
			return name
		}
	}
	return fmt.Sprint(doc)
}

// TestExportSaysWhatItLacks has a laboratory that was changed by hand.
func TestExportSaysWhatItLacks(t *testing.T) {
	svc := newService(t, exportRegion)
	ctx := bounded(t)
	loaded, err := mustOpen(t, "demo").Load(ctx, svc)
	if err != nil {
		t.Fatal(err)
	}
	vpc := svc.State().VPCs()[0]
	if err == nil {
		err = svc.CreateRoute(ctx, control.RouteInput{
			Table: svc.State().MainRouteTable(vpc.ID).ID, DestinationInput: control.DestinationInput{CIDR: "0.0.0.0/0"}, Gateway: svc.State().InternetGateways()[0].ID,
		})
	}
	if err == nil {
		_, err = svc.CreateGroup(ctx, control.CreateGroupInput{VPC: vpc.ID, Name: "two words", Description: "d"})
	}
	if err == nil {
		_, err = svc.StopInstance(ctx, loaded.Instances["EC2-3"], false)
	}
	if err != nil {
		t.Fatal(err)
	}
	text := string(Export(svc.State(), exportRegion, "by hand"))
	for _, want := range []string{
		"that it is the main one of VPC", "instance EC2-3: that it is stop", `security group two-words: that its name is "two words"`,
		"name: lab-main", "internetGateway: lab", "description: by hand",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	again, err := Parse(ctx, "by-hand.yaml", []byte(text))
	if err != nil {
		t.Fatalf("what was exported is no scenario: %v\n%s", err, text)
	}
	_, state := apart(t, again)
	sub := state.Subnets()[0]
	if table := state.RouteTableOf(sub); len(table.Routes) != 2 {
		t.Errorf("subnet %s has routes %v, want the local one and 0.0.0.0/0", sub.Tags["Name"], table.Routes)
	}
}

// TestExportOfTheDemo is what a person gets, word for word.
func TestExportOfTheDemo(t *testing.T) {
	_, state := apart(t, mustOpen(t, "demo"))
	got := Export(state, exportRegion, "The demo, saved")
	path := filepath.Join("testdata", "export-demo.yaml")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A name that the file cannot have, and a gateway that has failed, are told.
func TestExportSaysWhichNamesItChanges(t *testing.T) {
	svc := newService(t, exportRegion)
	ctx := bounded(t)
	loaded, err := mustOpen(t, "demo").Load(ctx, svc)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(err)
	hostile := "exe.\u202egnp web"
	check(svc.SetTags(ctx, loaded.Instances["EC2-3"], control.Tags{"Name": hostile}, nil))
	v, err := svc.CreateVPC(ctx, control.CreateVPCInput{CIDR: "10.9.0.0/16", Tags: control.Tags{"Name": "alone"}})
	check(err)
	sub, err := svc.CreateSubnet(ctx, control.CreateSubnetInput{VPC: v.ID, CIDR: "10.9.1.0/24"})
	check(err)
	a, err := svc.AllocateAddress(ctx, nil)
	check(err)
	g, err := svc.CreateNATGateway(ctx, control.CreateNATGatewayInput{Subnet: sub.ID, Allocation: a.AllocationID})
	check(err)
	check(await(ctx, svc, func(s *control.State) bool { return s.NATGateway(g.ID).State == control.NATFailed }))
	text := string(Export(svc.State(), exportRegion, ""))
	for _, want := range []string{
		`# - the name "exe.\u202egnp web" of ` + loaded.Instances["EC2-3"] + ",", "calls it exe.-gnp-web, and its Name tag stays",
		"# - NAT gateway " + g.ID + ", which has failed",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	again, err := Parse(ctx, "again.yaml", []byte(text))
	check(err)
	_, is := apart(t, again)
	if !slices.ContainsFunc(is.Instances(), func(i *control.Instance) bool { return i.Tags["Name"] == hostile }) {
		t.Error("the Name tag has not stayed")
	}
}
