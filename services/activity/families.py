"""What ties the activities of a batch together: parts of splits, and the roots of families."""

from collections import defaultdict
from collections.abc import Mapping
from uuid import UUID

from services.activity.domain.activity import Activity
from services.activity.domain.events import Event, Merged
from services.activity.store_families import Standing
from services.activity.store_rows import Key


class Families:
    """One batch's view: plain Python, like the workspace that it belongs to."""

    def __init__(self) -> None:
        self.roots: dict[Key, UUID] = {}
        self._parts: dict[Key, dict[UUID, None]] = defaultdict(dict)
        self._moved: dict[Key, UUID] = {}
        self._merges: list[tuple[str, UUID, UUID]] = []

    def know(self, activity: Activity) -> None:
        """An activity that was read or opened."""
        if activity.parent is not None:
            self._parts[activity.organisation, activity.parent].setdefault(activity.id)

    def parts_of(self, activity: Activity) -> tuple[UUID, ...]:
        """What has it for its parent, as parts of a split (T27), in the order of their ids."""
        return tuple(sorted(self._parts.get((activity.organisation, activity.id), ())))

    def note(self, activity: Activity, event: Event) -> None:
        """Something happened to an activity; only merges concern families."""
        if isinstance(event, Merged):
            self._merges.append((activity.organisation, activity.id, event.into.activity))

    def united(self, activities: Mapping[Key, Activity]) -> list[Standing]:
        """Roots that are none any more, each with the one that it stands under now."""
        for organisation, one, other in self._merges:
            self._unite(
                organisation, activities[organisation, one].family, activities[organisation, other].family
            )
        return [(organisation, moved, root) for (organisation, moved), root in sorted(self._moved.items())]

    def _unite(self, organisation: str, one: UUID, other: UUID) -> None:
        """Two families become one (T33). The lowest id is its root, whichever merge comes first."""
        roots = {self._root(organisation, one), self._root(organisation, other)}
        if len(roots) == 1:
            return
        kept, moved = sorted(roots)
        for family, root in self.roots.items():
            if family[0] == organisation and root == moved:
                self.roots[family] = kept
        self.roots[organisation, moved] = kept
        for family, root in self._moved.items():
            if family[0] == organisation and root == moved:
                self._moved[family] = kept
        self._moved[organisation, moved] = kept

    def _root(self, organisation: str, family: UUID) -> UUID:
        return self.roots.get((organisation, family), family)
