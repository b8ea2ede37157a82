#!/usr/bin/env bash
# The contract's story, told by the AWS CLI. run.sh gives ENILAB_URL, WITNESS
# and the credentials.
set -euo pipefail

ec2() { aws --endpoint-url "$ENILAB_URL" --output text ec2 "$@"; }

# same WHAT GOT WANT
same() {
  [ "$2" = "$3" ] || { echo "$1: got '$2', want '$3'" >&2; exit 1; }
}

# refused CODE COMMAND...: EC2 must refuse the command with that code.
refused() {
  local code=$1 said; shift
  if said=$(ec2 "$@" 2>&1); then
    echo "ec2 $*: done, want a refusal with $code" >&2; exit 1
  fi
  case $said in
    *"($code)"*) ;;
    *) echo "ec2 $*: said '$said', want $code" >&2; exit 1 ;;
  esac
}

named() { echo "ResourceType=$1,Tags=[{Key=Name,Value=$2},{Key=story,Value=cli}]"; }

echo "- a VPC with an internet gateway, two subnets and two security groups"
vpc=$(ec2 create-vpc --cidr-block 10.77.0.0/16 --tag-specifications "$(named vpc lab)" --query Vpc.VpcId)
ec2 wait vpc-available --vpc-ids "$vpc"
gateway=$(ec2 create-internet-gateway --tag-specifications "$(named internet-gateway lab)" --query InternetGateway.InternetGatewayId)
ec2 attach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
zones=($(ec2 describe-availability-zones --filters Name=state,Values=available --query 'AvailabilityZones[].ZoneName'))
subnet=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.77.1.0/24 --availability-zone "${zones[0]}" \
  --tag-specifications "$(named subnet a)" --query Subnet.SubnetId)
other=$(ec2 create-subnet --vpc-id "$vpc" --cidr-block 10.77.2.0/24 --availability-zone "${zones[1]}" \
  --tag-specifications "$(named subnet b)" --query Subnet.SubnetId)
ec2 wait subnet-available --subnet-ids "$subnet" "$other"
group=$(ec2 create-security-group --vpc-id "$vpc" --group-name service --description "the moving address" --query GroupId)
clients=$(ec2 create-security-group --vpc-id "$vpc" --group-name clients --description "who asks it" --query GroupId)
ec2 authorize-security-group-ingress --group-id "$group" --ip-permissions \
  "IpProtocol=icmp,FromPort=8,ToPort=-1,IpRanges=[{CidrIp=10.77.0.0/16,Description=ping}]" \
  "IpProtocol=tcp,FromPort=80,ToPort=80,UserIdGroupPairs=[{GroupId=$clients}]" >/dev/null
same "rules of the group" "$(ec2 describe-security-group-rules --filters "Name=group-id,Values=$group" --query 'length(SecurityGroupRules)')" 3
refused InvalidPermission.Duplicate authorize-security-group-ingress --group-id "$group" --ip-permissions \
  "IpProtocol=icmp,FromPort=8,ToPort=-1,IpRanges=[{CidrIp=10.77.0.0/16}]"

echo "- three instances"
launch() { # NAME SUBNET ADDRESS GROUP
  ec2 run-instances --image-id ami-0123456789abcdef0 --instance-type t3.medium --count 1 --subnet-id "$2" --private-ip-address "$3" \
    --security-group-ids "$4" --tag-specifications "$(named instance "$1")" --query 'Instances[0].InstanceId'
}
one=$(launch one "$subnet" 10.77.1.21 "$group")
two=$(launch two "$subnet" 10.77.1.22 "$group")
client=$(launch client "$other" 10.77.2.10 "$clients")
ec2 wait instance-running --instance-ids "$one" "$two" "$client"

echo "- an interface with a fixed address, attached to the first, with an Elastic IP and a route to it"
eni=$(ec2 create-network-interface --subnet-id "$subnet" --private-ip-address 10.77.1.42 --groups "$group" --description service \
  --tag-specifications "$(named network-interface service)" --query NetworkInterface.NetworkInterfaceId)
ec2 wait network-interface-available --network-interface-ids "$eni"
refused InvalidIPAddress.InUse create-network-interface --subnet-id "$subnet" --private-ip-address 10.77.1.42
attachment=$(ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$one" --device-index 1 --query AttachmentId)
refused InvalidParameterValue attach-network-interface --network-interface-id "$eni" --instance-id "$two" --device-index 1
refused InvalidParameterValue delete-network-interface --network-interface-id "$eni"
mac=$(ec2 describe-network-interfaces --network-interface-ids "$eni" --query 'NetworkInterfaces[0].MacAddress')
allocation=$(ec2 allocate-address --domain vpc --tag-specifications "$(named elastic-ip service)" --query AllocationId)
association=$(ec2 associate-address --allocation-id "$allocation" --network-interface-id "$eni" --private-ip-address 10.77.1.42 --query AssociationId)
table=$(ec2 create-route-table --vpc-id "$vpc" --tag-specifications "$(named route-table lab)" --query RouteTable.RouteTableId)
tied=$(ec2 associate-route-table --route-table-id "$table" --subnet-id "$other" --query AssociationId)
ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --gateway-id "$gateway" >/dev/null
ec2 create-route --route-table-id "$table" --destination-cidr-block 10.99.0.42/32 --network-interface-id "$eni" >/dev/null
route() { ec2 describe-route-tables --route-table-ids "$table" --query "RouteTables[0].Routes[?DestinationCidrBlock=='10.99.0.42/32'].[InstanceId,NetworkInterfaceId,State]"; }
same "route to the interface" "$(route)" "$one	$eni	active"

echo "- pages of interfaces: each once, in any page size"
pages() { ec2 describe-network-interfaces --filters "Name=vpc-id,Values=$vpc" "$@" --query 'NetworkInterfaces[].NetworkInterfaceId' | tr '\t' '\n' | sort; }
same "interfaces in small pages" "$(pages --page-size 5)" "$(pages)"
same "interfaces" "$(pages | wc -l)" 4
same "found by its tag" "$(ec2 describe-network-interfaces --filters Name=tag:Name,Values='serv*' "Name=vpc-id,Values=$vpc" \
  --query 'NetworkInterfaces[].NetworkInterfaceId')" "$eni"

echo "- a launch template, a VPC endpoint, a branch interface, and what there is none of"
template=$(ec2 create-launch-template --launch-template-name worker --tag-specifications "$(named launch-template worker)" --launch-template-data \
  "ImageId=ami-0123456789abcdef0,InstanceType=t3.small,TagSpecifications=[{ResourceType=instance,Tags=[{Key=Name,Value=worker}]}]" \
  --query LaunchTemplate.LaunchTemplateId)
refused InvalidLaunchTemplateName.AlreadyExistsException create-launch-template --launch-template-name worker --launch-template-data KeyName=x
ec2 create-launch-template-version --launch-template-id "$template" --source-version 1 --launch-template-data InstanceType=t3.medium >/dev/null
same "types by version" "$(ec2 describe-launch-template-versions --launch-template-id "$template" \
  --query 'LaunchTemplateVersions[].[VersionNumber,LaunchTemplateData.InstanceType,LaunchTemplateData.ImageId]')" \
  "2	t3.medium	ami-0123456789abcdef0
1	t3.small	ami-0123456789abcdef0"
worker=$(ec2 run-instances --launch-template "LaunchTemplateName=worker,Version=\$Latest" --subnet-id "$other" --query 'Instances[0].InstanceId')
ec2 wait instance-running --instance-ids "$worker"
same "the instance of the template" "$(ec2 describe-instances --filters "Name=tag:aws:ec2launchtemplate:id,Values=$template" \
  --query 'Reservations[].Instances[].[InstanceId,InstanceType]')" "$worker	t3.medium"
ec2 terminate-instances --instance-ids "$worker" >/dev/null
ec2 wait instance-terminated --instance-ids "$worker"
ec2 delete-launch-template --launch-template-id "$template" >/dev/null
endpoint=$(ec2 create-vpc-endpoint --vpc-id "$vpc" --service-name com.amazonaws.us-east-1.s3 --route-table-ids "$table" --query VpcEndpoint.VpcEndpointId)
same "the route to S3" "$(ec2 describe-route-tables --route-table-ids "$table" --query "RouteTables[0].Routes[?GatewayId=='$endpoint'].State")" active
same "endpoints that stay" "$(ec2 delete-vpc-endpoints --vpc-endpoint-ids "$endpoint" --query 'length(Unsuccessful)')" 0
trunk=$(ec2 create-network-interface --subnet-id "$other" --interface-type trunk --query NetworkInterface.NetworkInterfaceId)
branch=$(ec2 create-network-interface --subnet-id "$other" --query NetworkInterface.NetworkInterfaceId)
trunked=$(ec2 associate-trunk-interface --trunk-interface-id "$trunk" --branch-interface-id "$branch" --vlan-id 7 --query InterfaceAssociation.AssociationId)
same "the branch" "$(ec2 describe-network-interfaces --network-interface-ids "$branch" --query 'NetworkInterfaces[0].[InterfaceType,Status]')" "branch	in-use"
ec2 disassociate-trunk-interface --association-id "$trunked" >/dev/null
ec2 delete-network-interface --network-interface-id "$branch"
ec2 delete-network-interface --network-interface-id "$trunk"
for kind in vpn-gateways customer-gateways hosts carrier-gateways capacity-reservations fleets spot-instance-requests placement-groups \
  transit-gateways client-vpn-endpoints network-insights-paths ipams local-gateways reserved-instances; do
  same "$kind" "$(ec2 describe-"$kind" --query 'length(*[0])')" 0
done
refused InvalidVpnGatewayID.NotFound describe-vpn-gateways --vpn-gateway-ids vgw-0123456789abcdef0

echo "- the interface moves to the second instance"
"$WITNESS" watch "$client" 10.77.1.42
ec2 detach-network-interface --attachment-id "$attachment" --force
ec2 wait network-interface-available --network-interface-ids "$eni"
same "route while nobody has it" "$(route)" "None	$eni	blackhole"
ec2 attach-network-interface --network-interface-id "$eni" --instance-id "$two" --device-index 1 >/dev/null
same "the interface" "$(ec2 describe-network-interfaces --network-interface-ids "$eni" --query \
  'NetworkInterfaces[0].[Attachment.InstanceId,Attachment.DeviceIndex,Status,MacAddress,PrivateIpAddress,Groups[0].GroupId,Association.AllocationId]')" \
  "$two	1	in-use	$mac	10.77.1.42	$group	$allocation"
same "the Elastic IP" "$(ec2 describe-addresses --allocation-ids "$allocation" --query 'Addresses[0].[InstanceId,NetworkInterfaceId,AssociationId]')" "$two	$eni	$association"
same "the route" "$(route)" "$two	$eni	active"
"$WITNESS" moved "$eni" "$one" "$two"

echo "- a volume, a snapshot of it, and an image of the client"
volume=$(ec2 create-volume --availability-zone "${zones[0]}" --size 8 --volume-type gp3 --tag-specifications "$(named volume data)" --query VolumeId)
ec2 wait volume-available --volume-ids "$volume"
refused InvalidVolume.ZoneMismatch attach-volume --volume-id "$volume" --instance-id "$client" --device /dev/sdf
ec2 attach-volume --volume-id "$volume" --instance-id "$one" --device /dev/sdf >/dev/null
ec2 wait volume-in-use --volume-ids "$volume"
refused VolumeInUse delete-volume --volume-id "$volume"
snapshot=$(ec2 create-snapshot --volume-id "$volume" --tag-specifications "$(named snapshot data)" --query SnapshotId)
ec2 wait snapshot-completed --snapshot-ids "$snapshot"
same "snapshots of the account" "$(ec2 describe-snapshots --owner-ids self --query 'Snapshots[].SnapshotId')" "$snapshot"
image=$(ec2 create-image --instance-id "$client" --name golden --no-reboot --query ImageId)
ec2 wait image-available --image-ids "$image"
same "the image" "$(ec2 describe-images --owners self --query 'Images[].[ImageId,RootDeviceName]')" "$image	/dev/xvda"
copy=$(ec2 describe-images --image-ids "$image" --query 'Images[0].BlockDeviceMappings[0].Ebs.SnapshotId')
refused InvalidSnapshot.InUse delete-snapshot --snapshot-id "$copy"
ec2 deregister-image --image-id "$image" >/dev/null
refused InvalidAMIID.NotFound describe-images --image-ids "$image"
ec2 delete-snapshot --snapshot-id "$copy"
ec2 delete-snapshot --snapshot-id "$snapshot"
ec2 detach-volume --volume-id "$volume" >/dev/null
ec2 wait volume-available --volume-ids "$volume"
ec2 delete-volume --volume-id "$volume"
ec2 wait volume-deleted --volume-ids "$volume"

echo "- everything is deleted"
ec2 terminate-instances --instance-ids "$one" "$two" "$client" >/dev/null
ec2 wait instance-terminated --instance-ids "$one" "$two" "$client"
same "the interface stays" "$(ec2 describe-network-interfaces --network-interface-ids "$eni" --query 'NetworkInterfaces[0].Status')" available
ec2 disassociate-address --association-id "$association"
ec2 release-address --allocation-id "$allocation"
ec2 delete-network-interface --network-interface-id "$eni"
refused InvalidNetworkInterfaceID.NotFound describe-network-interfaces --network-interface-ids "$eni"
ec2 disassociate-route-table --association-id "$tied"
ec2 delete-route-table --route-table-id "$table"
refused DependencyViolation delete-vpc --vpc-id "$vpc"
ec2 detach-internet-gateway --internet-gateway-id "$gateway" --vpc-id "$vpc"
ec2 delete-internet-gateway --internet-gateway-id "$gateway"
ec2 delete-subnet --subnet-id "$subnet"
ec2 delete-subnet --subnet-id "$other"
ec2 delete-security-group --group-id "$group" >/dev/null
ec2 delete-security-group --group-id "$clients" >/dev/null
ec2 delete-vpc --vpc-id "$vpc"
refused InvalidVpcID.NotFound describe-vpcs --vpc-ids "$vpc"
