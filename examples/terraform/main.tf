# The authorizer for an existing REST API and an existing HTTP API.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "bucket" {
  description = "An S3 bucket for the package and the template."
  type        = string
}

variable "issuer" {
  description = "The iss of your tokens."
  type        = string
}

variable "audience" {
  description = "The aud values that mean your APIs."
  type        = list(string)
}

variable "snap_start" {
  description = "Start from a snapshot."
  type        = bool
  default     = false
}

variable "rest_api_id" {
  type = string
}

variable "http_api_id" {
  type = string
}

data "aws_partition" "current" {}
data "aws_region" "current" {}
data "aws_caller_identity" "current" {}

locals {
  apis = join(":", [
    "arn", data.aws_partition.current.partition, "execute-api",
    data.aws_region.current.region, data.aws_caller_identity.current.account_id,
  ])
}

module "jwt" {
  # From a release: jwt-authorizer-…-terraform.zip, unpacked.
  source     = "./jwt-authorizer"
  name       = "apis-jwt-authorizer"
  bucket     = var.bucket
  issuer     = var.issuer
  audience   = var.audience
  snap_start = var.snap_start
  # Only the permissions below exist.
  api_id = "none"
}

resource "aws_api_gateway_authorizer" "jwt" {
  rest_api_id                      = var.rest_api_id
  name                             = "jwt"
  type                             = "REQUEST"
  authorizer_uri                   = module.jwt.authorizer_uri
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = 300
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id                            = var.http_api_id
  name                              = "jwt"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = module.jwt.authorizer_uri
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.Authorization", "$context.routeKey"]
  authorizer_result_ttl_in_seconds  = 300
}

# Only these authorizers may call the function.
resource "aws_lambda_permission" "api" {
  for_each = {
    rest = "${local.apis}:${var.rest_api_id}/authorizers/${aws_api_gateway_authorizer.jwt.id}"
    http = "${local.apis}:${var.http_api_id}/authorizers/${aws_apigatewayv2_authorizer.jwt.id}"
  }
  action        = "lambda:InvokeFunction"
  function_name = module.jwt.function_arn
  principal     = "apigateway.amazonaws.com"
  source_arn    = each.value
}

output "rest_authorizer_id" {
  description = "authorizer_id of each aws_api_gateway_method, with authorization = \"CUSTOM\"."
  value       = aws_api_gateway_authorizer.jwt.id
}

output "http_authorizer_id" {
  description = "authorizer_id of each aws_apigatewayv2_route, with authorization_type = \"CUSTOM\"."
  value       = aws_apigatewayv2_authorizer.jwt.id
}

output "service" {
  description = "The dimension `service` of its metrics."
  value       = module.jwt.service
}
