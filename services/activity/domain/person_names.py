"""First and last names, as a mail's display name or a typed address gives them."""

import re

_PARTS = re.compile(r"[._\-\s]+")
_DIGITS = re.compile(r"\d+")


def names_from_display_name(display_name: str) -> tuple[str, str]:
    """First and last name as a mail's display name gives them (CT-13); both empty where it does not.

    `Dupont, Marie Anne` is Marie Dupont; `Marie Anne Dupont` is Marie Dupont; `Marie` alone stays empty,
    and the user is asked at submit.
    """
    name = " ".join(display_name.split())
    if "," in name:
        last, _, rest = name.partition(",")
        return rest.strip().partition(" ")[0].rstrip(","), last.strip()
    words = name.split(" ")
    return (words[0], words[-1]) if len(words) > 1 else ("", "")


def names_from_address(address: str) -> tuple[str, str]:
    """First and last name as a typed address gives them (CT-14); both empty where it says nothing.

    `marie-anne.dupont2+news@harbour.test` is Marie Dupont: what stands behind a `+` is left out, then
    digits, and of the parts between dots, underscores and dashes the first and the last count. `marie@…`
    is a first name only.
    """
    local = address.rpartition("@")[0].partition("+")[0]
    words = [_titled(part) for part in _PARTS.split(_DIGITS.sub("", local)) if part]
    return (words[0] if words else "", words[-1] if len(words) > 1 else "")


def _titled(word: str) -> str:
    return word[:1].upper() + word[1:].lower()
