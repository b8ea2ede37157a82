"""Tests as people write them, with the fixtures."""

import os

import pytest

from enilab_pytest import LabError

DEMO = pytest.mark.enilab(scenario="demo")


@DEMO
def test_failover(enilab):
    enilab.wait_for_replies("client", "requests")
    enilab.fail("EC2-1")
    record = enilab.assert_outage("eth1", max=3, min=0.1, client="client", workload="requests", to="EC2-2")
    assert record.from_instance == "EC2-1" and record.to_instance == "EC2-2"
    assert record.lost > 0 and record.sent > record.lost and record.outage >= 0.1
    assert record.changed == [] and enilab.owner("eth1") == "EC2-2"
    enilab.wait_for_replies("client", "requests")


@DEMO
def test_move_is_gone_after_reset(enilab):
    assert enilab.records() == [] and enilab.owner("eth1") == "EC2-1"
    enilab.move("eth1", "EC2-2")
    enilab.wait_for_owner("eth1", "EC2-2")
    was = enilab.id("eth1")
    enilab.reset()
    assert enilab.owner("eth1") == "EC2-1" and enilab.id("eth1") == was


@DEMO
def test_a_take_over_of_ones_own(enilab, enilab_ec2):
    enilab.fail("EC2-1", "stop")
    enilab.wait_for_state("EC2-1", "stopped")
    enilab.recover("EC2-1")
    enilab.wait_for_state("EC2-1", "running")
    eni = enilab.network_interface("eth1")["id"]
    found = enilab_ec2.describe_network_interfaces(NetworkInterfaceIds=[eni])["NetworkInterfaces"]
    assert found[0]["Attachment"]["InstanceId"] in (enilab.id("EC2-1"), enilab.id("EC2-2"))


@pytest.mark.parametrize("n", [1, 2])
def test_each_test_begins_anew(enilab, enilab_ec2, n):
    assert len(enilab_ec2.describe_vpcs()["Vpcs"]) == 1  # the default one
    enilab_ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert len(enilab_ec2.describe_vpcs()["Vpcs"]) == 2


def test_the_session_has_a_laboratory_apart(enilab, enilab_session):
    enilab_session.client().create_vpc(CidrBlock="10.9.0.0/16")
    assert [v["CidrBlock"] for v in enilab.client().describe_vpcs()["Vpcs"]] == ["172.31.0.0/16"]
    assert enilab.client("sts").get_caller_identity()["Account"]
    assert len(list(enilab.resource("ec2").vpcs.all())) == 1
    assert enilab.client("fis").list_experiments()["experiments"] == []


@pytest.mark.enilab(region="eu-central-1", seed=7)
def test_marks(enilab, enilab_ec2):
    zones = enilab_ec2.describe_availability_zones()["AvailabilityZones"]
    assert zones[0]["RegionName"] == "eu-central-1"


def test_variables(enilab_env):
    assert os.environ["AWS_ENDPOINT_URL"] == enilab_env.url and os.environ["AWS_ACCESS_KEY_ID"] == "test"


def test_drills(enilab_drill):
    assert "held" in enilab_drill("survives")
    with pytest.raises(AssertionError, match="no-such: not run\n.*neither one of"):
        enilab_drill("no-such")


@DEMO
def test_errors_say_what_is_wrong(enilab):
    with pytest.raises(LabError, match="no instance is named 'EC9'; there are: EC2-1, EC2-2, EC2-3, client"):
        enilab.fail("EC9")
    with pytest.raises(LabError, match="no network interface is named 'eth7'; there are: .*eth1"):
        enilab.move("eth7", "EC2-2")
    with pytest.raises(LabError, match=r"422 .*body\.mode.*freeze"):
        enilab.fail("EC2-1", "slowly")
    with pytest.raises(LabError, match="EC2-1 has no measured workload 'requests'; there are: none"):
        enilab.flow("EC2-1", "requests")
    with pytest.raises(LabError, match="want max, min or both"):
        enilab.assert_outage("eth1")
    with pytest.raises(LabError, match="InvalidParameterCombination") as refused:
        enilab.move("eth1", "EC2-3")
    assert refused.value.code == "InvalidParameterCombination" and refused.value.status == 400
    with pytest.raises(AssertionError, match="not within 0.05 s: there is no record of a move of eth1"):
        enilab.record("eth1", timeout=0.05)
    with pytest.raises(AssertionError, match="not within 0 s: eth1 at EC2-2; it is at EC2-1"):
        enilab.wait_for_owner("eth1", "EC2-2", timeout=0)


@DEMO
def test_an_outage_that_is_too_long(enilab):
    enilab.wait_for_replies("client", "requests")
    enilab.fail("EC2-1")
    with pytest.raises(AssertionError, match=r"moved from EC2-1 to EC2-2: client requests had no answer for .* more than 0.001 s"):
        enilab.assert_outage("eth1", max=0.001, client="client", workload="requests")
    with pytest.raises(AssertionError, match="no such client was measured"):
        enilab.assert_outage("eth1", max=3, client="EC2-3")
