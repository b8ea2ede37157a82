package main

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/store"
)

var keepSchema = flag.Bool("keep-schema", false, "write a database of this schema to internal/store/testdata/schemas")

// schemas has one database of each schema that was ever released or landed, and
// beside it the rows that are in it:
//
//	go test ./cmd/server -run EverySchema -args -keep-schema
//
// writes the newest. Earlier ones stay as they are.
const schemas = "../../internal/store/testdata/schemas"

// newestSchema is the number of the last migration.
func newestSchema(t *testing.T) string {
	t.Helper()
	names, err := filepath.Glob("../../internal/store/migrations/*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	number, _, _ := strings.Cut(filepath.Base(names[len(names)-1]), "_")
	return number
}

// ec2ask asks the EC2 API and returns the answer.
func ec2ask(t *testing.T, p *process, action string, params ...string) string {
	t.Helper()
	v := url.Values{"Action": {action}, "Version": {"2016-11-15"}}
	for _, param := range params {
		name, value, _ := strings.Cut(param, "=")
		v.Set(name, value)
	}
	r, err := http.PostForm(p.url+"/", v)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s %v: %s %s, %v", action, params, r.Status, text, err)
	}
	return string(text)
}

// made is the first id of a kind in an answer.
func made(t *testing.T, answer, prefix string) string {
	t.Helper()
	id := regexp.MustCompile(prefix + `-[0-9a-f]{17}`).FindString(answer)
	if id == "" {
		t.Fatalf("no %s in %s", prefix, answer)
	}
	return id
}

// oneOfEach makes what the scenario does not.
func oneOfEach(t *testing.T, p *process) {
	t.Helper()
	vpc := made(t, ec2ask(t, p, "CreateVpc", "CidrBlock=10.7.0.0/16", "AmazonProvidedIpv6CidrBlock=true",
		"TagSpecification.1.ResourceType=vpc", "TagSpecification.1.Tag.1.Key=a", "TagSpecification.1.Tag.1.Value=b"), "vpc")
	other := made(t, ec2ask(t, p, "CreateVpc", "CidrBlock=10.8.0.0/16"), "vpc")
	subnet := made(t, ec2ask(t, p, "CreateSubnet", "VpcId="+vpc, "CidrBlock=10.7.1.0/24"), "subnet")
	ec2ask(t, p, "CreateVpcPeeringConnection", "VpcId="+vpc, "PeerVpcId="+other)
	ec2ask(t, p, "CreateDhcpOptions", "DhcpConfiguration.1.Key=domain-name", "DhcpConfiguration.1.Value.1=example.com")
	ec2ask(t, p, "CreateEgressOnlyInternetGateway", "VpcId="+vpc)
	ec2ask(t, p, "CreateNatGateway", "SubnetId="+subnet, "ConnectivityType=private", "ClientToken=once")
	ec2ask(t, p, "CreateRouteTable", "VpcId="+vpc)
	ec2ask(t, p, "CreateNetworkAcl", "VpcId="+vpc)
	ec2ask(t, p, "CreateKeyPair", "KeyName=kept", "KeyType=ed25519")
	ec2ask(t, p, "CreateManagedPrefixList", "PrefixListName=kept", "AddressFamily=IPv4", "MaxEntries=2", "Entry.1.Cidr=10.9.0.0/16")
	ec2ask(t, p, "CreateFlowLogs", "ResourceType=VPC", "ResourceId.1="+vpc, "TrafficType=ALL", "LogDestinationType=s3", "LogDestination=arn:aws:s3:::kept")
	ec2ask(t, p, "CreateSubnetCidrReservation", "SubnetId="+subnet, "Cidr=10.7.1.128/28", "ReservationType=prefix")
	root := made(t, ec2ask(t, p, "DescribeVolumes", "Filter.1.Name=status", "Filter.1.Value.1=in-use"), "vol")
	ec2ask(t, p, "CreateSnapshot", "VolumeId="+root)
	ec2ask(t, p, "CreateVolume", "AvailabilityZone=us-east-1a", "Size=1")
	ec2ask(t, p, "CreateLaunchTemplate", "LaunchTemplateName=kept", "LaunchTemplateData.InstanceType=t3.micro")
	ec2ask(t, p, "CreateVpcEndpoint", "VpcId="+vpc, "ServiceName=com.amazonaws.us-east-1.s3")
	eni := made(t, ec2ask(t, p, "CreateNetworkInterface", "SubnetId="+subnet, "Ipv4PrefixCount=1"), "eni")
	ec2ask(t, p, "CreateNetworkInterfacePermission", "NetworkInterfaceId="+eni, "AwsAccountId=210987654321", "Permission=INSTANCE-ATTACH")
	gateway := made(t, ec2ask(t, p, "CreateTransitGateway"), "tgw")
	await(t, p, "DescribeTransitGateways", "<state>available")
	table := made(t, ec2ask(t, p, "DescribeTransitGatewayRouteTables"), "tgw-rtb")
	attachment := made(t, ec2ask(t, p, "CreateTransitGatewayVpcAttachment", "TransitGatewayId="+gateway, "VpcId="+vpc, "SubnetIds.1="+subnet), "tgw-attach")
	await(t, p, "DescribeTransitGatewayVpcAttachments", "<state>available")
	ec2ask(t, p, "CreateTransitGatewayRoute", "TransitGatewayRouteTableId="+table, "DestinationCidrBlock=10.8.0.0/16", "TransitGatewayAttachmentId="+attachment)
	ec2ask(t, p, "CreateRoute", "RouteTableId="+made(t, ec2ask(t, p, "CreateRouteTable", "VpcId="+vpc), "rtb"), "DestinationCidrBlock=10.8.0.0/16",
		"TransitGatewayId="+gateway)
}

// await asks until an answer has a text.
func await(t *testing.T, p *process, action, text string) {
	t.Helper()
	for end := time.Now().Add(patience); !strings.Contains(ec2ask(t, p, action), text); {
		if time.Now().After(end) {
			t.Fatalf("%s does not come to answer with %s", action, text)
		}
	}
}

// rowsOf opens a database and lists what is in it, by kind and id. Client tokens
// and events are not what it is kept for.
func rowsOf(t *testing.T, dir string) string {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	all, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, c := range all.Changes {
		lines = append(lines, fmt.Sprintf("%s %s\n", c.Table, c.ID))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func keep(t *testing.T, name string) {
	t.Helper()
	dir := t.TempDir()
	p := start(t, nil, serveArgs(dir, "--scenario", "../../testdata/scenarios/everything.yaml")...)
	oneOfEach(t, p)
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := p.wait(t, patience); err != nil {
		t.Fatalf("ended with %v\n%s", err, p.stderr)
	}
	rows := rowsOf(t, dir)
	in, err := os.ReadFile(filepath.Join(dir, "enilab.db"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(schemas, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(schemas, name+".db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(in); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(schemas, name+".rows"), []byte(rows), 0o644); err != nil {
		t.Fatal(err)
	}
}

// walked are the actions and lists that an opened laboratory must answer with
// what is in the database.
var walked = []string{
	"DescribeVpcs", "DescribeSubnets", "DescribeInstances", "DescribeNetworkInterfaces", "DescribeSecurityGroups", "DescribeAddresses",
	"DescribeVpcPeeringConnections", "DescribeDhcpOptions", "DescribeEgressOnlyInternetGateways", "DescribeNatGateways", "DescribeRouteTables",
	"DescribeNetworkAcls", "DescribeKeyPairs", "DescribeManagedPrefixLists", "DescribeFlowLogs", "DescribeNetworkInterfacePermissions",
	"DescribeInternetGateways", "DescribeVolumes", "DescribeSnapshots", "DescribeLaunchTemplates", "DescribeVpcEndpoints", "DescribeTrunkInterfaceAssociations",
	"DescribeTransitGateways", "DescribeTransitGatewayAttachments", "DescribeTransitGatewayRouteTables",
}

// A database of every schema opens, has every row it had, and is a laboratory
// that goes on: it is answered from, and written to.
func TestDatabasesOfEverySchemaOpen(t *testing.T) {
	if *keepSchema {
		keep(t, newestSchema(t))
	}
	if _, err := os.Stat(filepath.Join(schemas, newestSchema(t)+".db.gz")); err != nil {
		t.Errorf("no database of the newest schema is kept: go test ./cmd/server -run EverySchema -args -keep-schema")
	}
	files, err := filepath.Glob(filepath.Join(schemas, "*.db.gz"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no databases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".db.gz"), func(t *testing.T) {
			dir := t.TempDir()
			unpack(t, file, filepath.Join(dir, "enilab.db"))
			want, err := os.ReadFile(strings.TrimSuffix(file, ".db.gz") + ".rows")
			if err != nil {
				t.Fatal(err)
			}
			// A migration may add rows: an instance's root volume was none once.
			got := rowsOf(t, dir)
			for line := range strings.Lines(string(want)) {
				if !strings.Contains(got, line) {
					t.Errorf("there is no %s", strings.TrimSpace(line))
				}
			}
			p := start(t, nil, serveArgs(dir, "--scenario", "demo")...)
			var told strings.Builder
			for _, action := range walked {
				told.WriteString(ec2ask(t, p, action))
			}
			told.WriteString(get(t, p.url+"/api/v1/internet-hosts"))
			for line := range strings.Lines(string(want)) {
				kind, id, _ := strings.Cut(strings.TrimSpace(line), " ")
				switch kind {
				case "regions", "client_tokens", "failover_policies", "failovers", "subnet_cidr_reservations", "launch_template_versions":
				default:
					if !strings.Contains(told.String(), id) {
						t.Errorf("nothing answers with %s %s", kind, id)
					}
				}
			}
			if policies := get(t, p.url+"/api/v1/failover-policies"); !strings.Contains(policies, "networkInterfaceId") {
				t.Errorf("the policies are %s", policies)
			}
			made(t, ec2ask(t, p, "CreateVpc", "CidrBlock=10.10.0.0/16"), "vpc")
		})
	}
}

func unpack(t *testing.T, from, to string) {
	t.Helper()
	f, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
