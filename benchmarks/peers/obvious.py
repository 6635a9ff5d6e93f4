"""The authorizer that most people would write: PyJWT, PyJWKClient, and Powertools for the rest.

It is measured, never deployed. It does less than ours on purpose: it follows its libraries' documentation.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import jwt
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerRequestEvent,
    APIGatewayAuthorizerResponse,
)

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="obvious-authorizer")
metrics = Metrics(namespace="ObviousAuthorizer", service="obvious-authorizer")
keys = jwt.PyJWKClient(os.environ["JWKS_URL"])


@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a REST API's REQUEST authorizer event."""
    request = APIGatewayAuthorizerRequestEvent(event)
    token = (request.headers.get("Authorization") or "").removeprefix("Bearer ")
    try:
        claims = jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            audience=os.environ["JWT_AUDIENCE"],
            issuer=os.environ["JWT_ISSUER"],
            leeway=60,
        )
    except jwt.PyJWTError as error:
        logger.info("refused", reason=str(error), request_id=context.aws_request_id)
        metrics.add_metric(name="Refused", unit=MetricUnit.Count, value=1)
        raise Exception("Unauthorized") from None  # noqa: TRY002 - API Gateway's protocol
    arn = request.parsed_arn
    answer = APIGatewayAuthorizerResponse(
        principal_id=claims["sub"],
        region=arn.region,
        aws_account_id=arn.aws_account_id,
        api_id=arn.api_id,
        stage=arn.stage,
        context={"sub": claims["sub"], "iss": claims["iss"], "scope": claims.get("scope", "")},
        partition=arn.partition,
    )
    answer.allow_all_routes()
    logger.info("allowed", principal=claims["sub"], route=request.resource, request_id=context.aws_request_id)
    metrics.add_metric(name="Allowed", unit=MetricUnit.Count, value=1)
    return answer.asdict()
