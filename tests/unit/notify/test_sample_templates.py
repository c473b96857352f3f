"""The sample organisation's templates render with what activity gives them (NT-1)."""

from pathlib import Path

import pytest

from deploy.config.folder import read
from services.notify.domain.compose import compose
from services.notify.domain.mail import TemplateText
from shared.template_variables import AUTOMATIC_VARIABLES
from tests.support.letters import KEYRING, NOON, acknowledgement, organisation, part

SAMPLE = Path("deploy/config/sample")
TEMPLATES = {
    template.name: {
        language: TemplateText(text.subject, text.text, text.html)
        for language, text in template.texts.items()
    }
    for template in read(SAMPLE).templates
}
GIVEN = {
    "process": "IT request",
    "queue": "Service desk",
    "company": "Harbour",
    "service": "IT",
    "waited": "5",
}


def test_what_is_given_here_is_what_automatic_mail_may_use() -> None:
    assert {*GIVEN, "waited"} < AUTOMATIC_VARIABLES


@pytest.mark.parametrize("name", ["acknowledgement", "no-response"])
@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("waited", ["5", ""])
def test_a_sample_template_says_the_reference_in_both_parts(name: str, language: str, waited: str) -> None:
    asked = acknowledgement(template=name, language=language, variables=GIVEN | {"waited": waited})
    mail = compose(asked, organisation(templates=TEMPLATES), KEYRING, NOON)
    assert "[101203-T]" in mail.subject
    for kind in ("plain", "html"):
        text = part(mail.mime, kind)
        assert "101203-T" in text
        assert "Service desk" in text
        assert ("5" in text.replace("101203-T", "")) is bool(waited and name == "no-response")
