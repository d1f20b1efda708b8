"""The docstring of a rule is its page."""

from meshplan.policy.page import Example, page_of

TEXT = """A subset is removed
    only when nobody uses it.

    Why: Requests are
        lost.
    Fix: Wait.
    See: https://a.example https://b.example

    Good:
        kind: A
        spec:
          x: 1
        ---
        kind: B

    Bad:
        before:
          kind: A
          ---
          kind: B
        after:
          kind: A

    Bad:
        kind: C
    """


def test_a_docstring_has_a_title_sections_and_examples() -> None:
    page = page_of(TEXT)
    assert page.title == "A subset is removed only when nobody uses it."
    assert page.why == "Requests are lost."
    assert page.fix == "Wait."
    assert page.see == ("https://a.example", "https://b.example")
    assert page.good == (Example("", "kind: A\nspec:\n  x: 1\n---\nkind: B", 9),)
    assert page.bad == (
        Example("kind: A\n---\nkind: B", "kind: A", 16),
        Example("", "kind: C", 24),
    )
    assert page.bad[0].is_change


def test_parts_that_are_missing_are_empty() -> None:
    page = page_of("Only a title.")
    assert (page.title, page.why, page.see, page.good) == ("Only a title.", "", (), ())
    assert page_of("").title == ""
