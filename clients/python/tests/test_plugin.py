"""What the plugin does to a run of pytest: runs of its own, in a process each."""

import os

import pytest

USED = ["-p", "enilab_pytest.plugin", "-p", "no:cacheprovider"]


@pytest.fixture
def run(pytester, monkeypatch):
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    monkeypatch.setenv("PYTHONPATH", here)

    def go(test, *args):
        pytester.makepyfile(test)
        return pytester.runpytest_subprocess(*USED, *args)

    return go


def test_a_failed_test_is_told_what_happened(run):
    result = run(
        """
        import pytest

        @pytest.mark.enilab(scenario="demo")
        def test_it(enilab):
            enilab.fail("EC2-1", "stop")
            assert enilab.owner("eth1") == "EC2-3"

        def test_fine(enilab):
            pass
        """
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*enilab: what has happened in the laboratory*", "*laboratory.reset*", "*instance.failed i-*"])


def test_without_a_binary(run, monkeypatch):
    monkeypatch.delenv("ENILAB_BIN", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    result = run("def test_it(enilab): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*there is no program enilab: put it into the PATH, or name it in ENILAB_BIN or by --enilab-bin*"])
    result = run("def test_it(enilab): pass", "--enilab-bin", "/no/such/enilab")
    result.stdout.fnmatch_lines(["*--enilab-bin is /no/such/enilab, and there is no program of that name*"])


def test_a_server_that_does_not_start(run):
    result = run(
        """
        import pytest

        @pytest.mark.enilab(scenario="no-such")
        def test_scenario(enilab): pass

        @pytest.mark.enilab(color="red")
        def test_option(enilab): pass

        @pytest.mark.enilab("demo")
        def test_position(enilab): pass
        """
    )
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines_random(
        ["*enilab ended with code 1 before it was ready*", '*scenario "no-such" is neither one of*', "*the mark enilab has no 'color'*", "*by name, such as*"]
    )


def test_settings(run, pytester):
    pytester.makeini("[pytest]\nenilab_scenario = demo\nenilab_region = eu-west-1\nenilab_args = --quotas aws\n")
    run(
        """
        def test_it(enilab, enilab_ec2):
            assert enilab.instance("EC2-1")
            assert enilab.region == "eu-west-1"
        """
    ).assert_outcomes(passed=1)


def test_no_server_is_left(run, pytester):
    result = run(
        """
        def test_it(enilab):
            print("URL", enilab.url)
            assert False
        """
    )
    url = [line for line in result.outlines if line.startswith("URL ")][0].split()[1]
    from enilab_pytest import Lab, LabError

    with pytest.raises(LabError, match="does not answer"):
        Lab(url).call("GET", "status")


def test_workers_have_servers_of_their_own(run):
    try:
        import xdist  # noqa: F401
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("CI needs pytest-xdist and it is not here")
        pytest.skip("pytest-xdist (python3-pytest-xdist) is not installed")
    result = run(
        """
        import pytest

        @pytest.mark.parametrize("n", range(6))
        def test_it(enilab, enilab_ec2, n):
            made = enilab_ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            assert {v["VpcId"] for v in enilab_ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]} == {made}
        """,
        "-n", "2",
    )
    result.assert_outcomes(passed=6)


