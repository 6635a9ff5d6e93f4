# `terraform init && terraform test`: needs no account, since the provider is a mock.

mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws-us-gov" }
  }
  mock_data "aws_region" {
    defaults = { region = "us-gov-west-1" }
  }
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/aws/lambda/jwt-authorizer" }
  }
  mock_resource "aws_api_gateway_authorizer" {
    defaults = { id = "rest12" }
  }
  mock_resource "aws_apigatewayv2_authorizer" {
    defaults = { id = "http34" }
  }
  mock_resource "aws_lambda_function" {
    defaults = { invoke_arn = "arn:function", version = "7" }
  }
  mock_resource "aws_lambda_alias" {
    defaults = { invoke_arn = "arn:function:live" }
  }
}

variables {
  # Any file will do, nothing is uploaded.
  package     = "README.md"
  rest_api_id = "abcdef1234"
  http_api_id = "ghijkl5678"
  settings = {
    issuer          = "https://myapp.authgear.cloud"
    audience        = "https://myapp.authgear.cloud"
    required_claims = "{\"hd\": \"example.com\"}"
    allow_http      = false
  }
}

run "authorizers_call_the_function_and_nobody_else_may" {
  assert {
    condition     = aws_lambda_permission.api["rest"].source_arn == "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:abcdef1234/authorizers/rest12"
    error_message = "The REST API's authorizer may call the function."
  }
  assert {
    condition     = aws_lambda_permission.api["http"].source_arn == "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:ghijkl5678/authorizers/http34"
    error_message = "The HTTP API's authorizer may call the function."
  }
  assert {
    condition     = aws_api_gateway_authorizer.jwt.authorizer_uri == "arn:function"
    error_message = "Without SnapStart, APIs name the function."
  }
}

run "settings_become_variables" {
  module {
    source = "./jwt_authorizer"
  }
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      JWT_ISSUER          = "https://myapp.authgear.cloud"
      JWT_AUDIENCE        = "https://myapp.authgear.cloud"
      JWT_REQUIRED_CLAIMS = "{\"hd\": \"example.com\"}"
      JWT_ALLOW_HTTP      = "false"
    })
    error_message = "Each setting is a variable."
  }
  assert {
    condition     = length(aws_lambda_alias.live) == 0
    error_message = "Without SnapStart there is no alias."
  }
}

run "the_role_may_write_its_log_and_read_what_it_is_given" {
  module {
    source = "./jwt_authorizer"
  }
  variables {
    readable_parameters = ["arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/jwt/rules"]
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.this.policy).Statement == [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["arn:aws-us-gov:logs:us-gov-west-1:123456789012:log-group:/aws/lambda/jwt-authorizer:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = ["arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/jwt/rules"]
      },
    ]
    error_message = "Its own log, the parameters that it is given, and no objects."
  }
}

run "with_snap_start_apis_name_the_alias" {
  module {
    source = "./jwt_authorizer"
  }
  variables {
    snap_start = true
  }
  assert {
    condition     = aws_lambda_function.this.snap_start[0].apply_on == "PublishedVersions" && aws_lambda_function.this.publish
    error_message = "Snapshots are of published versions."
  }
  assert {
    condition     = output.invoke_arn == "arn:function:live" && output.qualifier == "live"
    error_message = "The outputs name the alias."
  }
  assert {
    condition     = aws_lambda_alias.live[0].function_version == "7"
    error_message = "The alias stands for the version that was published."
  }
}

run "a_misspelt_setting_is_refused" {
  command = plan
  module {
    source = "./jwt_authorizer"
  }
  variables {
    settings = { isuer = "https://myapp.authgear.cloud" }
  }
  expect_failures = [var.settings]
}
