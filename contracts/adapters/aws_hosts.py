"""The hosts of AWS services: by region, for FIPS, over both stacks, in China, and with a bucket's name before them."""

from __future__ import annotations

import re

_REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
_END = r"\.amazonaws\.com(?:\.cn)?"
# S3 may have its options before or after the region's dash or dot: docs.aws.amazon.com, Virtual hosting of buckets,
# and botocore's endpoint rules of s3.
_S3 = (
    r"s3(?:-accesspoint|-object-lambda|-outposts|express-[a-z0-9-]+)?(?:-accelerate|-fips)?(?:[.-]dualstack)?"
    rf"(?:[.-]{_REGION}|[.-]external-1)?{_END}"
)
# The endpoint prefixes of the providers in the catalogue.
ENDPOINTS = {"s3": "s3", "ses": "email", "sns": "sns", "cognito": "cognito-idp"}
# The group `step` is the first step of the path, as it would be on the service's own host.
BUCKET_HOSTS = (rf"(?P<step>[^/]+?)\.{_S3}",)


def hosts(prefix: str) -> tuple[str, ...]:
    """Patterns of the hosts of a service by its endpoint prefix; none for a model that has none."""
    if not prefix:
        return ()
    if prefix == "s3":
        return (rf"(?:[^/]+\.)?{_S3}",)
    name = re.escape(prefix)
    return (rf"{name}(?:-fips)?(?:\.{_REGION})?{_END}", rf"{name}(?:-fips)?\.{_REGION}\.api\.aws")
