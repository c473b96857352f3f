"""What a service knows of `activity.organisation.v1`, without Kafka."""

from shared.organisation_copy import Announcements
from shared.postgres import Connection


class Told(Announcements):
    """`everything` is whether all that was announced is known here; until then, more may arrive."""

    def __init__(self) -> None:
        self.everything = False

    async def all_known(self, connection: Connection) -> bool:
        return self.everything
