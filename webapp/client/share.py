"""A link to one job."""

from __future__ import annotations

from datetime import datetime
from html import escape

from ..models import WireModel
from .safe import plain


class Share(WireModel):
    """`url`: its address, which only the one who made it gets to see. `works`: it has neither ended nor been
    revoked."""

    id: str
    url: str | None = None
    expires_at: datetime | None = None
    can_cancel: bool = False
    note: str = ""
    lines: tuple[int, int] | None = None
    made_by: str | None = None
    made_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked: bool = False
    works: bool = True
    warning: str | None = None

    def __str__(self) -> str:
        return plain(self.url or self.id)

    def _repr_html_(self) -> str:
        if not (self.url or "").startswith(("http://", "https://")):
            return f"<code>{escape(self.id)}</code>"
        return f'<a href="{escape(self.url or "")}" target="_blank" rel="noopener">{escape(str(self))}</a>'
