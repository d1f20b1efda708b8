"""YAML as people and machines write it, made up: every style, odd scalars, anchors, merge keys."""

from dataclasses import dataclass, field

from hypothesis import strategies as st

#: Scalars that fit on a line, most of them with a meaning of their own in YAML 1.1.
WORDS = (
    *(
        [
            "a",
            "b",
            "name",
            "value",
            "yes",
            "no",
            "on",
            "off",
            "y",
            "n",
            "true",
            "False",
            "NULL",
            "null",
            "~",
            "0",
            "1",
            "-1",
            "017",
            "0o17",
            "0x1F",
            "0b11",
            "1_000",
        ]
    ),
    *(
        [
            "1.0",
            "1.50",
            ".5",
            "1e3",
            "1e-7",
            "-0.0",
            "12:30:45",
            "2001-01-01",
            "9223372036854775808",
            "18446744073709551616",
        ]
    ),
    *(["!", "!!str", "!foo", "!!int", "!!float", "!!binary", "!!null"]),
    *(["a#b", "a:b", "-a", "a-b", "a?b", "http://x/?q=1", "*.example.com", "%a", "<<"]),
    *("''", '""', "'it''s'", '"\\t\\u00e9"', "'yes'", '"1"', "a b", "é😀", "x\ty", ""),
    *("!!str 1", "!!int '1'", "!foo x", "!!float 1", "!!binary aGk="),
)
KEYS = ("a", "b", "c", "kind", "yes", "1", "1.5", "'q'", '"r s"', "~x", "x y", "é", "on")


@dataclass(frozen=True)
class Leaf:
    """A scalar as it is written."""

    text: str


@dataclass(frozen=True)
class Block:
    """A literal or folded scalar."""

    header: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Items:
    """A list, with brackets or without."""

    items: tuple["Tree", ...]
    flow: bool
    anchor: str = ""


@dataclass(frozen=True)
class Pairs:
    """A mapping, with brackets or without."""

    pairs: tuple[tuple[str, "Tree"], ...]
    flow: bool
    anchor: str = ""


@dataclass(frozen=True)
class Alias:
    """A reference to an anchor; a scalar where nothing has that anchor yet."""

    name: str
    merge: bool = False


Tree = Leaf | Block | Items | Pairs | Alias

_ANCHORS = st.sampled_from(["", "", "", "x", "y"])
_LEAVES = st.one_of(
    st.sampled_from(WORDS).map(Leaf),
    st.builds(
        Block,
        st.sampled_from(["|", ">", "|-", ">-", "|+", ">+"]),
        st.lists(st.sampled_from(["a", "  b", "", "- c", "d: e", "# f", "---"]), max_size=4).map(
            tuple
        ),
    ),
    st.builds(Alias, st.sampled_from(["x", "y"])),
)


def _collections(children: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    items = st.lists(children, max_size=3).map(tuple)
    pairs = st.lists(st.tuples(st.sampled_from(KEYS), children), max_size=4).map(tuple)
    merge = st.builds(Alias, st.sampled_from(["x", "y"]), st.just(True)).map(lambda a: (("<<", a),))
    merged = st.tuples(pairs, merge, pairs).map(lambda parts: sum(parts, ()))
    return st.one_of(
        st.builds(Items, items, st.booleans(), _ANCHORS),
        st.builds(Pairs, pairs, st.booleans(), _ANCHORS),
        st.builds(Pairs, merged, st.booleans(), _ANCHORS),
    )


#: Trees of YAML, as written.
TREES: st.SearchStrategy[Tree] = st.recursive(_LEAVES, _collections, max_leaves=12)


@dataclass
class Writer:
    """Writes a tree as the value of a key, or as an item, at some indentation."""

    #: What can be referred to: the names of anchors, and whether they are those of mappings.
    anchors: dict[str, bool] = field(default_factory=dict)

    def write(self, tree: Tree, indent: int, *, flow: bool = False) -> str:
        """The text behind `key:` or `-`, its line end included."""
        match tree:
            case Alias(name, merge):
                if merge and not self.anchors.get(name):
                    return " {}\n"
                return f" *{name}\n" if name in self.anchors else f" {name}\n"
            case Leaf(text):
                # A tag alone would take the comma behind it for a part of its name.
                return (
                    " tag\n" if flow and text.startswith("!") and " " not in text else f" {text}\n"
                )
            case Block(header, lines):
                if flow:
                    return " block\n"
                pad = " " * indent
                return f" {header}\n" + "".join(
                    f"{pad}{line}\n" if line else "\n" for line in lines
                )
            case Items(anchor=anchor) | Pairs(anchor=anchor):
                # What stands inside of an anchor's node cannot refer to it.
                self.anchors.pop(anchor, None)
                mark = f" &{anchor}" if anchor else ""
                text = mark + self._collection(tree, indent, flow=flow)
                if anchor:
                    self.anchors[anchor] = isinstance(tree, Pairs)
                return text

    def _collection(self, tree: Items | Pairs, indent: int, *, flow: bool) -> str:
        pad = " " * indent
        match tree:
            case Items(items, is_flow):
                if not (flow or is_flow) and items:
                    return "\n" + "".join(f"{pad}-{self.write(i, indent + 2)}" for i in items)
                texts = [self.write(item, 0, flow=True).rstrip("\n") for item in items]
                return f" [{','.join(texts)} ]\n"
            case Pairs(pairs, is_flow):
                if not (flow or is_flow) and pairs:
                    return "\n" + "".join(
                        f"{pad}{key}:{self.write(value, indent + 2)}" for key, value in pairs
                    )
                texts = [
                    f" {key}:" + self.write(value, 0, flow=True).rstrip("\n")
                    for key, value in pairs
                ]
                return f" {{{','.join(texts)} }}\n"


def document(tree: Tree, name: str) -> str:
    """A Kubernetes object with the tree in it."""
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\nspec:"
    return head + Writer().write(tree, 2)
