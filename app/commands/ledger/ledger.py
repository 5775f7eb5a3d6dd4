"""The commands of `plek ledger`: how each is called.

Each loads what it needs when it is called.
"""

from pathlib import Path
from typing import Annotated

import typer

from app import clock

ledger = typer.Typer(
    help="What each region gave and took, for everyone to check.", no_args_is_help=True
)

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
ExportFile = Annotated[Path, typer.Argument(metavar="FILE.jsonl")]
CheckpointFile = Annotated[
    Path, typer.Option("--checkpoint", metavar="FILE", help="A signed checkpoint.")
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key", metavar="KEY", help="The ledger's key, as `plek ledger key` says it, or a file."
    ),
]


@ledger.command("export")
def export_ledger(
    file: ExportFile,
    region: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="With the openings that this region's auditors may see."),
    ] = None,
    data_dir: DataDir = None,
) -> None:
    """Write every leaf of the newest checkpoint to a file, the checkpoint beside it."""
    from app.commands.ledger import export  # noqa: PLC0415 - a command loads only what it needs

    export.export(data_dir, file=file, region=region)


@ledger.command("verify")
def verify_ledger(file: ExportFile, checkpoint: CheckpointFile, key: Key = None) -> None:
    """Check an export against a signed checkpoint; name the first leaf that is wrong."""
    from app.commands.ledger import verify  # noqa: PLC0415 - as above

    verify.verify(file, checkpoint=checkpoint, key=key)


@ledger.command("shares")
def check_shares(
    file: ExportFile,
    region: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="Whose figures are checked; by itself, whose export it is."
        ),
    ] = None,
    quarter: Annotated[
        str | None,
        typer.Option(metavar="2026-Q1", help="Whose table is printed; by itself, the newest."),
    ] = None,
) -> None:
    """Check sealed totals: their sums, and a region's figures against its own openings."""
    from app.commands.ledger import ledger_shares  # noqa: PLC0415 - as above

    ledger_shares.check(file, region=region, quarter=quarter, today=clock.now().date())


@ledger.command("witness")
def witness_ledger(
    state: Annotated[
        Path,
        typer.Argument(metavar="STATE", help="The witness's own file, made when there is none."),
    ],
    checkpoint: CheckpointFile,
    proof: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A consistency proof from the one kept last to this one."
        ),
    ] = None,
    export: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl", help="Instead of a proof: an export up to this checkpoint."
        ),
    ] = None,
    key: Key = None,
    name: Annotated[
        str | None, typer.Option(help="What the witness is called, e.g. GM0193; at first.")
    ] = None,
) -> None:
    """Keep and cosign a checkpoint if the ledger only grew; else write down the proof."""
    from app.commands.ledger import witness  # noqa: PLC0415 - as above

    seen = witness.WitnessFiles(checkpoint, proof=proof, export=export)
    witness.witness(state, seen, key=key, name=name)


@ledger.command("key")
def show_keys(
    new: Annotated[  # noqa: FBT002 - an option without a value
        bool, typer.Option("--new", help="Make a new key first; the one before signs beside it.")
    ] = False,
    data_dir: DataDir = None,
) -> None:
    """Print the keys by which checkpoints are signed, the newest first."""
    from app.commands.ledger import export  # noqa: PLC0415 - as above

    export.show_keys(data_dir, new=new)
