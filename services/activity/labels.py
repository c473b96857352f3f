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


def status_label(status: str, accept_language: str | None) -> str:
    """The label of a status in the first language of an Accept-Language header that we have.

    Preferences are taken in the order written: whoever sends weights writes the dearest first.
    """
    for preference in (accept_language or "").split(","):
        language = preference.partition(";")[0].strip().lower().partition("-")[0]
        if language in STATUS:
            return STATUS[language][status]
    return STATUS[LAST_RESORT][status]
