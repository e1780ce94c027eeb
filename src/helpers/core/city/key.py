"""The key of a city: what an identifier becomes, so that nobody reads it and its links stay.

At the door an identifier, and whatever is off the contract, becomes a keyed hash (AES-256-CMAC,
NIST SP 800-38B, RFC 4493; 80 bits of it): two that were the same stay the same, and nobody without
the key can try words against it. The key lies in `data/.keys/`, which neither git nor DVC holds;
two workspaces that have the same key make the same bytes. Where nothing is to hide (a simulated
city, identifiers that their publisher publishes), the pack says `key: publique`, and the key
follows from its name.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB
from cryptography.hazmat.primitives.cmac import CMAC

from helpers.core.base.errors import PhareError

KEYS = "PHARE_KEYS"
EXPECTED = "PHARE_KEY_EXPECTED"  # fingerprint of the key of the raw data at hand, if it is not
FOLDER = Path("data/.keys")
BYTES, HASH_BYTES, SHOWN_BYTES = 32, 10, 6
PUBLIC = "publique"
BLOCK = 16  # bytes that AES takes at once
TOGETHER = 8  # blocks: texts of so many at most are hashed all at once, longer ones one by one
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Key:
    """A secret of BYTES bytes; `repr` does not show it."""

    secret: bytes

    def __repr__(self) -> str:
        return f"Key({self.fingerprint})"

    @property
    def fingerprint(self) -> str:
        """What may be told of the key: two keys that differ have not the same."""
        return hashlib.blake2b(
            self.secret, digest_size=SHOWN_BYTES, person=b"empreinte"
        ).hexdigest()

    def hashes(self, texts: pa.Array, digits: int = 2 * HASH_BYTES) -> pa.Array:
        """Return the keyed hash of each text (n,), its first hexadecimal `digits`."""
        tags = self._tags(texts.drop_null())
        # Written all at once: a text made for each would take as long as the hashes.
        width = (digits + 1) // 2
        told = np.frombuffer(tags[:, :width].tobytes().hex().encode(), np.uint8)
        told = told.reshape(len(tags), 2 * width)[:, :digits]
        ends = pa.array(np.arange(len(tags) + 1, dtype=np.int32) * digits)
        hashes = pa.StringArray.from_buffers(
            len(tags), ends.buffers()[1], pa.py_buffer(told.tobytes())
        )
        if not texts.null_count:
            return hashes
        return pc.replace_with_mask(pa.nulls(len(texts), pa.string()), texts.is_valid(), hashes)

    def _tags(self, texts: pa.Array) -> Bytes:
        """Return the AES-CMAC of each text (n, 16)."""
        sizes = pc.binary_length(texts).to_numpy()
        blocks = np.maximum(1, -(-sizes // BLOCK))
        if len(sizes) and blocks.min() == blocks.max() <= TOGETHER:
            return self._macs(texts, sizes, int(blocks[0]))
        tags = np.empty((len(sizes), BLOCK), np.uint8)
        for count in range(1, TOGETHER + 1):
            rows = np.flatnonzero(blocks == count)
            if len(rows):
                tags[rows] = self._macs(texts.take(pa.array(rows)), sizes[rows], count)
        for row in np.flatnonzero(blocks > TOGETHER).tolist():
            tags[row] = np.frombuffer(self._mac(texts[row].as_py().encode()), np.uint8)
        return tags

    def _macs(self, texts: pa.Array, sizes: npt.NDArray[np.int32], blocks: int) -> Bytes:
        """Return the AES-CMAC (n, 16) of texts of as many blocks, `sizes` (n,) being their bytes.

        One call of AES a block does for all of the texts: the same tags as `_mac`, faster.
        """
        width = blocks * BLOCK
        padded = pc.ascii_rpad(texts, width, padding="\0")
        start = padded.offset * width
        held = np.frombuffer(padded.buffers()[2], np.uint8, len(texts) * width, start)
        message = held.reshape(-1, blocks, BLOCK).copy()
        short = sizes < width
        # The bit that ends a text is written after it, where it does not fill its blocks.
        message.reshape(-1)[np.flatnonzero(short) * width + sizes[short]] = 0x80
        whole, cut = self._last_masks
        message[:, -1] ^= np.where(short[:, None], cut, whole)
        cipher = self._cipher.encryptor()
        state = message[:, 0]
        for block in range(blocks):
            mixed = state if block == 0 else state ^ message[:, block]
            done = cipher.update(mixed.tobytes())
            state = np.frombuffer(done, np.uint8).reshape(-1, BLOCK)
        return state

    def _mac(self, text: bytes) -> bytes:
        made = CMAC(AES(self._hashing))
        made.update(text)
        return made.finalize()

    @cached_property
    def _hashing(self) -> bytes:
        """A key made from this one, for hashes and nothing else."""
        return hashlib.blake2b(self.secret, digest_size=BYTES, person=b"hachage").digest()

    @cached_property
    def _cipher(self) -> Cipher[ECB]:
        """AES on single blocks, of which CMAC is made."""
        return Cipher(AES(self._hashing), ECB())

    @cached_property
    def _last_masks(self) -> tuple[Bytes, Bytes]:
        """What CMAC mixes into the last block: of a text that fills it, of one that does not."""
        made = int.from_bytes(self._cipher.encryptor().update(bytes(BLOCK)), "big")
        masks = []
        for _ in range(2):
            made = (made << 1) ^ (0x87 if made >> 127 else 0)
            made &= (1 << 128) - 1
            masks.append(np.frombuffer(made.to_bytes(BLOCK, "big"), np.uint8))
        return masks[0], masks[1]

    @cached_property
    def _box(self) -> AESSIV:
        """A cipher (AES-SIV, RFC 5297) whose key is made from this one, for nothing else.

        Of the same text it makes the same bytes, as all that is written here must be.
        """
        made = hashlib.blake2b(self.secret, digest_size=2 * BYTES, person=b"coffre")
        return AESSIV(made.digest())

    def sealed(self, text: str) -> str:
        """Return a text, not empty, encrypted."""
        return base64.b64encode(self._box.encrypt(text.encode(), None)).decode()

    def unsealed(self, text: str) -> str | None:
        """Return the text that `sealed` encrypted; None where it was not by this key."""
        try:
            return self._box.decrypt(base64.b64decode(text, validate=True), None).decode()
        except (InvalidTag, ValueError):
            return None

    def hash_of(self, *parts: bytes) -> str:
        """Return the keyed hash of several texts, as bytes, in order."""
        whole = b"".join(len(part).to_bytes(8, "big") + part for part in parts)
        return self._mac(whole)[:HASH_BYTES].hex()

    def hash(self, text: str) -> str:
        """Return the keyed hash of one text."""
        return self._mac(text.encode())[:HASH_BYTES].hex()


def public(city: str) -> Key:
    """Return the key that anybody can make again, of a city with nothing to hide."""
    return Key(hashlib.blake2b(city.encode(), digest_size=BYTES, person=b"cle publique").digest())


def path_of(root: Path, city: str) -> Path:
    """Return where the city's key lies: in the folder KEYS, else in the workspace."""
    given = os.environ.get(KEYS)
    return (Path(given) if given else root / FOLDER) / f"{city}.key"


def read(root: Path, city: str) -> Key:
    """Return the city's own key, made now if there is none; raise PhareError if unreadable."""
    path = path_of(root, city)
    if not path.exists():
        if EXPECTED in os.environ:
            raise other_key(city, os.environ[EXPECTED], "n'est pas dans cet atelier")
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        keep(path, Key(secrets.token_bytes(BYTES)))
    return read_file(
        path,
        f"reprendre la bonne : `make key CITY={city} FROM=fichier` ; si elle est perdue, "
        "l'effacer (une autre sera faite, et les identifiants hachés changeront tous)",
    )


def read_file(path: Path, todo: str) -> Key:
    """Return the key that the file holds; raise PhareError, with what to do, if it holds none."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        secret = b""
    if len(secret) != BYTES:
        raise PhareError("clé illisible", str(path), todo)
    return Key(secret)


def keep(path: Path, key: Key) -> None:
    """Write a key that only its owner can read; what is there is never written over."""
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(key.secret.hex() + "\n", encoding="ascii")


def other_key(city: str, fingerprint: str, told: str) -> PhareError:
    """Return the error of a key that is not the one by which the raw data set was hashed."""
    return PhareError(
        f"la clé des données brutes de « {city} » (empreinte {fingerprint}) {told}",
        f"data/{city}/raw et {FOLDER}/{city}.key",
        f"la reprendre de qui les a faites : `make key CITY={city} FROM=fichier` ; ou effacer "
        f"data/{city}/raw pour tout refaire avec la clé d'ici (les identifiants hachés changeront "
        "tous)",
    )
