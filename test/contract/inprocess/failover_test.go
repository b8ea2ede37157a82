// Package inprocess is an example of aws-sdk-go-v2 with a laboratory in the test's
// own process, package enilabtest: what a module of its own needs for it is in
// go.mod.
package inprocess

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"enilab/clients/go/enilabtest"
)

// client is one of the laboratory's.
func client(lab *enilabtest.Lab) *ec2.Client {
	return ec2.New(ec2.Options{
		Region: lab.Region, BaseEndpoint: &lab.Endpoint, HTTPClient: lab.HTTPClient(),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: lab.AccessKeyID, SecretAccessKey: lab.SecretAccessKey}, nil
		}),
	})
}

// takeOver is the code under test, of the kind that people have: it moves a network
// interface to another instance by the calls of EC2.
func takeOver(ctx context.Context, c *ec2.Client, eni, to string) error {
	ask := &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{eni}}
	is, err := c.DescribeNetworkInterfaces(ctx, ask)
	if err != nil {
		return err
	}
	if a := is.NetworkInterfaces[0].Attachment; a != nil {
		if _, err := c.DetachNetworkInterface(ctx, &ec2.DetachNetworkInterfaceInput{AttachmentId: a.AttachmentId, Force: aws.Bool(true)}); err != nil {
			return err
		}
		if err := ec2.NewNetworkInterfaceAvailableWaiter(c, func(o *ec2.NetworkInterfaceAvailableWaiterOptions) {
			o.MinDelay, o.MaxDelay = 10*time.Millisecond, time.Second
		}).Wait(ctx, ask, time.Minute); err != nil {
			return err
		}
	}
	_, err = c.AttachNetworkInterface(ctx, &ec2.AttachNetworkInterfaceInput{
		NetworkInterfaceId: &eni, InstanceId: &to, DeviceIndex: aws.Int32(1),
	})
	return err
}

// TestTakeOver: after the take-over the clients are answered by the other instance.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t, enilabtest.Scenario("demo"), enilabtest.Set("policies[0].enabled=false"))
	lab.WaitForReplies("client", "requests", "EC2-1")
	lab.Fail("EC2-1", enilabtest.Freeze)
	if err := takeOver(t.Context(), client(lab), lab.ID("eth1"), lab.ID("EC2-2")); err != nil {
		t.Fatal(err)
	}
	lab.WaitForReplies("client", "requests", "EC2-2")
	lab.Assert("outage: {client: client, workload: requests, max: 5s}", "moves: {to: EC2-2, min: 1, max: 1}", "unchanged: [ip, mac, groups, eni]")
}

// TestKeysAreVerified if the laboratory has one.
func TestKeysAreVerified(t *testing.T) {
	t.Parallel()
	lab := enilabtest.Start(t, enilabtest.Key("AKIAEXAMPLE", "a secret"))
	if _, err := client(lab).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}); err != nil {
		t.Error(err)
	}
	lab.SecretAccessKey = "another"
	if _, err := client(lab).DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{}); err == nil {
		t.Error("a wrong signature was taken")
	}
}
