// A region of so many instances of one network interface each, of which some send frames
// to others, at a rate in all.

const perSubnet = 250;
/** A generator sends at most so many a second; more come from more instances. */
const perSender = 500;

export function scenario(enis, rate) {
  const address = (i) => {
    const host = (i % perSubnet) + 10;
    return `10.0.${2 * Math.floor(i / perSubnet) + Math.floor(host / 256)}.${host % 256}`;
  };
  const out = [`description: ${enis} network interfaces`, "vpcs: [{name: lab, cidr: 10.0.0.0/16}]", "subnets:"];
  for (let s = 0; s * perSubnet < enis; s++)
    out.push(`  - {name: s${s}, vpc: lab, cidr: 10.0.${2 * s}.0/23, zone: ${1 + (s % 3)}}`);
  out.push(
    "securityGroups:",
    "  - {name: all, vpc: lab, description: all, ingress: [{protocol: all, from: 10.0.0.0/16}]}",
    "instances:",
  );
  // Receivers of a generator's frames do not answer: an event is a frame.
  const senders = Math.max(1, Math.min(Math.floor(enis / 2), Math.max(20, Math.ceil(rate / perSender))));
  const each = Math.max(1, Math.round(rate / senders));
  const every = Math.floor(enis / senders);
  for (let i = 0; i < enis; i++) {
    const sends = i % every === 0 && i / every < senders;
    const target = address((i + Math.floor(enis / 2) + 1) % enis);
    const work = sends ? `, workloads: [{name: w, kind: frames, target: ${target}, rate: ${each}}]` : "";
    out.push(`  - {name: n${i}, subnet: s${Math.floor(i / perSubnet)}, ip: ${address(i)}, groups: [all]${work}}`);
  }
  return `${out.join("\n")}\n`;
}
