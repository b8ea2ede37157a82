"""A laboratory as a test uses it, by its admin API. Times are seconds."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

# No proxy: the laboratory is here, whatever the environment says.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

PATIENCE = 30.0
_PAUSE = 0.02


class LabError(Exception):
    """A refusal of the laboratory: status is HTTP's, code is EC2's or empty."""

    def __init__(self, message, status=0, code=""):
        super().__init__(message)
        self.status, self.code = status, code


class Record(dict):
    """The record of a move, as GET /api/v1/failovers/ID has it, with names."""

    def __init__(self, lab, record):
        super().__init__(record)
        self._lab = lab

    @property
    def outage(self):
        """The longest time for which a client had no answer; None: it was not measured."""
        ms = self["outageMs"]
        return None if ms is None else ms / 1000

    @property
    def sent(self):
        """Requests of all clients."""
        return self["requestsSent"]

    @property
    def lost(self):
        """Requests of all clients that had no answer."""
        return self["requestsLost"]

    @property
    def from_instance(self):
        """The name of the instance that it was moved from; empty: none."""
        return self._lab.name(self["fromInstanceId"])

    @property
    def to_instance(self):
        """The name of the instance that it was moved to."""
        return self._lab.name(self["toInstanceId"])

    @property
    def changed(self):
        """What is not the same after the move, of ip, mac, groups, eni, eip and others."""
        return [c["name"] for c in self["checks"] if c["result"] == "changed"]

    def clients(self, client=None, workload=None):
        """What each client saw, or those of a name."""
        return [
            t for t in self["traffic"]
            if (client is None or self._lab.name(t["client"]) == client) and (workload is None or t["workload"] == workload)
        ]


class Lab:
    """A laboratory at a URL. Names are Name tags; ids do as well."""

    access_key = secret_key = "test"

    def __init__(self, url, region="us-east-1"):
        self.url, self.region = url.rstrip("/"), region

    # What clients of AWS need.

    @property
    def env(self):
        """Variables by which AWS CLI, SDKs and Terraform find the laboratory."""
        return {
            "AWS_ENDPOINT_URL": self.url, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key, "AWS_SESSION_TOKEN": "",
            "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self, service="ec2", **options):
        """boto3's client of a service: ec2, sts or fis."""
        return self._session().client(service, **self._options(options))

    def resource(self, service="ec2", **options):
        """boto3's resource of a service."""
        return self._session().resource(service, **self._options(options))

    def _session(self):
        import boto3

        return boto3.session.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=self.region,
        )

    def _options(self, options):
        from botocore.config import Config

        # FIS' clients would put "api." before the host, which is no loopback's name.
        config = Config(proxies={}, inject_host_prefix=False)
        if "config" in options:
            config = config.merge(options.pop("config"))
        return {"endpoint_url": self.url, "config": config, **options}

    # The admin API.

    def call(self, method, path, body=None, timeout=60, **query):
        """Ask the admin API: path is below /api/v1. Return the answer's JSON, or None."""
        url = f"{self.url}/api/v1/{path.lstrip('/')}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"Content-Type": "application/json"} if data else {}, method=method)
        try:
            with _opener.open(request, timeout=timeout) as response:
                text = response.read()
        except urllib.error.HTTPError as err:
            raise self._refusal(method, path, err) from None
        except OSError as err:
            raise LabError(f"{method} {path}: the laboratory does not answer: {err}") from err
        return json.loads(text) if text else None

    @staticmethod
    def _refusal(method, path, err):
        text = err.read().decode(errors="replace")
        try:
            problem = json.loads(text)
        except ValueError:
            problem = {"detail": text}
        code = problem.get("code", "")
        told = [problem.get("detail") or problem.get("title", "")]
        told += [f"{e.get('location', '')}: {e.get('message', '')}" for e in problem.get("errors") or []]
        return LabError(f"{method} {path}: {err.code} {code}: {'; '.join(told)}", err.code, code)

    def list(self, path, **query):
        """All items of a list, such as instances."""
        items = []
        while True:
            page = self.call("GET", path, limit=query.pop("limit", 1000), **query)
            items += page["items"]
            if not page.get("nextToken"):
                return items
            query["nextToken"] = page["nextToken"]

    def events(self, after=0):
        """The event log, from a sequence number on."""
        events = []
        while True:
            page = self.call("GET", "events", after=after, limit=1000)["items"]
            if not page:
                return events
            events += page
            after = page[-1]["seq"]

    def reset(self):
        """Take everything back to the start, in one step."""
        self.call("POST", "reset")

    # Names.

    def _holder(self, name):
        hosts = [h for h in self.list("internet-hosts") if name in (h["id"], h["name"])]
        if hosts and not any(name in (i["id"], i["name"]) for i in self.list("instances")):
            return f"internet-hosts/{hosts[0]['id']}"
        return f"instances/{self.instance(name)['id']}"

    def instance(self, name):
        """An instance, by name or id."""
        return self._find("instance", name, [i for i in self.list("instances") if i["state"] != "terminated"], lambda i: i["name"])

    def network_interface(self, name):
        """A network interface, by name or id; INSTANCE/eth0 is an instance's primary one."""
        if name.endswith("/eth0"):
            first = [n for n in self.instance(name[:-len("/eth0")])["interfaces"] if n["deviceIndex"] == 0]
            if not first:
                raise LabError(f"{name} is gone")
            name = first[0]["networkInterfaceId"]
        return self._find("network interface", name, self.list("network-interfaces"), lambda n: n["tags"].get("Name", ""))

    @staticmethod
    def _find(kind, name, items, name_of):
        found = [i for i in items if name in (i["id"], name_of(i))]
        if len(found) == 1:
            return found[0]
        if found:
            raise LabError(f"{len(found)} are named {name!r}: {', '.join(i['id'] for i in found)}; want the id of a {kind}")
        known = ", ".join(sorted({name_of(i) or i["id"] for i in items})) or "none"
        raise LabError(f"no {kind} is named {name!r}; there are: {known}")

    def id(self, name):
        """The id of an instance or a network interface."""
        try:
            return self.instance(name)["id"]
        except LabError:
            return self.network_interface(name)["id"]

    def name(self, instance_id):
        """The name of an instance, else its id."""
        for i in self.list("instances"):
            if i["id"] == instance_id:
                return i["name"] or instance_id
        return instance_id

    # What happens.

    def fail(self, instance, mode="freeze"):
        """Have an instance, or a host of the internet, fail: freeze, link or stop (a host: freeze)."""
        return self.call("POST", f"{self._holder(instance)}/fail", {"mode": mode})

    def recover(self, instance):
        """End the failure of an instance or a host of the internet."""
        return self.call("POST", f"{self._holder(instance)}/recover")

    def move(self, network_interface, instance, force=False):
        """Move a network interface; it returns when frames reach the new owner."""
        eni = self.network_interface(network_interface)["id"]
        return self.call("POST", f"network-interfaces/{eni}/move", {"instanceId": self.instance(instance)["id"], "force": force})

    # What is seen.

    def wait(self, condition, what=None, timeout=PATIENCE):
        """Wait until condition() is true, and return what it returned.

        An AssertionError says what was waited for. what is a text, or a function
        that tells what is seen instead.
        """
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() >= deadline:
                saw = what() if callable(what) else what or getattr(condition, "__name__", "the condition")
                raise AssertionError(f"not within {timeout:g} s: {saw}")
            time.sleep(_PAUSE)

    def owner(self, network_interface):
        """The name of the instance that has a network interface; empty: none."""
        attachment = self.network_interface(network_interface).get("attachment")
        return self.name(attachment["instanceId"]) if attachment else ""

    def wait_for_owner(self, network_interface, instance, timeout=PATIENCE):
        """Wait until an instance has a network interface."""
        want = self.instance(instance)["id"]

        def attached():
            a = self.network_interface(network_interface).get("attachment")
            return a and a["instanceId"] == want and a["state"] == "attached"

        self.wait(attached, lambda: f"{network_interface} at {instance}; it is at {self.owner(network_interface) or 'none'}", timeout)

    def wait_for_state(self, instance, state, timeout=PATIENCE):
        """Wait until an instance has a state, such as running or stopped."""
        eid = self.instance(instance)["id"]
        now = lambda: self.call("GET", f"instances/{eid}")["state"]  # noqa: E731
        self.wait(lambda: now() == state, lambda: f"{instance} {state}; it is {now()}", timeout)

    def flow(self, client, workload):
        """What a measured client sees now: sent, received, lost, lastReplyAt, ..."""
        host = self.instance(client)["id"]
        flows = [f for f in self.call("GET", "traffic")["flows"] if f["instanceId"] == host]
        for f in flows:
            if f["workload"] == workload:
                return f
        known = ", ".join(sorted({f["workload"] for f in flows})) or "none"
        raise LabError(f"{client} has no measured workload {workload!r}; there are: {known}")

    def wait_for_replies(self, client, workload, replies=3, timeout=PATIENCE):
        """Wait until a workload of a client has had so many more replies."""
        had = self.flow(client, workload)["received"]
        self.wait(
            lambda: self.flow(client, workload)["received"] >= had + replies,
            lambda: f"{replies} more replies to {workload} of {client}; there were {self.flow(client, workload)['received'] - had}", timeout,
        )

    def records(self):
        """The records of all moves, the newest first."""
        return [Record(self, r) for r in self.list("failovers")]

    def record(self, network_interface, to=None, timeout=PATIENCE):
        """The newest record of a move of a network interface, to an instance if it is
        named: waits until there is one and it is complete."""
        eni = self.network_interface(network_interface)["id"]
        want = self.instance(to)["id"] if to else None
        saw = [f"there is no record of a move of {network_interface}"]

        def complete():
            for r in self.list("failovers"):
                if eni not in (r["networkInterfaceId"], r["moved"]["fromInterfaceId"]):
                    continue
                if want not in (None, r["toInstanceId"]):
                    saw[0] = f"the newest record of {network_interface} is of a move to {self.name(r['toInstanceId'])}, not to {to}"
                    return None
                saw[0] = f"the record of {network_interface} is {r['state']}"
                return Record(self, r) if r["state"] != "running" else None
            return None

        return self.wait(complete, lambda: saw[0], timeout)

    def assert_outage(self, network_interface, max=None, min=None, client=None, workload=None, to=None, timeout=PATIENCE):
        """Assert for how many seconds the clients of a network interface had no answer
        in its newest move. What was not measured whole is no pass. Return the record."""
        if max is None and min is None:
            raise LabError("assert_outage: want max, min or both, in seconds")
        record = self.record(network_interface, to, timeout)
        told, wrong = [], []
        clients = record.clients(client, workload)
        for t in clients:
            who = f"{self.name(t['client'])} {t['workload']}"
            if t.get("incomplete") or t["outageMs"] is None:
                wrong.append(f"{who} cannot be judged: {t.get('incomplete') or 'no reply before, or none after'}")
                continue
            seconds = t["outageMs"] / 1000
            told.append(f"{who} {seconds:.3f} s, {t['lost']} of {t['sent']} lost")
            if max is not None and seconds > max:
                wrong.append(f"{who} had no answer for {seconds:.3f} s, more than {max:g} s")
            if min is not None and seconds < min:
                wrong.append(f"{who} had no answer for {seconds:.3f} s, less than {min:g} s")
        if not clients:
            wrong.append("no such client was measured")
        if wrong:
            raise AssertionError(
                f"outage of {network_interface}, moved from {record.from_instance or 'none'} to {record.to_instance}: "
                + "; ".join(wrong) + (f" (measured: {', '.join(told)})" if told else "")
            )
        return record
