# An ENI failover with Terraform. Needs AWS_ENDPOINT_URL and credentials, see
# ../README.md; the provider reads them itself.
#
#   terraform init
#   terraform apply                      # "active" owns the interface
#   terraform apply -var owner=standby   # the failover
#   terraform destroy
#
# Terraform moves an ENI by replacing its attachment: DetachNetworkInterface
# with Force=true, a wait, AttachNetworkInterface. On AWS the wait can take two
# minutes after the network has long let go, since the provider polls for an
# attachment that is no longer listed. That is a part of the outage: do not let
# Terraform be the one who fails over. The laboratory's default timing keeps the
# ended attachment visible, which ends the wait at the first poll.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

provider "aws" {
  region = "us-east-1"
}

variable "owner" {
  description = "Who has the service's address: active or standby."
  type        = string
  default     = "active"
}

variable "ami" {
  description = "The laboratory takes any."
  type        = string
  default     = "ami-0123456789abcdef0"
}

resource "aws_vpc" "lab" {
  cidr_block = "10.0.0.0/16"
}

# An Elastic IP needs a way out.
resource "aws_internet_gateway" "lab" {
  vpc_id = aws_vpc.lab.id
}

# Both instances in one zone: an ENI cannot leave its own.
resource "aws_subnet" "lab" {
  vpc_id     = aws_vpc.lab.id
  cidr_block = "10.0.1.0/24"
}

resource "aws_instance" "node" {
  for_each      = toset(["active", "standby"])
  ami           = var.ami
  instance_type = "t3.medium"
  subnet_id     = aws_subnet.lab.id
  tags          = { Name = each.key }
  depends_on    = [aws_network_interface.service] # else one could be given its address
}

# The service's address lives on an ENI of its own, not on an instance's first
# one, which can never leave.
resource "aws_network_interface" "service" {
  subnet_id   = aws_subnet.lab.id
  private_ips = ["10.0.1.42"]
  tags        = { Name = "service" }
}

# Not an "attachment" block within the interface: a change there replaces the
# interface's attachment too, but shows less of it in the plan.
resource "aws_network_interface_attachment" "service" {
  network_interface_id = aws_network_interface.service.id
  instance_id          = aws_instance.node[var.owner].id
  device_index         = 1
}

resource "aws_eip" "service" {
  domain            = "vpc"
  network_interface = aws_network_interface.service.id
  depends_on        = [aws_internet_gateway.lab]
}

output "owner" {
  value = aws_network_interface_attachment.service.instance_id
}

output "address" {
  value = "${aws_network_interface.service.private_ip} (${aws_network_interface.service.mac_address}), ${aws_eip.service.public_ip}"
}
