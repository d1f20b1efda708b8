"""The syntax of RE2, sign by sign: what each pattern takes is what RE2 2025-11-05 said it takes."""

import string

import pytest

from meshplan.traffic.regex import compiled

ASCII = "".join(map(chr, range(128)))
#: Of the characters beyond ASCII the first and the last, and one in between.
BEYOND = "\x80\u0101\U0010ffff"
LETTERS, DIGITS = string.ascii_letters, string.digits
WORDS = LETTERS + DIGITS + "_"
VISIBLE = LETTERS + DIGITS + string.punctuation
CONTROL = "".join(map(chr, range(32))) + "\x7f"


def taken(pattern: str) -> str:
    """Of all of ASCII and some others the characters that a pattern takes, one by one."""
    program = compiled(pattern)
    assert program is not None, pattern
    return "".join(char for char in ASCII + BEYOND if program.matches(char))


def but(chars: str) -> str:
    return "".join(char for char in ASCII + BEYOND if char not in chars)


@pytest.mark.parametrize(
    ("pattern", "chars"),
    [
        (r"\d", DIGITS),
        (r"\s", " \t\n\f\r"),
        (r"\w", WORDS),
        (r"\D", but(DIGITS)),
        (r"\S", but(" \t\n\f\r")),
        (r"\W", but(WORDS)),
        (".", but("\n")),
        ("(?s).", but("")),
        ("[[:alnum:]]", LETTERS + DIGITS),
        ("[[:alpha:]]", LETTERS),
        ("[[:ascii:]]", ASCII),
        ("[[:blank:]]", " \t"),
        ("[[:cntrl:]]", CONTROL),
        ("[[:digit:]]", DIGITS),
        ("[[:graph:]]", VISIBLE),
        ("[[:lower:]]", string.ascii_lowercase),
        ("[[:print:]]", VISIBLE + " "),
        ("[[:punct:]]", string.punctuation),
        ("[[:space:]]", string.whitespace),
        ("[[:upper:]]", string.ascii_uppercase),
        ("[[:word:]]", WORDS),
        ("[[:xdigit:]]", string.hexdigits),
        ("[[:^alpha:]]", but(LETTERS)),
        ("[^[:alpha:]]", but(LETTERS)),
        ("[^[:^alpha:]]", LETTERS),
        ("[[:alpha:]-z]", LETTERS + "-"),
        ("[[:alpha:][:digit:]]", LETTERS + DIGITS),
        (r"[\d-z]", DIGITS + "-z"),
        (r"[\W_]", but(WORDS) + "_"),
        (r"[^\S]", " \t\n\f\r"),
        (r"[\w.-]", WORDS + ".-"),
        ("[a-]", "a-"),
        ("[-a]", "a-"),
        ("[a-c-e]", "abc-e"),
        ("[a-a]", "a"),
        ("[]a]", "]a"),
        ("[^]a]", but("]a")),
        ("[]-a]", "]^_`a"),
        (r"[\]a]", "]a"),
        (r"[\-x]", "-x"),
        (r"[\x41-\x43]", "ABC"),
        (r"[\n-\r]", "\n\v\f\r"),
        ("[^a-c]", but("abc")),
        ("[^ac]", but("ac")),
        ("[^b-da-c]", but("abcd")),
        ("[^a-zb-c]", but(string.ascii_lowercase)),
        (r"[^\x00]", but("\x00")),
        (r"[^\x00-\x{10FFFF}]", ""),
        (r"[^\x00-\x{10FFFE}]", "\U0010ffff"),
        ("[\x80-\u0100]", "\x80"),
        ("(?i)a", "aA"),
        ("(?i)Z", "zZ"),
        (r"(?i)\x41", "aA"),
        ("(?i)[a-c]", "abcABC"),
        ("(?i)[X-Z]", "xyzXYZ"),
        ("(?i)[^a]", but("aA")),
        ("(?i)[Y-b]", "YZ[\\]^_`abyzAB"),
        ("(?i)@", "@"),
        (r"(?i)\[", "["),
        ("(?i)`", "`"),
        (r"(?i)\{", "{"),
        ("(?i)1", "1"),
        (r"\x7e", "~"),
        (r"\x{7E}", "~"),
        (r"\x{000000007e}", "~"),
        (r"\x{10FFFF}", "\U0010ffff"),
        (r"\a", "\a"),
        (r"\f", "\f"),
        (r"\t", "\t"),
        (r"\n", "\n"),
        (r"\r", "\r"),
        (r"\v", "\v"),
        (r"\_", "_"),
        (r"\.", "."),
        (r"\ ", " "),
    ],
)
def test_characters_are_taken_one_by_one(pattern: str, chars: str) -> None:
    assert sorted(taken(pattern)) == sorted(set(chars))


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        # How often.
        ("a*", ["", "a", "aaa"], ["b", "ab"]),
        ("a+", ["a", "aa"], ["", "b"]),
        ("a?", ["", "a"], ["aa"]),
        ("a{0}", [""], ["a"]),
        ("a{2}", ["aa"], ["a", "aaa"]),
        ("a{2,}", ["aa", "aaaaa"], ["a"]),
        ("a{2,3}", ["aa", "aaa"], ["a", "aaaa"]),
        ("a{0,2}b", ["b", "ab", "aab"], ["aaab"]),
        ("a{1000}", ["a" * 1000], ["a" * 999, "a" * 1001]),
        ("(?:a{100}){10}", ["a" * 1000], ["a" * 999]),
        ("(a{500}|b){2}", ["bb", "b" + "a" * 500], ["b"]),
        ("(a+){1000}", ["a" * 1001], ["a" * 999]),
        ("(a{1000})+", ["a" * 2000], ["a" * 1001]),
        ("(ab){2}c", ["ababc"], ["abc", "abbc"]),
        ("^{2}a", ["a"], ["^^a"]),
        # What is no repetition is itself.
        ("a{", ["a{"], ["a"]),
        ("a{2", ["a{2"], ["aa"]),
        ("a{}", ["a{}"], ["a"]),
        ("a{,2}", ["a{,2}"], ["aa", "a"]),
        ("a{2,b}", ["a{2,b}"], ["aa"]),
        ("a{02}", ["a{02}"], ["aa"]),
        ("a{1,02}", ["a{1,02}"], ["a", "aa"]),
        ("a{\u0662}", ["a{\u0662}"], ["aa"]),
        ("a{1234567890}", ["a{1234567890}"], ["a"]),
        ("a*{", ["{", "aa{"], ["a"]),
        ("a]}", ["a]}"], ["a"]),
        # Alternatives and groups.
        ("a|b|cd", ["a", "b", "cd"], ["ad", "abcd", "c"]),
        ("a||b", ["a", "", "b"], ["ab"]),
        ("|", [""], ["|"]),
        ("()*", [""], ["a"]),
        ("x(a|bc)*y", ["xy", "xabcay"], ["xby"]),
        ("(?:a|b)c", ["ac", "bc"], ["a"]),
        ("(?P<name>a)(?<n_1>b)", ["ab"], ["a", "name"]),
        ("((a)(b(c)))", ["abc"], ["ab"]),
        # Flags, and how far they reach.
        ("(?i)aB", ["ab", "AB"], ["a"]),
        ("a(?i)b", ["ab", "aB"], ["Ab"]),
        ("(?i:a)b", ["Ab", "ab"], ["AB"]),
        ("((?i)a)b", ["Ab", "ab"], ["AB"]),
        ("a(?i)b|c", ["ab", "aB", "C", "c"], ["Ab"]),
        ("(?i)a(?-i)b", ["Ab"], ["AB"]),
        ("(?i-i)a", ["a"], ["A"]),
        ("(?is)a.", ["A\n"], ["A"]),
        ("(?s)(?-s).", ["a"], ["\n"]),
        ("(?s:.)x.", ["\nxa"], ["axx\n", "ax\n"]),
        ("(?s-i).", ["\n"], [""]),
        ("(?)a", ["a"], [""]),
        # Where in the text.
        (r"\A/x\z", ["/x"], ["/xy", "a/x"]),
        ("^a$", ["a"], ["a\n"]),
        ("a^b", [], ["ab", "a^b"]),
        ("a$b", [], ["ab", "a$b"]),
        ("(^|/)a", ["a", "/a"], ["ba"]),
        ("a($|/)", ["a", "a/"], ["ab"]),
        (r"a\b.b", ["a/b", "a-b", "a b"], ["a_b", "a1b", "aab"]),
        (r"a\B.b", ["a_b", "a1b", "aZb"], ["a/b", "a-b"]),
        (r"\ba\b", ["a"], []),
        (r"\Ba", [], ["a"]),
        (r"\B/\B", ["/"], []),
        (r"\b/\b", [], ["/"]),
        (".\\B", ["\u00e9", "/"], ["a", "_", "0"]),
        # More than one sign.
        (r"\x41b", ["Ab"], ["A", "b"]),
        (r"\x{41}b", ["Ab"], ["A"]),
        (r"\x7Ef", ["~f"], ["~"]),
        ("[a-z&&[^b]]", ["b]", "&]", "[]"], ["b", "c"]),
        ("[a-]x", ["ax", "-x"], ["a", "bx"]),
        (r"(?s).\n(?-s:.)", ["\n\na", "\x00\n\x00"], ["\n\n\n"]),
        ("[a-c]x", ["ax", "cx"], ["dx", "a"]),
    ],
)
def test_whole_texts_match_as_re2_says(
    pattern: str, matching: list[str], others: list[str]
) -> None:
    program = compiled(pattern)
    assert program is not None
    assert [text for text in (*matching, *others) if program.matches(text)] == matching


@pytest.mark.parametrize(
    "pattern",
    [
        # Nothing to repeat, or a repetition of a repetition.
        *("*", "+a", "?", "a|*", "a|?", "(?:*)", "{2}", "a|{2}", "({2})", "a*{2}"),
        *("a*+", "a+*", "a?*", "a???", "a{2}*", "a{1000}{2}"),
        # Too often, or less often than at least.
        *("a{1,0}", "a{2,0}", "a{2,1}", "a{1001}", "a{1,1001}", "a{1001,}", "a{123456789}"),
        *("(?:a{100}){11}", "((a{10}){10}){11}", "(b|a{500}){3}", "(a{500}|b){3}"),
        *("(xa{500}){3}", "(a{500,}){3}", "(a{0,500}){3}", "(a+){1001}", "(a{334}b{2}){3}"),
        # Unfinished, or finished twice.
        *("(", "(a", "a)", "(?:a", "[", "[a", "[a-", "[]", "[^]", "\\", "a(?i", "(?"),
        *("(?P<n", "(?P<n>a", "(?P<n)a", "(?P=n)", r"[\d", r"[\]", "[[:alpha:]"),
        # Wrong escapes, ranges, classes and flags.
        *(r"\x4", r"\x", r"\x4g", r"\xg4", r"\x{41", r"\x{}", r"\x{4_1}", r"\x{ 41}", r"\x+4"),
        *(r"\x{110000}", r"\x{g}", r"\y", r"\1", r"\Z", "\\\u00e9", r"[\q]", "[b-a]"),
        *(r"[a-\d]", "[[:foo:]]", "[[:^foo:]]", "(?z)a", "(?-)a", "(?i-)a", "(?-:a)"),
        *("(?-i-s)a", "(?P<>a)", "(?P<a-b>a)", "(?<>a)", "(?P>n)a", "(?>a)", "(?#c)a"),
        *("(?=a)a", "(?!a)b", "a(?<=a)b", "(?<!a)b"),
    ],
)
def test_what_re2_refuses_is_not_decided(pattern: str) -> None:
    assert compiled(pattern) is None


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\0", r"\Q.\E", r"\C", r"\pL", r"\p{Greek}", r"\PL", "(?m)^a$", "[[:alpha]"),
        # Other letters have cases too.
        *("(?i)\u00e9", "(?i)[\u00e9]", "(?i)[a-\u00e9]"),
        *("(" * 300 + "a" + ")" * 300, "(?:a{1000}b{1000}){1}" * 12),
    ],
)
def test_what_is_not_modelled_is_not_decided(pattern: str) -> None:
    assert compiled(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        # The longest or the shortest repetition, and the leftmost alternative.
        ("a+", "xaaa", "x<a~>"),
        ("(a+)", "aaa", "<aaa~>"),
        ("(a+?)", "aa", "<a~><a~>"),
        ("(?U)(a+)", "aa", "<a~><a~>"),
        ("(?U)(a+?)", "aa", "<aa~>"),
        ("(a{1,2}?)", "aa", "<a~><a~>"),
        ("(a{1,2})", "aaa", "<aa~><a~>"),
        ("(a|ab)(c|bcd)", "abcd", "<a~bcd>"),
        ("(ab|a)(bcd|c)", "abcd", "<ab~c>d"),
        ("(a*?)b", "aab", "<aa~>"),
        ("(a??)b", "aab", "a<a~>"),
        # A group that took no part is empty, one that took part twice is the last.
        ("(a)|(b)", "ab", "<a~><~b>"),
        ("(?:(a)|(b))+", "ab", "<a~b>"),
        ("(?:a)(b)", "ab", "<b~>"),
        ("(?P<x>a)(?:b)(?<y>c)", "abc", "<a~c>"),
        ("(?i)(B)(c)?", "abd", "a<b~>d"),
        ("^(a)(b)", "abab", "<a~b>ab"),
        ("(b)()$", "abb", "ab<b~>"),
        (r"\b(a)\b", "a ab a", "<a~> ab <a~>"),
    ],
)
def test_groups_hold_what_re2_captures(pattern: str, text: str, expected: str) -> None:
    program = compiled(pattern)
    assert program is not None
    if "(" not in pattern:
        assert program.replace_all(text, "<a~>") == expected
    else:
        assert program.replace_all(text, r"<\1~\2>") == expected


@pytest.mark.parametrize(
    ("substitution", "expected"),
    [
        (r"\0", "[ab]"),
        (r"\2\1", "[ba]"),
        (r"\\1", r"[\1]"),
        ("\\", "[\\]"),
        (r"a\1b", "[aab]"),
        (r"\9", "[]"),
        ("", "[]"),
        ("$1", "[$1]"),
    ],
)
def test_substitutions_name_groups_by_digits(substitution: str, expected: str) -> None:
    """`RE2::Rewrite`."""
    program = compiled("(a)(b)")
    assert program is not None
    assert program.replace_all("[ab]", substitution) == expected


def test_more_than_nine_groups_are_counted_but_not_named() -> None:
    program = compiled("(a)" * 12)
    assert program is not None
    assert program.matches("a" * 12)
    assert program.replace_all("a" * 12, r"\9\1") == "aa"
    # Only groups in one another count as deep.
    assert compiled("(a)" * 300) is not None
