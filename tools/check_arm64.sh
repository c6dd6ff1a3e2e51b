#!/bin/sh
# Compiles the kernels for arm64 and, under emulation, trains with them.
#
#   tools/check_arm64.sh [FOLDER]      FOLDER keeps the programs; a temporary one by default
#
# Needs a cross compiler; runs what it built where qemu is there too (on Debian and Ubuntu:
# apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user). On x86-64 with AVX2 the same
# program is built for this machine, and must print the same bits.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
cross=${CROSS_CC:-aarch64-linux-gnu-gcc}
if [ $# -gt 0 ]; then
    folder=$1
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi

# As setup.py has them, plus warnings.
flags="-O3 -std=c11 -ffp-contract=off -fno-math-errno -Wall -Wextra"
kernels="$root/skw2v/kernels"
common="$root/tools/engine_digest.c $kernels/body_baseline.c"
for source in "$kernels"/*.c; do
    case $source in
    */body_*) ;;
    *) common="$common $source" ;;
    esac
done

# shellcheck disable=SC2086  # lists of words
"$cross" $flags -static -I "$kernels" $common -lm -o "$folder/digest-arm64"
if ! command -v qemu-aarch64 > /dev/null; then
    echo "arm64: compiled; qemu-aarch64 is not installed, so it was not run"
    exit 0
fi
qemu-aarch64 "$folder/digest-arm64" > "$folder/arm64.txt"
echo "arm64: ran"
cat "$folder/arm64.txt"

if [ "$(uname -m)" != x86_64 ]; then
    exit 0
fi
avx2="-mavx2 -mfma -mf16c -mbmi2"
avx512="$avx2 -mavx512f -mavx512bw -mavx512vl -mavx512dq"
# shellcheck disable=SC2086
{
    ${CC:-cc} $flags $avx2 -I "$kernels" -c "$kernels/body_avx2.c" -o "$folder/body_avx2.o"
    ${CC:-cc} $flags $avx512 -I "$kernels" -c "$kernels/body_avx512.c" -o "$folder/body_avx512.o"
    ${CC:-cc} $flags -I "$kernels" $common "$folder"/body_avx*.o -lm -o "$folder/digest-x86"
}
status=0
"$folder/digest-x86" avx2 > "$folder/avx2.txt" || status=$?
if [ $status -eq 2 ]; then
    echo "this machine has no AVX2; nothing to compare with"
    exit 0
fi
cmp "$folder/arm64.txt" "$folder/avx2.txt"
echo "the same bits as with AVX2 on this machine"
