"""The contract's story as Apache Libcloud's EC2 driver tells it.

The driver builds and signs requests of its own and reads the XML itself, by
element names. run.sh gives ENILAB_URL and WITNESS.
"""

import os
import subprocess
import time
from urllib.parse import urlsplit

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import LibcloudError
from libcloud.compute.base import NodeImage
from libcloud.compute.providers import get_driver
from libcloud.compute.types import NodeState, Provider

url = urlsplit(os.environ["ENILAB_URL"])


# The driver's own choice in us-east-1 is signature version 2, in the URL of a GET.
ec2 = get_driver(Provider.EC2)("any", "any", region="us-east-1", host=url.hostname, port=url.port, secure=False)


def witness(*args):
    subprocess.run([os.environ["WITNESS"], *args], check=True)


def same(what, got, want):
    assert got == want, f"{what}: got {got!r}, want {want!r}"


def refused(code, call, *args, **kwargs):
    """EC2 must refuse the call with that code."""
    try:
        call(*args, **kwargs)
    except (BaseHTTPError, LibcloudError) as e:
        assert code in str(e), f"{e} is not {code}"
        return
    raise AssertionError(f"{call.__name__}{args}: done, want a refusal with {code}")


def until(what, done):
    """Libcloud has waiters for running nodes only."""
    late = time.monotonic() + 60
    while not done():
        assert time.monotonic() < late, f"{what} did not come within 60 s"
        time.sleep(0.2)


print("- a network with an internet gateway, a subnet, a security group and rules", flush=True)
network = ec2.ex_create_network("10.79.0.0/16", name="lab")
same("name of the network", [n.name for n in ec2.ex_list_networks(network_ids=[network.id])], ["lab"])
until("the network", lambda: ec2.ex_list_networks(network_ids=[network.id])[0].extra["state"] == "available")
gateway = ec2.ex_create_internet_gateway(name="lab")
same("attached", ec2.ex_attach_internet_gateway(gateway, network), True)
zones = ec2.ex_list_availability_zones()
subnet = ec2.ex_create_subnet(network.id, "10.79.1.0/24", zones[0].name, name="a")
same("subnets", [(s.id, s.name, s.extra["cidr_block"]) for s in ec2.ex_list_subnets(filters={"vpc-id": network.id})],
     [(subnet.id, "a", "10.79.1.0/24")])
same("public addresses for nodes", ec2.ex_modify_subnet_attribute(subnet, "auto_public_ip", True), True)
group = ec2.ex_create_security_group("service", "who may ask", vpc_id=network.id)["group_id"]
for protocol, first, last in (("icmp", 8, -1), ("tcp", 80, 80)):
    same(f"a rule for {protocol}", ec2.ex_authorize_security_group_ingress(group, first, last, cidr_ips=["10.79.0.0/16"], protocol=protocol), True)
# The driver names no group for an interface, which then has the default one.
default = ec2.ex_get_security_groups(filters={"vpc-id": network.id, "group-name": "default"})[0]
same("a rule for tcp", ec2.ex_authorize_security_group_ingress(
    default.id, 80, 80, group_pairs=[{"group_id": group}], description="those of the story"), True)
rules = ec2.ex_get_security_groups(group_ids=[group])[0].ingress_rules
same("rules", [(r["protocol"], r["from_port"], r["to_port"], r["cidr_ips"]) for r in rules],
     [("icmp", "8", "-1", ["10.79.0.0/16"]), ("tcp", "80", "80", ["10.79.0.0/16"])])
table = ec2.ex_create_route_table(network, name="lab")
tied = ec2.ex_associate_route_table(table, subnet)
same("the route is made", ec2.ex_create_route(table, "0.0.0.0/0", internet_gateway=gateway), True)

# Before the nodes, one of which could be given its address else.
eni = ec2.ex_create_network_interface(subnet, name="service", description="the moving address", private_ip_address="10.79.1.42")
print("- three nodes", flush=True)
key = ec2.create_key_pair("libcloud")
size = next(s for s in ec2.list_sizes() if s.id == "t3.medium")
image = NodeImage("ami-0123456789abcdef0", None, ec2)
one, two, client = (
    ec2.create_node(name, size, image, ex_subnet=subnet, ex_security_group_ids=[group], ex_keyname="libcloud", ex_userdata="#!/bin/sh\n",
                    ex_assign_public_ip=name == "client", ex_metadata={"story": "libcloud"}) for name in ("one", "two", "client"))
running = dict((n.id, ips) for n, ips in ec2.wait_until_running([one, two, client], wait_period=1, timeout=60, ssh_interface="private_ips"))
same("nodes that run", set(running), {one.id, two.id, client.id})
nodes = {n.id: n for n in ec2.list_nodes(ex_filters={"tag:story": "libcloud"})}
same("nodes", {n.name: n.state for n in nodes.values()}, {name: NodeState.RUNNING for name in ("one", "two", "client")})
same("key of a node", nodes[one.id].extra["key_name"], "libcloud")
same("size of a node", nodes[one.id].extra["instance_type"], "t3.medium")
same("public addresses of the client", len(set(nodes[client.id].public_ips)), 1)
same("device indexes", [e.extra["attachment"]["device_index"] for e in nodes[one.id].extra["network_interfaces"]], [0])

print("- an Elastic IP of the first node", flush=True)
address = ec2.ex_allocate_address(domain="vpc")
address.extra["association_id"] = ec2.ex_associate_address_with_node(one, address, domain="vpc")
listed = ec2.ex_describe_all_addresses(only_associated=True)
same("Elastic IPs of nodes", [(a.ip, a.instance_id, a.extra["association_id"]) for a in listed],
     [(address.ip, one.id, address.extra["association_id"])])
same("public addresses of the first", address.ip in ec2.list_nodes(ex_node_ids=[one.id])[0].public_ips, True)

print("- an interface with a fixed address, attached to the first", flush=True)


def now():
    return next(e for e in ec2.ex_list_network_interfaces() if e.id == eni.id)


until("the interface", lambda: now().state == "available")
same("name of the interface", now().name, "service")
refused("InvalidIPAddress.InUse", ec2.ex_create_network_interface, subnet, private_ip_address="10.79.1.42")
attachment = ec2.ex_attach_network_interface_to_node(eni, one, 1)
refused("InvalidParameterValue", ec2.ex_attach_network_interface_to_node, eni, two, 1)
refused("InvalidParameterValue", ec2.ex_delete_network_interface, eni)
before = now()
same("owner", (before.extra["attachment"]["instance_id"], before.extra["attachment"]["device_index"]), (one.id, 1))
same("description", before.extra["description"], "the moving address")

print("- the interface moves to the second node", flush=True)
witness("watch", client.id, "10.79.1.42")
same("detached", ec2.ex_detach_network_interface(attachment, force=True), True)
until("the interface", lambda: now().state == "available")
attachment = ec2.ex_attach_network_interface_to_node(eni, two, 1)
after = now()
same("owner", (after.extra["attachment"]["instance_id"], after.extra["attachment"]["device_index"]), (two.id, 1))
for what in ("mac_address", "private_ips", "groups"):
    same(f"what the move kept: {what}", getattr(after, what, after.extra.get(what)), getattr(before, what, before.extra.get(what)))
same("name", after.name, "service")
witness("moved", eni.id, one.id, two.id)
# An instance with two interfaces does not say whose address is meant; the first has one again.
refused("InvalidInstanceID", ec2.ex_associate_address_with_node, two, address, domain="vpc")
same("disassociated", ec2.ex_disassociate_address(address, domain="vpc"), True)
address.extra["association_id"] = ec2.ex_associate_address_with_node(one, address, domain="vpc")

print("- stop, start and reboot", flush=True)


def state(node):
    return ec2.list_nodes(ex_node_ids=[node.id])[0].extra["status"]


same("stopping", ec2.stop_node(one), True)
until("the stop", lambda: state(one) == "stopped")
same("starting", ec2.start_node(one), True)
until("the start", lambda: state(one) == "running")
same("rebooting", ec2.reboot_node(one), True)

print("- deletion, refused as long as something hangs on it", flush=True)
refused("DependencyViolation", ec2.ex_delete_subnet, subnet)
same("disassociated", ec2.ex_disassociate_address(address, domain="vpc"), True)
same("released", ec2.ex_release_address(address, domain="vpc"), True)
same("detached", ec2.ex_detach_network_interface(attachment), True)
until("the interface", lambda: now().state == "available")
same("interface deleted", ec2.ex_delete_network_interface(eni), True)
for node in (one, two, client):
    same("terminated", ec2.destroy_node(node), True)
until("the end of the nodes", lambda: all(state(n) == "terminated" for n in (one, two, client)))
same("key pair deleted", ec2.delete_key_pair(key), True)
same("dissociated", ec2.ex_dissociate_route_table(next(
    a for t in ec2.ex_list_route_tables(route_table_ids=[table.id]) for a in t.subnet_associations if a.id == tied)), True)
same("route table deleted", ec2.ex_delete_route_table(table), True)
refused("DependencyViolation", ec2.ex_delete_security_group_by_id, group)
same("revoked", ec2.ex_revoke_security_group_ingress(default.id, 80, 80, group_pairs=[{"group_id": group}]), True)
same("group deleted", ec2.ex_delete_security_group_by_id(group), True)
same("subnet deleted", ec2.ex_delete_subnet(subnet), True)
same("gateway detached", ec2.ex_detach_internet_gateway(gateway, network), True)
same("gateway deleted", ec2.ex_delete_internet_gateway(gateway), True)
same("network deleted", ec2.ex_delete_network(network), True)
refused("InvalidVpcID.NotFound", ec2.ex_list_networks, network_ids=[network.id])
