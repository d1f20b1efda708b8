"""Run a renderer within limits: no network, no configuration of the user, bounded time and output."""

import errno
import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from meshplan.dataclass import dataclass
from meshplan.errors import RenderError
from meshplan.settings import RenderSettings

#: Nothing listens on the discard port: whatever tries to reach a network fails at once.
_DEAD_PROXY = "http://127.0.0.1:9"
_CHUNK = 1 << 16
#: More than any renderer needs, less than would bring a build machine down.
_MEMORY_BYTES = 8 << 30
_ERROR_BYTES = 1 << 16
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Tool:
    """A renderer on PATH: its absolute path, and the arguments that always come first."""

    name: str
    path: str
    arguments: tuple[str, ...] = ()


class LimitError(RenderError):
    """Time, output or disk ran out: says nothing about what was to be rendered."""


def find_kustomize() -> Tool | None:
    """`kustomize`, else the one that is built into `kubectl`; None without either."""
    found = shutil.which("kustomize")
    if found:
        return Tool("kustomize", found, ("build",))
    found = shutil.which("kubectl")
    return Tool("kubectl kustomize", found, ("kustomize",)) if found else None


def find_helm() -> Tool | None:
    """`helm`; None without it."""
    found = shutil.which("helm")
    return Tool("helm", found, ("template",)) if found else None


def run(tool: Tool, arguments: Sequence[str], *, home: Path, limits: RenderSettings) -> bytes:
    """What the tool writes to its standard output.

    `home` is the temporary folder that it may write to. Raises RenderError with the tool's own
    complaint if it fails, and with one sentence if it is out of time, output or disk.
    """
    command = [tool.path, *tool.arguments, *arguments]
    with _started(command, home) as process:
        deadline = time.monotonic() + limits.timeout_seconds
        output, complaint = _collected(process, tool, limits, deadline)
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired as error:
            raise _late(tool, limits) from error
    if status == 0:
        return output
    said = complaint.decode("utf-8", "replace").strip()
    if "no space left on device" in said.lower():
        raise disk_full()
    raise RenderError(f"{tool.name} failed: {_shortened(said) or f'exit status {status}'}")


def disk_full() -> LimitError:
    """The error for a temporary folder that cannot take what has to be rendered."""
    return LimitError(
        "no space left for the temporary copy that is rendered",
        hint="free some space, or set TMPDIR to a folder on another disk",
    )


@contextmanager
def watching_the_disk() -> Iterator[None]:
    """Turn "disk full" in this block into its RenderError."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise disk_full() from error
        raise


@contextmanager
def _started(command: Sequence[str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, in a process group that is gone afterwards."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=home,
            env=_environment(home),
            start_new_session=True,
        )
    except OSError as error:
        raise RenderError(f"{command[0]} cannot be started: {error.strerror}") from error
    try:
        _bound_memory(process.pid)
        yield process
    finally:
        # The group may hold children that outlive the process itself.
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def _collected(
    process: subprocess.Popen[bytes], tool: Tool, limits: RenderSettings, deadline: float
) -> tuple[bytes, bytes]:
    """Standard output and standard error, read side by side until both end."""
    assert process.stdout is not None  # noqa: S101 - both are pipes, see `_started`
    assert process.stderr is not None  # noqa: S101
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ, output)
        selector.register(process.stderr, selectors.EVENT_READ, complaint)
        while selector.get_map():
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise _late(tool, limits)
            for key, _ in ready:
                chunk = os.read(key.fd, _CHUNK)
                if not chunk:
                    selector.unregister(key.fileobj)
                elif key.data is output or len(complaint) < _ERROR_BYTES:
                    key.data.extend(chunk)
            if len(output) > limits.max_output_bytes:
                raise LimitError(
                    f"{tool.name} wrote more than {limits.max_output_bytes} bytes",
                    hint="`render.maxOutputBytes` in .meshplan.yaml allows more",
                )
    return bytes(output), bytes(complaint)


def _late(tool: Tool, limits: RenderSettings) -> LimitError:
    return LimitError(
        f"{tool.name} did not finish within {limits.timeout_seconds:g} seconds",
        hint="`render.timeoutSeconds` in .meshplan.yaml gives it more time",
    )


def _environment(home: Path) -> dict[str, str]:
    """Nothing of the user's environment but PATH; no cluster, no credentials, no network."""
    folder = str(home)
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _DEAD_PROXY)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "HOME": folder,
        "TMPDIR": folder,
        "XDG_CACHE_HOME": folder,
        "XDG_CONFIG_HOME": folder,
        "XDG_DATA_HOME": folder,
        "HELM_CACHE_HOME": folder,
        "HELM_CONFIG_HOME": folder,
        "HELM_DATA_HOME": folder,
        "HELM_PLUGINS": os.path.join(folder, "no-plugins"),  # noqa: PTH118 - text for a variable
        "KUSTOMIZE_PLUGIN_HOME": os.path.join(folder, "no-plugins"),  # noqa: PTH118
        "KUBECONFIG": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        # No transport has this name, so Git refuses all of them.
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        **proxies,
        **{name.lower(): value for name, value in proxies.items()},
        "NO_PROXY": "",
        "no_proxy": "",
    }


def _bound_memory(pid: int) -> None:
    """Where the system can bound another process's memory (Linux), do so."""
    try:
        import resource  # noqa: PLC0415 - Unix only

        resource.prlimit(pid, resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    except (ImportError, AttributeError, OSError, ValueError):
        return


def _shortened(text: str, limit: int = 600) -> str:
    """An error message as one line of bearable length, its end kept: there the cause stands."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    joined = " ".join(line for line in lines if not line.startswith(("# Warning:", "walk.go:")))
    logged = re.search(r'err="((?:[^"\\]|\\.)*)"|err=<(.*)>', joined)
    if logged:
        joined = (logged[1] or logged[2]).replace('\\"', '"').replace("\\n", " ")
    # Kustomize tells the way down through all bases; the last step is the one that failed.
    joined = joined.rpartition("recursed accumulation of path")[2]
    return joined if len(joined) <= limit else f"{joined[:100]} … {joined[-(limit - 100) :]}"
