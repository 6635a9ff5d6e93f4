# The JWT authorizer: the function, its log, its role. Whoever uses it attaches it to APIs and lets these call it.

terraform {
  required_version = ">= 1.9"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

locals {
  service = var.service_name == "" ? var.name : var.service_name
  readable = [
    { actions = ["ssm:GetParameter"], resources = var.readable_parameters },
    { actions = ["s3:GetObject"], resources = var.readable_objects },
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name_prefix = "${var.name}-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

# Its own log, and what the settings name.
resource "aws_iam_role_policy" "this" {
  name = "jwt-authorizer"
  role = aws_iam_role.this.name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      }],
      [for each in local.readable : {
        Effect   = "Allow"
        Action   = each.actions
        Resource = each.resources
      } if length(each.resources) > 0],
    )
  })
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = "Verifies JSON Web Tokens for API Gateway"
  filename         = var.package
  source_code_hash = filebase64sha256(var.package)
  handler          = "jwt_authorizer.handler.lambda_handler"
  runtime          = "python3.13"
  architectures    = [var.architecture]
  memory_size      = var.memory_size
  # Above the time of two fetches (discovery, keys): a function that is cut off can't say why.
  timeout = 10
  role    = aws_iam_role.this.arn
  # Snapshots are of published versions. Terraform publishes one when a setting's value changes as well.
  publish = var.snap_start

  environment {
    variables = merge(
      { for name, value in var.settings : "JWT_${upper(name)}" => value },
      { POWERTOOLS_SERVICE_NAME = local.service },
    )
  }

  # "Text" leaves the function's own lines as they are, which CloudWatch reads metrics from.
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  dynamic "snap_start" {
    for_each = var.snap_start ? ["PublishedVersions"] : []
    content {
      apply_on = snap_start.value
    }
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_lambda_alias" "live" {
  count            = var.snap_start ? 1 : 0
  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}
