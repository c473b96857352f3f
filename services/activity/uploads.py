"""The one request that comes over HTTP only, because its bytes come with it (NT-15).

On Kafka a record would have to name bytes that lie in somebody else's part of the blob store, whose owner may
delete them at any time; or ones of ours, which knowing their name would then be enough to read.
"""

from typing import Literal

from shared.contracts.activity_requests import OnActivity
from shared.contracts.activity_requests_files import FileTags
from shared.contracts.blob import Blob


class ActivityAddFile(OnActivity):
    """Put a file on it, whose bytes activity has stored."""

    type: Literal["ticket.add_file", "case.add_file"] = "ticket.add_file"
    blob: Blob
    tags: FileTags = ()
