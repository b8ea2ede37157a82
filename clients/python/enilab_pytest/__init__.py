"""Fixtures of pytest for enilab, an AWS VPC with packets in it.

``enilab`` is a laboratory as it was when it had started, for each test;
``enilab_ec2`` is boto3's client of its EC2. See the README beside this package.
"""

from .lab import Lab, LabError, Record
from .server import Server, ServerError

__all__ = ["Lab", "LabError", "Record", "Server", "ServerError"]
