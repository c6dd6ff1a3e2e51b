"""The build: what sdist and wheel hold, how the kernels are compiled, what an import loads.

Everything is built in temporary folders, without the network, from the requirements that are
installed here (`--no-isolation`), so the checkout stays as it was.
"""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import skw2v

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
IS_X86_64 = platform.machine().lower() in {"x86_64", "amd64"}

# Of the checkout, what is neither source nor ours.
COMPILED = ("_buckets", "_kernels", "_output_layer", "_pool", "_tokenize", "_tree")
GENERATED = [f"{name}.c" for name in COMPILED]
NOT_SOURCE = shutil.ignore_patterns(
    ".*", "build", "dist", "_build", "generated", "__pycache__", "*.egg-info", "*.so", *GENERATED
)

# Training two ways must give the same bits, so a digest of the vectors says more than "no crash".
TRAIN = """
import hashlib
import skw2v
documents = [f"w{i % 7} w{i % 5} w{i % 3} w{i % 11}" for i in range(500)]
model = skw2v.Word2VecTransformer(n_components=17, min_count=1, random_state=0).fit(documents)
print("digest", hashlib.sha256(model.input_vectors_.tobytes()).hexdigest())
print("imported from", skw2v.__file__)
skw2v.show_versions()
"""

pytestmark = pytest.mark.skipif(
    os.name != "posix", reason="the compiler wrapper of these tests is a shell script"
)


def run(*command, cwd, **environment):
    """Output of a command that must succeed, in an environment free of this run's paths."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**inherited, "PYTHONSAFEPATH": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def digest(output):
    return re.search(r"^digest (\w+)$", output, re.MULTILINE)[1]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A copy of the checkout's sources."""
    return shutil.copytree(ROOT, tmp_path_factory.mktemp("project") / "skw2v", ignore=NOT_SOURCE)


@pytest.fixture(scope="module")
def sdist(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "build", "-n", "--sdist", "--outdir", folder, ".", cwd=project)
    (archive,) = folder.glob("*.tar.gz")
    return archive


@pytest.fixture
def unpacked(sdist, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    return folder


@pytest.fixture(scope="module")
def wheel_build(sdist, tmp_path_factory):
    """A wheel built from the sdist: its path, the compiler's command lines, the object files."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC")
    recorder = folder / "cc"
    recorder.write_text(f'#!/bin/sh\necho "$@" >> {folder}/commands\nexec {compiler} "$@"\n')
    recorder.chmod(0o755)
    build = [sys.executable, "-m", "build", "-n", "--wheel", "--outdir", folder, "."]
    run(*build, cwd=source, CC=str(recorder))
    (wheel,) = folder.glob("*.whl")
    objects = {path.stem: path for path in source.glob("build/**/*.o")}
    return wheel, (folder / "commands").read_text().splitlines(), objects


def test_sdist_holds_every_source_and_nothing_compiled(project, sdist):
    with tarfile.open(sdist) as archive:
        shipped = {Path(*Path(name).parts[1:]) for name in archive.getnames()}
    for folder in ("skw2v", "tests", "docs", "benchmarks", "examples", "tools"):
        sources = {p.relative_to(project) for p in (project / folder).rglob("*") if p.is_file()}
        generated = {p for p in sources if p.suffix == ".c" and p.parent == Path("skw2v")}
        assert sources - generated <= shipped
    for name in ("Makefile", "README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "setup.py"):
        assert Path(name) in shipped
    assert Path("skw2v/kernels/engine.h") in shipped
    assert not {p for p in shipped if p.suffix in {".so", ".pyd", ".pyc", ".o"}}
    assert not {Path("skw2v", name) for name in GENERATED} & shipped


def test_wheel_from_the_sdist_holds_the_package_alone(project, wheel_build):
    with zipfile.ZipFile(wheel_build[0]) as archive:
        shipped = {name for name in archive.namelist() if ".dist-info/" not in name}
    modules = {f"skw2v/{path.name}" for path in (project / "skw2v").glob("*.py")}
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    assert shipped == modules | {f"skw2v/{name}{suffix}" for name in COMPILED}


def test_wheel_asks_for_numpy_scipy_and_scikit_learn_alone(wheel_build, tmp_path):
    with zipfile.ZipFile(wheel_build[0]) as archive:
        archive.extractall(tmp_path)
    (metadata,) = tmp_path.glob("*.dist-info")
    requirements = importlib.metadata.PathDistribution(metadata).requires
    runtime = {re.match(r"[\w-]+", r)[0] for r in requirements if "extra ==" not in r}
    assert runtime == {"numpy", "scipy", "scikit-learn"}


def test_wheel_trains_and_a_build_without_openmp_trains_the_same_bits(
    wheel_build, unpacked, tmp_path
):
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel_build[0]) as archive:
        archive.extractall(site)
    parallel = run(sys.executable, "-c", TRAIN, cwd=tmp_path, PYTHONPATH=str(site))
    assert f"imported from {site}" in parallel

    build = [sys.executable, "setup.py", "build_ext", "--inplace"]
    message = run(*build, cwd=unpacked, SKW2V_NO_OPENMP="1", PYTHONPATH=str(unpacked))
    assert "training is serial" in message
    serial = run(sys.executable, "-c", TRAIN, cwd=tmp_path, PYTHONPATH=str(unpacked))
    assert f"imported from {unpacked}" in serial
    assert "OpenMP: no" in serial
    assert digest(serial) == digest(parallel)


def test_each_body_is_compiled_with_its_own_flags_and_none_for_this_machine_only(wheel_build):
    commands = [line for line in wheel_build[1] if " -c " in f" {line} "]

    def flags_of(source):
        (line,) = [line for line in commands if source in line]
        return {flag for flag in line.split() if flag.startswith("-m") or "contract" in flag}

    assert not [line for line in wheel_build[1] if "=native" in line or "-ffast-math" in line]
    for source in (*GENERATED, "dispatch.c", "scanner.c", "body_baseline.c"):
        assert flags_of(source) == {"-ffp-contract=off"}
    if IS_X86_64:
        avx2 = {"-ffp-contract=off", "-mavx2", "-mfma", "-mf16c", "-mbmi2"}
        avx512 = {f"-mavx512{part}" for part in ("f", "bw", "vl", "dq")}
        assert flags_of("body_avx2.c") == avx2
        assert flags_of("body_avx512.c") == avx2 | avx512


@pytest.mark.skipif(not IS_X86_64, reason="only x86-64 has bodies for several instruction sets")
@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump (binutils) is not installed")
def test_wide_registers_stay_in_the_bodies_that_are_chosen_at_run_time(wheel_build):
    def registers(stem):
        return set(re.findall(r"%([yz])mm", run("objdump", "-d", wheel_build[2][stem], cwd=ROOT)))

    for stem, objects in wheel_build[2].items():
        if not stem.startswith("body_avx"):
            assert registers(stem) == set(), objects
    assert registers("body_avx2") == {"y"}
    assert "z" in registers("body_avx512")


def test_version_is_written_once():
    assert skw2v.__version__ == SETTINGS["project"]["version"]


@pytest.mark.parametrize(
    "statement", ["import skw2v", "from skw2v import Word2VecTransformer, WordVectors"]
)
def test_import_loads_nothing_heavy(statement):
    """`import skw2v` is to cost at most 50 ms over `import sklearn`; each of these costs more."""
    heavy = "matplotlib pandas polars pyarrow gensim scipy.stats scipy.optimize"
    heavy += " sklearn.linear_model sklearn.decomposition sklearn.manifold sklearn.mixture"
    heavy += " sklearn.cluster"
    code = (
        f"import sys, sklearn; before = set(sys.modules); {statement};"
        f"print('loaded', *(set({heavy.split()!r}) & set(sys.modules) - before))"
    )
    assert run(sys.executable, "-c", code, cwd=ROOT / "tests").split() == ["loaded"]


@pytest.mark.skipif(
    shutil.which("aarch64-linux-gnu-gcc") is None,
    reason="aarch64-linux-gnu-gcc is not installed (an extra: see tools/check_arm64.sh)",
)
def test_the_portable_body_compiles_and_runs_on_arm64(tmp_path):
    assert "arm64:" in run(ROOT / "tools" / "check_arm64.sh", tmp_path, cwd=tmp_path)
