"""A text made plain: what hides somebody is taken away, what is spelt out is written in digits.

Markup, HTML and percent codes, full widths, invisible signs, letters of other alphabets that look
like ours, letters apart, odd dashes and spaces; and, as further readings of the same text, numbers
in words, letters by name (alpha, bravo), digits for letters, base 64.
"""

from __future__ import annotations

import binascii
import html
import re
from base64 import b64decode
from unicodedata import decimal, normalize
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from helpers.collect.codes import MOMENT

# Letters that cannot be told from ours by eye (the common ones of Unicode's confusables).
ALIKE = str.maketrans(
    "АВЕКМНОРСТХУІЈЅԚԜаеорсхуіјѕԛԝһΑΒΕΖΗΙΚΜΝΟΡΤΥΧοανιρυκχᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "ABEKMHOPCTXYIJSQWaeopcxyijsqwhABEZHIKMNOPTYXoavipukxabcdefghijklmnoprstuvwyz",
)
ALIKE_IN = r"[\p{Cyrillic}\p{Greek}\x{0250}-\x{02AF}\x{1D00}-\x{1D7F}\x{A730}\x{A731}]"
# Latin letters whose stroke is no accent that could be taken off.
STROKED = (("ß", "ss"), ("[øØ]", "o"), ("[đĐ]", "d"), ("[łŁ]", "l"), ("ı", "i"), ("[æÆ]", "ae"),
           ("[œŒ]", "oe"), ("[əƏ]", "e"))  # fmt: skip
CODED = r"&#?\w+;|%[0-9A-Fa-f]{2}|<[/a-zA-Z!]|\\[ux][0-9A-Fa-f]{2}"
TURNED = "\u202c\u2069"  # ends it
ESCAPED = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))")
BACKWARDS = "\u202e"  # what follows is shown from right to left
# Of a tag, its name alone goes: what it says beside, and what is no tag at all, may be somebody's.
TAG = re.compile(
    r"</?(?:a|abbr|address|article|b|big|blockquote|body|br|caption|center|code|dd|div|dl|dt|em|font"
    r"|footer|form|h[1-6]|head|header|hr|html|i|img|input|label|li|link|main|meta|nav|ol|option|p"
    r"|pre|script|section|select|small|span|strong|style|sub|sup|table|tbody|td|textarea|tfoot|th"
    r"|thead|title|tr|u|ul|!--|!doctype)(?=[\s/>])|/?>",
    re.IGNORECASE,
)
# Signs that nobody writes inside a number, but who does not want it found.
ODD = re.compile(r"(?<=\d)\s?[^\w\s.,\-/:;()%]{1,3}\s?(?=\d)")
DOTS = "·•⋅‧∙・●▪"
DOTTED = re.compile(rf"(?<=\w)\s?[{DOTS}]\s?(?=\w)")
OTHER_SCRIPT = r"[^\p{Latin}\p{Common}\p{Inherited}]"
# Four signs or more, one by one.
APART = re.compile(r"(?<!\S)[^\W_](?:([ \-_])[^\W_])(?:\1[^\W_]){2,}(?!\S)")
APART_RE2 = r"(?:^|\s)[\p{L}\p{N}](?:[ \-_][\p{L}\p{N}]){3}"

UNITS = dict(
    zip(
        "zero un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze "
        "seize".split(),
        range(17),
        strict=True,
    ),
    une=1,
)
TENS = {"vingt": 20, "vingts": 20, "trente": 30, "quarante": 40, "cinquante": 50, "soixante": 60,
        "septante": 70, "huitante": 80, "octante": 80, "nonante": 90}  # fmt: skip
NUMBER = "|".join(sorted([*UNITS, *TENS, "cent"], key=len, reverse=True))
SPELT = re.compile(rf"\b(?:{NUMBER})(?:[ \-](?:et )?(?:{NUMBER}))*\b")
NATO = {
    name: name[0]
    for name in "alpha alfa bravo charlie delta echo foxtrot golf hotel india juliett juliet kilo "
    "lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray yankee "
    "zulu".split()
}
BY_NAME = re.compile(rf"\b(?:{'|'.join(NATO)})\b")
BY_NAME_TWICE = rf"\b(?:{'|'.join(NATO)})\b.*\b(?:{'|'.join(NATO)})\b"
LEET = str.maketrans("013457@$", "oieastas")
LEET_WORD = re.compile(r"\b[^\W\d_]+[013457@$]{1,2}[^\W\d_]+\b")
BASE64 = re.compile(
    r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{4}){4,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"
)
HEXADECIMAL = re.compile(r"\b(?:[2-7][0-9A-Fa-f]){8,}\b")
HIDING = rf"(?i)\d.*\b(?:{NUMBER})\b|\b(?:{NUMBER})\b.*\d|(?:\b(?:{NUMBER})\b\W{{1,3}}){{2}}" \
    rf"|^\W*(?:au |numero )?\b(?:{NUMBER})\b|{BY_NAME_TWICE}|\pL[013457@$]{{1,2}}\pL" \
    r"|\d\s?[^\w\s.,\-/:;()%]{1,3}\s?\d" rf"|\d.*[{DOTS}]|[{DOTS}].*\d" \
    r"|[A-Za-z0-9+/]{15}=|[A-Za-z0-9+/]{8}[a-z0-9][A-Z][A-Za-z0-9+/]{6}" \
    r"|(?:[2-7][0-9A-Fa-f]){8}|^[A-Za-z]{3,}(?:[+][A-Za-z]{3,})+$"  # fmt: skip


def plain(texts: pa.Array) -> pa.Array:
    """Return the texts (n,) without what hides them; nulls stay null."""
    texts = _mended(texts, CODED, _decoded)
    texts = _mended(texts, BACKWARDS, _forwards)
    texts = pc.utf8_normalize(texts, form="NFKC")
    texts = pc.replace_substring_regex(texts, r"[\p{Cf}\x{FE0F}]", "")
    texts = _mended(texts, ALIKE_IN, lambda text: text.translate(ALIKE))
    texts = _mended(texts, r"[^\P{Nd}0-9]", _own_digits)
    texts = _mended(texts, APART_RE2, _together)
    texts = pc.replace_substring_regex(texts, r"[\p{Pd}\x{2212}]", "-")
    texts = pc.replace_substring_regex(texts, r"[’‘`´]", "'")
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"[\s\p{Z}\x00]+", " "))


def bare(plain: pa.Array) -> pa.Array:
    """Return the texts without accents, their capitals kept."""
    apart = pc.utf8_normalize(plain, form="NFKD")
    apart = pc.replace_substring_regex(apart, r"\p{Mn}", "")
    rare = matches(apart, r"[^\x00-\x7F]")
    if rare.any():
        for stroked, letters in STROKED:
            apart = pc.replace_substring_regex(apart, stroked, letters)
    return apart


def matches(texts: pa.Array, pattern: str) -> npt.NDArray[np.bool_]:
    """Return which texts (n,) hold the pattern (RE2: linear time); a null holds none."""
    return true(pc.match_substring_regex(texts, pattern))


def true(found: pa.Array) -> npt.NDArray[np.bool_]:
    """Return a mask that may be written on; null is false."""
    mask: npt.NDArray[np.bool_] = found.fill_null(False).to_numpy(zero_copy_only=False)
    return mask.copy()


def readings(bare: pa.Array, wanted: npt.NDArray[np.bool_]) -> tuple[list[int], list[str]]:
    """Return what else the wanted texts may be read as: the rows, and one reading for each."""
    rows: list[int] = []
    read: list[str] = []
    hiding = np.flatnonzero(matches(bare, HIDING) & wanted)
    # A moment is no hiding place: « 2024/03/05 21:50:00+00 ».
    texts = pc.replace_substring_regex(bare.take(pa.array(hiding)), f"(?i){MOMENT}", r" \1")
    for i, text in zip(hiding, texts.to_pylist(), strict=True):
        for read_as in (_in_digits, _in_letters, _opened, _spaced, _separated):
            other = read_as(text)
            if other != text:
                rows.append(int(i))
                read.append(other)
    return rows, read


def _mended(texts: pa.Array, pattern: str, mend: object) -> pa.Array:
    """Return the texts with those that hold the pattern mended one by one."""
    found = np.flatnonzero(matches(texts, pattern))
    if not len(found):
        return texts
    held = texts.to_pylist()
    for i in found:
        held[i] = mend(held[i])  # type: ignore[operator]
    return pa.array(held, pa.string())


def _decoded(text: str) -> str:
    """Return the text without codes (twice: a code may itself be coded) and without tags."""
    for _ in range(2):
        text = html.unescape(unquote(text, errors="replace"))
        text = ESCAPED.sub(lambda found: chr(int(found[1] or found[2], 16)), text)
    # Half of a pair stands for nothing, and could not be written in UTF-8.
    return TAG.sub(" ", text).encode("utf-8", "replace").decode()


def _forwards(text: str) -> str:
    """Return the text as it is read, where a sign turns its direction."""
    before, _, after = text.partition(BACKWARDS)
    return f"{before} {after.rstrip(TURNED)[::-1]}"


def _own_digits(text: str) -> str:
    return "".join(str(decimal(c)) if c.isdecimal() else c for c in text)


def _together(text: str) -> str:
    return APART.sub(lambda found: found[0].replace(found[1], ""), text)


def _in_digits(text: str) -> str:
    """Return the text with its numbers in words written in digits, letters by name as letters."""
    low = text.lower()
    low = BY_NAME.sub(lambda found: NATO[found[0]], low)
    low = re.sub(r"\b([a-z]) (?=[a-z]\b)", r"\1", low)
    low = SPELT.sub(lambda found: _number(re.split(r"[ \-]", found[0])), low)
    return low if low != text.lower() else text


def _number(words: list[str]) -> str:
    """Return the digits of numbers said one after the other: « soixante dix huit » is 78."""
    said: list[int] = []
    open_to = 0  # what the last number may still be added, exclusive
    for word in words:
        if word == "et":
            continue
        if word == "cent":
            said, open_to = [*said[:-1], (said[-1] if said and open_to == 0 else 1) * 100], 100
        elif word in TENS and said and said[-1] == 4 and TENS[word] == 20:
            said[-1], open_to = 80, 20
        else:
            value = TENS.get(word, UNITS.get(word, 0))
            if said and 0 < value < open_to:
                said[-1] += value
            else:
                said.append(value)
            # A ten takes units; sixty, eighty, and a seventeen in the making take a teen.
            whole = said[-1] % 100
            open_to = {60: 20, 80: 20, 70: 10, 90: 10}.get(whole, 10 if word in TENS else 0)
            if value == 10 and whole in (70, 90, 10):
                open_to = 10
    return re.sub(r"\b(\d) (?=\d\b)", r"\1", " ".join(map(str, said)))


def _in_letters(text: str) -> str:
    """Return the text with digits inside words read as letters."""
    return LEET_WORD.sub(lambda found: found[0].translate(LEET), text)


def _opened(text: str) -> str:
    """Return the text with base 64, or bytes in hexadecimal, decoded where they hold a text."""

    def decoded(found: re.Match[str]) -> str:
        try:
            inside = b64decode(found[0], validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            return found[0]
        return normalize("NFKC", inside) if inside.isprintable() else found[0]

    def of_bytes(found: re.Match[str]) -> str:
        inside = bytes.fromhex(found[0]).decode("latin-1")
        return inside if inside.isascii() and inside.isprintable() else found[0]

    return BASE64.sub(decoded, HEXADECIMAL.sub(of_bytes, text))


def _separated(text: str) -> str:
    """Return the text with the odd signs between digits, and the dots of a list, as ordinary ones.

    « 06•12•34•56•78 », « GE·45123 ».
    """
    return DOTTED.sub("-", ODD.sub("-", text))


def _spaced(text: str) -> str:
    """Return the text of a form as browsers send it, a plus for a space."""
    return re.sub(r"(?<=\w)[+](?=\w)", " ", text)
