# What is on record beside the story: a launch template that gets a new version
# with another owner, an instance of it, and endpoints of both types.
resource "aws_launch_template" "worker" {
  name                   = "worker"
  update_default_version = true
  image_id               = "ami-0123456789abcdef0"
  instance_type          = var.owner == "one" ? "t3.small" : "t3.medium"
  vpc_security_group_ids = [aws_security_group.clients.id]
  user_data              = base64encode("#!/bin/sh")
  metadata_options {
    http_tokens                 = "required"
    http_put_response_hop_limit = 2
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 12
      volume_type           = "gp3"
      delete_on_termination = true
    }
  }
  monitoring {
    enabled = true
  }
  tag_specifications {
    resource_type = "volume"
    tags          = { Name = "worker" }
  }
  tags = { Name = "worker" }
}

resource "aws_launch_template" "nat" {
  name_prefix   = "nat-"
  image_id      = "ami-0123456789abcdef0"
  instance_type = "t3.micro"
  network_interfaces {
    device_index                = 0
    subnet_id                   = aws_subnet.b.id
    security_groups             = [aws_security_group.clients.id]
    associate_public_ip_address = true
    delete_on_termination       = true
  }
}

resource "aws_instance" "worker" {
  subnet_id = aws_subnet.b.id
  launch_template {
    id      = aws_launch_template.worker.id
    version = "1" # of another one the provider makes another instance
  }
  tags = { Name = "worker" }
  # The provider hashes the hash of a template's user data at each plan, on AWS
  # too (hashicorp/terraform-provider-aws issue 30825).
  lifecycle { ignore_changes = [user_data] }
}

resource "aws_instance" "nat" {
  launch_template {
    name    = aws_launch_template.nat.name
    version = aws_launch_template.nat.latest_version
  }
  tags = { Name = "nat" }
}

data "aws_launch_template" "worker" {
  name       = aws_launch_template.worker.name
  depends_on = [aws_launch_template.worker]
}

data "aws_vpc_endpoint_service" "s3" {
  service      = "s3"
  service_type = "Gateway"
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.lab.id
  service_name    = data.aws_vpc_endpoint_service.s3.service_name
  route_table_ids = var.owner == "one" ? [aws_route_table.lab.id] : [aws_route_table.lab.id, aws_vpc.lab.main_route_table_id]
  tags            = { Name = "s3" }
}

resource "aws_vpc_endpoint" "ssm" {
  vpc_id              = aws_vpc.lab.id
  service_name        = "com.amazonaws.us-east-1.ssm"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.owner == "one" ? [aws_subnet.a.id] : [aws_subnet.a.id, aws_subnet.b.id]
  security_group_ids  = [aws_security_group.service.id]
  private_dns_enabled = true
  tags                = { Name = "ssm" }
}

# The data sources that find nothing.
data "aws_vpn_gateway" "none" {
  count = length(data.aws_ec2_transit_gateway_attachments.none.ids)
}

data "aws_ec2_transit_gateway_attachments" "none" {
  filter {
    name   = "resource-type"
    values = ["vpn"]
  }
}

data "aws_ec2_local_gateways" "none" {}
