"""What reaches an app from outside itself."""

from __future__ import annotations

from textual.message import Message

from core.schemas.queues import QueueShape


class QueueChanged(Message, bubble=False):
    """A cluster's queue as it is now.

    Attributes:
        queue: The whole pane in calling order, as of its `sequence`.
    """

    def __init__(self, queue: QueueShape) -> None:
        super().__init__()
        self.queue = queue


class RecordChanged(Message, bubble=False):
    """Something was written into a record: orders, prescriptions and results wait elsewhere.

    Attributes:
        kind: `encounter`, `prescription`, `order`, ... as the change feed names it.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind


class FeedState(Message, bubble=False):
    """The change feed came back or was lost; panes say so rather than show old numbers as new.

    Attributes:
        connected: Whether changes arrive.
    """

    def __init__(self, connected: bool) -> None:
        super().__init__()
        self.connected = connected
