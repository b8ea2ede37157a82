"""AWS FIS by boto3: experiments act on packets, calls and instances, and leave nothing.

run.sh gives ENILAB_URL and the credentials.
"""

import json
import os
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

URL = os.environ["ENILAB_URL"]


def client(service, **keys):
    return boto3.client(service, endpoint_url=URL, region_name="us-east-1", config=Config(retries={"total_max_attempts": 1}), **keys)


ec2, fis = client("ec2"), client("fis")
ROLE = "arn:aws:iam::123456789012:role/agent"


def same(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def refused(code, call, **args):
    try:
        call(**args)
    except ClientError as e:
        same(f"code of {e}", e.response["Error"]["Code"], code)
        return str(e)
    raise AssertionError(f"{call.__name__}({args}): done, want a refusal with {code}")


def until(what, seconds, probe):
    end = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)


def reason(source, dst):
    """The fate of one frame, as the engine's own trace tells it."""
    body = json.dumps({"networkInterfaceId": source, "fields": {"dst": dst, "protocol": "icmp"}}).encode()
    asked = urllib.request.Request(f"{URL}/api/v1/packets", body, {"content-type": "application/json"})
    with urllib.request.urlopen(asked) as answer:
        got = json.load(answer)
    return got["verdict"], got.get("reason", "")


def template(name, targets, actions):
    return fis.create_experiment_template(
        description=name, roleArn="arn:aws:iam::123456789012:role/fis", stopConditions=[{"source": "none"}],
        targets=targets, actions=actions, tags={"Name": name})["experimentTemplate"]["id"]


def start(of):
    return fis.start_experiment(experimentTemplateId=of)["experiment"]["id"]


def state(experiment):
    return fis.get_experiment(id=experiment)["experiment"]["state"]["status"]


print("- a VPC with an instance in each of two zones", flush=True)
vpc = ec2.create_vpc(CidrBlock="10.78.0.0/16")["Vpc"]["VpcId"]
group = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"][0]["GroupId"]
subnets, instances, enis = [], [], []
for n, zone in enumerate(["us-east-1a", "us-east-1b"]):
    subnets.append(ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.78.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"])
    made = ec2.run_instances(ImageId="ami-0123456789abcdef0", MinCount=1, MaxCount=1, SubnetId=subnets[n],
                             PrivateIpAddress=f"10.78.{n}.10", TagSpecifications=[
                                 {"ResourceType": "instance", "Tags": [{"Key": "zone", "Value": zone}]}])["Instances"][0]
    instances.append(made["InstanceId"])
    enis.append(made["NetworkInterfaces"][0]["NetworkInterfaceId"])
ec2.get_waiter("instance_running").wait(InstanceIds=instances, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
same("a frame before", reason(enis[0], "10.78.1.10")[0], "accept")

print("- what there is: actions, types of targets, the safety lever", flush=True)
actions = [a["id"] for page in fis.get_paginator("list_actions").paginate(PaginationConfig={"PageSize": 3}) for a in page["actions"]] \
    if fis.can_paginate("list_actions") else [a["id"] for a in fis.list_actions()["actions"]]
assert "aws:network:disrupt-connectivity" in actions and actions == sorted(actions), actions
same("its target", fis.get_action(id="aws:network:disrupt-connectivity")["action"]["targets"], {"Subnets": {"resourceType": "aws:ec2:subnet"}})
same("types", [t["resourceType"] for t in fis.list_target_resource_types()["targetResourceTypes"]],
     ["aws:ec2:instance", "aws:ec2:subnet", "aws:iam:role"])
same("the lever", fis.get_safety_lever(id="default")["safetyLever"]["state"]["status"], "disengaged")

print("- a zone is cut off by network ACLs, and comes back", flush=True)
cut = template("cut", {"one": {"resourceType": "aws:ec2:subnet", "selectionMode": "ALL",
                               "parameters": {"availabilityZoneIdentifier": "us-east-1a", "vpc": vpc}}},
               {"cut": {"actionId": "aws:network:disrupt-connectivity", "targets": {"Subnets": "one"},
                        "parameters": {"duration": "PT2S", "scope": "availability-zone"}}})
was = ec2.describe_network_acls(Filters=[{"Name": "association.subnet-id", "Values": [subnets[0]]}])["NetworkAcls"][0]["NetworkAclId"]
x = start(cut)
until("the experiment runs", 10, lambda: reason(enis[0], "10.78.1.10")[0] != "accept")
print("  lost as", *reason(enis[0], "10.78.1.10"))
assert "acl" in reason(enis[0], "10.78.1.10")[1], reason(enis[0], "10.78.1.10")
same("resolved", [t["targetInformation"]["arn"].rsplit("/", 1)[1]
                  for t in fis.list_experiment_resolved_targets(experimentId=x)["resolvedTargets"]], [subnets[0]])
until("the experiment completes", 20, lambda: state(x) == "completed")
same("a frame after", reason(enis[0], "10.78.1.10")[0], "accept")
acls = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
same("network ACLs after", [a["NetworkAclId"] for a in acls], [was])

print("- calls of a role are throttled, and stopping the experiment ends it", flush=True)
given = client("sts").assume_role(RoleArn=ROLE, RoleSessionName="agent")["Credentials"]
other = client("sts").assume_role(RoleArn=ROLE + "-2", RoleSessionName="agent")["Credentials"]
agent, else_ = (client("ec2", aws_access_key_id=c["AccessKeyId"], aws_secret_access_key=c["SecretAccessKey"],
                       aws_session_token=c["SessionToken"]) for c in (given, other))
slow = template("slow", {"who": {"resourceType": "aws:iam:role", "selectionMode": "ALL", "resourceArns": [ROLE]}},
                {"slow": {"actionId": "aws:fis:inject-api-throttle-error", "targets": {"Roles": "who"},
                          "parameters": {"duration": "PT10M", "service": "ec2", "percentage": "100", "operations": "DescribeVpcs"}}})
y = start(slow)
until("the action runs", 10, lambda: fis.get_experiment(id=y)["experiment"]["actions"]["slow"]["state"]["status"] == "running")
refused("RequestLimitExceeded", agent.describe_vpcs)
else_.describe_vpcs()
agent.describe_subnets()
fis.stop_experiment(id=y)
until("it stops", 10, lambda: state(y) == "stopped")
agent.describe_vpcs()

print("- an instance is stopped, waited for, and started again", flush=True)
power = template("power", {"one": {"resourceType": "aws:ec2:instance", "selectionMode": "COUNT(1)", "resourceTags": {"zone": "us-east-1b"},
                                   "filters": [{"path": "State.Name", "values": ["running"]}]}},
                 {"stop": {"actionId": "aws:ec2:stop-instances", "targets": {"Instances": "one"},
                           "parameters": {"startInstancesAfterDuration": "PT1S"}},
                  "wait": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1S"}, "startAfter": ["stop"]}})
z = start(power)
until("the instance stops", 10, lambda: reason(enis[0], "10.78.1.10")[0] != "accept")
until("the experiment completes", 20, lambda: state(z) == "completed")
until("the instance answers", 20, lambda: reason(enis[0], "10.78.1.10")[0] == "accept")
got = fis.get_experiment(id=z)["experiment"]
same("actions", {k: a["state"]["status"] for k, a in got["actions"].items()}, {"stop": "completed", "wait": "completed"})
assert got["actions"]["wait"]["startTime"] >= got["actions"]["stop"]["endTime"] and got["endTime"] >= got["startTime"], got

print("- a document drops what comes to a port, and nothing else", flush=True)


def to_port(port):
    body = json.dumps({"networkInterfaceId": enis[0], "fields": {"dst": "10.78.1.10", "protocol": "udp", "srcPort": 9, "dstPort": port}}).encode()
    with urllib.request.urlopen(urllib.request.Request(f"{URL}/api/v1/packets", body, {"content-type": "application/json"})) as answer:
        return json.load(answer).get("reason", "")


ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535,
                                                                    "IpRanges": [{"CidrIp": "10.78.0.0/16"}]}])
hole = template("hole", {"one": {"resourceType": "aws:ec2:instance", "selectionMode": "ALL", "resourceTags": {"zone": "us-east-1b"}}},
                {"hole": {"actionId": "aws:ssm:send-command", "targets": {"Instances": "one"}, "parameters": {
                    "duration": "PT10M", "documentArn": "arn:aws:ssm:us-east-1::document/AWSFIS-Run-Network-Blackhole-Port",
                    "documentParameters": json.dumps({"Protocol": "udp", "Port": "53", "DurationSeconds": "600"})}}})
v = start(hole)
until("the document acts", 10, lambda: to_port(53) == "partition")
assert to_port(54) != "partition", to_port(54)
fis.stop_experiment(id=v)
until("it stops", 10, lambda: state(v) == "stopped")
assert to_port(53) != "partition", to_port(53)

print("- refusals, tags, changes, lists", flush=True)
print(" ", refused("ValidationException", fis.create_experiment_template, description="x", roleArn=ROLE, stopConditions=[{"source": "none"}],
                   actions={"a": {"actionId": "aws:eks:pod-delete"}}))
print(" ", refused("ValidationException", fis.create_experiment_template, description="x", roleArn=ROLE, stopConditions=[{"source": "none"}],
                   targets={"one": {"resourceType": "aws:ec2:instance", "selectionMode": "ALL", "resourceTags": {"zone": "x"}}},
                   actions={"a": {"actionId": "aws:ssm:send-command", "targets": {"Instances": "one"}, "parameters": {
                       "duration": "PT1M", "documentArn": "arn:aws:ssm:us-east-1::document/AWSFIS-Run-CPU-Stress"}}}))
refused("ResourceNotFoundException", fis.get_experiment, id="EXP0")
refused("ResourceNotFoundException", fis.start_experiment, experimentTemplateId="EXT0")
refused("ValidationException", fis.stop_experiment, id=z)
same("twice with one token", *(fis.start_experiment(clientToken="once", experimentTemplateId=cut, experimentOptions={"actionsMode": "skip-all"})
                               ["experiment"]["id"] for _ in range(2)))
refused("ConflictException", fis.start_experiment, clientToken="once", experimentTemplateId=slow)
arn = fis.get_experiment_template(id=cut)["experimentTemplate"]["arn"]
fis.tag_resource(resourceArn=arn, tags={"more": "tags"})
fis.untag_resource(resourceArn=arn, tagKeys=["Name"])
same("tags", fis.list_tags_for_resource(resourceArn=arn)["tags"], {"more": "tags"})
same("description", fis.update_experiment_template(id=cut, description="other")["experimentTemplate"]["description"], "other")
same("templates", {t["id"] for t in fis.list_experiment_templates()["experimentTemplates"]}, {cut, slow, power, hole})
same("of one template", {e["id"] for e in fis.list_experiments(experimentTemplateId=slow)["experiments"]}, {y})

print("- deletion", flush=True)
for t in (cut, slow, power, hole):
    fis.delete_experiment_template(id=t)
same("templates at the end", fis.list_experiment_templates()["experimentTemplates"], [])
ec2.terminate_instances(InstanceIds=instances)
ec2.get_waiter("instance_terminated").wait(InstanceIds=instances, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
for s in subnets:
    ec2.delete_subnet(SubnetId=s)
ec2.delete_vpc(VpcId=vpc)
