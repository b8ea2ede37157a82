"""The contract's story, told by boto3: clients, resources, waiters, paginators.

run.sh gives ENILAB_URL, WITNESS and the credentials.
"""

import os
import subprocess

import boto3
from botocore.exceptions import ClientError

# The waiters of botocore ask every 15 s; a laboratory is done in milliseconds.
SOON = {"Delay": 1, "MaxAttempts": 30}

ec2 = boto3.client("ec2", endpoint_url=os.environ["ENILAB_URL"], region_name="us-east-1")
resource = boto3.resource("ec2", endpoint_url=os.environ["ENILAB_URL"], region_name="us-east-1")


def witness(*args):
    subprocess.run([os.environ["WITNESS"], *args], check=True)


def same(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def refused(code, call, **args):
    """EC2 must refuse the call with that code."""
    try:
        call(**args)
    except ClientError as e:
        same(f"code of {e}", e.response["Error"]["Code"], code)
        return
    raise AssertionError(f"{call.__name__}({args}): done, want a refusal with {code}")


def named(kind, name):
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}, {"Key": "story", "Value": "boto3"}]}]


def wait(name, **args):
    ec2.get_waiter(name).wait(WaiterConfig=SOON, **args)


print("- a VPC with an internet gateway, two subnets and two security groups", flush=True)
same("account", boto3.client("sts", endpoint_url=os.environ["ENILAB_URL"], region_name="us-east-1")
     .get_caller_identity()["Account"], "123456789012")
vpc = ec2.create_vpc(CidrBlock="10.77.0.0/16", TagSpecifications=named("vpc", "lab"))["Vpc"]["VpcId"]
wait("vpc_available", VpcIds=[vpc])
gateway = ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "lab"))["InternetGateway"]["InternetGatewayId"]
ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
zones = [z["ZoneName"] for z in ec2.describe_availability_zones()["AvailabilityZones"]]
subnet, other = (
    ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.77.{n}.0/24", AvailabilityZone=zones[n - 1],
                      TagSpecifications=named("subnet", f"subnet-{n}"))["Subnet"]["SubnetId"] for n in (1, 2))
wait("subnet_available", SubnetIds=[subnet, other])
group = ec2.create_security_group(VpcId=vpc, GroupName="service", Description="the moving address")["GroupId"]
clients = ec2.create_security_group(VpcId=vpc, GroupName="clients", Description="who asks it")["GroupId"]
ping = {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": [{"CidrIp": "10.77.0.0/16", "Description": "ping"}]}
web = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": clients}]}
rules = ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ping, web])["SecurityGroupRules"]
same("new rules", len(rules), 2)
refused("InvalidPermission.Duplicate", ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[ping])
found = [r for p in ec2.get_paginator("describe_security_group_rules").paginate(
    Filters=[{"Name": "group-id", "Values": [group]}], PaginationConfig={"PageSize": 5}) for r in p["SecurityGroupRules"]]
same("rules of the group", len(found), 3)

print("- three instances", flush=True)


def launch(name, where, address, groups):
    return resource.create_instances(
        ImageId="ami-0123456789abcdef0", InstanceType="t3.medium", MinCount=1, MaxCount=1, SubnetId=where,
        PrivateIpAddress=address, SecurityGroupIds=groups, TagSpecifications=named("instance", name))[0]


one = launch("one", subnet, "10.77.1.21", [group])
two = launch("two", subnet, "10.77.1.22", [group])
client = launch("client", other, "10.77.2.10", [clients])
wait("instance_running", InstanceIds=[one.id, two.id, client.id])
wait("instance_status_ok", InstanceIds=[one.id, two.id, client.id])
one.load()
same("address of one", one.private_ip_address, "10.77.1.21")

print("- an interface with a fixed address, attached to the first, with an Elastic IP and a route to it", flush=True)
eni = ec2.create_network_interface(
    SubnetId=subnet, Description="service", Groups=[group], TagSpecifications=named("network-interface", "service"),
    PrivateIpAddresses=[{"Primary": True, "PrivateIpAddress": "10.77.1.42"}])["NetworkInterface"]["NetworkInterfaceId"]
wait("network_interface_available", NetworkInterfaceIds=[eni])
refused("InvalidIPAddress.InUse", ec2.create_network_interface, SubnetId=subnet, PrivateIpAddress="10.77.1.42")
attachment = ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=one.id, DeviceIndex=1)["AttachmentId"]
refused("InvalidParameterValue", ec2.attach_network_interface, NetworkInterfaceId=eni, InstanceId=two.id, DeviceIndex=1)
refused("DryRunOperation", ec2.detach_network_interface, AttachmentId=attachment, DryRun=True)
ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, SourceDestCheck={"Value": False})
ec2.modify_network_interface_attribute(NetworkInterfaceId=eni, Attachment={"AttachmentId": attachment, "DeleteOnTermination": False})
interface = resource.NetworkInterface(eni)
same("source/destination check", interface.source_dest_check, False)
mac = interface.mac_address
allocation = ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", "service"))
association = ec2.associate_address(AllocationId=allocation["AllocationId"], NetworkInterfaceId=eni,
                                    PrivateIpAddress="10.77.1.42")["AssociationId"]
table = resource.Vpc(vpc).create_route_table(TagSpecifications=named("route-table", "lab"))
tied = table.associate_with_subnet(SubnetId=other)
table.create_route(DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
table.create_route(DestinationCidrBlock="10.99.0.42/32", NetworkInterfaceId=eni)


def route():
    routes = ec2.describe_route_tables(RouteTableIds=[table.id])["RouteTables"][0]["Routes"]
    r = next(r for r in routes if r.get("DestinationCidrBlock") == "10.99.0.42/32")
    return r.get("InstanceId"), r["NetworkInterfaceId"], r["State"]


same("route to the interface", route(), (one.id, eni, "active"))

print("- pages of interfaces: each once, in any page size", flush=True)


def pages(**config):
    found = ec2.get_paginator("describe_network_interfaces").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}], PaginationConfig=config)
    return sorted(n["NetworkInterfaceId"] for page in found for n in page["NetworkInterfaces"])


for n in range(8):
    ec2.create_network_interface(SubnetId=other, Description=f"filler {n}", Groups=[clients])
whole = pages()
same("interfaces", len(whole), 12)
same("interfaces in pages of 5", pages(PageSize=5), whole)
fillers = list(resource.network_interfaces.filter(Filters=[{"Name": "description", "Values": ["filler ?"]}]))
same("found by a pattern", len(fillers), 8)
for filler in fillers:
    filler.delete()

print("- Reachability Analyzer says who can reach it", flush=True)
analyses = []
for port, found, codes in ((80, True, []), (22, False, ["ENI_SG_RULES_MISMATCH"])):
    path = ec2.create_network_insights_path(Source=client.id, Destination=eni, Protocol="tcp", DestinationPort=port)["NetworkInsightsPath"]["NetworkInsightsPathId"]
    analysis = ec2.start_network_insights_analysis(NetworkInsightsPathId=path)["NetworkInsightsAnalysis"]["NetworkInsightsAnalysisId"]
    told = ec2.describe_network_insights_analyses(NetworkInsightsAnalysisIds=[analysis])["NetworkInsightsAnalyses"][0]
    same(f"the analysis of port {port}", (told["Status"], told["NetworkPathFound"], [e["ExplanationCode"] for e in told.get("Explanations", [])]),
         ("succeeded", found, codes))
    refused("AnalysisExistsForNetworkInsightsPath", ec2.delete_network_insights_path, NetworkInsightsPathId=path)
    analyses.append((path, analysis))
for path, analysis in analyses:
    ec2.delete_network_insights_analysis(NetworkInsightsAnalysisId=analysis)
    ec2.delete_network_insights_path(NetworkInsightsPathId=path)
same("paths that are left", ec2.describe_network_insights_paths()["NetworkInsightsPaths"], [])

print("- the interface moves to the second instance", flush=True)
witness("watch", client.id, "10.77.1.42")
ec2.detach_network_interface(AttachmentId=attachment, Force=True)
wait("network_interface_available", NetworkInterfaceIds=[eni])
same("route while nobody has it", route(), (None, eni, "blackhole"))
ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=two.id, DeviceIndex=1)
interface.reload()
same("owner", (interface.attachment["InstanceId"], interface.attachment["DeviceIndex"], interface.status), (two.id, 1, "in-use"))
same("what it is", (interface.mac_address, interface.private_ip_address, interface.groups[0]["GroupId"]), (mac, "10.77.1.42", group))
same("its Elastic IP", interface.association_attribute["AllocationId"], allocation["AllocationId"])
address = ec2.describe_addresses(PublicIps=[allocation["PublicIp"]])["Addresses"][0]
same("the Elastic IP", (address["InstanceId"], address["AssociationId"]), (two.id, association))
same("the route", route(), (two.id, eni, "active"))
two.load()
same("interfaces of the new owner", len(two.network_interfaces), 2)
witness("moved", eni, one.id, two.id)

print("- everything is deleted", flush=True)
ec2.terminate_instances(InstanceIds=[one.id, two.id, client.id])
wait("instance_terminated", InstanceIds=[one.id, two.id, client.id])
interface.reload()
same("the interface stays", interface.status, "available")
ec2.disassociate_address(AssociationId=association)
ec2.release_address(AllocationId=allocation["AllocationId"])
interface.delete()
refused("InvalidNetworkInterfaceID.NotFound", ec2.describe_network_interfaces, NetworkInterfaceIds=[eni])
tied.delete()
table.delete()
refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
ec2.delete_internet_gateway(InternetGatewayId=gateway)
for id in (subnet, other):
    ec2.delete_subnet(SubnetId=id)
for id in (group, clients):
    ec2.delete_security_group(GroupId=id)
ec2.delete_vpc(VpcId=vpc)
refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[vpc])
