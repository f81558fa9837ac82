"""`wallflower campaign sign`: signs a folder, whatever it holds, for mirrors and for people."""

from __future__ import annotations

from pathlib import Path

import click

from wallflower.campaign.edge.ceremony_keys import require_keys
from wallflower.campaign.edge.ceremony_sign import finish
from wallflower.campaign.edge.shapes import ZIP
from wallflower.campaign.edge.sign_build import build_of, freshen_build, sign_build
from wallflower.campaign.edge.sign_clock import check_clock
from wallflower.campaign.edge.sign_folder import freshen, sign_folder
from wallflower.campaign.edge.sign_last import check_one_copy, note_copy
from wallflower.campaign.verify import SITE
from wallflower.cli.ceremony import now, say_clock, show
from wallflower.cli.keys import warn_of_ends
from wallflower.cli.options import FOLDER


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--keys",
    "keys_folder",
    type=FOLDER,
    default=Path("keys"),
    show_default=True,
    help="the folder of keys that the ceremony made",
)
@click.option("--freshen", "only_dates", is_flag=True, help="only promise again that it is newest")
@click.option("--clock-is-right", is_flag=True, help="sign though something here is of later")
@click.option("--instead", is_flag=True, help="sign though another copy that was signed gets older")
def sign(
    folder: Path, keys_folder: Path, only_dates: bool, clock_is_right: bool, instead: bool
) -> None:  # fmt: skip
    """Sign what 'campaign build' made, or any folder of files.

    Of a build that is the site, the ZIP and the single file, each so that it is checked alone.

    It shows the clock that the signatures count from; one that is behind what was signed before, or
    behind the build, signs nothing.

    One copy counts, the one that was signed last: a copy of another channel or in another folder,
    signed before and not yet old, is made older only with --instead.

    Do it again at least every ten days (--freshen), then upload tuf/: what nobody freshened for
    fourteen days is called old by every check.

    \b
      wallflower campaign sign bundle --keys keys
    """
    keys = require_keys(keys_folder)
    build = build_of(folder)
    moment = now()
    say_clock(moment, "If that is wrong, set it and sign again before you upload anything.")
    with keys.alone():
        if finish(keys) or not keys.has_record():  # the power went within that, or behind it
            show(keys)
        if not clock_is_right:
            check_clock(build or folder, keys, moment)
        site = build / SITE if build else folder
        if not only_dates and not instead:
            check_one_copy(site, keys, moment)
        if build is not None:
            made = (freshen_build if only_dates else sign_build)(build, keys, moment)
        else:
            made = (freshen if only_dates else sign_folder)(folder, keys, moment)
        note_copy(site, keys)
    click.echo(f"Signed version {made.version}; it counts as fresh until {made.fresh_until:%F}.")
    if build is not None:
        click.echo(f"To upload: {build}/site. To hand out: {build}/{ZIP}, {build}/carried.")
    warn_of_ends(keys_folder)
