/* Trains made-up corpora with several threads, as `Engine.run` does, and compares every bit with
 * what one thread gives; then calls what else a body offers at the edges of its memory.
 * tools/race.sh builds it with sanitizers and says what they must report.
 *
 *   race_test [ISA ...]      the instruction sets to run; all that this machine has by default
 */
#include "race_body.h"
#include "race_settings.h"
#include "race_training.h"

#include <stdio.h>

int main(int argc, char **argv) {
    const char *every[] = {"baseline", "avx2", "avx512"};
    const int named = argc > 1;
    int n_wrong = 0, n_run = 0;
    int64_t n_pairs = 0;
    for (int i = 0; i < (named ? argc - 1 : 3); i++) {
        const skw2v_body *body = skw2v_choose_body(named ? argv[1 + i] : every[i]);
        if (body == NULL)
            continue;
        n_run++;
        for (size_t s = 0; s < race_n_settings; s++)
            n_wrong += race_compare(&race_settings[s], body, &n_pairs);
        n_wrong += race_check_body(body);
    }
    if (n_run == 0 || n_pairs == 0) {
        printf("nothing was trained: this run shows nothing\n");
        return 2;
    }
    return n_wrong > 0;
}
