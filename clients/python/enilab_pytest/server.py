"""One process of enilab: found, started, waited for, ended."""

import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time

READY = "Ready."
ADDRESS = "enilab is at "


class ServerError(Exception):
    """The server does not run, and why."""


def find_binary(given=None):
    """The binary: what is given, else ENILAB_BIN, else enilab in the PATH."""
    for source, path in (("--enilab-bin", given), ("ENILAB_BIN", os.environ.get("ENILAB_BIN"))):
        if not path:
            continue
        found = shutil.which(os.path.abspath(path) if os.sep in path else path)
        if not found:
            raise ServerError(f"{source} is {path}, and there is no program of that name")
        return found
    found = shutil.which("enilab")
    if not found:
        raise ServerError("there is no program enilab: put it into the PATH, or name it in ENILAB_BIN or by --enilab-bin")
    return found


class Server:
    """A server with a data folder of its own, on a port of the system's choice.

    binary: the program. scenario: what it is filled with, a name or a file.
    timing: fast or aws. region: the AWS region to be. seed: of ids; 0 draws one.
    args: further flags of ``enilab serve``. timeout: seconds until it is ready.
    """

    def __init__(self, binary, scenario="none", timing="fast", region="us-east-1", seed=0, args=(), timeout=60):
        self.region = region
        self._dir = tempfile.mkdtemp(prefix="enilab-pytest-")
        self._log = os.path.join(self._dir, "log")
        self._lines = queue.Queue()
        command = [
            binary, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(self._dir, "data"), "--scenario", str(scenario),
            "--timing", timing, "--region", region, "--seed", str(seed), *args,
        ]
        try:
            with open(self._log, "wb") as log:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        except OSError as err:
            shutil.rmtree(self._dir, ignore_errors=True)
            raise ServerError(f"starting {command[0]}: {err}") from err
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self._wait(timeout)
        except BaseException:
            self.close()
            raise

    def _read(self):
        # To its end: a full pipe would hold the server up.
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def _wait(self, timeout):
        url, deadline = None, time.monotonic() + timeout
        while True:
            try:
                line = self._lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                raise ServerError(f"enilab was not ready within {timeout} s; its log:\n{self.log()}") from None
            if line is None:
                code = self._process.wait()
                raise ServerError(f"enilab ended with code {code} before it was ready; its log:\n{self.log()}")
            if line.startswith(ADDRESS) and url is None:
                url = line[len(ADDRESS):].rstrip("/")
            elif line == READY:
                return url

    def log(self, since=0):
        """What it has logged, from a number of bytes on."""
        with open(self._log, "rb") as log:
            log.seek(since)
            return log.read().decode(errors="replace")

    def logged(self):
        """How many bytes it has logged."""
        return os.path.getsize(self._log)

    def check(self):
        """Raise ServerError if it has ended."""
        code = self._process.poll()
        if code is not None:
            raise ServerError(f"enilab has ended with code {code}; its log:\n{self.log()}")

    def close(self):
        """End it, and remove all that it has left."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(5)
        self._process.stdout.close()
        shutil.rmtree(self._dir, ignore_errors=True)
