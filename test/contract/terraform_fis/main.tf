# Templates of AWS FIS as Terraform writes them: made, changed, deleted.
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
    fis = var.endpoint
    sts = var.endpoint
  }
  default_tags {
    tags = { story = "terraform" }
  }
}

locals {
  role   = "arn:aws:iam::123456789012:role/fis"
  second = var.owner == "two"
}

resource "aws_fis_experiment_template" "zone" {
  description = "a zone is cut off, then an owner loses its power: ${var.owner}"
  role_arn    = local.role
  stop_condition {
    source = "none"
  }
  experiment_options {
    account_targeting            = "single-account"
    empty_target_resolution_mode = local.second ? "skip" : "fail"
  }
  target {
    name           = "zone"
    resource_type  = "aws:ec2:subnet"
    selection_mode = "ALL"
    parameters     = { availabilityZoneIdentifier = "us-east-1a" }
  }
  target {
    name           = "owner"
    resource_type  = "aws:ec2:instance"
    selection_mode = "COUNT(1)"
    resource_tag {
      key   = "Name"
      value = var.owner
    }
    filter {
      path   = "State.Name"
      values = ["running"]
    }
  }
  action {
    name      = "cut"
    action_id = "aws:network:disrupt-connectivity"
    parameter {
      key   = "duration"
      value = local.second ? "PT2M" : "PT1M"
    }
    parameter {
      key   = "scope"
      value = "all"
    }
    target {
      key   = "Subnets"
      value = "zone"
    }
  }
  action {
    name        = "stop"
    description = "as if its host had failed"
    action_id   = "aws:ec2:stop-instances"
    start_after = ["cut"]
    target {
      key   = "Instances"
      value = "owner"
    }
  }
  tags = { Name = "zone" } # others make the provider replace it
}

resource "aws_fis_experiment_template" "latency" {
  description = "an owner answers late"
  role_arn    = local.role
  stop_condition {
    source = "aws:cloudwatch:alarm"
    value  = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:errors"
  }
  log_configuration {
    log_schema_version = 2
    cloudwatch_logs_configuration {
      log_group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:fis:*"
    }
  }
  target {
    name           = "owner"
    resource_type  = "aws:ec2:instance"
    selection_mode = "ALL"
    resource_arns  = ["arn:aws:ec2:us-east-1:123456789012:instance/i-0123456789abcdef0"]
  }
  action {
    name      = "late"
    action_id = "aws:ssm:send-command"
    parameter {
      key   = "duration"
      value = "PT1M"
    }
    parameter {
      key   = "documentArn"
      value = "arn:aws:ssm:us-east-1::document/AWSFIS-Run-Network-Latency"
    }
    parameter {
      key   = "documentParameters"
      value = jsonencode({ DelayMilliseconds = local.second ? "400" : "200", DurationSeconds = "60" })
    }
    target {
      key   = "Instances"
      value = "owner"
    }
  }
}

output "templates" {
  value = [aws_fis_experiment_template.zone.id, aws_fis_experiment_template.latency.id]
}
