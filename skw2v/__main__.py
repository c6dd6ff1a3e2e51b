"""``python -m skw2v``: the command line."""

import argparse
import sys
from pathlib import Path


def main(arguments=None):
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, default=None
        What follows ``python -m skw2v``; None takes it from `sys.argv`.

    Returns
    -------
    status : int
        0 if all went well.

    Raises
    ------
    SystemExit
        With status 2 and a message on stderr, if the arguments do not make sense.
    """
    options = _build_parser().parse_args(arguments)
    return options.command(options)


def _build_parser():
    parser = argparse.ArgumentParser(
        prog="python -m skw2v", description="word2vec as a scikit-learn estimator"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    demo = commands.add_parser(
        "demo",
        help="classify the docstrings of the installed scientific Python stack",
        description=(
            "Learn word vectors from the docstrings of numpy, scipy, scikit-learn and the standard "
            "library, classify docstrings by subpackage, and draw a map of words. Needs no "
            "download; takes a minute or two on two cores."
        ),
    )
    demo.add_argument(
        "--output",
        type=_path_to_write,
        default="word_map.png",
        metavar="FILE",
        help="where to write the picture (default: %(default)s)",
    )
    demo.add_argument(
        "--quick", action="store_true", help="a few classes and tiny models, in seconds"
    )
    demo.add_argument(
        "--n-jobs",
        type=int,
        default=None,
        metavar="N",
        help="processes of the grid search, -1 for one per core (default: 3, or fewer cores)",
    )
    demo.set_defaults(command=_run_demo)
    return parser


def _path_to_write(path):
    """Complain about a missing folder at once, not after a minute of work."""
    folder = Path(path).absolute().parent
    if not folder.is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {folder} to write {path!r} to")
    return path


def _run_demo(options):
    # Imported here, so that --help does not wait for scikit-learn.
    from skw2v import _demo

    return _demo.run(output=options.output, quick=options.quick, n_jobs=options.n_jobs)


if __name__ == "__main__":
    sys.exit(main())
