/* The one place where instruction sets are named and chosen. */
#include "engine.h"

#include <stddef.h>
#include <string.h>

#if defined(__x86_64__) || defined(_M_X64)
#define X86_64 1
#endif

/* __builtin_cpu_supports asks both the processor and the operating system (XGETBV). */
static int runs_here(const char *name) {
    if (strcmp(name, "baseline") == 0)
        return 1;
#ifdef X86_64
    __builtin_cpu_init();
    int avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
               __builtin_cpu_supports("bmi2");
    if (strcmp(name, "avx2") == 0)
        return avx2;
    if (strcmp(name, "avx512") == 0)
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#endif
    return 0;
}

const skw2v_body *skw2v_choose_body(const char *name) {
    static const skw2v_body *const bodies[] = {
#ifdef X86_64
        &skw2v_body_avx512,
        &skw2v_body_avx2,
#endif
        &skw2v_body_baseline,
    };
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if ((name == NULL || strcmp(name, bodies[i]->name) == 0) && runs_here(bodies[i]->name))
            return bodies[i];
    return NULL;
}
