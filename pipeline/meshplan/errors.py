"""What stops meshplan; whatever it can report and go on from is a `Finding` instead."""


class MeshplanError(Exception):
    """One clear sentence for the user, with the exit status that goes with it."""

    exit_status = 3

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        path: str = "",
        line: int | None = None,
        column: int | None = None,
    ):
        super().__init__(message)
        self.message = message
        #: The next step, as a sentence of its own; empty if there is none.
        self.hint = hint
        #: The file the error is about, relative to the repository; empty if it is about none.
        self.path = path
        self.line = line
        self.column = column

    @property
    def sentence(self) -> str:
        """The message behind the place it is about: `path:line:column: message`."""
        parts = [self.path, self.line, self.column] if self.path else []
        place = ":".join(str(part) for part in parts if part)
        return f"{place}: {self.message}" if place else self.message

    def __str__(self) -> str:
        return self.sentence + (f"\n{self.hint}" if self.hint else "")


class UsageError(MeshplanError):
    """The command line asks for something that cannot be: unknown revision, not a repository."""

    exit_status = 2


class SettingsError(MeshplanError):
    """`.meshplan.yaml` says something that meshplan does not understand."""

    exit_status = 2


class SourceError(MeshplanError):
    """Something that has to be read cannot be read."""


class RenderError(MeshplanError):
    """A renderer (Kustomize, Helm) refused, failed or ran out of its limits."""
