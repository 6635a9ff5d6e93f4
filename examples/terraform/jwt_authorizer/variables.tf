variable "name" {
  description = "What the function is called, another one for each in an account and region."
  type        = string
}

variable "package" {
  description = "The zip of a release for the architecture."
  type        = string
}

variable "architecture" {
  description = "What the package is for: arm64 or x86_64."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "settings" {
  description = "The settings of the README by their names in lower case, without JWT_. Lists are comma-separated; required_claims is JSON."
  type        = map(string)

  validation {
    condition = length(setsubtract(keys(var.settings), [
      # make generate: settings
      "issuer",
      "audience",
      "client_id",
      "any_audience",
      "jwks",
      "tenants",
      "tenant_claim",
      "algorithms",
      "leeway_seconds",
      "max_lifetime_seconds",
      "token_types",
      "required_claims",
      "required_scopes",
      "scope_claims",
      "principal_claim",
      "token_source",
      "context_claims",
      "usage_key_claim",
      "introspection",
      "introspect",
      "introspection_client_id",
      "introspection_secret",
      "introspection_auth",
      "introspection_cache_seconds",
      "bound_tokens",
      "require_bound_tokens",
      "dpop_urls",
      "dpop_max_age_seconds",
      "dpop_replay",
      "hook",
      "resource_metadata",
      "cached_by",
      "end_with_token",
      "http_api_response",
      "http_api_reject",
      "jwks_ttl_seconds",
      "jwks_max_stale_seconds",
      "jwks_cooldown_seconds",
      "http_timeout_seconds",
      "token_cache_size",
      "allow_http",
      "log_allowed",
      "log_principal",
      "log_principal_key",
      "revoked",
      "revoked_ttl_seconds",
      "revoked_max_stale_seconds",
      "config",
      # end
    ])) == 0
    error_message = "One of these is no setting of the authorizer: ${join(", ", keys(var.settings))}."
  }
}

variable "memory_size" {
  description = "In MB. CPU comes with it."
  type        = number
  default     = 1024
}

variable "log_retention_days" {
  description = "How long the log keeps its lines."
  type        = number
  default     = 30
}

variable "snap_start" {
  description = "Start from a snapshot. APIs then name the alias, as the outputs do."
  type        = bool
  default     = false
}

variable "readable_parameters" {
  description = "ARNs of what ssm: settings name."
  type        = list(string)
  default     = []
}

variable "readable_objects" {
  description = "ARNs of what s3:// settings name."
  type        = list(string)
  default     = []
}

variable "service_name" {
  description = "What log lines and metrics call this deployment. By default the function's name."
  type        = string
  default     = ""
}
