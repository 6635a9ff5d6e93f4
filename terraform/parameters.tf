# Written by `make generate` from the parameters and outputs of template.yaml; do not edit.

locals {
  # Null: not given, so that the template's default applies.
  parameters = {
    JwtIssuer                    = var.issuer
    JwtAudience                  = var.audience == null ? null : join(",", var.audience)
    JwtClientId                  = var.client_id == null ? null : join(",", var.client_id)
    JwtAnyAudience               = var.any_audience
    JwtJwks                      = var.jwks
    JwtTenants                   = var.tenants == null ? null : join(",", var.tenants)
    JwtTenantClaim               = var.tenant_claim
    JwtAlgorithms                = var.algorithms == null ? null : join(",", var.algorithms)
    JwtLeewaySeconds             = var.leeway_seconds
    JwtMaxLifetimeSeconds        = var.max_lifetime_seconds
    JwtTokenTypes                = var.token_types == null ? null : join(",", var.token_types)
    JwtRequiredClaims            = var.required_claims == null ? null : jsonencode(var.required_claims)
    JwtRequiredScopes            = var.required_scopes == null ? null : join(",", var.required_scopes)
    JwtScopeClaims               = var.scope_claims == null ? null : join(",", var.scope_claims)
    JwtPrincipalClaim            = var.principal_claim == null ? null : join(",", var.principal_claim)
    JwtTokenSource               = var.token_source == null ? null : join(",", var.token_source)
    JwtContextClaims             = var.context_claims == null ? null : join(",", [for key, claim in var.context_claims : "${key}=${claim}"])
    JwtUsageKeyClaim             = var.usage_key_claim
    JwtIntrospection             = var.introspection
    JwtIntrospect                = var.introspect
    JwtIntrospectionClientId     = var.introspection_client_id
    JwtIntrospectionSecret       = var.introspection_secret
    JwtIntrospectionAuth         = var.introspection_auth
    JwtIntrospectionCacheSeconds = var.introspection_cache_seconds
    JwtBoundTokens               = var.bound_tokens
    JwtRequireBoundTokens        = var.require_bound_tokens
    JwtDpopUrls                  = var.dpop_urls == null ? null : join(",", var.dpop_urls)
    JwtDpopMaxAgeSeconds         = var.dpop_max_age_seconds
    JwtDpopReplay                = var.dpop_replay
    JwtHook                      = var.hook
    JwtResourceMetadata          = var.resource_metadata
    JwtCachedBy                  = var.cached_by
    JwtEndWithToken              = var.end_with_token
    JwtHttpApiResponse           = var.http_api_response
    JwtHttpApiReject             = var.http_api_reject
    JwtJwksTtlSeconds            = var.jwks_ttl_seconds
    JwtJwksMaxStaleSeconds       = var.jwks_max_stale_seconds
    JwtJwksCooldownSeconds       = var.jwks_cooldown_seconds
    JwtHttpTimeoutSeconds        = var.http_timeout_seconds
    JwtTokenCacheSize            = var.token_cache_size
    JwtAllowHttp                 = var.allow_http
    JwtLogAllowed                = var.log_allowed
    JwtLogPrincipal              = var.log_principal
    JwtLogPrincipalKey           = var.log_principal_key
    JwtRevoked                   = var.revoked
    JwtRevokedTtlSeconds         = var.revoked_ttl_seconds
    JwtRevokedMaxStaleSeconds    = var.revoked_max_stale_seconds
    JwtConfig                    = var.config
    MemorySize                   = var.memory_size
    ReservedConcurrency          = var.reserved_concurrency
    ProvisionedConcurrency       = var.provisioned_concurrency
    SnapStart                    = var.snap_start == null ? null : var.snap_start ? "on" : "off"
    GradualDeployment            = var.gradual_deployment
    Tracing                      = var.tracing == null ? null : var.tracing ? "on" : "off"
    PermissionsBoundary          = var.permissions_boundary
    RolePath                     = var.role_path
    CodeSigningConfigArn         = var.code_signing_config_arn
    EnvironmentKeyArn            = var.environment_key_arn
    ApiId                        = var.api_id
    ApiId2                       = var.api_id_2
    ApiId3                       = var.api_id_3
    ApiAccountId                 = var.api_account_id
    ReadableParameters           = var.readable_parameters == null ? null : join(",", var.readable_parameters)
    ReadableSecrets              = var.readable_secrets == null ? null : join(",", var.readable_secrets)
    ReadableObjects              = var.readable_objects == null ? null : join(",", var.readable_objects)
    ReadableKeys                 = var.readable_keys == null ? null : join(",", var.readable_keys)
    ServiceName                  = var.service_name
    LogRetentionDays             = var.log_retention_days
    SystemLogLevel               = var.system_log_level
    LogKeyArn                    = var.log_key_arn
    Alarms                       = var.alarms == null ? null : var.alarms ? "on" : "off"
    AlarmTopicArn                = var.alarm_topic_arn
    RunbookUrl                   = var.runbook_url
    RejectionBand                = var.rejection_band
    Dashboard                    = var.dashboard == null ? null : var.dashboard ? "on" : "off"
    DpopReplayTable              = var.dpop_replay_table == null ? null : var.dpop_replay_table ? "on" : "off"
    Revocation                   = var.revocation == null ? null : var.revocation ? "on" : "off"
    RevocationKeepSeconds        = var.revocation_keep_seconds
    RevocationApis               = var.revocation_apis
    RevocationClientIds          = var.revocation_client_ids
    VpcSubnetIds                 = var.vpc_subnet_ids
    VpcSecurityGroupIds          = var.vpc_security_group_ids
    RefreshTarget                = var.refresh_target
    RefreshTargetArn             = var.refresh_target_arn
    RefreshIssuer                = var.refresh_issuer
    RefreshSource                = var.refresh_source
    RefreshSchedule              = var.refresh_schedule
  }
}
