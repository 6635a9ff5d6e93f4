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
  mock_data "aws_s3_bucket" {
    defaults = { bucket_regional_domain_name = "deployments.s3.us-gov-west-1.amazonaws.com" }
  }
  mock_resource "aws_api_gateway_authorizer" {
    defaults = { id = "rest12" }
  }
  mock_resource "aws_apigatewayv2_authorizer" {
    defaults = { id = "http34" }
  }
  mock_resource "aws_cloudformation_stack" {
    defaults = {
      outputs = {
        FunctionArn   = "arn:function:live"
        AuthorizerUri = "arn:uri:live"
        FunctionName  = "function"
        Service       = "apis-jwt-authorizer"
        LogGroup      = "/aws/lambda/function"
        RestApiAuth   = "Auth: {}"
        HttpApiAuth   = "Auth: {}"
      }
    }
  }
}

variables {
  bucket      = "deployments"
  rest_api_id = "abcdef1234"
  http_api_id = "ghijkl5678"
  issuer      = "https://myapp.authgear.cloud"
  audience    = ["https://myapp.authgear.cloud", "https://api.example.com"]
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
      && each.function_name == "arn:function:live"
    ])
    error_message = "API Gateway may invoke what the stack's outputs name, the alias if there is one."
  }
  assert {
    condition     = aws_api_gateway_authorizer.jwt.authorizer_uri == "arn:uri:live" && aws_apigatewayv2_authorizer.jwt.authorizer_uri == "arn:uri:live"
    error_message = "APIs call what the stack's outputs name."
  }
  assert {
    condition     = output.service == "apis-jwt-authorizer"
    error_message = "Metrics have the stack's name."
  }
}

# If keyed by what two callers share, one caller's cached answer would be replayed to the other.
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

run "variables_become_the_templates_parameters" {
  module {
    source = "./jwt-authorizer"
  }
  variables {
    any_audience        = false
    leeway_seconds      = 1.5
    required_claims     = { hd = ["example.com", "example.org"] }
    context_claims      = { email = "email", role = "/app/role" }
    alarms              = false
    log_principal       = "hash"
    log_principal_key   = "a key of 16 characters"
    readable_parameters = ["arn:aws:ssm:us-east-1:123456789012:parameter/a", "arn:aws:ssm:us-east-1:123456789012:parameter/b"]
  }
  assert {
    condition = { for name, value in aws_cloudformation_stack.this.parameters : name => value if contains([
      "JwtIssuer", "JwtAudience", "JwtAnyAudience", "JwtLeewaySeconds", "JwtRequiredClaims", "JwtContextClaims", "JwtClientId",
      "Alarms", "Dashboard", "MemorySize", "ReadableParameters", "ReservedConcurrency",
      ], name) } == {
      JwtIssuer          = "https://myapp.authgear.cloud"
      JwtAudience        = "https://myapp.authgear.cloud,https://api.example.com"
      JwtAnyAudience     = "false"
      JwtLeewaySeconds   = "1.5"
      JwtRequiredClaims  = "{\"hd\":[\"example.com\",\"example.org\"]}"
      JwtContextClaims   = "email=email,role=/app/role"
      Alarms             = "off"
      Dashboard          = "on"
      MemorySize         = "1024"
      ReadableParameters = "arn:aws:ssm:us-east-1:123456789012:parameter/a,arn:aws:ssm:us-east-1:123456789012:parameter/b"
    }
    error_message = "Each variable is the parameter of its name, as text; one that is null is left out."
  }
  assert {
    condition     = aws_cloudformation_stack.this.template_url == "https://deployments.s3.us-gov-west-1.amazonaws.com/${aws_s3_object.template.key}"
    error_message = "CloudFormation reads the template that was uploaded."
  }
  assert {
    condition     = strcontains(aws_s3_object.template.content, "CodeUri: s3://deployments/${aws_s3_object.package.key}\n") && !strcontains(aws_s3_object.template.content, "./jwt-authorizer.zip")
    error_message = "Each function's code is the package that was uploaded."
  }
  assert {
    condition     = toset(aws_cloudformation_stack.this.capabilities) == toset(["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
    error_message = "The stack makes roles, and its template has a transform."
  }
  assert {
    condition     = output.function_arn == "arn:function:live" && output.refresher_name == null
    error_message = "Outputs are the template's; one whose condition does not hold is null."
  }
}

run "values_that_the_template_would_refuse_fail_at_plan" {
  command = plan
  module {
    source = "./jwt-authorizer"
  }
  variables {
    introspect         = "sometimes"
    memory_size        = 64
    log_retention_days = 2
    alarm_topic_arn    = "topic"
    readable_objects   = ["arn:aws:s3:::rules/*"]
    leeway_seconds     = -1
  }
  expect_failures = [
    var.introspect, var.memory_size, var.log_retention_days, var.alarm_topic_arn, var.readable_objects, var.leeway_seconds,
  ]
}
