"""The fixtures, and what a test that fails is told."""

import subprocess

import pytest

from .lab import Lab, LabError
from .server import Server, ServerError, find_binary

# Servers of other options than those of the session are kept for the tests to come,
# but not without bound.
_MAX_SERVERS = 4

_pool_key = "_enilab_pool"
_begun_key = "_enilab_begun"


def pytest_addoption(parser):
    group = parser.getgroup("enilab", "an AWS VPC with packets in it")
    group.addoption("--enilab-bin", metavar="PATH", help="the program enilab; else ENILAB_BIN, else the PATH")
    parser.addini("enilab_scenario", "scenario that laboratories are filled with: none, a name or a file", default="none")
    parser.addini("enilab_timing", "how long transitional states last: fast or aws", default="fast")
    parser.addini("enilab_region", "AWS region to be", default="us-east-1")
    parser.addini("enilab_args", "further flags of enilab serve", type="args", default=[])


def pytest_configure(config):
    config.addinivalue_line(
        "markers",
        "enilab(scenario=, timing=, region=, seed=, args=): have this test's laboratory on a server of these options",
    )


class _Pool:
    """The servers of one process of pytest: each worker of xdist has its own."""

    def __init__(self, config):
        self._config = config
        self._servers = {}  # by options, the least recently used first

    def get(self, options):
        for name in options:
            if name not in ("scenario", "timing", "region", "seed", "args"):
                raise ServerError(f"the mark enilab has no {name!r}: want scenario, timing, region, seed or args")
        ini = self._config.getini
        options = {
            "scenario": ini("enilab_scenario"), "timing": ini("enilab_timing"), "region": ini("enilab_region"),
            "args": ini("enilab_args"), **options,
        }
        key = repr(sorted(options.items()))
        server = self._servers.pop(key, None)
        if server is None:
            while len(self._servers) >= _MAX_SERVERS:
                self._servers.pop(next(iter(self._servers))).close()
            server = Server(self.binary(), **options)
        self._servers[key] = server
        server.check()
        return server

    def binary(self):
        return find_binary(self._config.getoption("--enilab-bin"))

    def close(self):
        while self._servers:
            self._servers.popitem()[1].close()


def _pool(config):
    pool = getattr(config, _pool_key, None)
    if pool is None:
        pool = _Pool(config)
        setattr(config, _pool_key, pool)
    return pool


def pytest_unconfigure(config):
    pool = getattr(config, _pool_key, None)
    if pool is not None:
        pool.close()


@pytest.fixture
def enilab(request):
    """A laboratory as it was when it had started, see Lab."""
    mark = request.node.get_closest_marker("enilab")
    if mark is not None and mark.args:
        pytest.fail("the mark enilab takes its options by name, such as scenario='demo'", pytrace=False)
    try:
        server = _pool(request.config).get(dict(mark.kwargs) if mark else {})
        lab = Lab(server.url, server.region)
        logged, events = server.logged(), lab.events()
        lab.reset()
    except (ServerError, LabError) as err:
        pytest.fail(f"enilab: {err}", pytrace=False)
    setattr(request.node, _begun_key, (server, lab, logged, events[-1]["seq"] if events else 0))
    return lab


@pytest.fixture(scope="session")
def enilab_session(request):
    """A laboratory that the tests of a module or a session share: nobody resets it
    but they themselves. It has a server of its own."""
    try:
        config = request.config
        server = Server(
            _pool(config).binary(), config.getini("enilab_scenario"), config.getini("enilab_timing"), config.getini("enilab_region"),
            args=config.getini("enilab_args"),
        )
    except ServerError as err:
        pytest.fail(f"enilab: {err}", pytrace=False)
    yield Lab(server.url, server.region)
    server.close()


@pytest.fixture
def enilab_ec2(enilab):
    """boto3's client of the EC2 of the test's laboratory."""
    return enilab.client("ec2")


@pytest.fixture
def enilab_env(enilab, monkeypatch):
    """Variables by which what the test calls finds the laboratory by itself: boto3
    from 1.28 on, AWS CLI, other SDKs, Terraform. Return the laboratory."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL_EC2", "AWS_ENDPOINT_URL_STS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in enilab.env.items():
        monkeypatch.setenv(name, value)
    return enilab


@pytest.fixture
def enilab_drill(request):
    """A function that has `enilab run` carry out a drill, a name or a file, with
    further flags, and asserts that it held. It returns what was printed."""

    def run(drill, *flags):
        try:
            binary = _pool(request.config).binary()
        except ServerError as err:
            pytest.fail(f"enilab: {err}", pytrace=False)
        done = subprocess.run([binary, "run", str(drill), *flags], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            what = {1: "failed", 2: "inconclusive", 3: "not run"}.get(done.returncode, f"ended with code {done.returncode}")
            raise AssertionError(f"{drill}: {what}\n{done.stdout}{done.stderr}")
        return done.stdout

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    begun = getattr(item, _begun_key, None)
    if begun is None or not report.failed:
        return
    server, lab, logged, seq = begun
    try:
        events = "\n".join(_words(e) for e in lab.events(seq)[-200:])
    except LabError as err:
        events = str(err)
    report.sections.append(("enilab: what has happened in the laboratory", events))
    log = server.log(logged)
    if log:
        report.sections.append(("enilab: its log", log))


def _words(event):
    detail = " ".join(f"{k}={v}" for k, v in sorted(event["detail"].items()))
    return f"{event['at']}  {event['type']} {event['resource']} {detail}".rstrip()
