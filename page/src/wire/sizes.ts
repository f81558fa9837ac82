// Every number of the wire. Spec: sizes.md; a bare number in other code is a question.

export const SECRET = 16;
export const HASH = 32;
export const TAG = 16;
export const KEM_PUBLIC = 1216;
export const KEM_SEED = 32;
export const KEM_ENC = 1120;
export const SEAL_OVERHEAD = KEM_ENC + TAG;
export const SIGNATURE = 64;
export const VERIFY_KEY = 32;

export const CELL = 2400;
export const HUM_CELLS = 12;
export const POSITIONS = 4;
export const HUM_ID = 16;
export const HELLO_HEADER = 12;
export const BODY_HEADER = 20;
export const BODY_PIECE = CELL - BODY_HEADER - TAG;
export const SEAL_A = SEAL_OVERHEAD + 32;
export const B_RECORD = 36;
export const SEAL_B = SEAL_OVERHEAD + 32 + B_RECORD;
export const HELLO_INNER = SEAL_B + TAG;
export const PARCEL_BODY = 3 * BODY_PIECE;
export const PARCEL = SEAL_B + PARCEL_BODY;

export const LETTER = PARCEL_BODY - TAG;
export const LETTER_PLAIN = LETTER - SEAL_OVERHEAD;
export const LETTER_HEADER = 90;
export const LETTER_TEXT = LETTER_PLAIN - LETTER_HEADER;

export const TOKEN = 16;
export const TOKENS = 8;
export const TOKEN_WEEKS = 4;
export const TOKEN_ENTRY = 16;
export const TOKEN_ENTRIES = 2048;
export const TOKEN_SET = 4 + 16 + TOKEN_ENTRIES * TOKEN_ENTRY;
export const STAMP = 8;
export const STAMP_TRIES = 1024;
export const STAMP_BITS_ONE = 6;
export const STAMP_BITS_TWO = 8;
export const LOT_WEIGHT_ZERO = 1;
export const LOT_WEIGHT_ONE = 2;
export const LOT_WEIGHT_TWO = 4;

export const DROP_HEADER = 64;
export const DROP_SLOT = LETTER + TAG;
export const DROP_SEAL = SEAL_OVERHEAD + 32;
export const DROP_SLOTS = 32;
export const DROP = DROP_HEADER + DROP_SEAL + DROP_SLOTS * DROP_SLOT + SIGNATURE;

export const REPLY_SLOT = 768;
export const REPLY_SALT = 16;
export const REPLY_TAG = 16;
export const REPLY_PLAIN = REPLY_SLOT - REPLY_TAG - REPLY_SALT - TAG;
export const REPLY_HEADER = 4;
export const REPLY_TEXT = REPLY_PLAIN - REPLY_HEADER;
export const REPLY_SLOTS = 13;
export const RECEIPT = 16;
export const RECEIPTS = 100;
export const SEGMENT_HEADER = 112;
export const SEGMENT = SEGMENT_HEADER + REPLY_SLOTS * REPLY_SLOT + RECEIPTS * RECEIPT + SIGNATURE;
export const HEAD = 176;
export const BOARD_SEGMENTS = 84;

export const ANCESTORS = 16;
export const RECORD_MAX = 16384;
export const CHAIN_WEEKS = 2048;
export const REPLY_WEEKS = 60;
export const REPLY_INDEXES = 64;
export const MARKS = 64;

export const SLOT_MS = 7500;
export const DITHER_MS = 1000;
export const LATE_MS = 1000;
export const FETCH_MS = 60_000;
export const LAST_HUM_S = 7200;
