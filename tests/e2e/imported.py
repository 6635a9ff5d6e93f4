"""What the local AWS leaves out when it imports an API's definition, put there by API Gateway's own calls.

SAM writes an API as an OpenAPI document for API Gateway to import. The local AWS imports a REST API's routes and
authorizers, but no gateway responses, no answers of mock integrations (CORS preflights) and no methods that are `ANY`;
and of an HTTP API nothing at all. All values are taken from the document as SAM wrote it, so that what is called is
what would be deployed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from demo.deployment import aws_client
from demo.tools import REGION
from tests.cloudformation import resolve
from tests.e2e.cloudformation import Made

_ACCOUNT = "000000000000"
_METHODS = {name.lower(): name for name in ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH")}
_METHODS |= {"x-amazon-apigateway-any-method": "ANY"}
"""What OpenAPI calls a method, and API Gateway."""


def import_the_rest(made: Made) -> None:
    """Complete each API of a stack."""
    template, physical = made.template(), made.resources()
    known = {"AWS::Region": REGION, "AWS::AccountId": _ACCOUNT, "AWS::StackName": made.name, **physical}
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function" and name in physical:
            known[f"{name}.Arn"] = f"arn:aws:lambda:{REGION}:{_ACCOUNT}:function:{physical[name]}"
    stack = resolve(template, made.parameters, known)
    stages = [it["StageName"] for it in stack.of_type("AWS::ApiGateway::Stage").values()]
    for name, api in stack.of_type("AWS::ApiGateway::RestApi").items():
        _complete_rest_api(aws_client("apigateway", made.aws), physical[name], api.get("Body", {}), stages)
    for name, api in stack.of_type("AWS::ApiGatewayV2::Api").items():
        if "Body" in api:
            _complete_http_api(aws_client("apigatewayv2", made.aws), physical[name], api["Body"])


def _complete_rest_api(client: Any, api: str, body: Mapping[str, Any], stages: list[str]) -> None:  # noqa: ANN401 - boto3's clients have no type
    for kind, response in body.get("x-amazon-apigateway-gateway-responses", {}).items():
        client.put_gateway_response(restApiId=api, responseType=kind, **response)
    resources = {found["path"]: found["id"] for found in client.get_resources(restApiId=api)["items"]}
    authorizers = {found["name"]: found["id"] for found in client.get_authorizers(restApiId=api)["items"]}
    for path, method, integration in _integrations(body):
        place = {"restApiId": api, "resourceId": resources[path], "httpMethod": _METHODS[method]}
        if _METHODS[method] == "ANY":
            authorizer = _authorizer(body["paths"][path][method], authorizers)
            custom = {"authorizationType": "CUSTOM", "authorizerId": authorizer}
            client.put_method(**place, **(custom if authorizer else {"authorizationType": "NONE"}))
            client.put_integration(
                **place, type="AWS_PROXY", integrationHttpMethod=integration["httpMethod"], uri=integration["uri"]
            )
        for response in integration["responses"].values() if integration["type"] == "mock" else ():
            client.put_integration_response(**place, **response)
    # A gateway response is part of a deployment.
    for stage in stages:
        client.create_deployment(restApiId=api, stageName=stage)


def _complete_http_api(client: Any, api: str, body: Mapping[str, Any]) -> None:  # noqa: ANN401 - boto3's clients have no type
    if "x-amazon-apigateway-cors" in body:
        client.update_api(ApiId=api, CorsConfiguration=_capitalized(body["x-amazon-apigateway-cors"]))
    authorizers = {}
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        written = dict(scheme["x-amazon-apigateway-authorizer"])
        kind, ttl = written.pop("type").upper(), int(written.pop("authorizerResultTtlInSeconds"))
        created = client.create_authorizer(
            ApiId=api, Name=name, AuthorizerType=kind, AuthorizerResultTtlInSeconds=ttl, **_capitalized(written)
        )
        authorizers[name] = created["AuthorizerId"]
    for path, method, integration in _integrations(body):
        created = client.create_integration(
            ApiId=api,
            IntegrationType=integration["type"].upper(),
            IntegrationUri=integration["uri"],
            IntegrationMethod=integration["httpMethod"],
            PayloadFormatVersion=integration["payloadFormatVersion"],
        )
        authorizer = _authorizer(body["paths"][path][method], authorizers)
        client.create_route(
            ApiId=api,
            RouteKey=f"{_METHODS[method]} {path}",
            Target=f"integrations/{created['IntegrationId']}",
            **({"AuthorizationType": "CUSTOM", "AuthorizerId": authorizer} if authorizer else {}),
        )


def _capitalized(written: Mapping[str, Any]) -> dict[str, Any]:
    """Name what OpenAPI has as HTTP APIs' own calls do."""
    return {key[0].upper() + key[1:]: value for key, value in written.items()}


def _authorizer(operation: Mapping[str, Any], authorizers: Mapping[str, str]) -> str | None:
    """Find the authorizer of a method; without one SAM names the scheme ``NONE``."""
    named = [name for each in operation.get("security", []) for name in each]
    return next((authorizers[name] for name in named if name != "NONE"), None)


def _integrations(body: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in body["paths"].items():
        for method in _METHODS.keys() & item.keys():
            yield path, method, item[method]["x-amazon-apigateway-integration"]
