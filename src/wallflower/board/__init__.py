"""The blind desk server: composes records and releases the board. And mirrors."""
