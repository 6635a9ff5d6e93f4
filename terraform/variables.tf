# Written by `make generate` from the parameters and outputs of template.yaml; do not edit.

variable "issuer" {
  description = "The exact `iss` of your tokens, trailing slash included. Keys are found through its discovery document."
  type        = string
  default     = null
}

variable "audience" {
  description = "The `aud` values that mean your API, comma-separated. A token must have one of them. Default: required, or JWT_CLIENT_ID, or JWT_ANY_AUDIENCE."
  type        = list(string)
  default     = null
}

variable "client_id" {
  description = "Clients that may call, comma-separated: the claim `client_id`, else `azp`. With an audience as well, both must match."
  type        = list(string)
  default     = null
}

variable "any_audience" {
  description = "`true`: accept every token of this issuer, whatever its audience and client. Only for an issuer, or a key set, that serves no other API: Clerk and WorkOS have one for each application. Not together with an audience or a client. Default: false."
  type        = bool
  default     = null
}

variable "jwks" {
  description = "Another source of keys: an `https://` URL, `file:PATH` in the package, `ssm:/name`, `s3://bucket/key`, or the JSON key set. In the document of `JWT_CONFIG` also a list of these: a token may be signed by a key of any of them. Default: from discovery."
  type        = string
  default     = null
}

variable "tenants" {
  description = "With `{tenant}` in the issuer, the tenants that may call: comma-separated; a document that lists them, one a line (`file:`, `ssm:`, `s3://`); or `any`."
  type        = list(string)
  default     = null
}

variable "tenant_claim" {
  description = "A claim that must equal the tenant in `iss` (`tid` with Entra ID)."
  type        = string
  default     = null
}

variable "algorithms" {
  description = "Accepted `alg` values, comma-separated. `none` and `HS*` are never accepted. `EdDSA` includes `Ed25519`. `ML-DSA-44`, `ML-DSA-65` and `ML-DSA-87` (RFC 9964) are accepted if they are listed. Default: RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA."
  type        = list(string)
  default     = null
}

variable "leeway_seconds" {
  description = "Clock skew allowed for `exp`, `nbf` and `iat`, in seconds. Default: 60."
  type        = number
  default     = null

  validation {
    condition     = var.leeway_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.leeway_seconds)))
    error_message = "leeway_seconds must match [0-9.]*."
  }
}

variable "max_lifetime_seconds" {
  description = "Reject tokens with a longer lifetime (`exp - iat`) than this, in seconds."
  type        = number
  default     = null

  validation {
    condition     = var.max_lifetime_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.max_lifetime_seconds)))
    error_message = "max_lifetime_seconds must match [0-9.]*."
  }
}

variable "token_types" {
  description = "Accepted values of the header `typ`, comma-separated, such as `at+jwt`. Case does not matter."
  type        = list(string)
  default     = null
}

variable "required_claims" {
  description = "JSON object of claims and what each must hold: a value, one of a list, or `any`, `all` and `like`; else 401 (an HTTP API: 403). A name that begins with `/` is a JSON Pointer to a nested claim: `/realm_access/roles`."
  type        = any
  default     = null
}

variable "required_scopes" {
  description = "Scopes that every request needs, separated by commas or spaces; else 403."
  type        = list(string)
  default     = null
}

variable "scope_claims" {
  description = "The claims whose values are the token's scopes, comma-separated: `scope,/realm_access/roles`. A string is split at spaces; a list's items and an object's member names count. Default: scope,scp."
  type        = list(string)
  default     = null
}

variable "principal_claim" {
  description = "The claim that becomes `principalId`; of several, comma-separated, the first that is a non-empty string or an integer: `sub,client_id`. A token without any is rejected. Default: sub."
  type        = list(string)
  default     = null
}

variable "token_source" {
  description = "Where the token is, first match wins, comma-separated: `header:NAME`, `cookie:NAME`, `query:NAME`. `Bearer` is required in `Authorization`, optional in other headers. Of the values of `Sec-WebSocket-Protocol`, which browsers can set, the last is the token. Default: header:Authorization."
  type        = list(string)
  default     = null
}

variable "context_claims" {
  description = "Claims that the backend gets under a key of their own, comma-separated, `key=claim` to rename: `email,is_verified=https://authgear.com/claims/user/is_verified`. A JSON Pointer to a nested claim needs a key: `role=/app/role`."
  type        = map(string)
  default     = null
}

variable "usage_key_claim" {
  description = "The claim that becomes `usageIdentifierKey`, for REST usage plans with `apiKeySource: AUTHORIZER`."
  type        = string
  default     = null
}

variable "introspection" {
  description = "Where to ask about tokens that are not JWTs: `discovery`, or the `https://` URL of the introspection endpoint. See opaque tokens."
  type        = string
  default     = null
}

variable "introspect" {
  description = "`always`: ask about JWTs as well, so that a revoked one is rejected. Default: opaque."
  type        = string
  default     = null

  validation {
    condition     = var.introspect == null ? true : contains(["opaque", "always"], var.introspect)
    error_message = "introspect must be one of opaque, always."
  }
}

variable "introspection_client_id" {
  description = "This API's own client id at the issuer, for introspection."
  type        = string
  default     = null
}

variable "introspection_secret" {
  description = "Location of the client's secret: `ssm:/name` or `secretsmanager:NAME`; for `private_key_jwt` its private key, a JWK or PEM."
  type        = string
  default     = null
}

variable "introspection_auth" {
  description = "How this API authenticates there: `client_secret_basic`, `client_secret_post` or `private_key_jwt`. Default: client_secret_basic."
  type        = string
  default     = null

  validation {
    condition     = var.introspection_auth == null ? true : contains(["client_secret_basic", "client_secret_post", "private_key_jwt"], var.introspection_auth)
    error_message = "introspection_auth must be one of client_secret_basic, client_secret_post, private_key_jwt."
  }
}

variable "introspection_cache_seconds" {
  description = "How long the answer about an active token is remembered, at most until its `exp`. Default: 60."
  type        = number
  default     = null

  validation {
    condition     = var.introspection_cache_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.introspection_cache_seconds)))
    error_message = "introspection_cache_seconds must match [0-9.]*."
  }
}

variable "bound_tokens" {
  description = "Bound tokens, which have a claim `cnf`: reject them (`refuse`), check `dpop`, `mtls` or both (comma-separated, others are rejected), or `ignore` the binding. Default: refuse."
  type        = string
  default     = null
}

variable "require_bound_tokens" {
  description = "`true`: reject a token without a binding that was checked. Needs `dpop` or `mtls`. Default: false."
  type        = bool
  default     = null
}

variable "dpop_urls" {
  description = "The URLs that clients call, up to the route's path, comma-separated, where they differ from what API Gateway sees: `https://api.example.com/v1`. Default: from the event."
  type        = list(string)
  default     = null
}

variable "dpop_max_age_seconds" {
  description = "Age up to which a DPoP proof is accepted, in seconds, besides the leeway. Default: 60."
  type        = number
  default     = null

  validation {
    condition     = var.dpop_max_age_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.dpop_max_age_seconds)))
    error_message = "dpop_max_age_seconds must match [0-9.]*."
  }
}

variable "dpop_replay" {
  description = "Where used DPoP proofs are remembered: `memory` (each execution environment its own) or `dynamodb:TABLE` (all of them). Default: memory."
  type        = string
  default     = null
}

variable "hook" {
  description = "Your own check: `module:function` in `bundled/`. It may refuse, and add to the context."
  type        = string
  default     = null
}

variable "resource_metadata" {
  description = "The URL of your API's metadata document (RFC 9728), for the challenge in a 401 or 403."
  type        = string
  default     = null
}

variable "cached_by" {
  description = "What API Gateway keys its cache of answers by: `token`, `route` or `nothing`. Default: token."
  type        = string
  default     = null

  validation {
    condition     = var.cached_by == null ? true : contains(["token", "route", "nothing"], var.cached_by)
    error_message = "cached_by must be one of token, route, nothing."
  }
}

variable "end_with_token" {
  description = "`true`: a cached policy ends when its token expires. Test it on your API first. Default: false."
  type        = bool
  default     = null
}

variable "http_api_response" {
  description = "What your HTTP API expects with payload 2.0: `simple` (`EnableSimpleResponses: true`) or `iam`. Default: simple."
  type        = string
  default     = null

  validation {
    condition     = var.http_api_response == null ? true : contains(["simple", "iam"], var.http_api_response)
    error_message = "http_api_response must be one of simple, iam."
  }
}

variable "http_api_reject" {
  description = "A bad token on an HTTP API: `deny` answers 403. `raise` raises `Unauthorized`, which AWS documents as 401 for the other APIs only: test it first. Default: deny."
  type        = string
  default     = null

  validation {
    condition     = var.http_api_reject == null ? true : contains(["deny", "raise"], var.http_api_reject)
    error_message = "http_api_reject must be one of deny, raise."
  }
}

variable "jwks_ttl_seconds" {
  description = "Age at which keys are fetched again, in seconds. The issuer's `Cache-Control: max-age` counts instead, between 60 and 3600. Default: 600."
  type        = number
  default     = null

  validation {
    condition     = var.jwks_ttl_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.jwks_ttl_seconds)))
    error_message = "jwks_ttl_seconds must match [0-9.]*."
  }
}

variable "jwks_max_stale_seconds" {
  description = "How long past that the last good keys are used while fetching fails, in seconds. Default: 3600."
  type        = number
  default     = null

  validation {
    condition     = var.jwks_max_stale_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.jwks_max_stale_seconds)))
    error_message = "jwks_max_stale_seconds must match [0-9.]*."
  }
}

variable "jwks_cooldown_seconds" {
  description = "Shortest time between two fetches for an unknown key, and after a failure, in seconds. Default: 30."
  type        = number
  default     = null

  validation {
    condition     = var.jwks_cooldown_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.jwks_cooldown_seconds)))
    error_message = "jwks_cooldown_seconds must match [0-9.]*."
  }
}

variable "http_timeout_seconds" {
  description = "Time limit of one fetch, in seconds, at most 8. Default: 3."
  type        = number
  default     = null

  validation {
    condition     = var.http_timeout_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.http_timeout_seconds)))
    error_message = "http_timeout_seconds must match [0-9.]*."
  }
}

variable "token_cache_size" {
  description = "Verified tokens that each execution environment remembers; `0` turns it off. Default: 1000."
  type        = number
  default     = null

  validation {
    condition     = var.token_cache_size == null ? true : can(regex("^(?:[0-9]*)$", tostring(var.token_cache_size)))
    error_message = "token_cache_size must match [0-9]*."
  }
}

variable "allow_http" {
  description = "Allow `http://` issuers and key sources. For local work only; the function warns about it when it starts. Default: false."
  type        = bool
  default     = null
}

variable "log_allowed" {
  description = "The log line of an allowed request: `full`, or `metric`: its metrics and the request ids, nothing else. Default: full."
  type        = string
  default     = null

  validation {
    condition     = var.log_allowed == null ? true : contains(["full", "metric"], var.log_allowed)
    error_message = "log_allowed must be one of full, metric."
  }
}

variable "log_principal" {
  description = "The principal's id in the log, which is personal data: `plain`, `hash` (16 hexadecimal digits, the same for the same id), or `none`. Default: plain."
  type        = string
  default     = null

  validation {
    condition     = var.log_principal == null ? true : contains(["plain", "hash", "none"], var.log_principal)
    error_message = "log_principal must be one of plain, hash, none."
  }
}

variable "log_principal_key" {
  description = "The key for `hash`: `ssm:/name`, `secretsmanager:NAME`, or a string of at least 16 characters. Default: required with hash."
  type        = string
  default     = null
  sensitive   = true
}

variable "revoked" {
  description = "A list of revoked tokens: `s3://bucket/key`, `ssm:/name`, `file:PATH`, or an `https://` URL."
  type        = string
  default     = null
}

variable "revoked_ttl_seconds" {
  description = "Age at which the list is read again, in seconds. Default: 60."
  type        = number
  default     = null

  validation {
    condition     = var.revoked_ttl_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.revoked_ttl_seconds)))
    error_message = "revoked_ttl_seconds must match [0-9.]*."
  }
}

variable "revoked_max_stale_seconds" {
  description = "How long the last good list is used past that, in seconds. After that every request is a 500. Default: 600."
  type        = number
  default     = null

  validation {
    condition     = var.revoked_max_stale_seconds == null ? true : can(regex("^(?:[0-9.]*)$", tostring(var.revoked_max_stale_seconds)))
    error_message = "revoked_max_stale_seconds must match [0-9.]*."
  }
}

variable "config" {
  description = "Several issuers, or rules by route: a TOML document, as `file:PATH`, `ssm:/name`, `s3://bucket/key`, or the text itself."
  type        = string
  default     = null
}

variable "memory_size" {
  description = "In MB. CPU grows with it: 1024 costs as much as 512 and starts in half the time (docs/performance.md)."
  type        = number
  default     = 1024

  validation {
    condition     = var.memory_size == null ? true : var.memory_size >= 128
    error_message = "memory_size must be at least 128."
  }

  validation {
    condition     = var.memory_size == null ? true : var.memory_size <= 10240
    error_message = "memory_size must be at most 10240."
  }
}

variable "reserved_concurrency" {
  description = "Execution environments that are reserved for this function from the account's limit, and its maximum. Empty: it shares the account's limit. 0 stops every call."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : can(regex("^(?:[0-9]*)$", tostring(var.reserved_concurrency)))
    error_message = "reserved_concurrency must match [0-9]*."
  }
}

variable "provisioned_concurrency" {
  description = "Execution environments that stay started, so that up to this many requests at once have no cold start. They cost money all the time. Not with SnapStart. APIs must then name the alias, as the outputs do. Empty: none."
  type        = number
  default     = null

  validation {
    condition     = var.provisioned_concurrency == null ? true : can(regex("^(?:([1-9][0-9]*)?)$", tostring(var.provisioned_concurrency)))
    error_message = "provisioned_concurrency must match ([1-9][0-9]*)?."
  }
}

variable "snap_start" {
  description = "Start from snapshots of published versions. APIs must then name the alias, as the outputs do."
  type        = bool
  default     = false
}

variable "gradual_deployment" {
  description = "How a new version replaces the old one, by CodeDeploy's names. An alarm rolls it back. APIs must then name the alias, as the outputs do. AllAtOnce keeps the alias and does not wait."
  type        = string
  default     = "off"

  validation {
    condition     = var.gradual_deployment == null ? true : contains(["off", "AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes", "Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes"], var.gradual_deployment)
    error_message = "gradual_deployment must be one of off, AllAtOnce, Canary10Percent5Minutes, Canary10Percent10Minutes, Canary10Percent15Minutes, Canary10Percent30Minutes, Linear10PercentEvery1Minute, Linear10PercentEvery2Minutes, Linear10PercentEvery3Minutes, Linear10PercentEvery10Minutes."
  }
}

variable "tracing" {
  description = "Send traces of the function to X-Ray, with each call to the issuer and to AWS."
  type        = bool
  default     = false
}

variable "permissions_boundary" {
  description = "ARN of the permissions boundary of each role of the stack. Empty: none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^(?:(arn:[^*?]+)?)$", tostring(var.permissions_boundary)))
    error_message = "permissions_boundary must match (arn:[^*?]+)?."
  }
}

variable "role_path" {
  description = "The path of each role of the stack, such as `/service-roles/`."
  type        = string
  default     = "/"

  validation {
    condition     = var.role_path == null ? true : can(regex("^(?:/([!-~]+/)?)$", tostring(var.role_path)))
    error_message = "role_path must match /([!-~]+/)?."
  }
}

variable "code_signing_config_arn" {
  description = "ARN of a code signing configuration for each function. `sam deploy --signing-profiles` signs the packages. Empty: none."
  type        = string
  default     = null

  validation {
    condition     = var.code_signing_config_arn == null ? true : can(regex("^(?:(arn:[^*?]+)?)$", tostring(var.code_signing_config_arn)))
    error_message = "code_signing_config_arn must match (arn:[^*?]+)?."
  }
}

variable "environment_key_arn" {
  description = "ARN of a KMS key to encrypt the functions' environment with. Its policy must let IAM decide. Empty: Lambda's own key."
  type        = string
  default     = null

  validation {
    condition     = var.environment_key_arn == null ? true : can(regex("^(?:(arn:[^*?]+)?)$", tostring(var.environment_key_arn)))
    error_message = "environment_key_arn must match (arn:[^*?]+)?."
  }
}

variable "api_id" {
  description = "The API whose authorizers may call the function. `*`: every API of this account and region. `none`: only those whose own stacks permit it."
  type        = string
  default     = "*"

  validation {
    condition     = var.api_id == null ? true : can(regex("^(?:\\*|none|[a-z0-9]+)$", tostring(var.api_id)))
    error_message = "api_id must match \\*|none|[a-z0-9]+."
  }
}

variable "api_id_2" {
  description = "A second such API."
  type        = string
  default     = null

  validation {
    condition     = var.api_id_2 == null ? true : can(regex("^(?:[a-z0-9]*)$", tostring(var.api_id_2)))
    error_message = "api_id_2 must match [a-z0-9]*."
  }
}

variable "api_id_3" {
  description = "A third."
  type        = string
  default     = null

  validation {
    condition     = var.api_id_3 == null ? true : can(regex("^(?:[a-z0-9]*)$", tostring(var.api_id_3)))
    error_message = "api_id_3 must match [a-z0-9]*."
  }
}

variable "api_account_id" {
  description = "The account of these APIs, if it is another one (a cross-account authorizer)."
  type        = string
  default     = null

  validation {
    condition     = var.api_account_id == null ? true : can(regex("^(?:([0-9]{12})?)$", tostring(var.api_account_id)))
    error_message = "api_account_id must match ([0-9]{12})?."
  }
}

variable "readable_parameters" {
  description = "ARNs, comma-separated, of the SSM parameters that `ssm:/name` settings name."
  type        = list(string)
  default     = null

  validation {
    condition     = var.readable_parameters == null ? true : can(regex("^(?:(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?)$", join(",", var.readable_parameters)))
    error_message = "readable_parameters must match (arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?."
  }
}

variable "readable_secrets" {
  description = "ARNs, comma-separated, of the secrets that `secretsmanager:NAME` settings name."
  type        = list(string)
  default     = null

  validation {
    condition     = var.readable_secrets == null ? true : can(regex("^(?:(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?)$", join(",", var.readable_secrets)))
    error_message = "readable_secrets must match (arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?."
  }
}

variable "readable_objects" {
  description = "ARNs, comma-separated, of the S3 objects that `s3://bucket/key` settings name."
  type        = list(string)
  default     = null

  validation {
    condition     = var.readable_objects == null ? true : can(regex("^(?:(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?)$", join(",", var.readable_objects)))
    error_message = "readable_objects must match (arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?."
  }
}

variable "readable_keys" {
  description = "ARNs of the KMS keys of your own that encrypt what is named above, comma-separated. The function may decrypt with these, through those services only. The keys' policies must let IAM decide."
  type        = list(string)
  default     = null

  validation {
    condition     = var.readable_keys == null ? true : can(regex("^(?:(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?)$", join(",", var.readable_keys)))
    error_message = "readable_keys must match (arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?."
  }
}

variable "service_name" {
  description = "The name of this deployment in log lines and metrics, unique in an account and region. Empty: the stack's name."
  type        = string
  default     = null

  validation {
    condition     = var.service_name == null ? true : can(regex("^(?:[A-Za-z0-9._-]{0,255})$", tostring(var.service_name)))
    error_message = "service_name must match [A-Za-z0-9._-]{0,255}."
  }
}

variable "log_retention_days" {
  description = "Days for which log lines are kept."
  type        = number
  default     = 30

  validation {
    condition     = var.log_retention_days == null ? true : contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "system_log_level" {
  description = "Let Lambda write its own lines as JSON, from this level on. WARN leaves out START, END and REPORT, which cost as much as a short line of ours. Empty: as plain text."
  type        = string
  default     = null

  validation {
    condition     = var.system_log_level == null ? true : contains(["DEBUG", "INFO", "WARN"], var.system_log_level)
    error_message = "system_log_level must be one of DEBUG, INFO, WARN."
  }
}

variable "log_key_arn" {
  description = "ARN of a KMS key for the log, which CloudWatch Logs may use. Empty: CloudWatch's own."
  type        = string
  default     = null

  validation {
    condition     = var.log_key_arn == null ? true : can(regex("^(?:(arn:[^*?]+)?)$", tostring(var.log_key_arn)))
    error_message = "log_key_arn must match (arn:[^*?]+)?."
  }
}

variable "alarms" {
  description = "Alarms on the metrics. docs/runbook.md has an entry for each."
  type        = bool
  default     = true
}

variable "alarm_topic_arn" {
  description = "ARN of an SNS topic for each alarm and its end. Empty: only CloudWatch shows them."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null ? true : can(regex("^(?:(arn:[^*?]+)?)$", tostring(var.alarm_topic_arn)))
    error_message = "alarm_topic_arn must match (arn:[^*?]+)?."
  }
}

variable "runbook_url" {
  description = "URL of your copy of the runbook. Alarms link to its entries."
  type        = string
  default     = "docs/runbook.md"
}

variable "rejection_band" {
  description = "How many standard deviations rejections may be above what CloudWatch expects at this hour, before RejectionsAlarm. Up to ten in five minutes never raise it."
  type        = number
  default     = 4

  validation {
    condition     = var.rejection_band == null ? true : var.rejection_band >= 1
    error_message = "rejection_band must be at least 1."
  }
}

variable "dashboard" {
  description = "A CloudWatch dashboard of decisions, error codes, keys and the function."
  type        = bool
  default     = true
}

variable "dpop_replay_table" {
  description = "A DynamoDB table that remembers used DPoP proofs for all execution environments: JwtDpopReplay is then this table."
  type        = bool
  default     = false
}

variable "revocation" {
  description = "A bucket with the list of revoked tokens, and the function that writes it (`jwt-authorizer revoke`). JwtRevoked is then this list."
  type        = bool
  default     = false
}

variable "revocation_keep_seconds" {
  description = "How long an entry is kept: at least a token's longest lifetime."
  type        = number
  default     = 86400

  validation {
    condition     = var.revocation_keep_seconds == null ? true : var.revocation_keep_seconds >= 60
    error_message = "revocation_keep_seconds must be at least 60."
  }
}

variable "revocation_apis" {
  description = "Stages whose caches of answers are emptied after a revocation, comma-separated: `rest:ID/STAGE`, `http:ID/STAGE`."
  type        = string
  default     = null

  validation {
    condition     = var.revocation_apis == null ? true : can(regex("^(?:((rest|http):[a-z0-9]+/[A-Za-z0-9_$-]+(,(rest|http):[a-z0-9]+/[A-Za-z0-9_$-]+)*)?)$", tostring(var.revocation_apis)))
    error_message = "revocation_apis must match ((rest|http):[a-z0-9]+/[A-Za-z0-9_$-]+(,(rest|http):[a-z0-9]+/[A-Za-z0-9_$-]+)*)?."
  }
}

variable "revocation_client_ids" {
  description = "Clients whose back-channel logouts are accepted, comma-separated. The output LogoutUrl is their backchannel_logout_uri. Empty: none."
  type        = string
  default     = null
}

variable "vpc_subnet_ids" {
  description = "Subnets to run in, comma-separated. Empty: no VPC, with a route to every public issuer."
  type        = string
  default     = null
}

variable "vpc_security_group_ids" {
  description = "Security groups in that VPC, comma-separated. They must allow HTTPS out."
  type        = string
  default     = null
}

variable "refresh_target" {
  description = "Where a second, scheduled function writes a copy of the issuer's keys: `ssm:/name` or `s3://bucket/key` (an existing bucket). Set JwtJwks, or `jwks` in JwtConfig, to the same. Empty: no such function."
  type        = string
  default     = null

  validation {
    condition     = var.refresh_target == null ? true : can(regex("^(?:(ssm:[A-Za-z0-9_./-]+|s3://[^/]+/.+)?)$", tostring(var.refresh_target)))
    error_message = "refresh_target must match (ssm:[A-Za-z0-9_./-]+|s3://[^/]+/.+)?."
  }
}

variable "refresh_target_arn" {
  description = "ARN of the parameter or object in RefreshTarget: one function writes, one reads it."
  type        = string
  default     = null

  validation {
    condition     = var.refresh_target_arn == null ? true : can(regex("^(?:(arn:[^*?]+)?)$", tostring(var.refresh_target_arn)))
    error_message = "refresh_target_arn must match (arn:[^*?]+)?."
  }
}

variable "refresh_issuer" {
  description = "The issuer whose keys are copied. Empty: JwtIssuer."
  type        = string
  default     = null
}

variable "refresh_source" {
  description = "An `https://` URL of its keys. Empty: discovery."
  type        = string
  default     = null

  validation {
    condition     = var.refresh_source == null ? true : can(regex("^(?:(https://.+)?)$", tostring(var.refresh_source)))
    error_message = "refresh_source must match (https://.+)?."
  }
}

variable "refresh_schedule" {
  description = "How often. Well below JwtJwksMaxStaleSeconds, which counts from the last good copy, and at least every 20 minutes, or RefresherSilentAlarm counts it as stopped."
  type        = string
  default     = "rate(5 minutes)"
}
