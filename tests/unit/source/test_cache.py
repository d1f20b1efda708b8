"""The cache remembers, and never stands in the way."""

import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from meshplan.source import cache as module
from meshplan.source.cache import Cache, cache_directory
from meshplan.source.reading import Limits, Reading
from meshplan.source.stored import as_texts
from meshplan.source.yaml import read

TEXTS = {
    "plain": b"a: 1\n---\nb: [x, null, true, {c: 'd'}]\n",
    "numbers": b"a: [9223372036854775807, 18446744073709551615, 1e300, -1.5, 5e-324, 1e20, -0.0]\n",
    "strings": '{"a": "\\u0000\\ud800\U0001f600\\u2028", "\\u00e9": "x"}'.encode(),
    "findings": b"a: 1\na: 2\n---\nb: [\n---\n? [x]\n: y\n",
    "go": b"a: {{ x }}\n",
    "shell": b"a: 1\n---\nb: [${X}]\n",
    "nothing": b"",
    "size": b"#" * 40_000_000,
}


def readings() -> dict[str, Reading]:
    """Something of everything that can be read, by made-up blob ids."""
    return {f"{name:0<40}": read(text) for name, text in TEXTS.items()}


def database(directory: Path) -> Path:
    """The file of the cache in a directory."""
    return directory / "readings.sqlite"


def test_what_was_put_comes_back_equal(tmp_path: Path) -> None:
    Cache(tmp_path).put_many(as_texts(readings()))
    found = Cache(tmp_path).get_many([*readings(), "f" * 40])
    assert found == readings()
    for blob, reading in readings().items():
        assert repr(found[blob]) == repr(reading)  # 1 and 1.0 and True are equal, and not the same


def test_more_than_a_batch_comes_back(tmp_path: Path) -> None:
    many = {f"{number:040x}": read(b"a: %d\n" % number) for number in range(1234)}
    cache = Cache(tmp_path)
    cache.put_many(as_texts(many))
    assert cache.get_many(many) == many
    assert cache.get_many(list(many)[:3]) == dict(list(many.items())[:3])
    assert cache.get_many([]) == {}


def test_what_was_read_within_other_limits_is_not_remembered(tmp_path: Path) -> None:
    Cache(tmp_path).put_many(as_texts(readings()))
    assert Cache(tmp_path, Limits(depth=3)).get_many(readings()) == {}


def test_what_another_parser_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cache(tmp_path).put_many(as_texts(readings()))
    monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    assert Cache(tmp_path).get_many(readings()) == {}


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {p: hunter2}\n",
        "a: 1\n---\nkind: Secret\nstringData: {p: hunter2}\n",
        "kind: List\nitems:\n- {kind: Secret, stringData: {p: hunter2}}\n",
        "kind: Object\nspec: {manifest: {kind: Secret, stringData: {p: hunter2}}}\n",
        '{"kind": "\\u0053ecret", "stringData": {"p": "hunter2"}}',
    ],
)
def test_a_file_with_a_secret_is_not_kept(tmp_path: Path, text: str) -> None:
    cache = Cache(tmp_path)
    cache.put_many(
        as_texts({"a" * 40: read(text.encode()), "b" * 40: read(b"kind: SecretStore\n")})
    )
    assert list(cache.get_many(["a" * 40, "b" * 40])) == ["b" * 40]
    assert all(b"hunter2" not in path.read_bytes() for path in tmp_path.iterdir())


def test_only_the_user_may_look_at_the_cache(tmp_path: Path) -> None:
    Cache(tmp_path / "a" / "b").put_many(as_texts(readings()))
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    for path in (tmp_path / "a" / "b").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_file_is_forgotten_and_made_anew(tmp_path: Path, damage: bytes) -> None:
    database(tmp_path).write_bytes(damage)
    cache = Cache(tmp_path)
    assert cache.get_many(readings()) == {}
    cache.put_many(as_texts(readings()))
    cache.put_many(as_texts(readings()))
    assert cache.get_many(readings()) == readings()


def test_damage_in_the_middle_of_the_file_is_survived(tmp_path: Path) -> None:
    many = {f"{number:040x}": read(b"a: %d\n" % number * 9) for number in range(500)}
    cache = Cache(tmp_path)
    cache.put_many(as_texts(many))
    content = bytearray(database(tmp_path).read_bytes())
    content[4096:-4096] = os.urandom(len(content) - 8192)
    database(tmp_path).write_bytes(content)
    found = cache.get_many(many)
    assert all(found[blob] == many[blob] for blob in found)
    cache.put_many(as_texts(many))
    cache.put_many(as_texts(many))
    assert cache.get_many(many) == many


@pytest.mark.parametrize(
    "value",
    [
        *("", "null", "[", "[]", "[[],[]]", "[[[0]],[],0]", "[[],[[]],0]", "1],[2", '{"a":1}'),
        *(b"\xff", 5, "[" * 5000, '[[],[["r","loud","m",null,"",null]],""]'),
        '[[],[["r","error","m",[1],"",null]],""]',
    ],
)
def test_a_value_that_is_no_reading_is_a_miss(tmp_path: Path, value: object) -> None:
    cache = Cache(tmp_path)
    cache.put_many(as_texts(readings()))
    first, *others = readings()
    connection = sqlite3.connect(database(tmp_path))
    with connection:
        changed = "update readings set value = ? where key like ?"
        assert connection.execute(changed, (value, f"%{first}")).rowcount == 1
    connection.close()
    assert cache.get_many(readings()) == {blob: readings()[blob] for blob in others}


def test_a_table_of_another_shape_is_a_miss(tmp_path: Path) -> None:
    connection = sqlite3.connect(database(tmp_path))
    with connection:
        connection.execute("create table readings (something)")
    connection.close()
    cache = Cache(tmp_path)
    assert cache.get_many(readings()) == {}
    cache.put_many(as_texts(readings()))
    assert cache.get_many(readings()) == {}


@pytest.mark.parametrize("name", ["file/directory", "x" * 300])
def test_a_directory_that_cannot_be_made_is_survived(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / name)
    cache.put_many(as_texts(readings()))
    assert cache.get_many(readings()) == {}


def test_a_file_that_is_a_directory_is_survived(tmp_path: Path) -> None:
    database(tmp_path).mkdir()
    cache = Cache(tmp_path)
    cache.put_many(as_texts(readings()))
    assert cache.get_many(readings()) == {}


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_cache_is_survived(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put_many(as_texts(readings()))
    database(tmp_path).chmod(0o400)
    tmp_path.chmod(0o500)
    try:
        cache.put_many(as_texts({"e" * 40: read(b"a: 1\n")}))
        assert cache.get_many(["e" * 40]) == {}
    finally:
        tmp_path.chmod(0o700)


def test_a_locked_file_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOCKED_SECONDS", 0.01)
    cache = Cache(tmp_path)
    cache.put_many(as_texts(readings()))
    other = sqlite3.connect(database(tmp_path), isolation_level=None)
    other.execute("begin immediate")
    cache.put_many(as_texts({"e" * 40: read(b"a: 1\n")}))
    assert cache.get_many([*readings(), "e" * 40]) == readings()
    other.close()


def test_a_full_disk_is_survived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    cache.put_many(as_texts({"e" * 40: read(b"a: 1\n")}))
    # What SQLite does on a full disk, it does at a page limit.
    monkeypatch.setattr(module, "_TABLE", "pragma max_page_count = 4")
    cache.put_many(as_texts({f"{n:040x}": read(b"a: " + b"x" * 3000) for n in range(50)}))
    assert list(cache.get_many(["e" * 40, f"{1:040x}"])) == ["e" * 40]


def test_the_oldest_make_room_for_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 400_000)
    day = [100]
    monkeypatch.setattr(module, "_today", lambda: day[0])
    cache = Cache(tmp_path)
    kept = {"e" * 40: read(b"a: 1\n")}
    cache.put_many(as_texts(kept))
    for _ in range(30):
        day[0] += 1
        cache.put_many(
            as_texts({f"{day[0]:020}{n:020}": read(b"a: '%s'" % (b"x" * 900)) for n in range(50)})
        )
        assert cache.get_many(kept) == kept  # and so it is in use every day
    assert database(tmp_path).stat().st_size < 2 * 400_000
    assert cache.get_many([f"{101:020}{1:020}"]) == {}
    assert len(cache.get_many([f"{day[0]:020}{n:020}" for n in range(50)])) == 50


def test_many_runs_at_once_do_not_mind_each_other(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\n"
        "from meshplan.source.cache import Cache\n"
        "from meshplan.source.stored import as_texts\n"
        "from meshplan.source.yaml import read\n"
        "cache = Cache(pathlib.Path(sys.argv[1]))\n"
        "for n in range(20):\n"
        "    mine = {f'{n:040x}': read(b'a: %d' % n), f'{sys.argv[2]:0>20}{n:020x}': read(b'b: 1')}\n"
        "    cache.put_many(as_texts(mine))\n"
        "    assert cache.get_many(mine) == mine, n\n"
    )

    def run(number: int) -> str:
        command = [sys.executable, "-c", script, str(tmp_path), str(number)]
        return subprocess.run(command, capture_output=True, text=True, check=False).stderr

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(run, (1, 2, 3))) == ["", "", ""]
    assert len(Cache(tmp_path).get_many(f"{n:040x}" for n in range(20))) == 20


def test_a_cache_that_is_off_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MESHPLAN_CACHE_DIR", str(tmp_path))
    Cache.open(enabled=False).put_many(as_texts(readings()))
    assert Cache.open(enabled=False).get_many(readings()) == {}
    assert list(tmp_path.iterdir()) == []
    Cache.open().put_many(as_texts(readings()))
    assert Cache.open().get_many(readings()) == readings()
    monkeypatch.setenv("MESHPLAN_NO_CACHE", "1")
    assert Cache.open().get_many(readings()) == {}


@pytest.mark.parametrize(
    ("environ", "platform", "want"),
    [
        ({}, "linux", "~/.cache/meshplan"),
        ({}, "darwin", "~/Library/Caches/meshplan"),
        ({"LOCALAPPDATA": "/local"}, "win32", "/local/meshplan/cache"),
        ({"XDG_CACHE_HOME": "/xdg"}, "linux", "/xdg/meshplan"),
        ({"XDG_CACHE_HOME": "/xdg"}, "darwin", "/xdg/meshplan"),
        ({"XDG_CACHE_HOME": "relative"}, "linux", "~/.cache/meshplan"),
        ({"XDG_CACHE_HOME": "/xdg", "MESHPLAN_CACHE_DIR": "/mine"}, "linux", "/mine"),
    ],
)
def test_the_cache_is_where_the_platform_has_them(
    environ: dict[str, str], platform: str, want: str
) -> None:
    assert cache_directory(environ, platform) == Path(want).expanduser()
