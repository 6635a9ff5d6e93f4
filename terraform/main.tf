# The JWT authorizer as a CloudFormation stack of its template: the function, its role and log, alarms, dashboard, and
# what the variables turn on. A release has this module with template.yaml and the package jwt-authorizer.zip beside it.

terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "name" {
  description = "The name of the stack. Unless service_name is given, also the service in log lines and metrics."
  type        = string
  default     = "jwt-authorizer"
}

variable "bucket" {
  description = "The name of an S3 bucket in the stack's region, for the package and the template. Both are kept under jwt-authorizer/."
  type        = string
}

variable "tags" {
  description = "Tags of the stack, which CloudFormation gives to its resources."
  type        = map(string)
  default     = {}
}

data "aws_s3_bucket" "this" {
  bucket = var.bucket
}

locals {
  package     = "${path.module}/jwt-authorizer.zip"
  package_key = "jwt-authorizer/${filesha256(local.package)}.zip"
  template    = replace(file("${path.module}/template.yaml"), "./jwt-authorizer.zip", "s3://${var.bucket}/${local.package_key}")
}

# Keys are of the content: a change is a new object, and with it an update of the stack.
resource "aws_s3_object" "package" {
  bucket = var.bucket
  key    = local.package_key
  source = local.package

  # The old object is deleted after the stack has moved to the new one: CloudFormation reads it until then.
  lifecycle {
    create_before_destroy = true
  }
}

# In a bucket, since CloudFormation takes at most 51,200 bytes of a template by itself.
resource "aws_s3_object" "template" {
  bucket  = var.bucket
  key     = "jwt-authorizer/${sha256(local.template)}.yaml"
  content = local.template

  # The old object is deleted after the stack has moved to the new one: CloudFormation reads it until then.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  template_url = "https://${data.aws_s3_bucket.this.bucket_regional_domain_name}/${aws_s3_object.template.key}"
  # Whether a value is given is no secret; taken for one, it would hide all parameters in each plan.
  parameters   = { for name, value in local.parameters : name => value if nonsensitive(sensitive(value) != null) }
  capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
  tags         = var.tags

  depends_on = [aws_s3_object.package]
}
