# Written by `make generate` from the parameters and outputs of template.yaml; do not edit.

output "function_arn" {
  description = "The ARN for an API's authorizer"
  value       = aws_cloudformation_stack.this.outputs["FunctionArn"]
}

output "authorizer_uri" {
  description = "The same ARN in the form of AuthorizerUri, for API Gateway's own resources"
  value       = aws_cloudformation_stack.this.outputs["AuthorizerUri"]
}

output "function_name" {
  description = "For commands and the console"
  value       = aws_cloudformation_stack.this.outputs["FunctionName"]
}

output "service" {
  description = "The dimension `service` in this deployment's metrics"
  value       = aws_cloudformation_stack.this.outputs["Service"]
}

output "dashboard_url" {
  description = "Decisions, error codes, keys, alarms"
  value       = try(aws_cloudformation_stack.this.outputs["DashboardUrl"], null)
}

output "log_group" {
  description = "The log group with a line for each decision"
  value       = aws_cloudformation_stack.this.outputs["LogGroup"]
}

output "rest_api_auth" {
  description = "Paste under the Properties of an AWS::Serverless::Api"
  value       = aws_cloudformation_stack.this.outputs["RestApiAuth"]
}

output "http_api_auth" {
  description = "Paste under the Properties of an AWS::Serverless::HttpApi"
  value       = aws_cloudformation_stack.this.outputs["HttpApiAuth"]
}

output "revoker_name" {
  description = "For `jwt-authorizer revoke --function`"
  value       = try(aws_cloudformation_stack.this.outputs["RevokerName"], null)
}

output "logout_url" {
  description = "The backchannel_logout_uri"
  value       = try(aws_cloudformation_stack.this.outputs["LogoutUrl"], null)
}

output "refresher_name" {
  description = "Invoke it once after the first deployment instead of waiting for its schedule"
  value       = try(aws_cloudformation_stack.this.outputs["RefresherName"], null)
}
