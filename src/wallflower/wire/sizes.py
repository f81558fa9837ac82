"""Every number of the wire. Spec: sizes.md; a bare number in other code is a question."""

from __future__ import annotations

from typing import Final

SECRET: Final = 16
HASH: Final = 32
TAG: Final = 16
KEM_PUBLIC: Final = 1216
KEM_SEED: Final = 32
KEM_ENC: Final = 1120
SEAL_OVERHEAD: Final = KEM_ENC + TAG
SIGNATURE: Final = 64
VERIFY_KEY: Final = 32

CELL: Final = 2400
HUM_CELLS: Final = 12
POSITIONS: Final = 4
HUM_ID: Final = 16
HELLO_HEADER: Final = 12
BODY_HEADER: Final = 20
BODY_PIECE: Final = CELL - BODY_HEADER - TAG
SEAL_A: Final = SEAL_OVERHEAD + 32
B_RECORD: Final = 36
SEAL_B: Final = SEAL_OVERHEAD + 32 + B_RECORD
HELLO_INNER: Final = SEAL_B + TAG
PARCEL_BODY: Final = 3 * BODY_PIECE
PARCEL: Final = SEAL_B + PARCEL_BODY

LETTER: Final = PARCEL_BODY - TAG
LETTER_PLAIN: Final = LETTER - SEAL_OVERHEAD
LETTER_HEADER: Final = 90
LETTER_TEXT: Final = LETTER_PLAIN - LETTER_HEADER

TOKEN: Final = 16
TOKENS: Final = 8
TOKEN_WEEKS: Final = 4
TOKEN_ENTRY: Final = 16
TOKEN_ENTRIES: Final = 2048
TOKEN_SET: Final = 4 + 16 + TOKEN_ENTRIES * TOKEN_ENTRY
STAMP: Final = 8
STAMP_TRIES: Final = 1024
STAMP_BITS_ONE: Final = 6
STAMP_BITS_TWO: Final = 8
LOT_WEIGHT_ZERO: Final = 1
LOT_WEIGHT_ONE: Final = 2
LOT_WEIGHT_TWO: Final = 4

DROP_HEADER: Final = 64
DROP_SLOT: Final = LETTER + TAG
DROP_SEAL: Final = SEAL_OVERHEAD + 32
DROP_SLOTS: Final = 32
DROP: Final = DROP_HEADER + DROP_SEAL + DROP_SLOTS * DROP_SLOT + SIGNATURE

REPLY_SLOT: Final = 768
REPLY_SALT: Final = 16
REPLY_TAG: Final = 16
REPLY_PLAIN: Final = REPLY_SLOT - REPLY_TAG - REPLY_SALT - TAG
REPLY_HEADER: Final = 4
REPLY_TEXT: Final = REPLY_PLAIN - REPLY_HEADER
REPLY_SLOTS: Final = 13
RECEIPT: Final = 16
RECEIPTS: Final = 100
SEGMENT_HEADER: Final = 112
SEGMENT: Final = SEGMENT_HEADER + REPLY_SLOTS * REPLY_SLOT + RECEIPTS * RECEIPT + SIGNATURE
HEAD: Final = 176
BOARD_SEGMENTS: Final = 84

ANCESTORS: Final = 16
RECORD_MAX: Final = 16384
CHAIN_WEEKS: Final = 2048
REPLY_WEEKS: Final = 60
REPLY_INDEXES: Final = 64
MARKS: Final = 64

SLOT_MS: Final = 7500
DITHER_MS: Final = 1000
LATE_MS: Final = 1000
LAST_HUM_S: Final = 7200

VERSION: Final = 1
DAY_S: Final = 86400
WEEK_BASE_DAY: Final = 19723  # Monday 2024-01-01 (record 1)


def week_of_day(day: int) -> int:
    """The week number of a UTC day since 1970-01-01 (record 1)."""
    return (day - WEEK_BASE_DAY) // 7
