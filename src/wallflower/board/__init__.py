"""The blind desk server: composes records, releases the board, and knows no content. And mirrors."""
