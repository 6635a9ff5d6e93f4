"""What Lambda makes of the measured processor time: a start's and a request's time by memory size, and the bill.

Lambda developer guide, "Configure Lambda function memory": processor power grows with memory, and at 1,769 MB
a function has the equivalent of one vCPU. So what took a second of this machine's processor takes
1769 / memory seconds there, as far as Lambda's processors are like this machine's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

WHOLE_CPU = 1769
"""MB at which a function has one vCPU. More of it does not speed up one thread."""
SIZES = (128, 192, 256, 384, 512, 768, 1024, 1536, 1769)

# us-east-1, list prices without free tier and savings plans, as of 2026-05: look them up before relying on them
# (https://aws.amazon.com/lambda/pricing/).
PER_REQUEST = 0.20 / 1_000_000
PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
PRICES_AS_OF = "May 2026"

# The same region. AWS's pages fill in their figures by script; these were read in what others quote of them, 2025-07 to
# 2026-06. AWS's announcements of 2024-11-01 (DynamoDB) and 2025-05-01 (Lambda's logs) agree.
PER_WRITE_UNIT = 0.625 / 1_000_000
"""DynamoDB on demand, a write of up to 1 KB; one whose condition fails costs as much. $1.25 until AWS halved it on
2024-11-01 (https://aws.amazon.com/dynamodb/pricing/on-demand/)."""
PER_S3_GET = 0.0004 / 1000
"""S3 Standard (https://aws.amazon.com/s3/pricing/). Within a region there is no charge for bytes."""
PER_LOG_GB = 0.50
"""CloudWatch Logs, class Standard, the first 10 TB of a month that Lambda's logs have had tiers for since 2025-05-01
(https://aws.amazon.com/cloudwatch/pricing/). Without storage, $0.03 per GB and month."""

_MILLION = 1_000_000
REPEATS = (1, 3, 10, 100)
"""How many requests one token makes within the cache's time; each but the first is answered by the cache."""
STARTS = 0.001
"""The share of the function's invocations that meet a cold start."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Processor seconds: of a start, and of a warm request with a new and with a known token."""

    start: float
    fresh: float
    repeated: float


@dataclass(frozen=True, slots=True)
class AtSize:
    """What to expect at one memory size, in seconds; ``start`` without Lambda's own share (sandbox, download)."""

    memory: int
    start: float
    fresh: float
    repeated: float


def at_size(measured: Measured, memory: int) -> AtSize:
    """Scale processor time to the share that a memory size gets."""
    share = min(memory / WHOLE_CPU, 1.0)
    return AtSize(memory, measured.start / share, measured.fresh / share, measured.repeated / share)


def of_requests(count: float, seconds: float, memory: int, architecture: str) -> float:
    """Give the price in dollars of so many invocations that took so many seconds together."""
    return count * PER_REQUEST + of_waiting(seconds, memory, architecture)


def of_waiting(seconds: float, memory: int, architecture: str) -> float:
    """Give the price in dollars of so many seconds, without that of the invocations that they are part of."""
    return seconds * memory / 1024 * PER_GB_SECOND[architecture]


def per_million(measured: Measured, memory: int, repeats: int, architecture: str) -> float:
    """Give the authorizer's price, in dollars, of a million requests to the API.

    ``repeats``: requests per token within API Gateway's cache time. A duration is billed in whole
    milliseconds, and a cold start's initialization is billed as well.
    """
    sized = at_size(measured, memory)
    invocations = _MILLION / repeats
    duration = math.ceil(sized.fresh * 1000) / 1000
    start = math.ceil(sized.start * 1000) / 1000
    return of_requests(invocations, invocations * (duration + STARTS * start), memory, architecture)
