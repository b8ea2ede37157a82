import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("location", new URL("http://localhost/live"));
vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
vi.stubGlobal("matchMedia", () => ({ matches: false, addEventListener: () => undefined }));
vi.stubGlobal("navigator", { language: "en" });
vi.stubGlobal("document", { documentElement: { dataset: {} }, addEventListener: () => undefined });

const { ApiError } = await import("../../src/api/client.ts");
const { place } = await import("../../src/build/form.ts");
const { ends, permission, ruleValues } = await import("../../src/build/filters.ts");
const { entryParameters, entryValues } = await import("../../src/build/acls.ts");
const { targetParameter } = await import("../../src/build/model.ts");
const { together } = await import("../../src/build/api.ts");
const { merge } = await import("../../src/calls/calls.tsx");
const { subnet } = await import("../../src/build/network.ts");
const { policy } = await import("../../src/build/policies.ts");

describe("where a refusal is said", () => {
  const at = (location: string, fields = subnet.fields("")) =>
    Object.keys(
      place(new ApiError(400, "InvalidSubnet.Range", "no", [{ location, message: "no" }]), fields),
    )[0];
  it.each([
    ["body.parameters.CidrBlock", "cidr"],
    ["body.parameters.AvailabilityZone", "zone"],
    ["body.parameters.Unknown", ""],
  ])("%s belongs to %j", (location, want) => {
    expect(at(location)).toBe(want);
  });
  it("finds parts of a policy", () => {
    expect(at("probe.interval", policy.fields(""))).toBe("interval");
    expect(at("body.probe.intervalMs", policy.fields(""))).toBe("interval");
    expect(at("standbys", policy.fields(""))).toBe("standbys");
  });
  it("reads the text where nothing else says which", () => {
    const err = new ApiError(400, "MissingParameter", "The request must contain the parameter cidrBlock");
    expect(place(err, subnet.fields(""))).toEqual({
      cidr: "MissingParameter: The request must contain the parameter cidrBlock",
    });
  });
});

describe("rules and entries", () => {
  it.each([
    ["80", [80, 80]],
    ["8000-8080", [8000, 8080]],
    ["8000 – 8080", [8000, 8080]],
    ["", [0, 65535]],
  ])("reads ports %j", (text, want) => {
    expect(ends(text)).toEqual(want);
  });
  it("writes a rule as EC2 takes it, and reads it back", () => {
    expect(permission({ protocol: "tcp", ports: "80", peer: "10.0.0.0/8", description: "x" })).toEqual({
      IpProtocol: "tcp",
      FromPort: 80,
      ToPort: 80,
      IpRanges: [{ CidrIp: "10.0.0.0/8", Description: "x" }],
    });
    expect(permission({ protocol: "icmp", icmp: "8", peer: "sg-1", description: "" })).toEqual({
      IpProtocol: "icmp",
      FromPort: 8,
      ToPort: -1,
      Groups: [{ GroupId: "sg-1" }],
    });
    const one = {
      id: "sgr-1",
      direction: "egress",
      protocol: "udp",
      fromPort: 1,
      toPort: 9,
      cidr: "0.0.0.0/0",
    } as const;
    expect(permission(ruleValues(one))).toMatchObject({ IpProtocol: "udp", FromPort: 1, ToPort: 9 });
  });
  it("restores an entry as it was", () => {
    const e = {
      number: 90,
      direction: "egress",
      allow: false,
      protocol: "tcp",
      cidr: "0.0.0.0/0",
      fromPort: 22,
      toPort: 22,
    } as const;
    expect(entryParameters("acl-1", entryValues(e))).toEqual({
      NetworkAclId: "acl-1",
      RuleNumber: 90,
      Egress: true,
      RuleAction: "deny",
      CidrBlock: "0.0.0.0/0",
      Protocol: "6",
      PortRange: { From: 22, To: 22 },
    });
  });
  it.each([
    ["igw-1", "GatewayId"],
    ["nat-1", "NatGatewayId"],
    ["eni-1", "NetworkInterfaceId"],
    ["pcx-1", "VpcPeeringConnectionId"],
    ["tgw-1", "TransitGatewayId"],
  ])("a route to %s is by %s", (id, want) => {
    expect(targetParameter(id)).toBe(want);
  });
});

describe("several calls that are one", () => {
  it("are taken back, the last first, when one is refused", async () => {
    const did: string[] = [];
    const refused = together(async (undo) => {
      for (const name of ["a", "b"])
        undo(async () => {
          did.push(name);
        });
      throw new Error("no");
    });
    await expect(refused).rejects.toThrow("no");
    expect(did).toEqual(["b", "a"]);
  });
});

describe("calls", () => {
  const call = (seq: number) =>
    ({ seq, at: "", tookMs: 0, api: "ec2", action: "", read: false, status: 200 }) as const;
  it("stay newest first, each once", () => {
    expect(merge([call(2), call(1)], [call(4), call(3), call(2)]).map((c) => c.seq)).toEqual([4, 3, 2, 1]);
  });
});
