"""Lists are read page by page with a cursor over their sort key, never with an offset (docs/http.md).

So a page costs the same wherever it lies, and what is inserted meanwhile neither repeats nor skips rows.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel, Field, TypeAdapter

from shared.contracts.record import Instant
from shared.problems import INVALID_CURSOR, Problem

MAX_LIMIT = 200

_KINDS: Mapping[type, Any] = {int: Annotated[int, Field(ge=-(1 << 63), lt=1 << 63)], datetime: Instant}
"""What columns hold of these types: a bigint, and a time that is one in UTC, too."""

Item = TypeVar("Item")
Row = TypeVar("Row")


class Page(BaseModel, Generic[Item]):
    """`next` is the cursor of the page after this one; null on the last."""

    items: list[Item]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for. Fetch `limit + 1` rows: the one too many says that there is a next page."""

    limit: int
    after: str | None


def _page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="rows per page")] = 50,
    after: Annotated[str | None, Query(max_length=1024, description="`next` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit, after)


PageQuery = Annotated[PageRequest, Depends(_page_request)]
"""For an endpoint's signature: `page: PageQuery`."""


class Keyset:
    """The sort key of a list: its columns' types, e.g. `Keyset(datetime, UUID)`.

    A cursor is the key of the last row seen, as base64 of JSON. It grants nothing, so it is not signed;
    it is checked for its types, so that a made-up one is refused and not handed to the database.
    """

    def __init__(self, *columns: type) -> None:
        kinds = [_KINDS.get(column, column) for column in columns]
        self._adapter: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[*kinds])  # type: ignore[valid-type]

    def encode(self, key: tuple[Any, ...]) -> str:
        """The cursor behind the row with this key."""
        return base64.urlsafe_b64encode(self._adapter.dump_json(key)).decode().rstrip("=")

    def decode(self, cursor: str | None) -> tuple[Any, ...] | None:
        """The key to go on behind; None for the first page. Raises `Problem` (invalid_cursor)."""
        if cursor is None:
            return None
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            return self._adapter.validate_json(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, OverflowError):
            raise Problem(INVALID_CURSOR, "Use `next` of the page before, unchanged.") from None

    def page(
        self,
        rows: Sequence[Row],
        request: PageRequest,
        *,
        key: Callable[[Row], tuple[Any, ...]],
        item: Callable[[Row], Item],
    ) -> Page[Item]:
        """Make the answer from up to `request.limit + 1` rows in key order."""
        shown = rows[: request.limit]
        more = len(rows) > request.limit
        return Page(items=[item(row) for row in shown], next=self.encode(key(shown[-1])) if more else None)
