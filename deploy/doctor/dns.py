"""Checks of what the world's DNS says of the domains that mail is sent from."""

from collections.abc import Callable

from dns.asyncresolver import Resolver
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, NoAnswer, NoResolverConfiguration

from deploy.doctor.findings import Doubtful, Wrong

RESERVED = ("test", "example", "invalid", "localhost")
"""Domains that nobody can have (RFC 2606)."""
ASK_SECONDS = 5.0

Resolvers = Callable[[], Resolver]


def resolvers(server: str | None) -> Resolvers:
    """Resolvers that ask `server`, as `address` or `address:port`, or else the machine's."""

    def made() -> Resolver:
        if server is None:
            return Resolver()
        address, _, port = server.partition(":")
        resolver = Resolver(configure=False)
        resolver.nameservers = [address]
        resolver.port = int(port or 53)
        return resolver

    return made


async def arrives(domain: str, resolver: Resolvers) -> str:
    """Answers find their way back: the domain has an MX, or at least an address (RFC 5321 5.1)."""
    if domain.rpartition(".")[2] in RESERVED:
        return "a domain for tests: nobody asks for it"
    if servers := await _asked(resolver, domain, "MX"):
        if servers == ["0 ."]:
            raise Wrong(f"The MX of {domain} says that it takes no mail (RFC 7505): no answer can come home.")
        return f"MX {servers[0].split()[-1].rstrip('.')}"
    if await _asked(resolver, domain, "A") or await _asked(resolver, domain, "AAAA"):
        raise Doubtful(f"{domain} has no MX, only an address: set the MX, since not all senders make do.")
    raise Wrong(f"{domain} has neither MX nor address, so no answer can come home: set its MX in the DNS.")


async def spf(domain: str, resolver: Resolvers) -> str:
    """Somebody says who may send for the domain (RFC 7208)."""
    return await _said(resolver, domain, domain, "v=spf1", "SPF record that names your SMTP servers")


async def dmarc(domain: str, resolver: Resolvers) -> str:
    """Somebody says what to do with forged mail (RFC 7489)."""
    return await _said(resolver, domain, f"_dmarc.{domain}", "v=DMARC1", "DMARC record")


async def _said(resolver: Resolvers, domain: str, name: str, begins: str, what: str) -> str:
    if domain.rpartition(".")[2] in RESERVED:
        return "a domain for tests: nobody asks for it"
    texts = [text.replace('" "', "").strip('"') for text in await _asked(resolver, name, "TXT")]
    found = [text for text in texts if text.split(";")[0].split(" ")[0].lower() == begins.lower()]
    if not found:
        raise Doubtful(f"{domain} has no {what}: set one in the DNS, or large providers take mail for spam.")
    if len(found) > 1:
        raise Wrong(f"{name} has {len(found)} records of {begins}, so none of them counts: keep one.")
    return found[0][:60]


async def _asked(resolver: Resolvers, name: str, kind: str) -> list[str]:
    """What the DNS has; nothing where there is none. Raises `Doubtful` when it cannot be asked."""
    try:
        answer = await resolver().resolve(name, kind, lifetime=ASK_SECONDS, search=False)
    except (NXDOMAIN, NoAnswer):
        return []
    except (NoResolverConfiguration, DNSException, OSError) as error:
        raise Doubtful(f"The DNS could not be looked at from here ({type(error).__name__}).") from error
    return sorted(str(record) for record in answer)
