"""A source read at an address: its pages pass the door one by one, and a stopped import goes on.

What is kept between two runs (`data/.spool/`) has passed the door already: nothing refused, nobody.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from helpers.collect import gate as collect_gate
from helpers.collect import headers, receipts, recognise
from helpers.connect import pages as connect_pages
from helpers.connect import spool
from helpers.core.base import redact, store
from helpers.core.base.store import literal
from helpers.core.base.workspace import scratch
from helpers.core.city.contract import Contract
from helpers.core.city.names import FAULT, ROW

SPOOL = ".spool"


def spool_folder(root: Path, city: str, source: str) -> Path:
    """Return where the pages of a source wait until all have come."""
    return root / "data" / SPOOL / city / source


def _asked(gate: collect_gate.Gate, contract: Contract, url: str) -> str:
    """Return the digest of what pages are asked and cleaned by: of another contract, none stays."""
    told = f"{contract.model_dump_json()} {url} {gate.step_m}"
    return hashlib.sha256(told.encode()).hexdigest()


def take_in(
    gate: collect_gate.Gate, contract: Contract, url: str, folder: Path, raw: Path, *, again: bool
) -> dict[str, Any]:
    """Write `raw/<source>.parquet` from the source at `url`; return its receipt.

    The pages already taken in are not asked for again, unless `again` and the import was whole.
    """
    edition = contract.every_edition()[-1]
    where = redact.address(url)
    columns = contract.columns(edition)
    permitted = [name for name in columns.values() if not name.startswith("@")]
    key = [columns[name] for name in contract.key]
    if again and spool.read_journal(folder).done:
        shutil.rmtree(folder)
    with scratch() as moment:
        con = store.connect(moment)

        def clean(page: pa.Table) -> pa.Table:
            rows = pa.array(np.arange(1, page.num_rows + 1))
            return gate.let_in(contract, edition, page.append_column(ROW, rows), 1, 0)

        parts = spool.take_pages(
            lambda cursor: connect_pages.pages(
                edition.file,
                url,
                permitted,
                cursor,
                source=contract.source,
                key=key,
                alike=lambda offered: headers.alike(permitted, offered, contract.refused),
            ),
            folder,
            clean,
            lambda offered: gate.called(contract, edition, offered),
            gate.key,
            _asked(gate, contract, url),
        )
        journal = spool.read_journal(folder)
        if edition.file.format != "open311" and journal.offered:  # which tells no list of columns
            recognise.insist(contract, edition, journal.offered, where)
        offsets = np.cumsum([0, *(part.rows for part in journal.parts)]).tolist()
        pages = [
            f"SELECT * REPLACE ({ROW} + {offset} AS {ROW}) FROM read_parquet({literal(part)})"
            for part, offset in zip(parts, offsets, strict=False)
        ]
        path = raw / f"{contract.source}.parquet"
        store.write(con, " UNION ALL ".join(pages), path, order_by=[ROW])
        faults = con.execute(
            f"SELECT {FAULT} FROM read_parquet(?) WHERE {FAULT} IS NOT NULL", [str(path)]
        ).fetchall()
        con.close()
    file = {
        "file": where,
        "size": sum(part.stat().st_size for part in parts),
        "sha256": hashlib.sha256("".join(p.sha256 for p in journal.parts).encode()).hexdigest(),
        "edition": edition.version,
        "rows": sum(part.rows for part in journal.parts),
        "personal": receipts.personal(Counter(fault for (fault,) in faults)),
        **receipts.columns_told(contract, edition, journal.offered),
        "columns_otherwise": journal.otherwise,
        "fields_absent": {
            # Its other columns are known by their hash alone: none can be told to be near.
            name: 0
            for name, column in columns.items()
            if journal.offered and column in permitted and column not in journal.offered
        },
    }
    return receipts.of_source(contract, [file])
