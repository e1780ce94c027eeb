"""The bytes of a delivered file: never beyond its folder, unpacked within limits, as UTF-8."""

from __future__ import annotations

import codecs
import functools
import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa

from helpers.core.base import redact
from helpers.core.base.errors import PhareError

CHUNK = 1 << 20
# A real table shrinks 3 to 60 times; a bomb, 1,000 times (deflate) or more (zstd). The ratio
# counts beyond the first bytes only: a small file of equal rows is no danger.
MOST_TIMES, FREE_BYTES, MOST_BYTES = 200, 64 << 20, 64 << 30
ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
BROKEN = (
    OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, NotImplementedError,
    pa.ArrowException,
)  # fmt: skip
UTF8 = ("utf-8", "utf-8-sig")
# What cannot be decoded becomes this, which is never valid in UTF-8: the cell that holds it is
# found wrong afterwards, and its row is known.
ILLEGIBLE = "\udc80"
codecs.register_error("phare-illisible", lambda error: (ILLEGIBLE, error.end))  # type: ignore[attr-defined]


def check(path: Path) -> None:
    """Refuse what is not a plain file, and a link that leads out of its folder."""
    try:
        inside = path.resolve(strict=True).is_relative_to(path.parent.resolve(strict=True))
        plain = stat.S_ISREG(path.stat().st_mode)
    except (OSError, RuntimeError):
        raise PhareError(
            "fichier absent ou lien rompu", redact.FILE, "vérifier la livraison"
        ) from None
    if not inside:
        raise PhareError(
            "ce fichier est un lien qui mène hors de son dossier",
            redact.FILE,
            "mettre le fichier lui-même dans le dossier de livraison",
        )
    if not plain:
        raise PhareError(
            "ce n'est pas un fichier ordinaire (dossier, périphérique ou tube)",
            redact.FILE,
            "donner le fichier lui-même",
        )


def magic(path: Path) -> bytes:
    """Return the first 16 bytes: what a file is, whatever its name says."""
    with path.open("rb") as file:
        return file.read(16)


def bomb(most: int) -> PhareError:
    """Return the refusal of an archive that unpacks to too much."""
    return PhareError(
        f"fichier compressé qui se déplie au-delà des limites ({MOST_TIMES} fois sa taille, "
        f"{most >> 20} Mio)",
        redact.FILE,
        "vérifier d'où il vient ; s'il est légitime, le livrer décompressé",
    )


def chunks(path: Path) -> Generator[bytes, None, None]:
    """Yield the bytes of the file, unpacked if it is gzip, zstd, or a zip of one file.

    Told by content: an address may serve plain text under a name that says otherwise.
    """
    start = magic(path)
    if not start.startswith((ZIP, EMPTY_ZIP, GZIP, ZSTD)):
        with path.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK), b"")
        return
    packed, count = path.stat().st_size, 0
    try:
        with closing(_unpacked(path, start)) as pieces:
            for piece in pieces:
                count += len(piece)
                if count > MOST_BYTES or (count > FREE_BYTES and count > MOST_TIMES * packed):
                    raise bomb(MOST_BYTES)
                yield piece
    except BROKEN:
        raise _broken() from None


def says_utf8(path: Path) -> bool:
    """Tell whether the file begins with the mark of UTF-8, which no other encoding writes."""
    return _begins(path, len(codecs.BOM_UTF8)).startswith(codecs.BOM_UTF8)


def says_utf16(path: Path) -> bool:
    """Tell whether the file begins with the mark of UTF-16, in either order of its bytes."""
    return _begins(path, 2).startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def _begins(path: Path, size: int) -> bytes:
    """Return the first bytes of the file, `size` of them at least if it has as many."""
    start = b""
    with closing(chunks(path)) as pieces:
        for piece in pieces:
            start += piece
            if len(start) >= size:
                break
    return start


def _broken() -> PhareError:
    return PhareError(
        "fichier compressé illisible, tronqué ou chiffré",
        redact.FILE,
        "le recevoir de nouveau, sans mot de passe, ou le livrer décompressé",
    )


def _unpacked(path: Path, start: bytes) -> Generator[bytes, None, None]:
    if start.startswith(ZSTD):
        with pa.input_stream(path, compression="zstd") as stream:
            yield from iter(lambda: stream.read(CHUNK), b"")
        return
    if start.startswith(GZIP):
        with gzip.open(path) as file:
            yield from iter(lambda: file.read(CHUNK), b"")
        return
    with zipfile.ZipFile(path) as archive:
        members = [one for one in archive.infolist() if not one.is_dir()]
        if len(members) != 1:
            raise PhareError(
                f"archive de {len(members)} fichiers : il en faut un seul",
                redact.FILE,
                "livrer chaque fichier à part",
            )
        with archive.open(members[0]) as member:
            yield from iter(lambda: member.read(CHUNK), b"")


def members(path: Path, most: int) -> Generator[bytes, None, None]:
    """Yield the bytes of all the files of a zip, one after the other.

    Read to the end, this refuses an archive that is broken, or unpacks to more than `most` bytes
    or too many times its size, whatever it says of itself: each file is read up to the size
    declared and compared with its checksum.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            declared = sum(one.file_size for one in archive.infolist())
            if declared > most or declared > max(FREE_BYTES, MOST_TIMES * path.stat().st_size):
                raise bomb(most)
            for one in archive.infolist():
                with archive.open(one) as member:
                    yield from iter(functools.partial(member.read, CHUNK), b"")
    except BROKEN:
        raise _broken() from None


def codec(encoding: str) -> str:
    """Return the normal name of a text encoding that Python knows."""
    try:
        "".encode(encoding)  # refuses codecs that are not of text
        return codecs.lookup(encoding).name
    except LookupError:
        raise PhareError(
            f"encodage inconnu : {encoding}",
            redact.FILE,
            "écrire dans le contrat un encodage connu : utf-8, cp1252, latin-1, utf-16…",
        ) from None


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[str]:
    """Yield the text, a lone surrogate in place of what is illegible."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="phare-illisible")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", True)


def whole_characters(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield UTF-8 text in pieces that cut no character in two."""
    held = b""
    for piece in pieces:
        text = held + piece
        # A character of several bytes may have begun among the last three.
        cut = next((k for k in (1, 2, 3) if k <= len(text) and text[-k] >= 0xC0), 0)
        held = text[len(text) - cut :]
        yield text[: len(text) - cut]
    yield held


def is_utf8(text: bytes) -> bool:
    """Tell whether all the text is UTF-8, by Arrow, without decoding it."""
    ends = pa.py_buffer(np.array([0, len(text)], np.int32))
    cell = pa.Array.from_buffers(pa.binary(), 1, [None, ends, pa.py_buffer(text)])
    try:
        cell.cast(pa.string())
    except pa.ArrowInvalid:
        return False
    return True


def legible(text: bytes) -> str:
    """Return UTF-8 text decoded, a lone surrogate in place of what is illegible."""
    return text.decode("utf-8", "phare-illisible")


def as_utf8(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the text in UTF-8; what is illegible is never valid there."""
    for text in decoded(pieces, encoding):
        yield text.encode("utf-8", "surrogatepass")


def recoded(cell: bytes, encoding: str) -> bytes:
    """Return one text in UTF-8; what is illegible is never valid."""
    return cell.decode(encoding, "phare-illisible").encode("utf-8", "surrogatepass")


class _Pipe(io.RawIOBase):
    """Bytes that come in pieces, as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        size = min(len(buffer), len(self._left))
        buffer[:size] = self._left[:size]
        self._left = self._left[size:]
        return size


def as_file(pieces: Iterator[bytes]) -> io.BufferedReader:
    """Return the pieces as a file to read from."""
    return io.BufferedReader(_Pipe(pieces), CHUNK)


def whole(path: Path, encoding: str, most: int) -> bytes:
    """Return all the text in UTF-8, without a byte order mark; refuse more than `most` bytes."""
    name = codec(encoding)
    pieces = chunks(path) if name in UTF8 else as_utf8(chunks(path), name)
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) > most:
            raise PhareError(
                f"document de plus de {most >> 20} Mio, qui se lirait d'un bloc",
                redact.FILE,
                "le demander en JSON Lines (une ligne par objet), en CSV ou en Parquet",
            )
    return bytes(held.removeprefix(codecs.BOM_UTF8))
