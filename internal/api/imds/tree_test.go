package imds

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"enilab/internal/control"
)

// crawl fetches a whole directory as cloud-init does: a line that ends with a
// slash is a directory, any other is fetched.
func (l *lab) crawl(instance, path string, into map[string]string) {
	l.t.Helper()
	for name := range strings.SplitSeq(l.get(instance, path), "\n") {
		if strings.HasSuffix(name, "/") {
			l.crawl(instance, path+name, into)
			continue
		}
		if into[path+name] = l.get(instance, path+name); into[path+name] == "" {
			l.t.Errorf("%s is listed but not there", path+name)
		}
	}
}

func TestWholeTree(t *testing.T) {
	l := newLab(t, "us-east-1")
	ctx := t.Context()
	one := l.run("192.168.0.21")
	eth0 := l.State().InterfacesOf(one)[0]
	eth1 := l.eni(one, "192.168.0.42", "192.168.0.43")
	web := must(l.CreateGroup(ctx, control.CreateGroupInput{VPC: l.vpc.ID, Name: "web", Description: "web"}))(t)
	def := eth0.Groups[0]
	groups := []string{def, web.ID}
	slices.Sort(groups)
	names := map[string]string{def: "default", web.ID: "web"}
	must(l.ModifyInterface(ctx, control.ModifyInterfaceInput{ID: eth1.ID, Groups: groups}))(t)
	// The one mapped first belongs to the secondary address.
	second := must(l.AllocateAddress(ctx, nil))(t)
	first := must(l.AllocateAddress(ctx, nil))(t)
	must(l.AssociateAddress(ctx, second.AllocationID, eth1.ID, "192.168.0.43", false))(t)
	must(l.AssociateAddress(ctx, first.AllocationID, eth1.ID, "", false))(t)
	own := must(l.AllocateAddress(ctx, nil))(t)
	must(l.AssociateAddress(ctx, own.AllocationID, eth0.ID, "", false))(t)

	mac0 := "meta-data/network/interfaces/macs/" + eth0.MAC.String() + "/"
	mac1 := "meta-data/network/interfaces/macs/" + eth1.MAC.String() + "/"
	want := map[string]string{
		"meta-data/ami-launch-index":               "0",
		"meta-data/ami-manifest-path":              "(unknown)",
		"meta-data/block-device-mapping/ami":       "/dev/xvda",
		"meta-data/block-device-mapping/root":      "/dev/xvda",
		"meta-data/events/maintenance/history":     "[]",
		"meta-data/events/maintenance/scheduled":   "[]",
		"meta-data/hostname":                       "ip-192-168-0-21.ec2.internal",
		"meta-data/instance-action":                "none",
		"meta-data/instance-life-cycle":            "on-demand",
		"meta-data/metrics/vhostmd":                `<?xml version="1.0" encoding="UTF-8"?>`,
		"meta-data/placement/availability-zone-id": "use1-az6",
		"meta-data/profile":                        "default-hvm",
		"meta-data/instance-id":                    one,
		"meta-data/instance-type":                  "t3.medium",
		"meta-data/local-hostname":                 "ip-192-168-0-21.ec2.internal",
		"meta-data/local-ipv4":                     "192.168.0.21",
		"meta-data/mac":                            eth0.MAC.String(),
		"meta-data/placement/availability-zone":    "us-east-1a",
		"meta-data/placement/region":               "us-east-1",
		"meta-data/public-ipv4":                    own.PublicIP.String(),
		"meta-data/security-groups":                "default",
		"meta-data/services/domain":                "amazonaws.com",
		"meta-data/services/partition":             "aws",
		"meta-data/system":                         "nitro",

		mac0 + "device-number":                                 "0",
		mac0 + "interface-id":                                  eth0.ID,
		mac0 + "ipv4-associations/" + own.PublicIP.String():    "192.168.0.21",
		mac0 + "local-hostname":                                "ip-192-168-0-21.ec2.internal",
		mac0 + "local-ipv4s":                                   "192.168.0.21",
		mac0 + "mac":                                           eth0.MAC.String(),
		mac0 + "network-card":                                  "0",
		mac0 + "owner-id":                                      "111122223333",
		mac0 + "public-ipv4s":                                  own.PublicIP.String(),
		mac0 + "security-group-ids":                            def,
		mac0 + "security-groups":                               "default",
		mac0 + "subnet-id":                                     l.subnet.ID,
		mac0 + "subnet-ipv4-cidr-block":                        "192.168.0.0/24",
		mac0 + "vpc-id":                                        l.vpc.ID,
		mac0 + "vpc-ipv4-cidr-block":                           "192.168.0.0/16",
		mac0 + "vpc-ipv4-cidr-blocks":                          "192.168.0.0/16",
		mac1 + "device-number":                                 "1",
		mac1 + "interface-id":                                  eth1.ID,
		mac1 + "ipv4-associations/" + first.PublicIP.String():  "192.168.0.42",
		mac1 + "ipv4-associations/" + second.PublicIP.String(): "192.168.0.43",
		mac1 + "local-hostname":                                "ip-192-168-0-42.ec2.internal",
		mac1 + "local-ipv4s":                                   "192.168.0.42\n192.168.0.43",
		mac1 + "mac":                                           eth1.MAC.String(),
		mac1 + "network-card":                                  "0",
		mac1 + "owner-id":                                      "111122223333",
		mac1 + "public-ipv4s":                                  first.PublicIP.String() + "\n" + second.PublicIP.String(),
		mac1 + "security-group-ids":                            groups[0] + "\n" + groups[1],
		mac1 + "security-groups":                               names[groups[0]] + "\n" + names[groups[1]],
		mac1 + "subnet-id":                                     l.subnet.ID,
		mac1 + "subnet-ipv4-cidr-block":                        "192.168.0.0/24",
		mac1 + "vpc-id":                                        l.vpc.ID,
		mac1 + "vpc-ipv4-cidr-block":                           "192.168.0.0/16",
		mac1 + "vpc-ipv4-cidr-blocks":                          "192.168.0.0/16",
	}
	want["meta-data/reservation-id"] = "r-" + strings.TrimPrefix(one, "i-")
	got := make(map[string]string)
	l.crawl(one, "meta-data/", got)
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			t.Errorf("%s\n is %q\nwant %q", path, got[path], want[path])
		}
		delete(got, path)
	}
	for path, v := range got {
		t.Errorf("%s is there, %q", path, v)
	}
}

func TestListings(t *testing.T) {
	l := newLab(t, "us-east-1")
	one := l.run("")
	eth0, eth1 := l.State().InterfacesOf(one)[0], l.eni(one, "")
	for path, want := range map[string]string{
		"":                                       strings.Join(versions, "\n"),
		"/latest":                                "dynamic\nmeta-data",
		"/2021-07-15/":                           "dynamic\nmeta-data",
		"/latest/dynamic/":                       "fws/\ninstance-identity/",
		"/latest/meta-data/block-device-mapping": "ami\nroot",
		"/latest/meta-data/events":               "maintenance/",

		"/latest/dynamic/instance-identity":      "document",
		"/latest/meta-data/placement/":           "availability-zone\navailability-zone-id\nregion",
		"/latest/meta-data/network":              "interfaces/",
		"/latest/meta-data/network/interfaces":   "macs/",
		"/1.0/meta-data/network/interfaces/macs": eth0.MAC.String() + "/\n" + eth1.MAC.String() + "/",
		"/latest/meta-data": "ami-launch-index\nami-manifest-path\nblock-device-mapping/\nevents/\nhostname\ninstance-action\n" +
			"instance-id\ninstance-life-cycle\ninstance-type\nlocal-hostname\nlocal-ipv4\nmac\nmetrics/\nnetwork/\n" +
			"placement/\nprofile\nreservation-id\nsecurity-groups\nservices/\nsystem",
		"/latest/meta-data/network/interfaces/macs/" + eth1.MAC.String(): "device-number\ninterface-id\nlocal-hostname\n" +
			"local-ipv4s\nmac\nnetwork-card\nowner-id\nsecurity-group-ids\nsecurity-groups\nsubnet-id\n" +
			"subnet-ipv4-cidr-block\nvpc-id\nvpc-ipv4-cidr-block\nvpc-ipv4-cidr-blocks",
	} {
		if a := l.do("GET", "/imds/"+one+path); a.status != 200 || a.body != want {
			t.Errorf("%s: %d\n%s\nwant\n%s", path, a.status, a.body, want)
		}
	}
}

func TestIdentityDocument(t *testing.T) {
	l := newLab(t, "eu-central-1")
	one := l.run("192.168.0.21")
	launched := l.State().Instance(one).LaunchAt.Format(time.RFC3339)
	want := `{
  "accountId": "111122223333",
  "architecture": "x86_64",
  "availabilityZone": "eu-central-1a",
  "billingProducts": null,
  "devpayProductCodes": null,
  "marketplaceProductCodes": null,
  "imageId": null,
  "instanceId": "` + one + `",
  "instanceType": "t3.medium",
  "kernelId": null,
  "pendingTime": "` + launched + `",
  "privateIp": "192.168.0.21",
  "ramdiskId": null,
  "region": "eu-central-1",
  "version": "2017-09-30"
}`
	got := l.get(one, "dynamic/instance-identity/document")
	if got != want || !json.Valid([]byte(got)) {
		t.Errorf("the document is\n%s\nwant\n%s", got, want)
	}
}

func TestRegions(t *testing.T) {
	for _, c := range []struct{ region, host, domain, partition string }{
		{"us-east-1", "ip-192-168-0-21.ec2.internal", "amazonaws.com", "aws"},
		{"eu-central-1", "ip-192-168-0-21.eu-central-1.compute.internal", "amazonaws.com", "aws"},
		{"cn-north-1", "ip-192-168-0-21.cn-north-1.compute.internal", "amazonaws.com.cn", "aws-cn"},
		{"us-gov-west-1", "ip-192-168-0-21.us-gov-west-1.compute.internal", "amazonaws.com", "aws-us-gov"},
	} {
		t.Run(c.region, func(t *testing.T) {
			l := newLab(t, c.region)
			one := l.run("192.168.0.21")
			for path, want := range map[string]string{
				"hostname": c.host, "services/domain": c.domain, "services/partition": c.partition,
			} {
				if got := l.get(one, "meta-data/"+path); got != want {
					t.Errorf("%s is %q, want %q", path, got, want)
				}
			}
		})
	}
}
