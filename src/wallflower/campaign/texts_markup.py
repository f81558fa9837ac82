"""Markdown as the page shows it: HTML of few kinds.

Nothing in it can be clicked, loaded or run, because nothing on the page may cause a request after
it was loaded: a link is shown as its text and its address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from wallflower.errors import Fault

_ALLOWED: Final = frozenset({
    "paragraph_open", "paragraph_close", "inline", "text", "softbreak", "hardbreak",
    "heading_open", "heading_close", "strong_open", "strong_close", "em_open", "em_close",
    "bullet_list_open", "bullet_list_close", "ordered_list_open", "ordered_list_close",
    "list_item_open", "list_item_close", "link_open", "link_close", "text_special",
})  # fmt: skip
_HEADINGS: Final = frozenset({"h2", "h3"})


def rendered(body: str, language: str) -> str:
    """The HTML of a text, or a Fault that names the line of what may not stand there."""
    tokens = _MARKDOWN.parse(body)
    only_allowed(tokens, language)
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return html.replace("\n", "")


class _Inert(RendererHTML):
    """Links as text: what the link says, and the address that a person may type."""

    def link_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """Nothing before a link's text; its address is kept for behind it."""
        del options
        env.setdefault("addresses", []).append(str(tokens[idx].attrGet("href") or ""))
        return ""

    def link_close(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """The address in brackets, as text, unless the link's text is the address."""
        address = env["addresses"].pop()
        said = tokens[idx - 1].content if idx else ""
        if said in (address, address.removeprefix("mailto:")):
            return ""
        return f' (<bdi dir="ltr">{self.text([_plain(address)], 0, options, env)}</bdi>)'


def _plain(content: str) -> Token:
    return Token("text", "", 0, content=content)


def only_allowed(tokens: Sequence[Token], language: str, line: int = 0) -> None:
    """Raise a Fault for the first token that the page does not show, with its line."""
    for token in tokens:
        line = token.map[0] + 1 if token.map else line
        heading = token.type.startswith("heading") and token.tag not in _HEADINGS
        if token.type not in _ALLOWED or heading:
            kind = f"a heading {token.tag}" if heading else token.type.replace("_", " ")
            raise Fault(
                f"{language}.md, line {line} of its text, has {kind}, which the page does not show",
                "Use paragraphs, ## and ### headings, lists, ** and * only.",
            )
        only_allowed(token.children or (), language, line)


_MARKDOWN: Final = MarkdownIt(
    "commonmark", {"html": False, "linkify": False}, renderer_cls=_Inert
).disable(["html_block", "html_inline"])
