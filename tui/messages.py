"""Messages of the change feed to an app."""

from __future__ import annotations

from textual.message import Message

from core.schemas.queues import QueueOut


class QueueChanged(Message, bubble=False):
    """Posted when a cluster's queue has changed.

    Attributes:
        queue: The whole pane in calling order, as of its `sequence`.
    """

    def __init__(self, queue: QueueOut) -> None:
        super().__init__()
        self.queue = queue


class RecordChanged(Message, bubble=False):
    """Posted when something was written into a record, such as an order or a result.

    Attributes:
        kind: `encounter`, `prescription`, `order`, ... as the change feed names it.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind


class FeedState(Message, bubble=False):
    """Posted when the change feed came back or was lost, so that panes mark old numbers as old.

    Attributes:
        connected: Whether changes arrive.
    """

    def __init__(self, connected: bool) -> None:
        super().__init__()
        self.connected = connected


class SignInEnded(Message, bubble=False):
    """Posted when the core has ended the sign-in; nothing more may be shown.

    Attributes:
        why: `disabled`, `password`, `role`, `key`, `signed_out` or `ended`; empty when not known.
    """

    def __init__(self, why: str) -> None:
        super().__init__()
        self.why = why


class FeedMissing(Message, bubble=False):
    """Posted when the change feed has been away for so long that the end of a sign-in may have been missed."""
