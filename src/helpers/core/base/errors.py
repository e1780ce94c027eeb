"""The one error that a user reads: what was wrong, where, and what to do."""

from __future__ import annotations


class PhareError(Exception):
    """An error with its cause, its place and its mend, each a sentence in French.

    Raised wherever a person can act on the failure; anything else is a defect of ours and keeps
    its traceback.
    """

    def __init__(self, what: str, where: str, todo: str) -> None:
        self.what, self.where, self.todo = what, where, todo
        super().__init__(what)

    def _render_traceback_(self) -> list[str]:
        """Return what a notebook shows, by IPython's own protocol: the sentence, no traceback."""
        return [str(self)]

    def __str__(self) -> str:
        return f"Erreur : {self.what}\n  où      : {self.where}\n  à faire : {self.todo}"
