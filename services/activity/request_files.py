"""What a request says of files: the one that it is about, and those that go with a mail."""

from typing import TypeAlias
from uuid import UUID

from services.activity.announce import effect_id
from services.activity.announce_files import blob_of
from services.activity.domain.activity import Activity
from services.activity.domain.files import MEGABYTE, File, size_in_mail
from services.activity.needs import Needs
from services.activity.request_names import Declined
from services.activity.uploads import ActivityAddFile
from services.activity.workspace import Workspace
from shared.contracts import activity_requests as asked
from shared.contracts.blob import Blob
from shared.organisation import Organisation
from shared.unit_of_work import Incoming

OnFile: TypeAlias = asked.ActivityEditFile | asked.ActivityRemoveFile


def gather(organisation: str, request: asked.Request, needs: Needs) -> None:
    """The files of the Ticket, where the request names one."""
    if isinstance(request, OnFile) or (isinstance(request, asked.ActivityReply) and request.files):
        needs.filed.add((organisation, request.reference))


def file_of(workspace: Workspace, activity: Activity, incoming: Incoming[asked.Request]) -> File | None:
    """The file that a request is about, if it is about one.

    Raises `Declined` where the Ticket has no such file.
    """
    match incoming.message:
        case ActivityAddFile(blob=blob, tags=tags):
            about = (blob.object, blob.sha256, blob.size, blob.media_type, blob.name or "")
            return File(effect_id(incoming.envelope), *about, tuple(dict.fromkeys(tags)))
        case asked.ActivityEditFile(file=id_) | asked.ActivityRemoveFile(file=id_):
            return _found(workspace, activity, id_)
    return None


def sent_with(
    workspace: Workspace, organisation: Organisation, activity: Activity, request: asked.ActivityReply
) -> tuple[Blob, ...]:
    """The files that go with a mail, each once. Raises `Declined`, also for a mail that gets too large."""
    files = [_found(workspace, activity, id_) for id_ in dict.fromkeys(request.files)]
    most = organisation.rules.largest_mail_mb
    size = size_in_mail(request.text, tuple(file.size for file in files))
    if size > most * MEGABYTE:
        detail = (
            f"The mail would have {size / MEGABYTE:.1f} MB as it is sent, and {most} MB are the most (NT-15)."
        )
        raise Declined("mail_too_large", detail, "files" if files else "text")
    return tuple(map(blob_of, files))


def _found(workspace: Workspace, activity: Activity, id_: UUID) -> File:
    file = workspace.files.find(workspace.bearer(activity), id_)
    if file is None:
        raise Declined("not_found", f"There is no file {id_} on {activity.reference}.")
    return file
