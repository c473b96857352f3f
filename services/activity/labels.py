"""What people see instead of our words, per language (AMB-2): English is the last resort."""

from collections.abc import Mapping

LAST_RESORT = "en"

STATUS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "draft": "Draft",
        "to_do": "To Do",
        "in_progress": "In Progress",
        "wait": "Waiting",
        "resolved": "Resolved",
        "closed": "Closed",
    },
    "fr": {
        "draft": "Brouillon",
        "to_do": "À faire",
        "in_progress": "En cours",
        "wait": "En attente",
        "resolved": "Résolu",
        "closed": "Fermé",
    },
}


PAUSED: Mapping[str, Mapping[str, str]] = {
    "en": {
        "before": "Due: Paused {hours} h {minutes} m before due",
        "after": "Due: Paused {hours} h {minutes} m after overdue",
    },
    "fr": {
        "before": "Attendue : Pause {hours} h {minutes} m avant l'échéance",
        "after": "Attendue : Pause {hours} h {minutes} m après le retard",
    },
}
"""What stands in place of a due date while the clock stands (SL-3)."""


def status_label(status: str, accept_language: str | None) -> str:
    """The label of a status in the first language of an Accept-Language header that we have."""
    return STATUS[_language(accept_language)][status]


def paused_sentence(left: int, accept_language: str | None) -> str:
    """How many seconds were left, or by how many it was overdue if negative, as people read it (SL-3)."""
    minutes = abs(left) // 60
    form = PAUSED[_language(accept_language)]["before" if left >= 0 else "after"]
    return form.format(hours=minutes // 60, minutes=minutes % 60)


def _language(accept_language: str | None) -> str:
    """Preferences are taken in the order written: whoever sends weights writes the dearest first."""
    for preference in (accept_language or "").split(","):
        language = preference.partition(";")[0].strip().lower().partition("-")[0]
        if language in STATUS:
            return language
    return LAST_RESORT
