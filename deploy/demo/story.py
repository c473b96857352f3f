"""The main job as a story of small steps: each does one thing as a user would, and looks at what came of it.

Nothing is faked: the customer has a mailbox, agent and robot have tokens, and Mailroom runs as in production,
but for a feedback window of seconds. A step that does not see what it waits for raises, and the demo has
failed.
"""

from collections.abc import Callable

from deploy.demo.scene import Scene
from deploy.demo.story_case import FROM_MAIL_TO_CASE
from deploy.demo.story_ticket import FROM_MAIL_TO_TICKET

ACTS: tuple[tuple[str, tuple[Callable[[Scene], None], ...]], ...] = (
    ("A mail becomes a Ticket", FROM_MAIL_TO_TICKET),
    ("A mail becomes a Case", FROM_MAIL_TO_CASE),
)


def play(scene: Scene) -> None:
    """All steps in order. Raises at the first that does not see what it waits for."""
    for title, steps in ACTS:
        scene.stage.act(title)
        for step in steps:
            scene.stage.title(step.__doc__ or step.__name__)
            step(scene)
