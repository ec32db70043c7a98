"""What the DNS says, for `gateway check`: mail that goes straight to the recipients' servers needs its answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.config import Config
    from gateway.smtp.resolver import Resolver

_SECONDS = 3.0  # for each question


def check_dns(config: Config) -> tuple[list[str], list[str]]:
    """What is right and what is wrong with the DNS; nothing is asked where no mail goes by it."""
    if config.relay.mode != "mx":
        return [], []
    from gateway.transports import make_resolver

    try:
        resolver = make_resolver(config.relay, lifetime=_SECONDS)
    except GatewayError as error:
        return [], [f"relay.resolvers: {error.sentence}"]
    wrong = []
    if config.relay.trust_ad and not resolver.local:
        server = resolver.servers[0]
        wrong.append(f"relay.trust_ad: the system's DNS server {server} is another machine, so DNSSEC is not believed.")
    good, bad = asyncio.run(_ask(resolver, config))
    return good, wrong + bad


async def _ask(resolver: Resolver, config: Config) -> tuple[list[str], list[str]]:
    from gateway.smtp.resolver import NoAnswer, NoMail

    hostname, domain = config.gateway.hostname, config.sender.domain
    ours = await resolver.addresses(hostname)
    if ours.doubt is not None:
        return [], [f"relay.resolvers: {ours.doubt}"]
    good, bad = [f"the DNS answers ({', '.join(resolver.servers)})"], []
    if ours.v4 or ours.v6:
        good.append(f"{hostname} has the address {', '.join(ours.v4 + ours.v6)}")
    else:
        bad.append(
            f"gateway.hostname: {hostname} has no address in the DNS; many servers refuse mail from such a name."
        )
    try:
        found = await resolver.exchangers(domain)
        good.append(f"bounces to {domain} go to {', '.join(name for _, name in found.hosts)[:200]}")
    except NoMail as error:
        bad.append(f"sender.domain: {error.sentence}; many servers refuse a sender who cannot be answered.")
    except NoAnswer as error:
        bad.append(f"relay.resolvers: {error.sentence}")
    return good, bad
