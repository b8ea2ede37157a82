#!/usr/bin/env python3
"""An ENI failover with boto3. Needs AWS_ENDPOINT_URL and credentials, see ../README.md."""

import os
import sys
import time

import boto3
from botocore.exceptions import ClientError

# Older versions of boto3 do not read AWS_ENDPOINT_URL. None: AWS itself.
ec2 = boto3.client("ec2", endpoint_url=os.environ.get("AWS_ENDPOINT_URL"), region_name=os.environ.get("AWS_DEFAULT_REGION", "us-east-1"))
AMI = os.environ.get("AMI", "ami-0123456789abcdef0")  # the laboratory takes any

# How often waiters ask. botocore's 15 and 20 s are longer than the outage.
SOON = {"Delay": 1, "MaxAttempts": 60}


def fail_over(eni, standby, device_index=1):
    """Move an ENI to a standby, whoever owns it and whether or not the owner lives.

    A second call changes nothing, so a watchdog may repeat it after a crash of its own.
    """
    attachment = describe(eni).get("Attachment")
    if attachment and attachment["InstanceId"] == standby:
        return
    if attachment:
        # Force: a dead guest answers nobody. On AWS it may leave the old
        # instance's device index unusable until that is stopped and started.
        ec2.detach_network_interface(AttachmentId=attachment["AttachmentId"], Force=True)
    ec2.get_waiter("network_interface_available").wait(NetworkInterfaceIds=[eni], WaiterConfig=SOON)
    ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=standby, DeviceIndex=device_index)


def describe(eni):
    return ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"][0]


def show(when, eni):
    n = describe(eni)
    print(f"{when}: {n['Attachment']['InstanceId']} has {n['PrivateIpAddress']} ({n['MacAddress']}) and {n['Association']['PublicIp']}")


def main():
    # A network, two instances of one zone, and an ENI with the service's address.
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnet, elsewhere = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=zones[n - 1])["Subnet"]["SubnetId"] for n in (1, 2))

    # First, since an instance could be given its address else.
    eni = ec2.create_network_interface(SubnetId=subnet, PrivateIpAddress="10.0.1.42")["NetworkInterface"]["NetworkInterfaceId"]

    def run(where):
        return ec2.run_instances(ImageId=AMI, InstanceType="t3.medium", MinCount=1, MaxCount=1, SubnetId=where)["Instances"][0]["InstanceId"]

    active, standby, stranger = instances = [run(subnet), run(subnet), run(elsewhere)]
    ec2.get_waiter("instance_running").wait(InstanceIds=instances, WaiterConfig=SOON)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    association = ec2.associate_address(AllocationId=address, NetworkInterfaceId=eni)["AssociationId"]
    # What EC2 refuses is worth a rehearsal: an ENI never leaves its zone, and a
    # failover that finds out after the detachment has made things worse.
    try:
        fail_over(eni, stranger)
        sys.exit("an ENI has left its zone")
    except ClientError as e:
        print("refused:", e.response["Error"]["Message"])
    fail_over(eni, active)  # the first owner is a failover too: from nobody
    show("before", eni)

    begun = time.monotonic()
    fail_over(eni, standby)
    show(f"after {1000 * (time.monotonic() - begun):.0f} ms", eni)
    fail_over(eni, standby)  # nothing left to do

    ec2.terminate_instances(InstanceIds=instances)
    ec2.get_waiter("instance_terminated").wait(InstanceIds=instances, WaiterConfig=SOON)
    ec2.disassociate_address(AssociationId=association)
    ec2.release_address(AllocationId=address)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    for s in (subnet, elsewhere):
        ec2.delete_subnet(SubnetId=s)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)


if __name__ == "__main__":
    main()
