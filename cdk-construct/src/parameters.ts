// Written by `make generate` from the parameters of template.yaml; do not edit.

/** The parameters of the template. One that is not given has the template's default. */
export interface JwtAuthorizerParameters {
  /**
   * The exact `iss` of your tokens, trailing slash included. Keys are found through its discovery document.
   *
   * @default - not set
   */
  readonly issuer?: string;

  /**
   * The `aud` values that mean your API, comma-separated. A token must have one of them. Default: required, or JWT_CLIENT_ID, or JWT_ANY_AUDIENCE.
   *
   * @default - not set
   */
  readonly audience?: string[];

  /**
   * Clients that may call, comma-separated: the claim `client_id`, else `azp`. With an audience as well, both must match.
   *
   * @default - not set
   */
  readonly clientId?: string[];

  /**
   * `true`: accept every token of this issuer, whatever its audience and client. Only for an issuer, or a key set, that serves no other API: Clerk and WorkOS have one for each application. Not together with an audience or a client. Default: false.
   *
   * @default - not set
   */
  readonly anyAudience?: boolean;

  /**
   * Another source of keys: an `https://` URL, `file:PATH` in the package, `ssm:/name`, `s3://bucket/key`, or the JSON key set. In the document of `JWT_CONFIG` also a list of these: a token may be signed by a key of any of them. Default: from discovery.
   *
   * @default - not set
   */
  readonly jwks?: string;

  /**
   * With `{tenant}` in the issuer, the tenants that may call: comma-separated; a document that lists them, one a line (`file:`, `ssm:`, `s3://`); or `any`.
   *
   * @default - not set
   */
  readonly tenants?: string[];

  /**
   * A claim that must equal the tenant in `iss` (`tid` with Entra ID).
   *
   * @default - not set
   */
  readonly tenantClaim?: string;

  /**
   * Accepted `alg` values, comma-separated. `none` and `HS*` are never accepted. `EdDSA` includes `Ed25519`. `ML-DSA-44`, `ML-DSA-65` and `ML-DSA-87` (RFC 9964) are accepted if they are listed. Default: RS256,RS384,RS512,PS256,PS384,PS512,ES256,ES384,ES512,EdDSA.
   *
   * @default - not set
   */
  readonly algorithms?: string[];

  /**
   * Clock skew allowed for `exp`, `nbf` and `iat`, in seconds. Default: 60.
   *
   * @default - not set
   */
  readonly leewaySeconds?: number;

  /**
   * Reject tokens with a longer lifetime (`exp - iat`) than this, in seconds.
   *
   * @default - not set
   */
  readonly maxLifetimeSeconds?: number;

  /**
   * Accepted values of the header `typ`, comma-separated, such as `at+jwt`. Case does not matter.
   *
   * @default - not set
   */
  readonly tokenTypes?: string[];

  /**
   * JSON object of claims and what each must hold: a value, one of a list, or `any`, `all` and `like`; else 401 (an HTTP API: 403). A name that begins with `/` is a JSON Pointer to a nested claim: `/realm_access/roles`.
   *
   * @default - not set
   */
  readonly requiredClaims?: { [name: string]: any };

  /**
   * Scopes that every request needs, separated by commas or spaces; else 403.
   *
   * @default - not set
   */
  readonly requiredScopes?: string[];

  /**
   * The claims whose values are the token's scopes, comma-separated: `scope,/realm_access/roles`. A string is split at spaces; a list's items and an object's member names count. Default: scope,scp.
   *
   * @default - not set
   */
  readonly scopeClaims?: string[];

  /**
   * The claim that becomes `principalId`; of several, comma-separated, the first that is a non-empty string or an integer: `sub,client_id`. A token without any is rejected. Default: sub.
   *
   * @default - not set
   */
  readonly principalClaim?: string[];

  /**
   * Where the token is, first match wins, comma-separated: `header:NAME`, `cookie:NAME`, `query:NAME`. `Bearer` is required in `Authorization`, optional in other headers. Of the values of `Sec-WebSocket-Protocol`, which browsers can set, the last is the token. Default: header:Authorization.
   *
   * @default - not set
   */
  readonly tokenSource?: string[];

  /**
   * Claims that the backend gets under a key of their own, comma-separated, `key=claim` to rename: `email,is_verified=https://authgear.com/claims/user/is_verified`. A JSON Pointer to a nested claim needs a key: `role=/app/role`.
   *
   * @default - not set
   */
  readonly contextClaims?: { [name: string]: string };

  /**
   * The claim that becomes `usageIdentifierKey`, for REST usage plans with `apiKeySource: AUTHORIZER`.
   *
   * @default - not set
   */
  readonly usageKeyClaim?: string;

  /**
   * Where to ask about tokens that are not JWTs: `discovery`, or the `https://` URL of the introspection endpoint. See opaque tokens.
   *
   * @default - not set
   */
  readonly introspection?: string;

  /**
   * `always`: ask about JWTs as well, so that a revoked one is rejected. Default: opaque.
   *
   * @default - not set
   */
  readonly introspect?: string;

  /**
   * This API's own client id at the issuer, for introspection.
   *
   * @default - not set
   */
  readonly introspectionClientId?: string;

  /**
   * Location of the client's secret: `ssm:/name` or `secretsmanager:NAME`; for `private_key_jwt` its private key, a JWK or PEM.
   *
   * @default - not set
   */
  readonly introspectionSecret?: string;

  /**
   * How this API authenticates there: `client_secret_basic`, `client_secret_post` or `private_key_jwt`. Default: client_secret_basic.
   *
   * @default - not set
   */
  readonly introspectionAuth?: string;

  /**
   * How long the answer about an active token is remembered, at most until its `exp`. Default: 60.
   *
   * @default - not set
   */
  readonly introspectionCacheSeconds?: number;

  /**
   * Bound tokens, which have a claim `cnf`: reject them (`refuse`), check `dpop`, `mtls` or both (comma-separated, others are rejected), or `ignore` the binding. Default: refuse.
   *
   * @default - not set
   */
  readonly boundTokens?: string;

  /**
   * `true`: reject a token without a binding that was checked. Needs `dpop` or `mtls`. Default: false.
   *
   * @default - not set
   */
  readonly requireBoundTokens?: boolean;

  /**
   * The URLs that clients call, up to the route's path, comma-separated, where they differ from what API Gateway sees: `https://api.example.com/v1`. Default: from the event.
   *
   * @default - not set
   */
  readonly dpopUrls?: string[];

  /**
   * Age up to which a DPoP proof is accepted, in seconds, besides the leeway. Default: 60.
   *
   * @default - not set
   */
  readonly dpopMaxAgeSeconds?: number;

  /**
   * Where used DPoP proofs are remembered: `memory` (each execution environment its own) or `dynamodb:TABLE` (all of them). Default: memory.
   *
   * @default - not set
   */
  readonly dpopReplay?: string;

  /**
   * Your own check: `module:function` in `bundled/`. It may refuse, and add to the context.
   *
   * @default - not set
   */
  readonly hook?: string;

  /**
   * The URL of your API's metadata document (RFC 9728), for the challenge in a 401 or 403.
   *
   * @default - not set
   */
  readonly resourceMetadata?: string;

  /**
   * What API Gateway keys its cache of answers by: `token`, `route` or `nothing`. Default: token.
   *
   * @default - not set
   */
  readonly cachedBy?: string;

  /**
   * `true`: a cached policy ends when its token expires. Test it on your API first. Default: false.
   *
   * @default - not set
   */
  readonly endWithToken?: boolean;

  /**
   * What your HTTP API expects with payload 2.0: `simple` (`EnableSimpleResponses: true`) or `iam`. Default: simple.
   *
   * @default - not set
   */
  readonly httpApiResponse?: string;

  /**
   * A bad token on an HTTP API: `deny` answers 403. `raise` raises `Unauthorized`, which AWS documents as 401 for the other APIs only: test it first. Default: deny.
   *
   * @default - not set
   */
  readonly httpApiReject?: string;

  /**
   * Age at which keys are fetched again, in seconds. The issuer's `Cache-Control: max-age` counts instead, between 60 and 3600. Default: 600.
   *
   * @default - not set
   */
  readonly jwksTtlSeconds?: number;

  /**
   * How long past that the last good keys are used while fetching fails, in seconds. Default: 3600.
   *
   * @default - not set
   */
  readonly jwksMaxStaleSeconds?: number;

  /**
   * Shortest time between two fetches for an unknown key, and after a failure, in seconds. Default: 30.
   *
   * @default - not set
   */
  readonly jwksCooldownSeconds?: number;

  /**
   * Time limit of one fetch, in seconds, at most 8. Default: 3.
   *
   * @default - not set
   */
  readonly httpTimeoutSeconds?: number;

  /**
   * Verified tokens that each execution environment remembers; `0` turns it off. Default: 1000.
   *
   * @default - not set
   */
  readonly tokenCacheSize?: number;

  /**
   * Allow `http://` issuers and key sources. For local work only; the function warns about it when it starts. Default: false.
   *
   * @default - not set
   */
  readonly allowHttp?: boolean;

  /**
   * The log line of an allowed request: `full`, or `metric`: its metrics and the request ids, nothing else. Default: full.
   *
   * @default - not set
   */
  readonly logAllowed?: string;

  /**
   * The principal's id in the log, which is personal data: `plain`, `hash` (16 hexadecimal digits, the same for the same id), or `none`. Default: plain.
   *
   * @default - not set
   */
  readonly logPrincipal?: string;

  /**
   * The key for `hash`: `ssm:/name`, `secretsmanager:NAME`, or a string of at least 16 characters. Default: required with hash.
   *
   * @default - not set
   */
  readonly logPrincipalKey?: string;

  /**
   * A list of revoked tokens: `s3://bucket/key`, `ssm:/name`, `file:PATH`, or an `https://` URL.
   *
   * @default - not set
   */
  readonly revoked?: string;

  /**
   * Age at which the list is read again, in seconds. Default: 60.
   *
   * @default - not set
   */
  readonly revokedTtlSeconds?: number;

  /**
   * How long the last good list is used past that, in seconds. After that every request is a 500. Default: 600.
   *
   * @default - not set
   */
  readonly revokedMaxStaleSeconds?: number;

  /**
   * Several issuers, or rules by route: a TOML document, as `file:PATH`, `ssm:/name`, `s3://bucket/key`, or the text itself.
   *
   * @default - not set
   */
  readonly config?: string;

  /**
   * In MB. CPU grows with it: 1024 costs as much as 512 and starts in half the time (docs/performance.md).
   *
   * @default 1024
   */
  readonly memorySize?: number;

  /**
   * Execution environments that are reserved for this function from the account's limit, and its maximum. Empty: it shares the account's limit. 0 stops every call.
   *
   * @default - not set
   */
  readonly reservedConcurrency?: number;

  /**
   * Execution environments that stay started, so that up to this many requests at once have no cold start. They cost money all the time. Not with SnapStart. APIs must then name the alias, as the outputs do. Empty: none.
   *
   * @default - not set
   */
  readonly provisionedConcurrency?: number;

  /**
   * Start from snapshots of published versions. APIs must then name the alias, as the outputs do.
   *
   * @default false
   */
  readonly snapStart?: boolean;

  /**
   * How a new version replaces the old one, by CodeDeploy's names. An alarm rolls it back. APIs must then name the alias, as the outputs do. AllAtOnce keeps the alias and does not wait.
   *
   * @default "off"
   */
  readonly gradualDeployment?: string;

  /**
   * Send traces of the function to X-Ray, with each call to the issuer and to AWS.
   *
   * @default false
   */
  readonly tracing?: boolean;

  /**
   * ARN of the permissions boundary of each role of the stack. Empty: none.
   *
   * @default - not set
   */
  readonly permissionsBoundary?: string;

  /**
   * The path of each role of the stack, such as `/service-roles/`.
   *
   * @default "/"
   */
  readonly rolePath?: string;

  /**
   * ARN of a code signing configuration for each function. `sam deploy --signing-profiles` signs the packages. Empty: none.
   *
   * @default - not set
   */
  readonly codeSigningConfigArn?: string;

  /**
   * ARN of a KMS key to encrypt the functions' environment with. Its policy must let IAM decide. Empty: Lambda's own key.
   *
   * @default - not set
   */
  readonly environmentKeyArn?: string;

  /**
   * The API whose authorizers may call the function. `*`: every API of this account and region. `none`: only those whose own stacks permit it.
   *
   * @default "*"
   */
  readonly apiId?: string;

  /**
   * A second such API.
   *
   * @default - not set
   */
  readonly apiId2?: string;

  /**
   * A third.
   *
   * @default - not set
   */
  readonly apiId3?: string;

  /**
   * The account of these APIs, if it is another one (a cross-account authorizer).
   *
   * @default - not set
   */
  readonly apiAccountId?: string;

  /**
   * ARNs, comma-separated, of the SSM parameters that `ssm:/name` settings name.
   *
   * @default - not set
   */
  readonly readableParameters?: string[];

  /**
   * ARNs, comma-separated, of the secrets that `secretsmanager:NAME` settings name.
   *
   * @default - not set
   */
  readonly readableSecrets?: string[];

  /**
   * ARNs, comma-separated, of the S3 objects that `s3://bucket/key` settings name.
   *
   * @default - not set
   */
  readonly readableObjects?: string[];

  /**
   * ARNs of the KMS keys of your own that encrypt what is named above, comma-separated. The function may decrypt with these, through those services only. The keys' policies must let IAM decide.
   *
   * @default - not set
   */
  readonly readableKeys?: string[];

  /**
   * The name of this deployment in log lines and metrics, unique in an account and region. Empty: the stack's name.
   *
   * @default - not set
   */
  readonly serviceName?: string;

  /**
   * Days for which log lines are kept.
   *
   * @default 30
   */
  readonly logRetentionDays?: number;

  /**
   * Let Lambda write its own lines as JSON, from this level on. WARN leaves out START, END and REPORT, which cost as much as a short line of ours. Empty: as plain text.
   *
   * @default - not set
   */
  readonly systemLogLevel?: string;

  /**
   * ARN of a KMS key for the log, which CloudWatch Logs may use. Empty: CloudWatch's own.
   *
   * @default - not set
   */
  readonly logKeyArn?: string;

  /**
   * Alarms on the metrics. docs/runbook.md has an entry for each.
   *
   * @default true
   */
  readonly alarms?: boolean;

  /**
   * ARN of an SNS topic for each alarm and its end. Empty: only CloudWatch shows them.
   *
   * @default - not set
   */
  readonly alarmTopicArn?: string;

  /**
   * URL of your copy of the runbook. Alarms link to its entries.
   *
   * @default "docs/runbook.md"
   */
  readonly runbookUrl?: string;

  /**
   * How many standard deviations rejections may be above what CloudWatch expects at this hour, before RejectionsAlarm. Up to ten in five minutes never raise it.
   *
   * @default 4
   */
  readonly rejectionBand?: number;

  /**
   * A CloudWatch dashboard of decisions, error codes, keys and the function.
   *
   * @default true
   */
  readonly dashboard?: boolean;

  /**
   * A DynamoDB table that remembers used DPoP proofs for all execution environments: JwtDpopReplay is then this table.
   *
   * @default false
   */
  readonly dpopReplayTable?: boolean;

  /**
   * A bucket with the list of revoked tokens, and the function that writes it (`jwt-authorizer revoke`). JwtRevoked is then this list.
   *
   * @default false
   */
  readonly revocation?: boolean;

  /**
   * How long an entry is kept: at least a token's longest lifetime.
   *
   * @default 86400
   */
  readonly revocationKeepSeconds?: number;

  /**
   * Stages whose caches of answers are emptied after a revocation, comma-separated: `rest:ID/STAGE`, `http:ID/STAGE`.
   *
   * @default - not set
   */
  readonly revocationApis?: string;

  /**
   * Clients whose back-channel logouts are accepted, comma-separated. The output LogoutUrl is their backchannel_logout_uri. Empty: none.
   *
   * @default - not set
   */
  readonly revocationClientIds?: string;

  /**
   * Subnets to run in, comma-separated. Empty: no VPC, with a route to every public issuer.
   *
   * @default - not set
   */
  readonly vpcSubnetIds?: string;

  /**
   * Security groups in that VPC, comma-separated. They must allow HTTPS out.
   *
   * @default - not set
   */
  readonly vpcSecurityGroupIds?: string;

  /**
   * Where a second, scheduled function writes a copy of the issuer's keys: `ssm:/name` or `s3://bucket/key` (an existing bucket). Set JwtJwks, or `jwks` in JwtConfig, to the same. Empty: no such function.
   *
   * @default - not set
   */
  readonly refreshTarget?: string;

  /**
   * ARN of the parameter or object in RefreshTarget: one function writes, one reads it.
   *
   * @default - not set
   */
  readonly refreshTargetArn?: string;

  /**
   * The issuer whose keys are copied. Empty: JwtIssuer.
   *
   * @default - not set
   */
  readonly refreshIssuer?: string;

  /**
   * An `https://` URL of its keys. Empty: discovery.
   *
   * @default - not set
   */
  readonly refreshSource?: string;

  /**
   * How often. Well below JwtJwksMaxStaleSeconds, which counts from the last good copy, and at least every 20 minutes, or RefresherSilentAlarm counts it as stopped.
   *
   * @default "rate(5 minutes)"
   */
  readonly refreshSchedule?: string;
}

/** @internal */
export interface Parameter {
  readonly name: string;
  readonly parameter: string;
  readonly kind: string;
  readonly allowed?: string[];
  readonly least?: number;
  readonly most?: number;
  readonly pattern?: string;
}

/** @internal */
export const PARAMETERS: Parameter[] = [
  { name: "issuer", parameter: "JwtIssuer", kind: "text" },
  { name: "audience", parameter: "JwtAudience", kind: "list" },
  { name: "clientId", parameter: "JwtClientId", kind: "list" },
  { name: "anyAudience", parameter: "JwtAnyAudience", kind: "boolean", allowed: ["true", "false"] },
  { name: "jwks", parameter: "JwtJwks", kind: "text" },
  { name: "tenants", parameter: "JwtTenants", kind: "list" },
  { name: "tenantClaim", parameter: "JwtTenantClaim", kind: "text" },
  { name: "algorithms", parameter: "JwtAlgorithms", kind: "list" },
  { name: "leewaySeconds", parameter: "JwtLeewaySeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "maxLifetimeSeconds", parameter: "JwtMaxLifetimeSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "tokenTypes", parameter: "JwtTokenTypes", kind: "list" },
  { name: "requiredClaims", parameter: "JwtRequiredClaims", kind: "json" },
  { name: "requiredScopes", parameter: "JwtRequiredScopes", kind: "list" },
  { name: "scopeClaims", parameter: "JwtScopeClaims", kind: "list" },
  { name: "principalClaim", parameter: "JwtPrincipalClaim", kind: "list" },
  { name: "tokenSource", parameter: "JwtTokenSource", kind: "list" },
  { name: "contextClaims", parameter: "JwtContextClaims", kind: "pairs" },
  { name: "usageKeyClaim", parameter: "JwtUsageKeyClaim", kind: "text" },
  { name: "introspection", parameter: "JwtIntrospection", kind: "text" },
  { name: "introspect", parameter: "JwtIntrospect", kind: "text", allowed: ["opaque", "always"] },
  { name: "introspectionClientId", parameter: "JwtIntrospectionClientId", kind: "text" },
  { name: "introspectionSecret", parameter: "JwtIntrospectionSecret", kind: "text" },
  { name: "introspectionAuth", parameter: "JwtIntrospectionAuth", kind: "text", allowed: ["client_secret_basic", "client_secret_post", "private_key_jwt"] },
  { name: "introspectionCacheSeconds", parameter: "JwtIntrospectionCacheSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "boundTokens", parameter: "JwtBoundTokens", kind: "text" },
  { name: "requireBoundTokens", parameter: "JwtRequireBoundTokens", kind: "boolean", allowed: ["true", "false"] },
  { name: "dpopUrls", parameter: "JwtDpopUrls", kind: "list" },
  { name: "dpopMaxAgeSeconds", parameter: "JwtDpopMaxAgeSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "dpopReplay", parameter: "JwtDpopReplay", kind: "text" },
  { name: "hook", parameter: "JwtHook", kind: "text" },
  { name: "resourceMetadata", parameter: "JwtResourceMetadata", kind: "text" },
  { name: "cachedBy", parameter: "JwtCachedBy", kind: "text", allowed: ["token", "route", "nothing"] },
  { name: "endWithToken", parameter: "JwtEndWithToken", kind: "boolean", allowed: ["true", "false"] },
  { name: "httpApiResponse", parameter: "JwtHttpApiResponse", kind: "text", allowed: ["simple", "iam"] },
  { name: "httpApiReject", parameter: "JwtHttpApiReject", kind: "text", allowed: ["deny", "raise"] },
  { name: "jwksTtlSeconds", parameter: "JwtJwksTtlSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "jwksMaxStaleSeconds", parameter: "JwtJwksMaxStaleSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "jwksCooldownSeconds", parameter: "JwtJwksCooldownSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "httpTimeoutSeconds", parameter: "JwtHttpTimeoutSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "tokenCacheSize", parameter: "JwtTokenCacheSize", kind: "number", pattern: "[0-9]*" },
  { name: "allowHttp", parameter: "JwtAllowHttp", kind: "boolean", allowed: ["true", "false"] },
  { name: "logAllowed", parameter: "JwtLogAllowed", kind: "text", allowed: ["full", "metric"] },
  { name: "logPrincipal", parameter: "JwtLogPrincipal", kind: "text", allowed: ["plain", "hash", "none"] },
  { name: "logPrincipalKey", parameter: "JwtLogPrincipalKey", kind: "text" },
  { name: "revoked", parameter: "JwtRevoked", kind: "text" },
  { name: "revokedTtlSeconds", parameter: "JwtRevokedTtlSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "revokedMaxStaleSeconds", parameter: "JwtRevokedMaxStaleSeconds", kind: "number", pattern: "[0-9.]*" },
  { name: "config", parameter: "JwtConfig", kind: "text" },
  { name: "memorySize", parameter: "MemorySize", kind: "number", least: 128, most: 10240 },
  { name: "reservedConcurrency", parameter: "ReservedConcurrency", kind: "number", pattern: "[0-9]*" },
  { name: "provisionedConcurrency", parameter: "ProvisionedConcurrency", kind: "number", pattern: "([1-9][0-9]*)?" },
  { name: "snapStart", parameter: "SnapStart", kind: "switch", allowed: ["off", "on"] },
  { name: "gradualDeployment", parameter: "GradualDeployment", kind: "text", allowed: ["off", "AllAtOnce", "Canary10Percent5Minutes", "Canary10Percent10Minutes", "Canary10Percent15Minutes", "Canary10Percent30Minutes", "Linear10PercentEvery1Minute", "Linear10PercentEvery2Minutes", "Linear10PercentEvery3Minutes", "Linear10PercentEvery10Minutes"] },
  { name: "tracing", parameter: "Tracing", kind: "switch", allowed: ["off", "on"] },
  { name: "permissionsBoundary", parameter: "PermissionsBoundary", kind: "text", pattern: "(arn:[^*?]+)?" },
  { name: "rolePath", parameter: "RolePath", kind: "text", pattern: "/([!-~]+/)?" },
  { name: "codeSigningConfigArn", parameter: "CodeSigningConfigArn", kind: "text", pattern: "(arn:[^*?]+)?" },
  { name: "environmentKeyArn", parameter: "EnvironmentKeyArn", kind: "text", pattern: "(arn:[^*?]+)?" },
  { name: "apiId", parameter: "ApiId", kind: "text", pattern: "\\*|none|[a-z0-9]+" },
  { name: "apiId2", parameter: "ApiId2", kind: "text", pattern: "[a-z0-9]*" },
  { name: "apiId3", parameter: "ApiId3", kind: "text", pattern: "[a-z0-9]*" },
  { name: "apiAccountId", parameter: "ApiAccountId", kind: "text", pattern: "([0-9]{12})?" },
  { name: "readableParameters", parameter: "ReadableParameters", kind: "list", pattern: "(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?" },
  { name: "readableSecrets", parameter: "ReadableSecrets", kind: "list", pattern: "(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?" },
  { name: "readableObjects", parameter: "ReadableObjects", kind: "list", pattern: "(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?" },
  { name: "readableKeys", parameter: "ReadableKeys", kind: "list", pattern: "(arn:[^*?,\\s]+(,arn:[^*?,\\s]+)*)?" },
  { name: "serviceName", parameter: "ServiceName", kind: "text", pattern: "[A-Za-z0-9._-]{0,255}" },
  { name: "logRetentionDays", parameter: "LogRetentionDays", kind: "number", allowed: ["1", "3", "5", "7", "14", "30", "60", "90", "120", "150", "180", "365", "400", "545", "731", "1096", "1827", "2192", "2557", "2922", "3288", "3653"] },
  { name: "systemLogLevel", parameter: "SystemLogLevel", kind: "text", allowed: ["DEBUG", "INFO", "WARN"] },
  { name: "logKeyArn", parameter: "LogKeyArn", kind: "text", pattern: "(arn:[^*?]+)?" },
  { name: "alarms", parameter: "Alarms", kind: "switch", allowed: ["off", "on"] },
  { name: "alarmTopicArn", parameter: "AlarmTopicArn", kind: "text", pattern: "(arn:[^*?]+)?" },
  { name: "runbookUrl", parameter: "RunbookUrl", kind: "text" },
  { name: "rejectionBand", parameter: "RejectionBand", kind: "number", least: 1 },
  { name: "dashboard", parameter: "Dashboard", kind: "switch", allowed: ["off", "on"] },
  { name: "dpopReplayTable", parameter: "DpopReplayTable", kind: "switch", allowed: ["off", "on"] },
  { name: "revocation", parameter: "Revocation", kind: "switch", allowed: ["off", "on"] },
  { name: "revocationKeepSeconds", parameter: "RevocationKeepSeconds", kind: "number", least: 60 },
  { name: "revocationApis", parameter: "RevocationApis", kind: "text", pattern: "((rest|http):[a-z0-9]+/[A-Za-z0-9_$-]+(,(rest|http):[a-z0-9]+/[A-Za-z0-9_$-]+)*)?" },
  { name: "revocationClientIds", parameter: "RevocationClientIds", kind: "text" },
  { name: "vpcSubnetIds", parameter: "VpcSubnetIds", kind: "text" },
  { name: "vpcSecurityGroupIds", parameter: "VpcSecurityGroupIds", kind: "text" },
  { name: "refreshTarget", parameter: "RefreshTarget", kind: "text", pattern: "(ssm:[A-Za-z0-9_./-]+|s3://[^/]+/.+)?" },
  { name: "refreshTargetArn", parameter: "RefreshTargetArn", kind: "text", pattern: "(arn:[^*?]+)?" },
  { name: "refreshIssuer", parameter: "RefreshIssuer", kind: "text" },
  { name: "refreshSource", parameter: "RefreshSource", kind: "text", pattern: "(https://.+)?" },
  { name: "refreshSchedule", parameter: "RefreshSchedule", kind: "text" },
];
