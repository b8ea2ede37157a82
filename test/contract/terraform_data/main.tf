# Terraform's data sources of instance types, regions and zones: modules choose
# by them what to launch and where. Each says what it must have found.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.0" }
  }
}

variable "endpoint" {
  type = string
}

provider "aws" {
  region = "us-east-1"
  endpoints {
    ec2 = var.endpoint
    sts = var.endpoint
  }
}

# One type of each kind of hardware.
data "aws_ec2_instance_type" "each" {
  for_each = toset([
    "t3.medium", "m5.large", "c7a.large", "m7g.xlarge", "i3.large", "d3.xlarge", "p4d.24xlarge", "f2.6xlarge", "inf1.xlarge", "trn1.2xlarge",
    "c6in.24xlarge", "m8i.large", "t2.micro", "m1.small", "mac1.metal", "u7i-12tb.224xlarge",
  ])
  instance_type = each.key
}

locals {
  t3  = data.aws_ec2_instance_type.each["t3.medium"]
  p4d = data.aws_ec2_instance_type.each["p4d.24xlarge"]
  i3  = data.aws_ec2_instance_type.each["i3.large"]
}

output "types" {
  value = length(data.aws_ec2_instance_type.each)
  precondition {
    condition = (local.t3.ebs_optimized_support == "default" && local.t3.ebs_nvme_support == "required" &&
      local.t3.ebs_performance_maximum_iops == 11800 && local.t3.maximum_network_interfaces == 3 &&
      local.t3.default_cores == 1 && local.t3.default_threads_per_core == 2 && local.t3.burstable_performance_supported &&
    contains(local.t3.supported_placement_strategies, "spread"))
    error_message = "t3.medium is ${jsonencode(local.t3)}"
  }
  precondition {
    condition     = one(local.p4d.gpus).name == "A100" && one(local.p4d.gpus).count == 8 && local.p4d.maximum_network_cards == 4
    error_message = "p4d.24xlarge is ${jsonencode(local.p4d)}"
  }
  precondition {
    condition     = local.i3.total_instance_storage == 475 && one(local.i3.instance_disks).type == "ssd"
    error_message = "i3.large is ${jsonencode(local.i3)}"
  }
}

# What a module asks for that wants small machines of today.
data "aws_ec2_instance_types" "small" {
  filter {
    name   = "current-generation"
    values = ["true"]
  }
  filter {
    name   = "processor-info.supported-architecture"
    values = ["arm64"]
  }
  filter {
    name   = "memory-info.size-in-mib"
    values = ["2048"]
  }
  filter {
    name   = "ebs-info.ebs-optimized-support"
    values = ["default"]
  }
  filter {
    name   = "supported-boot-mode"
    values = ["uefi"]
  }
}

output "small" {
  value = data.aws_ec2_instance_types.small.instance_types
  precondition {
    condition = (contains(data.aws_ec2_instance_types.small.instance_types, "t4g.small") &&
    !contains(data.aws_ec2_instance_types.small.instance_types, "t3.small"))
    error_message = "found ${jsonencode(data.aws_ec2_instance_types.small.instance_types)}"
  }
}

data "aws_ec2_instance_types" "all" {}

data "aws_ec2_instance_type_offerings" "zonal" {
  location_type = "availability-zone"
  filter {
    name   = "instance-type"
    values = ["t3.medium", "m5.*"]
  }
  filter {
    name   = "location"
    values = ["us-east-1a"]
  }
}

data "aws_ec2_instance_type_offering" "preferred" {
  preferred_instance_types = ["nonesuch.large", "m7g.large", "t3.medium"]
  filter {
    name   = "instance-type"
    values = ["t3.medium", "m7g.large"]
  }
}

output "offerings" {
  value = length(data.aws_ec2_instance_type_offerings.zonal.instance_types)
  precondition {
    condition = (contains(data.aws_ec2_instance_type_offerings.zonal.instance_types, "m5.large") &&
    alltrue([for l in data.aws_ec2_instance_type_offerings.zonal.locations : l == "us-east-1a"]))
    error_message = "found ${jsonencode(data.aws_ec2_instance_type_offerings.zonal)}"
  }
  precondition {
    condition     = data.aws_ec2_instance_type_offering.preferred.instance_type == "m7g.large"
    error_message = "preferred ${data.aws_ec2_instance_type_offering.preferred.instance_type}"
  }
  precondition {
    condition     = length(data.aws_ec2_instance_types.all.instance_types) > 1000
    error_message = "there are ${length(data.aws_ec2_instance_types.all.instance_types)} types"
  }
}

data "aws_regions" "enabled" {}

data "aws_regions" "to_enable" {
  all_regions = true
  filter {
    name   = "opt-in-status"
    values = ["opted-in", "not-opted-in"]
  }
}

data "aws_region" "here" {}

data "aws_availability_zones" "here" {
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

data "aws_availability_zone" "first" {
  name = data.aws_availability_zones.here.names[0]
}

output "places" {
  value = { regions = length(data.aws_regions.enabled.names), zones = length(data.aws_availability_zones.here.names) }
  precondition {
    condition     = contains(data.aws_regions.enabled.names, "us-east-1") && contains(data.aws_regions.enabled.names, "af-south-1")
    error_message = "regions ${jsonencode(data.aws_regions.enabled.names)}"
  }
  precondition {
    condition = (contains(data.aws_regions.to_enable.names, "eu-south-1") &&
    !contains(data.aws_regions.to_enable.names, "us-east-1"))
    error_message = "regions to enable ${jsonencode(data.aws_regions.to_enable.names)}"
  }
  precondition {
    condition = (length(data.aws_availability_zones.here.names) == 6 &&
      data.aws_availability_zone.first.zone_id == data.aws_availability_zones.here.zone_ids[0] &&
    data.aws_availability_zone.first.region == data.aws_region.here.id)
    error_message = "zones ${jsonencode(data.aws_availability_zones.here)}, the first ${jsonencode(data.aws_availability_zone.first)}"
  }
}
