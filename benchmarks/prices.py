"""Convert measured processor time to times and prices on Lambda, by memory size.

Lambda developer guide, "Configure Lambda function memory": processor power grows with memory, and at 1,769 MB a
function has the equivalent of one vCPU. So one second of this machine's processor becomes 1769 / memory seconds, if
Lambda's processors are as fast as this machine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WHOLE_CPU = 1769
"""MB at which a function has one vCPU. More memory does not make one thread faster."""
SIZES = (128, 192, 256, 384, 512, 768, 1024, 1536, 1769)

# us-east-1, list prices without free tier and savings plans, as of 2026-05: check them before you rely on them
# (https://aws.amazon.com/lambda/pricing/).
PER_REQUEST = 0.20 / 1_000_000
PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
PRICES_AS_OF = "May 2026"

# The same region. AWS's pages load their figures by script. These are from other pages that quote them, 2025-07 to
# 2026-06. AWS's announcements of 2024-11-01 (DynamoDB) and 2025-05-01 (Lambda's logs) agree.
PER_WRITE_UNIT = 0.625 / 1_000_000
"""DynamoDB on demand, a write of up to 1 KB; a write whose condition fails costs the same. $1.25 until AWS halved it on
2024-11-01 (https://aws.amazon.com/dynamodb/pricing/on-demand/)."""
PER_S3_GET = 0.0004 / 1000
"""S3 Standard (https://aws.amazon.com/s3/pricing/). Within a region there is no charge for bytes."""
PER_LOG_GB = 0.50
"""CloudWatch Logs, class Standard, the first 10 TB of a month that Lambda's logs have had tiers for since 2025-05-01
(https://aws.amazon.com/cloudwatch/pricing/). Without storage, $0.03 per GB and month."""

_MILLION = 1_000_000
REPEATS = (1, 3, 10, 100)
"""Requests of one token within the cache's TTL. The cache answers each but the first."""
STARTS = 0.001
"""The share of invocations with a cold start."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor seconds of a start, and of a warm request with a new or a cached token."""

    start: float
    fresh: float
    repeated: float


@dataclass(frozen=True, slots=True)
class AtSize:
    """Expected seconds at one memory size. ``start`` is without Lambda's own part (sandbox, download)."""

    memory: int
    start: float
    fresh: float
    repeated: float


def at_size(measured: Measured, memory: int) -> AtSize:
    """Scale processor time to the share of a processor at a memory size."""
    share = min(memory / WHOLE_CPU, 1.0)
    return AtSize(memory, measured.start / share, measured.fresh / share, measured.repeated / share)


def of_requests(count: float, seconds: float, memory: int, architecture: str) -> float:
    """Return the price in dollars of ``count`` invocations that took ``seconds`` in total."""
    return count * PER_REQUEST + of_waiting(seconds, memory, architecture)


def of_waiting(seconds: float, memory: int, architecture: str) -> float:
    """Return the price in dollars of ``seconds``, without the price per invocation."""
    return seconds * memory / 1024 * PER_GB_SECOND[architecture]


def per_million(measured: Measured, memory: int, repeats: int, architecture: str) -> float:
    """Return the authorizer's price, in dollars, of a million requests to the API.

    ``repeats``: requests per token within the TTL of API Gateway's cache. A duration is billed in whole
    milliseconds, and a cold start's initialization is billed as well.
    """
    sized = at_size(measured, memory)
    invocations = _MILLION / repeats
    duration = math.ceil(sized.fresh * 1000) / 1000
    start = math.ceil(sized.start * 1000) / 1000
    return of_requests(invocations, invocations * (duration + STARTS * start), memory, architecture)
