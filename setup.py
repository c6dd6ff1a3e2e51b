"""Builds the compiled rooms: Cython modules over plain C kernels.

The training kernels' body is compiled once per instruction set, each with its own compiler flags,
and the right one is chosen when the program runs (``skw2v/kernels/dispatch.c``). Nothing is ever
built with ``-march=native``: a wheel built here runs on any machine of the architecture.
"""

import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

KERNELS = Path("skw2v/kernels")
IS_X86_64 = platform.machine().lower() in {"x86_64", "amd64"}

# -ffp-contract=off: a multiply and an add are fused only where the code says so, which is what
# makes AVX2 and AVX-512 agree to the bit.
COMMON_FLAGS = {
    "unix": ["-O3", "-std=c11", "-ffp-contract=off", "-fno-math-errno"],
    "msvc": ["/O2"],
}
BODY_FLAGS = {
    "body_avx2.c": {"unix": ["-mavx2", "-mfma", "-mf16c", "-mbmi2"], "msvc": ["/arch:AVX2"]},
    "body_avx512.c": {
        "unix": ["-mavx2", "-mfma", "-mf16c", "-mbmi2"]
        + [f"-mavx512{part}" for part in ("f", "bw", "vl", "dq")],
        "msvc": ["/arch:AVX512"],
    },
}


class BuildKernels(build_ext):
    """`build_ext` that gives each kernel body its flags and OpenMP where the compiler has it."""

    def build_extensions(self):
        family = "msvc" if self.compiler.compiler_type == "msvc" else "unix"
        openmp = self._openmp_flags(family)
        for extension in self.extensions:
            extension.extra_compile_args += COMMON_FLAGS[family] + _compile_only(openmp)
            extension.extra_link_args += openmp if family == "unix" else []
        self._add_flags_per_file(family)
        super().build_extensions()

    def _openmp_flags(self, family):
        """The flags that switch OpenMP on, or none (with a message) if it does not work here."""
        if os.environ.get("SKW2V_NO_OPENMP"):
            print("skw2v: SKW2V_NO_OPENMP is set; the build has no OpenMP, training is serial.")
            return []
        if family == "msvc":
            candidates = [["/openmp"]]
        elif sys.platform == "darwin":
            candidates = [["-Xpreprocessor", "-fopenmp", "-lomp"], ["-fopenmp"]]
        else:
            candidates = [["-fopenmp"]]
        for flags in candidates:
            if self._links(flags):
                return flags
        print(
            "skw2v: WARNING: the compiler has no working OpenMP; the build goes on without it and "
            "training will use one thread (skw2v.show_versions() says so too)."
        )
        return []

    def _links(self, flags):
        source = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "openmp.c")
            path.write_text(source)
            try:
                objects = self.compiler.compile(
                    [str(path)], output_dir=folder, extra_postargs=_compile_only(flags)
                )
                program = str(Path(folder, "openmp"))
                self.compiler.link_executable(objects, program, extra_postargs=flags)
                return subprocess.run([program], check=False).returncode == 0
            except Exception:
                return False

    def _add_flags_per_file(self, family):
        compile_one = getattr(self.compiler, "_compile", None)
        if family == "msvc" or compile_one is None:
            return

        def compile_with_body_flags(obj, src, ext, cc_args, extra_postargs, pp_opts):
            extra = BODY_FLAGS.get(Path(src).name, {}).get(family, [])
            compile_one(obj, src, ext, cc_args, [*extra_postargs, *extra], pp_opts)

        self.compiler._compile = compile_with_body_flags


def _compile_only(flags):
    return [flag for flag in flags if not flag.startswith("-l")]


def _use_the_compiler_there_is():
    """Fall back to `cc` where the compiler that built Python is not installed."""
    configured = (sysconfig.get_config_var("CC") or "").split()
    missing = configured and not shutil.which(configured[0])
    if missing and "CC" not in os.environ and shutil.which("cc"):
        os.environ["CC"] = "cc"


_use_the_compiler_there_is()
bodies = ["body_baseline.c"] + (["body_avx2.c", "body_avx512.c"] if IS_X86_64 else [])


def extension(name, sources):
    """The Cython module of that name over C files."""
    return Extension(
        f"skw2v.{name}",
        sources=[f"skw2v/{name}.pyx", *(str(KERNELS / source) for source in sources)],
        depends=[
            "setup.py",
            "skw2v/_kernels.pxd",
            *(str(path) for path in sorted(KERNELS.glob("*.[ch]"))),
        ],
        include_dirs=[str(KERNELS), np.get_include()],
        define_macros=[("NPY_NO_DEPRECATED_API", "NPY_1_7_API_VERSION")],
    )


extensions = [
    extension("_kernels", ["dispatch.c", "engine.c", "team.c", *bodies]),
    extension("_pool", []),  # calls the bodies that _kernels has chosen
    extension("_output_layer", []),  # the same
    extension("_tokenize", ["scanner.c", "token_table.c"]),
    extension("_tree", []),
    extension("_buckets", []),
]

setup(
    ext_modules=cythonize(extensions, language_level=3),
    cmdclass={"build_ext": BuildKernels},
)
