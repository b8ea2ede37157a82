# The contract's story for Terraform: a service's interface whose owner is a
# variable. The examples explain more: docs/examples/terraform.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

variable "endpoint" {
  type = string
}

variable "owner" {
  type    = string
  default = "one"
}

provider "aws" {
  region = "us-east-1"
  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
  }
  default_tags {
    tags = { story = "terraform" }
  }
}

data "aws_availability_zones" "here" {
  state = "available"
}

data "aws_caller_identity" "me" {}

resource "aws_vpc" "lab" {
  cidr_block           = "10.77.0.0/16"
  enable_dns_hostnames = true
  tags                 = { Name = "lab" }
}

resource "aws_internet_gateway" "lab" {
  vpc_id = aws_vpc.lab.id
  tags   = { Name = "lab" }
}

resource "aws_subnet" "a" {
  vpc_id            = aws_vpc.lab.id
  cidr_block        = "10.77.1.0/24"
  availability_zone = data.aws_availability_zones.here.names[0]
  tags              = { Name = "a" }
}

resource "aws_subnet" "b" {
  vpc_id                  = aws_vpc.lab.id
  cidr_block              = "10.77.2.0/24"
  availability_zone       = data.aws_availability_zones.here.names[1]
  map_public_ip_on_launch = true
  tags                    = { Name = "b" }
}

resource "aws_security_group" "clients" {
  name        = "clients"
  description = "who asks it"
  vpc_id      = aws_vpc.lab.id
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

# Rules in a group's own blocks and rules of their own do not mix: the story
# has one group of each kind.
resource "aws_security_group" "service" {
  name        = "service"
  description = "the moving address"
  vpc_id      = aws_vpc.lab.id
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id            = aws_security_group.service.id
  description                  = "web"
  ip_protocol                  = "tcp"
  from_port                    = 80
  to_port                      = 80
  referenced_security_group_id = aws_security_group.clients.id
}

resource "aws_vpc_security_group_ingress_rule" "ping" {
  security_group_id = aws_security_group.service.id
  description       = "ping"
  ip_protocol       = "icmp"
  from_port         = 8
  to_port           = -1
  cidr_ipv4         = aws_vpc.lab.cidr_block
}

resource "aws_instance" "node" {
  for_each               = { one = "10.77.1.21", two = "10.77.1.22" }
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.medium"
  subnet_id              = aws_subnet.a.id
  private_ip             = each.value
  vpc_security_group_ids = [aws_security_group.service.id]
  tags                   = { Name = each.key }
}

resource "aws_instance" "client" {
  ami                    = "ami-0123456789abcdef0"
  instance_type          = "t3.medium"
  subnet_id              = aws_subnet.b.id
  private_ip             = "10.77.2.10"
  vpc_security_group_ids = [aws_security_group.clients.id]
  tags                   = { Name = "client" }
}

# An instance with volumes of its own, and one that is attached to it.
resource "aws_instance" "disks" {
  ami           = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.a.id
  root_block_device {
    volume_size = 20
    volume_type = "gp3"
    iops        = 4000
    throughput  = 250
    tags        = { Name = "root" }
  }
  ebs_block_device {
    device_name           = "/dev/sdg"
    volume_size           = 5
    volume_type           = "gp2"
    encrypted             = true
    delete_on_termination = true
  }
  tags = { Name = "disks" }
}

resource "aws_ebs_volume" "data" {
  availability_zone = aws_subnet.a.availability_zone
  size              = var.owner == "one" ? 10 : 12
  type              = "gp3"
  tags              = { Name = "data" }
}

resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdf"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.node["one"].id
}

resource "aws_ebs_snapshot" "data" {
  volume_id   = aws_ebs_volume.data.id
  description = "of the data"
  tags        = { Name = "data" }
}

resource "aws_ebs_volume" "restored" {
  availability_zone = aws_subnet.b.availability_zone
  snapshot_id       = aws_ebs_snapshot.data.id
}

resource "aws_ami_from_instance" "golden" {
  name               = "golden"
  source_instance_id = aws_instance.disks.id
}

resource "aws_instance" "copy" {
  ami           = aws_ami_from_instance.golden.id
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.b.id
}

resource "aws_network_interface" "service" {
  description       = "service"
  subnet_id         = aws_subnet.a.id
  private_ips       = ["10.77.1.42"]
  security_groups   = [aws_security_group.service.id]
  source_dest_check = false
  tags              = { Name = "service" }
}

resource "aws_network_interface_attachment" "service" {
  network_interface_id = aws_network_interface.service.id
  instance_id          = aws_instance.node[var.owner].id
  device_index         = 1
}

resource "aws_eip" "service" {
  domain     = "vpc"
  tags       = { Name = "service" }
  depends_on = [aws_internet_gateway.lab]
}

resource "aws_eip_association" "service" {
  allocation_id        = aws_eip.service.id
  network_interface_id = aws_network_interface.service.id
  private_ip_address   = "10.77.1.42"
}

resource "aws_route_table" "lab" {
  vpc_id = aws_vpc.lab.id
  tags   = { Name = "lab" }
}

resource "aws_route" "internet" {
  route_table_id         = aws_route_table.lab.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.lab.id
}

resource "aws_route" "overlay" {
  route_table_id         = aws_route_table.lab.id
  destination_cidr_block = "10.99.0.42/32"
  network_interface_id   = aws_network_interface.service.id
}

resource "aws_route_table_association" "b" {
  route_table_id = aws_route_table.lab.id
  subnet_id      = aws_subnet.b.id
}

output "account" {
  value = data.aws_caller_identity.me.account_id
}

output "eni" {
  value = aws_network_interface.service.id
}

output "one" {
  value = aws_instance.node["one"].id
}

output "two" {
  value = aws_instance.node["two"].id
}

output "client" {
  value = aws_instance.client.id
}
