/* Rounds over threads: two phases between barriers a round, with subwords four.
 *
 *     train all shards, plan all for the next round | merge all, mark all | spread | compose |
 *
 * Who has no shard left to train goes on to plan: many short pieces of work at the end of a phase
 * make the wait for its last one short.
 *
 * A round lasts a fraction of a millisecond, so the barrier decides what a busy machine costs.
 * OpenMP runtimes let a waiting thread spin for milliseconds by default: where another process
 * wants the core, the thread that everybody waits for does not run. Here a waiting thread spins for
 * some microseconds, then yields its core again and again.
 *
 * Who runs a shard does not matter to the result, so shards are claimed: every thread begins with
 * its own share (its cache knows it), then helps with what is left. A thread that the system has
 * put to sleep holds back one shard, not its share. */
#include "engine.h"

#include <string.h>

#if defined(_WIN32)
#include <windows.h>
#define yield_core() SwitchToThread()
#else
#include <sched.h>
#define yield_core() sched_yield()
#endif

#if defined(__x86_64__) || defined(__i386__)
#define relax() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define relax() __asm__ __volatile__("yield")
#else
#define relax() ((void)0)
#endif

#define SPINS 1000 /* about 10 to 30 microseconds */

enum { TRAIN = 0, PLAN = 1, MERGE = 2, SPREAD = 3, COMPOSE = 4, N_PHASES = 5 };

void skw2v_start_team(skw2v_team *team, int n_threads, int n_cores) {
    memset(team, 0, sizeof *team);
    team->n_threads = n_threads;
    team->spins = n_threads <= n_cores ? SPINS : 0;
    for (int phase = 0; phase < N_PHASES; phase++)
        for (int s = 0; s < SKW2V_MAX_SHARDS; s++)
            atomic_init(&team->claimed[phase][s], -1);
}

static void wait_for_all(skw2v_team *team) {
    if (team->n_threads == 1)
        return;
    const int generation = atomic_load_explicit(&team->generation, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == team->n_threads - 1) {
        atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
        atomic_store_explicit(&team->generation, generation + 1, memory_order_release);
        return;
    }
    for (int spin = 0; atomic_load_explicit(&team->generation, memory_order_acquire) == generation;
         spin++) {
        if (spin < team->spins)
            relax();
        else
            yield_core();
    }
}

/* Takes the shard for this round's phase, unless another thread has. */
static int claim(skw2v_team *team, int phase, int shard, int round) {
    atomic_int *last = &team->claimed[phase][shard];
    if (team->n_threads == 1)
        return 1;
    return atomic_load_explicit(last, memory_order_relaxed) != round &&
           atomic_exchange_explicit(last, round, memory_order_relaxed) != round;
}

void skw2v_run_rounds(skw2v_engine *engine, const skw2v_body *body, skw2v_team *team, int thread,
                      int64_t epoch, int64_t first, int64_t n, const float *learning_rates) {
    const int n_shards = engine->n_shards;
    const int own = n_shards * thread / team->n_threads;
    const int n_phases = engine->subwords != NULL ? N_PHASES : MERGE + 1;
    for (int r = 0; r < (int)n; r++) {
        const int64_t round = first + r;
        for (int phase = 0; phase < n_phases; phase++) {
            for (int i = 0; i < n_shards; i++) {
                const int shard = (own + i) % n_shards;
                if (!claim(team, phase, shard, r))
                    continue;
                if (phase == TRAIN)
                    body->train_shard(engine, round, shard, learning_rates[r]);
                if (phase == PLAN)
                    skw2v_plan_shard(engine, epoch, round + 1, shard);
                if (phase == MERGE) {
                    body->merge_shard(engine, round, shard);
                    skw2v_mark_shard(engine, round + 1, shard);
                }
                if (phase == SPREAD)
                    body->spread_shard(engine, round, shard);
                if (phase == COMPOSE)
                    body->compose_shard(engine, round + 1, shard);
            }
            if (phase != TRAIN)
                wait_for_all(team);
        }
    }
}
