#!/usr/bin/env bash
# An ENI failover with the AWS CLI. Needs AWS_ENDPOINT_URL and credentials, see
# ../README.md.
set -euo pipefail

# Older CLIs do not read AWS_ENDPOINT_URL themselves. Without it this talks to AWS.
ec2() { aws ${AWS_ENDPOINT_URL:+--endpoint-url "$AWS_ENDPOINT_URL"} --output text ec2 "$@"; }
ami=${AMI:-ami-0123456789abcdef0} # the laboratory takes any

# A network with a way out: an Elastic IP needs the internet gateway.
vpc=$(ec2 create-vpc --cidr-block 10.0.0.0/16 --query Vpc.VpcId)
gateway=$(ec2 create-internet-gateway --query InternetGateway.InternetGatewayId)
ec2 attach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
# Both instances in one zone: an ENI cannot leave its own.
subnet=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.0.1.0/24 --query Subnet.SubnetId)

# The service's address lives on an ENI of its own, not on an instance's first
# one, which can never leave. It is made first: an instance could be given its
# address else.
eni=$(ec2 create-network-interface --subnet-id "$subnet" --private-ip-address 10.0.1.42 --query NetworkInterface.NetworkInterfaceId)

# Two instances: the owner, and the one that stands by.
run() { ec2 run-instances --image-id "$ami" --instance-type t3.medium --count 1 --subnet-id "$subnet" --query 'Instances[0].InstanceId'; }
active=$(run)
standby=$(run)
ec2 wait instance-running --instance-ids "$active" "$standby"

attachment=$(ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$active" --device-index 1 --query AttachmentId)
address=$(ec2 allocate-address --domain vpc --query AllocationId)
ec2 associate-address --allocation-id "$address" --network-interface-id "$eni" >/dev/null
show() {
  ec2 describe-network-interfaces --network-interface-ids "$eni" \
    --query 'NetworkInterfaces[0].[Attachment.InstanceId,PrivateIpAddress,MacAddress,Association.PublicIp]'
}
echo "before: $(show)"

# The failover. --force does not wait for a guest that may be dead; the waiter
# is for AWS, where letting go takes seconds.
ec2 detach-network-interface --attachment-id "$attachment" --force
ec2 wait network-interface-available --network-interface-ids "$eni"
ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$standby" --device-index 1 >/dev/null
echo "after:  $(show)"

# Everything goes. A secondary ENI outlives its instance, and so does its Elastic IP.
ec2 terminate-instances --instance-ids "$active" "$standby" >/dev/null
ec2 wait instance-terminated --instance-ids "$active" "$standby"
ec2 disassociate-address --association-id "$(ec2 describe-addresses --allocation-ids "$address" --query 'Addresses[0].AssociationId')"
ec2 release-address --allocation-id "$address"
ec2 delete-network-interface --network-interface-id "$eni"
ec2 delete-subnet --subnet-id "$subnet"
ec2 detach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
ec2 delete-internet-gateway --internet-gateway-id "$gateway"
ec2 delete-vpc --vpc-id "$vpc"
