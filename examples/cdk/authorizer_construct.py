# ruff: noqa: INP001 - a file to copy
"""The JWT authorizer as a construct: the function, its log, its role, and authorizers for three kinds of APIs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as rest
from aws_cdk import aws_apigatewayv2_authorizers as v2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SETTINGS = (
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
)
"""The settings of the README, in lower case and without ``JWT_``."""

TTL = Duration.minutes(5)


class JwtAuthorizer(Construct):
    """A Lambda authorizer that verifies JSON Web Tokens.

    ``function`` is what APIs call: the function, or with SnapStart its alias ``live``. ``service_name`` is what its
    metrics call it.
    """

    def __init__(  # noqa: PLR0913 - the parameters of template.yaml, by name
        self,
        scope: Construct,
        construct_id: str,
        *,
        package: str,
        settings: Mapping[str, object],
        architecture: lambda_.Architecture = lambda_.Architecture.ARM_64,
        memory_size: int = 1024,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        snap_start: bool = False,
        readable_parameters: Sequence[str] = (),
        readable_objects: Sequence[str] = (),
        service_name: str = "",
    ) -> None:
        """Make it.

        Args:
            scope: What it is part of.
            construct_id: Its name there.
            package: The zip of a release for ``architecture``, or a folder that ``assemble.py`` filled.
            settings: By the names of the README in lower case, without ``JWT_``. Lists and objects are written as
                the variables want them.
            architecture: What ``package`` is for.
            memory_size: In MB. CPU comes with it.
            log_retention: How long the log keeps its lines.
            snap_start: Start from a snapshot. Each deployment that changes anything publishes a version.
            readable_parameters: ARNs of what ``ssm:`` settings name.
            readable_objects: ARNs of what ``s3://`` settings name.
            service_name: What log lines and metrics call this deployment; another one for each in an account and
                region. By default the stack's name, so that two in one stack need names of their own.

        """
        super().__init__(scope, construct_id)
        self.log_group = logs.LogGroup(self, "Logs", retention=log_retention, removal_policy=RemovalPolicy.DESTROY)
        self.role = self._role(readable_parameters, readable_objects)
        self.service_name = service_name or Stack.of(self).stack_name
        function = lambda_.Function(
            self,
            "Function",
            description="Verifies JSON Web Tokens for API Gateway",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="jwt_authorizer.handler.lambda_handler",
            code=lambda_.Code.from_asset(package),
            architecture=architecture,
            memory_size=memory_size,
            # Above the time of two fetches (discovery, keys): a function that is cut off can't say why.
            timeout=Duration.seconds(10),
            role=self.role,
            log_group=self.log_group,
            environment={**environment(settings), "POWERTOOLS_SERVICE_NAME": self.service_name},
            snap_start=lambda_.SnapStartConf.ON_PUBLISHED_VERSIONS if snap_start else None,
        )
        self.function: lambda_.IFunction = function
        if snap_start:
            # Unlike SAM, CDK publishes a version when a setting's value changes as well.
            self.function = lambda_.Alias(self, "Live", alias_name="live", version=function.current_version)

    def _role(self, parameters: Sequence[str], objects: Sequence[str]) -> iam.Role:
        """Make a role that may write its own log, and read what the settings name. CDK's own may write every log."""
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        may = [(["logs:CreateLogStream", "logs:PutLogEvents"], [self.log_group.log_group_arn])]
        may += [(["ssm:GetParameter"], list(parameters))] if parameters else []
        may += [(["s3:GetObject"], list(objects))] if objects else []
        for actions, resources in may:
            role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))
        return role

    def rest_authorizer(self, *, ttl: Duration = TTL) -> rest.RequestAuthorizer:
        """Give an authorizer for the methods of one REST API; CDK lets that API call the function."""
        sources = [rest.IdentitySource.header("Authorization")]
        return rest.RequestAuthorizer(
            self, "Rest", handler=self.function, identity_sources=sources, results_cache_ttl=ttl
        )

    def http_authorizer(self, *, ttl: Duration = TTL) -> v2.HttpLambdaAuthorizer:
        """Give an authorizer for the routes of one HTTP API, with simple responses that are cached by route."""
        return v2.HttpLambdaAuthorizer(
            "Jwt",
            self.function,
            response_types=[v2.HttpLambdaResponseType.SIMPLE],
            identity_source=["$request.header.Authorization", "$context.routeKey"],
            results_cache_ttl=ttl,
        )

    def websocket_authorizer(
        self, *, source: str = "route.request.header.Authorization"
    ) -> v2.WebSocketLambdaAuthorizer:
        """Give an authorizer for ``$connect``. Browsers can't set headers: ``route.request.querystring.token``."""
        return v2.WebSocketLambdaAuthorizer("Jwt", self.function, identity_source=[source])


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Give the environment variables of settings. Raises ``ValueError`` for names that are none."""
    unknown = sorted(settings.keys() - set(SETTINGS))
    if unknown:
        message = f"no settings of the authorizer: {', '.join(unknown)}; there are {', '.join(SETTINGS)}"
        raise ValueError(message)
    return {f"JWT_{name.upper()}": _text(value) for name, value in settings.items()}


def _text(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case dict():
            return json.dumps(value)
        case list() | tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)
