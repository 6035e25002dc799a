"""The table of header dialects: one row for each way of telling headroom."""

from __future__ import annotations

from dataclasses import dataclass

from interlock.headroom import structured as sf
from interlock.headroom import vendors as own
from interlock.headroom import x_ratelimit as x
from interlock.headroom.x_ratelimit import Reader, Writer

_DRAFTS = "https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers"
WAIT, EPOCH, NEVER = "seconds to wait", "seconds since the epoch", "not told"


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way of telling headroom in headers.

    `reset`: the unit of its reset. `source`: the document that defines it. `certainty`: verified in the
    provider's own words; attested by third parties, and then of low confidence.
    """

    name: str
    read: Reader
    write: Writer
    reset: str
    source: str
    certainty: str = "verified"


DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        Dialect("ietf", sf.read_ietf, sf.write_ietf, WAIT, f"{_DRAFTS}-10"),
        Dialect("ietf-combined", sf.read_combined, sf.write_combined, WAIT, f"{_DRAFTS}-07"),
        Dialect("ietf-separate", sf.read_separate, sf.write_separate, WAIT, f"{_DRAFTS}-06"),
        Dialect(
            "windowed",
            sf.read_windowed,
            sf.write_windowed,
            NEVER,
            "https://docs.docker.com/docker-hub/usage/pulls/#view-pull-rate-and-limit",
        ),
        Dialect(
            "x-ratelimit",
            x.read_epoch,
            x.write_epoch,
            EPOCH,
            "https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits",
        ),
        Dialect(
            "x-ratelimit-wait",
            x.read_wait,
            x.write_wait,
            WAIT,
            "https://docs.statbot.net/docs/api/schemas/ratelimitheaders",
        ),
        Dialect(
            "x-ratelimit-milliseconds",
            x.read_milliseconds,
            x.write_milliseconds,
            "milliseconds since the epoch",
            "https://documentation.mailgun.com/docs/mailgun/api-reference/api-overview",
            "attested",
        ),
        Dialect(
            "x-ratelimit-iso",
            x.read_iso,
            x.write_iso,
            "ISO 8601",
            "https://docs.gusto.com/embedded-payroll/changelog/added-rate-limit-headers",
        ),
        Dialect(
            "x-ratelimit-decimal",
            x.read_decimals,
            x.write_decimals,
            "seconds to wait, and since the epoch, with decimals",
            "https://discord.com/developers/docs/topics/rate-limits#header-format",
            "attested",
        ),
        Dialect(
            "x-rate-limit",
            x.read_dashed,
            x.write_dashed,
            EPOCH,
            "https://developer.x.com/en/docs/x-api/rate-limits (as clients of it read it)",
            "attested",
        ),
        Dialect(
            "github",
            x.read_github,
            x.write_github,
            EPOCH,
            "https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api",
        ),
        Dialect(
            "gitlab",
            x.read_gitlab,
            x.write_gitlab,
            EPOCH,
            "https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers",
            "attested",
        ),
        Dialect(
            "sendgrid",
            x.read_epoch,
            x.write_epoch,
            EPOCH,
            "https://www.twilio.com/docs/sendgrid/api-reference/how-to-use-the-sendgrid-v3-api/rate-limits",
        ),
        Dialect(
            "mailgun",
            x.read_milliseconds,
            x.write_milliseconds,
            "milliseconds since the epoch",
            "https://documentation.mailgun.com/docs/mailgun/api-reference/api-overview",
            "attested",
        ),
        Dialect(
            "auth0",
            own.read_auth0,
            own.write_auth0,
            "seconds since the epoch; the quotas: seconds to wait",
            "https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy",
        ),
        Dialect(
            "segment",
            own.read_segment,
            own.write_segment,
            WAIT,
            "https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#rate-limits",
        ),
        Dialect(
            "hubspot",
            own.read_hubspot,
            own.write_hubspot,
            NEVER,
            "https://developers.hubspot.com/docs/api/usage-details",
        ),
        Dialect(
            "salesforce",
            own.read_salesforce,
            own.write_salesforce,
            NEVER,
            "https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_api_usage.htm",
        ),
        Dialect(
            "facebook",
            own.read_facebook,
            own.write_facebook,
            "minutes to wait; of an advertising account: seconds to wait",
            "https://developers.facebook.com/docs/graph-api/overview/rate-limiting (copies of it)",
            "attested",
        ),
        Dialect(
            "twilio",
            own.read_twilio,
            own.write_twilio,
            NEVER,
            "https://www.twilio.com/docs/errors/20429 (the header: recorded answers)",
            "attested",
        ),
        Dialect(
            "azure",
            own.read_azure,
            own.write_azure,
            NEVER,
            "https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling",
        ),
        Dialect(
            "tollbooth",
            own.read_tollbooth,
            own.write_tollbooth,
            NEVER,
            "https://github.com/didip/tollbooth (as recorded answers of the ECS credentials endpoint have it)",
            "attested",
        ),
        Dialect(
            "auto",
            x.read_auto,
            x.write_epoch,
            "whichever one is believable",
            "none: a service that nobody described",
            "attested",
        ),
    )
}
