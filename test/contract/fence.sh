#!/usr/bin/env bash
# fence_aws (Debian's fence-agents), unmodified, as Pacemaker's fencer drives it:
# parameters on standard input, the exit status as the answer. Node 2 fences
# node 1, takes its address over, and lets node 1 back in. run.sh gives
# ENILAB_URL, ENILAB_BIN, WITNESS, CONTRACT_TMP and the credentials.
set -euo pipefail

ec2() { aws --endpoint-url "$ENILAB_URL" --output text ec2 "$@"; }

# same WHAT GOT WANT
same() {
  [ "$2" = "$3" ] || { echo "$1: got '$2', want '$3'" >&2; exit 1; }
}

imds=
cleanup() {
  if [ -n "$imds" ]; then kill "$imds" 2>/dev/null || true; fi
}
trap cleanup EXIT

# Debian's botocore is older than AWS_ENDPOINT_URL, and the agent has no flag for
# an endpoint: botocore is told in its own way, a data path whose rules of EC2's
# endpoints have one, the laboratory.
export AWS_DATA_PATH=$CONTRACT_TMP/botocore
mkdir -p "$AWS_DATA_PATH/ec2/2016-11-15"
cat > "$AWS_DATA_PATH/ec2/2016-11-15/endpoint-rule-set-1.json" <<JSON
{
  "version": "1.0",
  "parameters": {"Region": {"builtIn": "AWS::Region", "required": true, "type": "String", "documentation": "the region"}},
  "rules": [{"type": "endpoint", "conditions": [], "endpoint": {"url": "$ENILAB_URL", "properties": {}, "headers": {}}}]
}
JSON

# fence CODE ACTION [KEY=VALUE...]: what the agent says is left in $said.
fence() {
  local want=$1 code=0; shift
  said=$(printf '%s\n' "action=$1" region=us-east-1 access_key=any secret_key=any power_wait=0 "${@:2}" |
    fence_aws 2>"$CONTRACT_TMP/fence.log") || code=$?
  [ "$code" = "$want" ] || { echo "fence_aws $*: exit status $code, want $want: $said" >&2; cat "$CONTRACT_TMP/fence.log" >&2; exit 1; }
}
state() { ec2 describe-instances --instance-ids "$1" --query 'Reservations[0].Instances[0].State.Name'; }

echo "- two nodes, an interface of the first, and a client"
vpc=$(ec2 create-vpc --cidr-block 10.78.0.0/16 --query Vpc.VpcId)
subnet=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.78.1.0/24 --query Subnet.SubnetId)
group=$(ec2 describe-security-groups --filters "Name=vpc-id,Values=$vpc" --query 'SecurityGroups[0].GroupId')
# Before the instances, one of which could be given its address else.
eni=$(ec2 create-network-interface --subnet-id "$subnet" --private-ip-address 10.78.1.42 --groups "$group" --query NetworkInterface.NetworkInterfaceId)
launch() { # NAME
  ec2 run-instances --image-id ami-0123456789abcdef0 --instance-type t3.medium --count 1 --subnet-id "$subnet" \
    --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$1},{Key=cluster,Value=lab}]" --query 'Instances[0].InstanceId'
}
one=$(launch node-1) two=$(launch node-2) client=$(launch client)
ec2 wait instance-running --instance-ids "$one" "$two" "$client"
attachment=$(ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$one" --device-index 1 --query AttachmentId)
"$WITNESS" watch "$client" 10.78.1.42

# The agent asks 169.254.169.254 who it is. Its HTTP client obeys http_proxy, and
# node 2's metadata server answers for whatever host a proxy's request names.
exec 4< <(exec "$ENILAB_BIN" imds --instance "$two" --endpoint "$ENILAB_URL" --listen 127.0.0.1:0)
imds=$!
read -r -t 60 line <&4
http_proxy=$(grep -o 'http://[0-9.:]*' <<<"$line")
# botocore decides about proxies by the endpoint that its own list has.
no_proxy=127.0.0.1,localhost,.amazonaws.com
NO_PROXY=$no_proxy
export http_proxy no_proxy NO_PROXY

echo "- monitor, list and status"
fence 0 monitor
fence 0 list filter=vpc-id="$vpc"
same "listed" "$(sort <<<"$said")" "$(printf '%s,\n' "$one" "$two" "$client" | sort)"
fence 0 list filter=tag-value=node-1
same "listed by the value of a tag" "$said" "$one,"
fence 0 status plug="$one"
fence 1 status plug=i-0123456789abcdef0

echo "- node 2 fences node 1 and takes its address over"
fence 0 off plug="$one"
same "node 1" "$(state "$one")" stopped
fence 2 status plug="$one"
fence 0 off plug="$one" # again: fencing what is off is done
ec2 detach-network-interface --attachment-id "$attachment" --force
ec2 wait network-interface-available --network-interface-ids "$eni"
attachment=$(ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$two" --device-index 1 --query AttachmentId)
"$WITNESS" moved "$eni" "$one" "$two"

echo "- node 1 comes back, and is rebooted"
fence 0 on plug="$one"
same "node 1" "$(state "$one")" running
launched() { ec2 describe-instances --instance-ids "$one" --query 'Reservations[0].Instances[0].LaunchTime'; }
before=$(launched)
fence 0 reboot plug="$one"
same "node 1" "$(state "$one")" running
# A fencer's reboot is off and on, so that the host is a new one.
[ "$(launched)" != "$before" ] || { echo "the launch time is still $before" >&2; exit 1; }

echo "- no node fences another while it is stopped itself"
ec2 stop-instances --instance-ids "$two" >/dev/null
ec2 wait instance-stopped --instance-ids "$two"
fence 1 off plug="$one" power_timeout=2
same "node 1" "$(state "$one")" running

echo "- deletion"
ec2 detach-network-interface --attachment-id "$attachment"
ec2 wait network-interface-available --network-interface-ids "$eni"
ec2 delete-network-interface --network-interface-id "$eni"
ec2 terminate-instances --instance-ids "$one" "$two" "$client" >/dev/null
ec2 wait instance-terminated --instance-ids "$one" "$two" "$client"
ec2 delete-subnet --subnet-id "$subnet"
ec2 delete-vpc --vpc-id "$vpc"
