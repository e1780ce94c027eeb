"""The keyed hash of the door: a published one, the same whether texts come together or alone."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.core.city.key import HASH_BYTES, TOGETHER, public

# NIST SP 800-38B, appendix D.3: AES-256 key, then messages and their CMAC.
KEY = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4"
MESSAGE = (
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
)
TAGS = {
    0: "028962f61b7bf89efc6b551f4667d983",
    16: "28a7023f452e8f82bd4bf28d8c37c35c",
    40: "aaf3d8f1de5640c232f5b169b9c911e6",
    64: "e1992190549f6ed5696a2c056c315410",
}
TEXTS = st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=160), max_size=30)


@pytest.mark.parametrize("size", TAGS)
def test_hash_is_the_one_that_nist_publishes(size: int) -> None:
    known = public("essai")
    vars(known)["_hashing"] = bytes.fromhex(KEY)  # the key of the vectors, in the place of ours
    message = bytes.fromhex(MESSAGE)[:size]
    texts = pa.array([message], pa.binary()).view(pa.string())
    (told,) = known.hashes(texts).to_pylist()
    assert told == TAGS[size][: 2 * HASH_BYTES]


@given(texts=TEXTS, start=st.integers(0, 5))
def test_texts_hashed_together_or_alone_have_the_same_hash(
    texts: list[str | None], start: int
) -> None:
    known = public("essai")
    edges = ["a" * size for size in (0, 15, 16, 17, 16 * TOGETHER, 16 * TOGETHER + 1)]
    told = pa.array([*texts, *edges], pa.string())[start:]
    alone = [None if text is None else known.hash(text) for text in told.to_pylist()]
    assert known.hashes(told).to_pylist() == alone
    signs = [None if one is None else one[:1] for one in alone]
    assert known.hashes(told, digits=1).to_pylist() == signs
