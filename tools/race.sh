#!/bin/sh
# Runs the training kernels under sanitizers: no data race, no stray access, no undefined behaviour.
#
#   tools/race.sh [FOLDER]      FOLDER keeps the programs and their output; a temporary one by default
#
# The program of tools/race_*.c trains small corpora, every loss on several, through the code that
# `Engine.run` runs, with 1, 2, 3 and 8 threads, and compares the bits; then it calls what else the
# kernels offer. It is built
#
#   1. with the ThreadSanitizer, which must stay silent;
#   2. the same with a race seeded, once between two phases of a round and once within one: the
#      ThreadSanitizer must report it. A detector that finds nothing proves nothing;
#   3. with the Address- and UndefinedBehaviorSanitizer, which must stay silent.
#
# Takes one to two minutes. Needs a compiler with these sanitizers: GCC or Clang (CC=clang); on Debian
# and Ubuntu, gcc brings them. Threads are POSIX threads: GCC's OpenMP library is not built for the
# ThreadSanitizer, which would not see its barriers. So what remains unseen is the one line of OpenMP
# that starts the team, and the loops of the Cython modules that fill or pool rows, a thread each its own.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
kernels="$root/skw2v/kernels"
cc=${CC:-cc}
if [ $# -gt 0 ]; then
    folder=$1
    mkdir -p "$folder"
else
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
fi

# As setup.py has it, but for what suits sanitizers. -w: instrumented code draws false warnings.
flags="-w -O1 -g1 -fno-omit-frame-pointer -std=c11 -ffp-contract=off -I $kernels"
avx2="-mavx2 -mfma -mf16c -mbmi2"
avx512="$avx2 -mavx512f -mavx512bw -mavx512vl -mavx512dq"
objects="dispatch engine body_baseline"
if [ "$(uname -m)" = x86_64 ]; then
    objects="$objects body_avx2 body_avx512"
fi

# compile SANITIZER: the kernels' objects
compile() {
    for name in $objects team; do
        case $name in
        body_avx2) isa=$avx2 ;;
        body_avx512) isa=$avx512 ;;
        *) isa= ;;
        esac
        # shellcheck disable=SC2086  # lists of words
        "$cc" $flags $isa -fsanitize="$1" -c "$kernels/$name.c" -o "$folder/$name.o"
    done
}

# link PROGRAM SANITIZER SEEDED_RACE [OBJECT ...]: of what was compiled last
link() {
    program=$1
    shift
    sanitizer=$1 race=$2
    shift 2
    linked=
    for name in $objects "$@"; do
        linked="$linked $folder/$name.o"
    done
    # shellcheck disable=SC2086
    "$cc" $flags -fsanitize="$sanitizer" -DSEEDED_RACE="$race" "$root"/tools/race_*.c $linked \
        -pthread -lm -o "$folder/$program"
}

# run NAME [ISA]: its output goes to NAME.txt, its exit status to $status. A time limit, because a
# race may make threads wait for ever.
run() {
    program=$1
    shift
    status=0
    $fixed_addresses timeout 300 "$folder/$program" "$@" > "$folder/$program.txt" 2>&1 || status=$?
}

fail() {
    echo "FAILED: $1; the output ends with:"
    tail -n 40 "$folder/$program.txt"
    exit 1
}

# Where addresses are randomised beyond what the ThreadSanitizer of older compilers can map, it
# gives up at once ("unexpected memory mapping"); setarch -R switches that off.
fixed_addresses=
echo 'int main(void) { return 0; }' > "$folder/probe.c"
if ! "$cc" -fsanitize=thread "$folder/probe.c" -o "$folder/probe"; then
    echo "$cc has no ThreadSanitizer; try CC=clang"
    exit 2
fi
if ! "$folder/probe" > /dev/null 2>&1; then
    fixed_addresses="setarch $(uname -m) -R"
    $fixed_addresses "$folder/probe"
fi

export TSAN_OPTIONS="halt_on_error=1 exitcode=66"
compile thread
link threads thread 0 team
run threads
[ "$status" -eq 0 ] || fail "the ThreadSanitizer or the comparison of bits (status $status)"
cat "$folder/threads.txt"
echo "no race, and the same bits at 1, 2, 3 and 8 threads"

for race in 1 2; do
    if [ "$race" -eq 1 ]; then
        link "seeded-$race" thread "$race" # it has a team of its own
    else
        link "seeded-$race" thread "$race" team
    fi
    run "seeded-$race" baseline
    grep -q 'WARNING: ThreadSanitizer: data race' "$folder/seeded-$race.txt" ||
        fail "seeded race $race was not seen (status $status)"
    [ "$status" -eq 66 ] || fail "seeded race $race ended with status $status, not 66"
    echo "seeded race $race: seen"
    grep -A 1 -E '^  (Read|Write|Previous|Atomic)' "$folder/seeded-$race.txt" | grep '#0' | head -n 2
done

flags="$flags -fno-sanitize-recover=all"
compile address,undefined
link memory address,undefined 0 team
run memory
[ "$status" -eq 0 ] || fail "the Address- or UndefinedBehaviorSanitizer (status $status)"
echo "no stray access, no undefined behaviour"
