# ruff: noqa: INP001 - run by its path
"""A REST, an HTTP and a WebSocket API with the authorizer."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_apigateway as rest
from aws_cdk import aws_apigatewayv2 as v2
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_lambda as lambda_
from jwt_authorizer_cdk import JwtAuthorizer

BACKEND = """
import json


def handler(event, _context):
    return {"statusCode": 200, "body": json.dumps(event["requestContext"].get("authorizer", {}))}
"""


class Apis(cdk.Stack):
    """The stack for `cdk deploy`. The authorizer's properties are in `cdk.json`: see README.md."""

    def __init__(self, scope: cdk.App, stack_id: str) -> None:
        """Define the authorizer and the three APIs."""
        super().__init__(scope, stack_id)
        jwt = JwtAuthorizer(self, "Jwt", **self.node.get_context("authorizer"))
        backend = lambda_.Function(
            self,
            "Backend",
            runtime=lambda_.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=lambda_.Code.from_inline(BACKEND),
        )
        self._rest(jwt, backend)
        self._http(jwt, backend)
        self._websocket(jwt, backend)
        cdk.CfnOutput(self, "LogGroup", value=jwt.log_group_name)
        cdk.CfnOutput(self, "Service", value=jwt.service)

    def _rest(self, jwt: JwtAuthorizer, backend: lambda_.Function) -> None:
        api = rest.RestApi(self, "Rest", deploy_options=rest.StageOptions(stage_name="demo"), cloud_watch_role=False)
        api.root.add_resource("orders").add_method(
            "GET",
            rest.LambdaIntegration(backend),
            authorizer=jwt.rest_authorizer(),
            authorization_type=rest.AuthorizationType.CUSTOM,
        )
        cdk.CfnOutput(self, "RestApiId", value=api.rest_api_id)

    def _http(self, jwt: JwtAuthorizer, backend: lambda_.Function) -> None:
        api = v2.HttpApi(self, "Http", default_authorizer=jwt.http_authorizer(), create_default_stage=False)
        api.add_stage("Stage", stage_name="demo", auto_deploy=True)
        integration = integrations.HttpLambdaIntegration("Backend", backend)
        api.add_routes(path="/orders", methods=[v2.HttpMethod.GET], integration=integration)
        cdk.CfnOutput(self, "HttpApiId", value=api.api_id)

    def _websocket(self, jwt: JwtAuthorizer, backend: lambda_.Function) -> None:
        connect = v2.WebSocketRouteOptions(
            integration=integrations.WebSocketLambdaIntegration("Connect", backend),
            authorizer=jwt.websocket_authorizer(),
        )
        default = v2.WebSocketRouteOptions(
            integration=integrations.WebSocketLambdaIntegration("Messages", backend),
            # API Gateway sends what the function returns to the sender.
            return_response=True,
        )
        api = v2.WebSocketApi(self, "WebSocket", connect_route_options=connect, default_route_options=default)
        v2.WebSocketStage(self, "WebSocketStage", web_socket_api=api, stage_name="demo", auto_deploy=True)
        cdk.CfnOutput(self, "WebSocketApiId", value=api.api_id)


app = cdk.App()
Apis(app, "OrdersApis")
app.synth()
