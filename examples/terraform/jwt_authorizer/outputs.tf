output "invoke_arn" {
  description = "authorizer_uri of an API's authorizer."
  value       = var.snap_start ? aws_lambda_alias.live[0].invoke_arn : aws_lambda_function.this.invoke_arn
}

output "function_name" {
  description = "For the permission of an API."
  value       = aws_lambda_function.this.function_name
}

output "qualifier" {
  description = "For the permission of an API: the alias, if there is one."
  value       = var.snap_start ? aws_lambda_alias.live[0].name : null
}

output "log_group" {
  description = "Where each decision and its reason are written down."
  value       = aws_cloudwatch_log_group.this.name
}

output "service" {
  description = "The dimension `service` of this deployment's metrics."
  value       = local.service
}
