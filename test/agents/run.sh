#!/usr/bin/env bash
# The cluster agents that move addresses on AWS (Debian's resource-agents:
# awsvip, awseip, aws-vpc-move-ip), unmodified, take over between two hosts:
# network namespaces with 169.254.169.254 and a way to the laboratory, which
# listens beyond loopback with an access key. Needs root. Everything made here
# is removed at the end, whatever happens.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
export OCF_ROOT=${OCF_ROOT:-/usr/lib/ocf}
agents=$OCF_ROOT/resource.d/heartbeat

# missing WHAT [ALLOWED]: with CI set, root has everything but what the machine does not allow.
missing() {
  echo "MISSING: the cluster agents were not run, for want of $1"
  if [ -n "${CI:-}" ] && [ "$(id -u)" = 0 ] && [ -z "${2:-}" ]; then
    echo "agents: 0 passed, 1 failed, 0 skipped"; exit 1
  fi
  echo "agents: 0 passed, 0 failed, 1 skipped"; exit 0
}
[ "$(id -u)" = 0 ] || missing "root"
for tool in ip curl aws; do command -v "$tool" >/dev/null || missing "$tool"; done
for agent in awsvip awseip aws-vpc-move-ip; do [ -x "$agents/$agent" ] || missing "$agent (Debian's resource-agents)"; done

# Namespaces and links carry this process's number, so that two runs do not meet.
tmp=$(mktemp -d "${TMPDIR:-/tmp}/enilab-agents-XXXXXX")
ns=("enilab-$$-1" "enilab-$$-2")
link=("enl$$-1" "enl$$-2")
pids=()
cleanup() {
  local pid n
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  for n in 0 1; do
    ip link del "${link[n]}" 2>/dev/null || true
    ip netns del "${ns[n]}" 2>/dev/null || true
  done
  rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ip netns add "${ns[0]}" 2>/dev/null || missing "the right to make network namespaces" allowed

step=start
failed() {
  echo "FAILED: $step: $*" >&2
  tail -n 40 "$tmp"/*.log >&2 || true
  echo "agents: $passed passed, 1 failed, 0 skipped"
  exit 1
}
trap 'failed "line $LINENO: $BASH_COMMAND"' ERR
passed=0
pass() { echo "PASSED: $step"; passed=$((passed + 1)); }

if [ -z "${ENILAB_BIN:-}" ]; then
  ENILAB_BIN=$tmp/enilab
  (cd "$root" && CGO_ENABLED=0 "${GO:-go}" build -trimpath -o "$ENILAB_BIN" ./cmd/server)
fi

# The two hosts, each with a cable to this one.
ip netns add "${ns[1]}"
for n in 0 1; do
  ip link add "${link[n]}" type veth peer name eth0 netns "${ns[n]}"
  ip addr add "10.213.77.$((n * 4 + 1))/30" dev "${link[n]}"
  ip link set "${link[n]}" up
  ip -n "${ns[n]}" link set lo up
  ip -n "${ns[n]}" addr add 169.254.169.254/32 dev lo
  ip -n "${ns[n]}" addr add "10.213.77.$((n * 4 + 2))/30" dev eth0
  ip -n "${ns[n]}" link set eth0 up
  ip -n "${ns[n]}" route add default via "10.213.77.$((n * 4 + 1))"
done

# begin NAME COMMAND...: runs until the end of this script; its first line of output.
begin() {
  local name=$1 line= i; shift
  : > "$tmp/$name.out"
  "$@" >> "$tmp/$name.out" 2> "$tmp/$name.log" &
  pids+=($!)
  for ((i = 0; i < 600; i++)); do
    read -r line < "$tmp/$name.out" && break
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  [ -n "$line" ] || failed "$name said nothing"
  first=$line
}

token=lab-$RANDOM$RANDOM
export ENILAB_ACCESS_KEY="AKIAENILABAGENTS0001=a-secret-of-the-laboratory"
begin server "$ENILAB_BIN" serve --listen 10.213.77.1:0 --data "$tmp/data" --token "$token"
for ((i = 0; i < 600; i++)); do
  grep -qx 'Ready\.' "$tmp/server.out" && break
  sleep 0.1
done
grep -qx 'Ready\.' "$tmp/server.out" || failed "the laboratory did not get ready"
export ENDPOINT=${first#enilab is at }
ENDPOINT=${ENDPOINT%%/\?*}

# The agents take the CLI's path as a parameter; this one says where EC2 is,
# which CLIs before 2.13 do not read from the environment.
export REAL_AWS; REAL_AWS=$(command -v aws)
printf '#!/bin/sh\nexec "$REAL_AWS" --endpoint-url "$ENDPOINT" "$@"\n' > "$tmp/aws"
chmod +x "$tmp/aws"
printf '[default]\nregion = us-east-1\noutput = json\n' > "$tmp/config"
printf '[default]\naws_access_key_id = AKIAENILABAGENTS0001\naws_secret_access_key = a-secret-of-the-laboratory\n' > "$tmp/credentials"
unset AWS_PROFILE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ENDPOINT_URL
export AWS_CONFIG_FILE=$tmp/config AWS_SHARED_CREDENTIALS_FILE=$tmp/credentials AWS_PAGER= AWS_EC2_METADATA_DISABLED=true
export NO_PROXY='*' no_proxy='*'
ec2() { "$tmp/aws" --output text ec2 "$@"; }

step="the laboratory"
vpc=$(ec2 create-vpc --cidr-block 10.77.0.0/16 --query Vpc.VpcId)
if AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_ACCESS_KEY_ID=AKIAENILABAGENTS0001 AWS_SECRET_ACCESS_KEY=wrong ec2 describe-vpcs >"$tmp/wrong.log" 2>&1; then
  failed "a request with a wrong signature was answered"
fi
grep -q AuthFailure "$tmp/wrong.log" || failed "a wrong signature was not refused with AuthFailure"
gateway=$(ec2 create-internet-gateway --query InternetGateway.InternetGatewayId)
ec2 attach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
subnet=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.77.1.0/24 --query Subnet.SubnetId)
node=() eni=()
for n in 0 1; do
  node[n]=$(ec2 run-instances --image-id ami-0123456789abcdef0 --instance-type t3.medium --count 1 --subnet-id "$subnet" \
    --private-ip-address "10.77.1.2$n" --query 'Instances[0].InstanceId')
done
ec2 wait instance-running --instance-ids "${node[@]}"
for n in 0 1; do
  read -r id mac < <(ec2 describe-network-interfaces --filters "Name=attachment.instance-id,Values=${node[n]}" \
    --query 'NetworkInterfaces[0].[NetworkInterfaceId,MacAddress]')
  eni[n]=$id
  # aws-vpc-move-ip finds the interface by the MAC of eth0, as on a real host.
  ip -n "${ns[n]}" link set eth0 address "$mac"
  begin "imds-$n" ip netns exec "${ns[n]}" "$ENILAB_BIN" imds --instance "${node[n]}" --endpoint "$ENDPOINT" --token "$token"
done
pass

# agent NODE NAME ACTION, with the agent's parameters in OCF_RESKEY_...
agent() {
  local code=0
  ip netns exec "${ns[$1]}" env OCF_RESOURCE_INSTANCE="$2" __OCF_ACTION="$3" HA_RSCTMP="$tmp" OCF_RESKEY_awscli="$tmp/aws" \
    "$agents/$2" "$3" >> "$tmp/agents.log" 2>&1 || code=$?
  echo "$code"
}
# want CODE NODE NAME ACTION: OCF's codes are 0 for success and running, 7 for not running.
want() {
  local code; code=$(agent "$2" "$3" "$4")
  [ "$code" = "$1" ] || failed "$3 $4 on node $(($2 + 1)) gave $code, want $1"
}
# running NODE NAME: only that node has it.
running() {
  want 0 "$1" "$2" monitor
  want 7 $((1 - $1)) "$2" monitor
}
same() { [ "$2" = "$3" ] || failed "$1: got '$2', want '$3'"; }
export OCF_RESKEY_CRM_meta_migrate_target=peer OCF_RESKEY_CRM_meta_migrate_source=peer

step="awsvip: a secondary private address"
export OCF_RESKEY_secondary_private_ip=10.77.1.42 OCF_RESKEY_api_delay=0
vip_at() { ec2 describe-network-interfaces --filters Name=addresses.private-ip-address,Values=10.77.1.42 --query 'NetworkInterfaces[].NetworkInterfaceId'; }
want 7 0 awsvip monitor
want 0 0 awsvip start
running 0 awsvip
same "the address" "$(vip_at)" "${eni[0]}"
want 0 0 awsvip migrate_to
want 0 1 awsvip migrate_from
running 1 awsvip
same "the address after the migration" "$(vip_at)" "${eni[1]}"
want 0 0 awsvip start # the other still has it: a take-over from a dead node
running 0 awsvip
same "the address after the take-over" "$(vip_at)" "${eni[0]}"
want 0 0 awsvip stop
want 7 0 awsvip monitor
same "the address at the end" "$(vip_at)" ""
pass

step="awseip: an Elastic IP of an instance"
read -r OCF_RESKEY_allocation_id OCF_RESKEY_elastic_ip < <(ec2 allocate-address --domain vpc --query '[AllocationId,PublicIp]')
export OCF_RESKEY_allocation_id OCF_RESKEY_elastic_ip
eip_at() { ec2 describe-addresses --allocation-ids "$OCF_RESKEY_allocation_id" --query 'Addresses[0].[NetworkInterfaceId,PrivateIpAddress]'; }
want 7 0 awseip monitor
want 0 0 awseip start
running 0 awseip
same "the Elastic IP" "$(eip_at)" "${eni[0]}	10.77.1.20"
want 0 0 awseip migrate_to
want 0 1 awseip migrate_from
running 1 awseip
same "the Elastic IP after the migration" "$(eip_at)" "${eni[1]}	10.77.1.21"
want 0 0 awseip start
running 0 awseip
same "the Elastic IP after the take-over" "$(eip_at)" "${eni[0]}	10.77.1.20"
want 0 0 awseip stop
want 7 0 awseip monitor
same "the Elastic IP at the end" "$(eip_at)" "None	None"
pass

step="awsvip and awseip: an Elastic IP on a secondary address follows it"
export OCF_RESKEY_private_ip_address=10.77.1.42
want 0 0 awsvip start
want 0 0 awseip start
running 0 awseip
same "the Elastic IP" "$(eip_at)" "${eni[0]}	10.77.1.42"
want 0 1 awsvip start
running 1 awseip
same "the Elastic IP after the address has moved" "$(eip_at)" "${eni[1]}	10.77.1.42"
want 0 1 awseip stop
want 0 1 awsvip stop
want 7 1 awseip monitor
want 7 1 awsvip monitor
pass

step="aws-vpc-move-ip: an overlay address by a route"
table=$(ec2 describe-route-tables --filters "Name=vpc-id,Values=$vpc" Name=association.main,Values=true --query 'RouteTables[0].RouteTableId')
ec2 create-route --route-table-id "$table" --destination-cidr-block 10.99.0.42/32 --network-interface-id "${eni[1]}" >/dev/null
export OCF_RESKEY_ip=10.99.0.42 OCF_RESKEY_routing_table=$table OCF_RESKEY_interface=eth0 OCF_RESKEY_monapi=true OCF_RESKEY_region=us-east-1
route() { ec2 describe-route-tables --route-table-ids "$table" --query "RouteTables[0].Routes[?DestinationCidrBlock=='10.99.0.42/32'].[InstanceId,NetworkInterfaceId]"; }
for type in InstanceId NetworkInterfaceId; do
  export OCF_RESKEY_lookup_type=$type
  want 7 0 aws-vpc-move-ip monitor
  want 0 0 aws-vpc-move-ip start
  running 0 aws-vpc-move-ip
  same "the route" "$(route)" "${node[0]}	${eni[0]}"
  held=$(ip -n "${ns[0]}" addr show dev eth0)
  [[ $held == *"inet 10.99.0.42/32"* ]] || failed "the address is not on node 1"
  want 0 0 aws-vpc-move-ip stop
  want 0 1 aws-vpc-move-ip start
  running 1 aws-vpc-move-ip
  same "the route after the migration" "$(route)" "${node[1]}	${eni[1]}"
  want 0 0 aws-vpc-move-ip start # node 2 still has it
  running 0 aws-vpc-move-ip
  same "the route after the take-over" "$(route)" "${node[0]}	${eni[0]}"
  ip -n "${ns[1]}" addr del 10.99.0.42/32 dev eth0 # what fencing node 2 would have done
  want 0 0 aws-vpc-move-ip stop
  want 7 0 aws-vpc-move-ip monitor
  ec2 replace-route --route-table-id "$table" --destination-cidr-block 10.99.0.42/32 --network-interface-id "${eni[1]}"
done
pass
echo "agents: $passed passed, 0 failed, 0 skipped"
