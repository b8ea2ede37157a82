package model

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"enilab/internal/api/ec2/query"
)

// FuzzDecode reads anything as the parameters of the actions with the deepest
// of them: it ends in a request or in a refusal that is short and clean,
// whatever was sent. It is here, and not with the handlers, for its speed: the
// fuzzing engine looks at the counters of every package of a binary behind each
// execution, and those of the handlers have SQLite and a TCP stack behind them.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"ImageId=ami-1&MinCount=1&MaxCount=1&NetworkInterface.1.DeviceIndex=0&NetworkInterface.1.PrivateIpAddresses.1.Primary=true",
		"TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=%3C%26%3E",
		"IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0&IpPermissions.01.FromPort=x&IpPermissions.1=y", "UserData=%&MinCount=99999999999999999999",
		"Filter.0.Name=a&Filter.1001.Name=b&Filter.-1.Name=c", "IpPermissions.1.Groups.1.GroupId.1.2.3=z", "LaunchTemplate=1&MinCount=1e9",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		params, err := query.Parse(s)
		var root *query.Node
		if err == nil {
			root, err = query.Tree(params)
		}
		if err != nil {
			clean(t, err)
			return
		}
		for _, in := range []interface {
			Decode(*query.Decoder, *query.Node)
		}{
			new(RunInstancesRequest), new(AuthorizeSecurityGroupIngressRequest), new(CreateNetworkInterfaceRequest),
			new(ModifySecurityGroupRulesRequest), new(DescribeInstancesRequest),
		} {
			var d query.Decoder
			in.Decode(&d, root)
			if err := d.Err(); err != nil {
				clean(t, err)
			}
		}
	})
}

func clean(t *testing.T, err error) {
	t.Helper()
	q, ok := errors.AsType[*query.Error](err)
	if !ok || q.Code == "" || len(q.Message) > 1000 || !utf8.ValidString(q.Message) || strings.ContainsRune(q.Message, 0) {
		t.Fatalf("refused with %#v", err)
	}
}
