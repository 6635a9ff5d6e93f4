# The authorizer before an existing REST API and an existing HTTP API.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

variable "name" {
  description = "What the function is called, in its log lines and metrics too."
  type        = string
  default     = "apis-jwt-authorizer"
}

variable "package" {
  description = "The zip of a release for arm64."
  type        = string
}

variable "settings" {
  description = "See README.md."
  type        = map(string)
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
  source     = "./jwt_authorizer"
  name       = var.name
  package    = var.package
  settings   = var.settings
  snap_start = var.snap_start
}

resource "aws_api_gateway_authorizer" "jwt" {
  rest_api_id                      = var.rest_api_id
  name                             = "jwt"
  type                             = "REQUEST"
  authorizer_uri                   = module.jwt.invoke_arn
  identity_source                  = "method.request.header.Authorization"
  authorizer_result_ttl_in_seconds = 300
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  api_id                            = var.http_api_id
  name                              = "jwt"
  authorizer_type                   = "REQUEST"
  authorizer_uri                    = module.jwt.invoke_arn
  authorizer_payload_format_version = "2.0"
  enable_simple_responses           = true
  identity_sources                  = ["$request.header.Authorization", "$context.routeKey"]
  authorizer_result_ttl_in_seconds  = 300
}

# These authorizers may call the function, and nobody else.
resource "aws_lambda_permission" "api" {
  for_each = {
    rest = "${local.apis}:${var.rest_api_id}/authorizers/${aws_api_gateway_authorizer.jwt.id}"
    http = "${local.apis}:${var.http_api_id}/authorizers/${aws_apigatewayv2_authorizer.jwt.id}"
  }
  action        = "lambda:InvokeFunction"
  function_name = module.jwt.function_name
  qualifier     = module.jwt.qualifier
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
