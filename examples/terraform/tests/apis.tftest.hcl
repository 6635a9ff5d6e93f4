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
  name = "orders-jwt"
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
    condition = alltrue([for each in aws_lambda_permission.api :
      each.principal == "apigateway.amazonaws.com" && each.action == "lambda:InvokeFunction"
      && each.function_name == "orders-jwt" && each.qualifier == null
    ])
    error_message = "API Gateway may invoke the function, and do nothing else to it."
  }
  assert {
    condition     = aws_api_gateway_authorizer.jwt.authorizer_uri == "arn:function" && aws_apigatewayv2_authorizer.jwt.authorizer_uri == "arn:function"
    error_message = "Without SnapStart, APIs name the function."
  }
  assert {
    condition     = output.service == "orders-jwt"
    error_message = "Metrics have the function's name."
  }
}

# By anything that two callers share, one caller's answer would be given to the other.
run "answers_are_cached_by_the_token" {
  assert {
    condition     = aws_api_gateway_authorizer.jwt.type == "REQUEST" && aws_api_gateway_authorizer.jwt.identity_source == "method.request.header.Authorization"
    error_message = "The REST API caches by the token."
  }
  assert {
    condition     = aws_apigatewayv2_authorizer.jwt.identity_sources == tolist(["$request.header.Authorization", "$context.routeKey"])
    error_message = "The HTTP API caches by the token, for each route anew."
  }
  assert {
    condition = (
      aws_apigatewayv2_authorizer.jwt.authorizer_type == "REQUEST" && aws_apigatewayv2_authorizer.jwt.enable_simple_responses
      && aws_apigatewayv2_authorizer.jwt.authorizer_payload_format_version == "2.0"
    )
    error_message = "The HTTP API understands what the function answers by default."
  }
}

run "with_snap_start_apis_call_the_alias_and_may" {
  variables {
    snap_start = true
  }
  assert {
    condition     = aws_api_gateway_authorizer.jwt.authorizer_uri == "arn:function:live" && aws_apigatewayv2_authorizer.jwt.authorizer_uri == "arn:function:live"
    error_message = "APIs name the alias."
  }
  assert {
    condition     = alltrue([for each in aws_lambda_permission.api : each.qualifier == "live" && each.function_name == "orders-jwt"])
    error_message = "A permission for the function itself is none for its alias: every request would end with 500."
  }
}

run "settings_become_variables" {
  module {
    source = "./jwt_authorizer"
  }
  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      JWT_ISSUER              = "https://myapp.authgear.cloud"
      JWT_AUDIENCE            = "https://myapp.authgear.cloud"
      JWT_REQUIRED_CLAIMS     = "{\"hd\": \"example.com\"}"
      JWT_ALLOW_HTTP          = "false"
      POWERTOOLS_SERVICE_NAME = "orders-jwt"
    })
    error_message = "Each setting is a variable, and so is the name in the metrics."
  }
  assert {
    condition     = length(aws_lambda_alias.live) == 0
    error_message = "Without SnapStart there is no alias."
  }
}

run "metrics_can_have_a_name_of_their_own" {
  module {
    source = "./jwt_authorizer"
  }
  variables {
    service_name = "orders"
  }
  assert {
    condition     = aws_lambda_function.this.environment[0].variables["POWERTOOLS_SERVICE_NAME"] == "orders" && output.service == "orders"
    error_message = "Metrics have the name that they are given."
  }
}

run "the_log_is_the_functions_own_and_does_not_grow_for_ever" {
  module {
    source = "./jwt_authorizer"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "Unless told otherwise, a line is kept for 30 days."
  }
  assert {
    condition     = aws_lambda_function.this.logging_config[0].log_group == aws_cloudwatch_log_group.this.name && aws_lambda_function.this.logging_config[0].log_format == "Text"
    error_message = "It writes to the log that the role lets it write to, lines that CloudWatch reads metrics from."
  }
}

run "the_role_may_write_its_log_and_read_what_it_is_given" {
  module {
    source = "./jwt_authorizer"
  }
  variables {
    readable_parameters = ["arn:aws-us-gov:ssm:us-gov-west-1:123456789012:parameter/jwt/rules"]
    readable_objects    = ["arn:aws-us-gov:s3:::jwt/jwks.json"]
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
      {
        Effect   = "Allow"
        Action   = ["s3:GetObject"]
        Resource = ["arn:aws-us-gov:s3:::jwt/jwks.json"]
      },
    ]
    error_message = "Its own log, and the parameters and objects that it is given."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Lambda, and nobody else, takes the role."
  }
}

run "the_role_may_read_nothing_unless_it_is_told_what" {
  module {
    source = "./jwt_authorizer"
  }
  assert {
    condition     = [for each in jsondecode(aws_iam_role_policy.this.policy).Statement : each.Action] == [["logs:CreateLogStream", "logs:PutLogEvents"]]
    error_message = "Its own log."
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
