"""The commands of `plek` and their options; app.commands, loaded late, has the acts."""

import platform
import signal
import sys
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from app import logs
from app.commands.ledger.ledger import ledger
from app.config import VERSION
from app.database.caller import Role
from app.errors import OperatorError, Refusal
from app.simulation.assumptions import DAYS_A_YEAR
from app.stderr import keep_standard_descriptors

plek = typer.Typer(
    name="plek",
    help="Plek finds a safe bed in another region. Settings come from the environment; the README lists them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

keys = typer.Typer(help="The keys that everything sealed depends on.", no_args_is_help=True)
plek.add_typer(keys, name="keys")
policy = typer.Typer(
    help="The policy: every number by which places are found.", no_args_is_help=True
)
plek.add_typer(policy, name="policy")
plek.add_typer(ledger, name="ledger")

DataDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        envvar="PLEK_DATA_DIR",
        metavar="DIR",
        help="Folder of Plek's own servers' files.",
        file_okay=False,
    ),
]
PolicyFile = Annotated[Path, typer.Argument(metavar="FILE.json")]
MOST_TRIED = 10_000
MOST_SIMULATED = 20 * DAYS_A_YEAR
PORTS = 65_535
UNFORESEEN = "this was not foreseen; the line above says where it happened, and quotes nothing."
OTHER_TABLES = (
    "the database's tables are not those of this release: another one, or a branch, has made them. "
    "Use that one, or another data folder or DATABASE_URL."
)
UNDEFINED = frozenset({"42P01", "42703", "42883", "42704"})
"""SQLSTATEs of a table, column, function or type that is not there."""


def _say_version(wanted: bool) -> None:  # noqa: FBT001 - as typer calls it
    if wanted:
        typer.echo(f"plek {VERSION} (Python {platform.python_version()})")
        raise typer.Exit


@plek.callback()
def options(
    version: Annotated[  # noqa: FBT002 - an option without a value
        bool,
        typer.Option(
            "--version", help="Say which release this is.", callback=_say_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Take what stands before the command; each option acts by itself."""


@plek.command()
def serve(
    data_dir: DataDir = None,
    host: Annotated[
        str, typer.Option(help="Address to serve on; 0.0.0.0 for every one.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=PORTS)] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=64, help="How many processes serve.")] = 1,
    demo: Annotated[  # noqa: FBT002 - an option without a value
        bool, typer.Option("--demo", help="Fill an empty database with the demo country first.")
    ] = False,
) -> None:
    """Migrate, start what is missing, and serve the pages, the API and the worker."""
    from app.commands.serve import address  # noqa: PLC0415 - a command loads only what it needs
    from app.commands.serve import serve as act  # noqa: PLC0415 - as above

    act.serve(data_dir, address=address.Address(host, port), workers=workers, with_demo=demo)


@plek.command()
def demo(
    data_dir: DataDir = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same country.")] = 1,
    past: Annotated[  # noqa: FBT002 - an option without a value
        bool, typer.Option(help="Whether it has quarters that are over, or begins today.")
    ] = True,
) -> None:
    """Fill an empty database of Plek's own with the demo country."""
    from app.commands import demo as act  # noqa: PLC0415 - as above

    act.fill(data_dir, seed=seed, with_past=past)


@plek.command()
def token(
    role: Annotated[list[Role], typer.Option(help="May be given several times.")],
    provider: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="For intake_worker, coordinator, client_system."),
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="CODE", help="For auditor.")] = None,
    days: Annotated[int, typer.Option(help="How long the token is valid.")] = 90,
    name: Annotated[
        str | None, typer.Option(help="What colleagues call it at work, e.g. 'Nachtdienst 2'.")
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Make an account and print its bearer token, alone on the last line."""
    from app.commands import access  # noqa: PLC0415 - as above

    access.issue(data_dir, roles=role, provider=provider, region=region, days=days, name=name)


@plek.command()
def account(
    sign_in_name: Annotated[
        str, typer.Argument(metavar="NAME", help="To sign in with, e.g. a work address.")
    ],
    role: Annotated[
        list[Role], typer.Option(help="May be given several times; not client_system.")
    ],
    provider: Annotated[
        str | None, typer.Option(metavar="SLUG", help="For intake_worker, coordinator.")
    ] = None,
    region: Annotated[str | None, typer.Option(metavar="CODE", help="For auditor.")] = None,
    name: Annotated[str | None, typer.Option(help="What colleagues call it at work.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Invite a person, such as an administrator; print the end of a link valid for a day."""
    from app.commands import account as act  # noqa: PLC0415 - as above

    act.invite(data_dir, sign_in_name, roles=role, provider=provider, region=region, name=name)


@plek.command()
def revoke(
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID")], data_dir: DataDir = None
) -> None:
    """End a token at once."""
    from app.commands import access  # noqa: PLC0415 - as above

    access.revoke(data_dir, token_id=token_id)


@plek.command("import")
def import_file(
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND", help="regions, municipalities, providers, sites, places or weights"
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE.csv")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,  # noqa: FBT002 - as above
    data_dir: DataDir = None,
) -> None:
    """Take in a file as a whole, or tell everything that is wrong with it by line and column."""
    from app.commands import import_csv as act  # noqa: PLC0415 - as above

    act.import_csv(data_dir, kind=kind, file=file, dry_run=dry_run)


@plek.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this release's tables; load the reference data if it is missing."""
    from app.commands import upkeep  # noqa: PLC0415 - as above

    upkeep.migrate(data_dir)


@plek.command()
def worker(data_dir: DataDir = None) -> None:
    """Only do what goes on beside the requests: number events, expire, tidy up."""
    from app.commands import upkeep  # noqa: PLC0415 - as above

    upkeep.worker(data_dir)


@plek.command()
def erase(
    referral: Annotated[
        str | None,
        typer.Argument(
            metavar="REFERRAL", help="Its id or its speakable code.", show_default=False
        ),
    ] = None,
    listed: Annotated[
        Path | None,
        typer.Option(
            "--list", metavar="FILE", help="Erase whatever the erasures of another host name."
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Destroy a referral's key, and so all that is known of the household; counts stay."""
    from app.commands import erase as act  # noqa: PLC0415 - as above

    act.erase(data_dir, referral=referral, file=listed)


@plek.command()
def replay(
    ranking_id: Annotated[str, typer.Argument(metavar="RANKING_ID")], data_dir: DataDir = None
) -> None:
    """Make a recorded ranking again and say whether the same comes out."""
    from app.commands import upkeep  # noqa: PLC0415 - as above

    upkeep.replay(data_dir, ranking_id=ranking_id)


@plek.command()
def check(data_dir: DataDir = None) -> None:
    """Compare all that is recorded twice: claims with holds, stays with the ledger."""
    from app.commands import upkeep  # noqa: PLC0415 - as above

    upkeep.check(data_dir)


@plek.command()
def review(
    most: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 40,
    data_dir: DataDir = None,
) -> None:
    """List accounts whose weeks were unlike others, and what came of asking."""
    from app.commands import review as act  # noqa: PLC0415 - as above

    act.review(data_dir, most=most)


@plek.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)],
    check: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--check", help="Only look whether FILE is a whole backup.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Write all of the database to one file while Plek goes on; the key is not in it."""
    from app.commands import backup as act  # noqa: PLC0415 - as above

    if check:
        act.check(data_dir, file=file)
    else:
        act.back_up(data_dir, file=file)


@plek.command()
def restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", dir_okay=False, show_default=False)
    ] = None,
    replace: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--replace", help="Drop what the database holds.")
    ] = False,
    nothing_since: Annotated[  # noqa: FBT002 - as above
        bool,
        typer.Option(
            "--nothing-since", help="Nothing was booked since the backup, as in a move elsewhere."
        ),
    ] = False,
    by_hand: Annotated[  # noqa: FBT002 - as above
        bool,
        typer.Option("--by-hand", help="It was restored by other means: only do what follows."),
    ] = False,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S"],
            help="Instead of FILE: a moment, to which Plek's own archived log goes back.",
        ),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Put a backup back, whole or not at all, with Plek stopped; list what is left to do."""
    from app.commands import backup as act  # noqa: PLC0415 - as above

    if [by_hand, file is not None, at is not None].count(True) != 1:
        raise OperatorError("Name the backup's FILE, or a moment with --at, or say --by-hand.")
    if by_hand:
        act.follow_up(data_dir, nothing_since=nothing_since)
    elif at is not None:
        act.go_back(data_dir, at=at, nothing_since=nothing_since)
    elif file is not None:
        act.restore(data_dir, file=file, replace=replace, nothing_since=nothing_since)


@keys.command("rotate")
def rotate_keys(data_dir: DataDir = None) -> None:
    """Wrap every data key by the newest key, during service; without PLEK_KEY, make one."""
    from app.commands import keys as act  # noqa: PLC0415 - as above

    act.rotate(data_dir)


@keys.command("retire")
def retire_keys(data_dir: DataDir = None) -> None:
    """Take the older keys out of the data folder, once Plek is stopped."""
    from app.commands import keys as act  # noqa: PLC0415 - as above

    act.retire(data_dir)


@policy.command("publish")
def publish_policy(file: PolicyFile, data_dir: DataDir = None) -> None:
    """Publish a policy, in force from the moment that it names, or list all its faults."""
    from app.commands import policy as act  # noqa: PLC0415 - as above

    act.publish(data_dir, file=file)


@policy.command("list")
def list_policies(data_dir: DataDir = None) -> None:
    """Say which policies there are, and which is in force."""
    from app.commands import policy as act  # noqa: PLC0415 - as above

    act.list_policies(data_dir)


@policy.command("diff")
def diff_policies(
    a: Annotated[str, typer.Argument(metavar="A", help="A version, a hash or a file.")],
    b: Annotated[str, typer.Argument(metavar="B", help="As A.")],
    data_dir: DataDir = None,
) -> None:
    """List the values that policy B changes, adds or removes; exit 0: none, 1: some."""
    from app.commands import policy as act  # noqa: PLC0415 - as above

    act.diff(data_dir, a=a, b=b)


@policy.command("try")
def try_policy(
    file: PolicyFile,
    last: Annotated[
        int, typer.Option(min=1, max=MOST_TRIED, help="How many referrals, the newest first.")
    ] = 500,
    data_dir: DataDir = None,
) -> None:
    """Rank recent referrals again under a draft, and say in counts what would have changed."""
    from app.commands import policy as act  # noqa: PLC0415 - as above

    act.try_out(data_dir, file=file, last=last)


@plek.command()
def simulate(
    seed: Annotated[int, typer.Option(help="The same seed gives the same years.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=MOST_SIMULATED)] = DAYS_A_YEAR,
    policy_file: Annotated[
        Path | None,
        typer.Option(
            "--policy", metavar="FILE.json", help="A draft, instead of the country's policy."
        ),
    ] = None,
    sweep: Annotated[  # noqa: FBT002 - as above
        bool, typer.Option("--sweep", help="Also weigh solidarity less and more.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where to write pictures and tables.", file_okay=False),
    ] = None,
) -> None:
    """Simulate a year of the demo country, several ways of choosing side by side."""
    from app.commands import simulate as act  # noqa: PLC0415 - as above

    act.simulate(seed=seed, days=days, policy_file=policy_file, swept=sweep, out=out)


@plek.command()
def doctor(data_dir: DataDir = None) -> None:
    """Check settings, connections, versions, clocks, migrations, key and disk."""
    from app.commands import doctor as act  # noqa: PLC0415 - as above

    act.examine(data_dir)


def _end(_number: int, _frame: FrameType | None) -> None:
    """Unwind, so that servers that were started for a command stop with it."""
    sys.exit(128 + signal.SIGTERM)


def _lacks_tables(error: BaseException) -> bool:
    return any(getattr(link, "sqlstate", None) in UNDEFINED for link in logs.chain(error))


def main() -> None:
    """Run a command; print what the operator can put right as a sentence, no traceback.

    The words of any other exception may quote a row, a key or a password: it is told by its kind
    and place.
    """
    signal.signal(signal.SIGTERM, _end)
    keep_standard_descriptors()
    logs.configure("warning")
    logs.watch()
    try:
        plek()
    except (OperatorError, Refusal) as error:
        typer.echo(f"plek: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - whatever it is
        logs.log_uncaught(error)
        typer.echo(f"plek: {OTHER_TABLES if _lacks_tables(error) else UNFORESEEN}", err=True)
        sys.exit(1)
