/*
 * test/bench/policy_bench.c - what a decision costs: 1,000 rules, 10,000 users
 *
 *     policy-bench        name, ns a decision (median of rounds), aim: one line each
 *
 * Who asks is known already; a decision is the verdict on tool and arguments, and the count against
 * all limits that apply, in this process. Preloaded with lock-count, it tells the locks that
 * 100,000 decisions took.
 */
#include "../unit/policy/crowd.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <time.h>

enum { ROUNDS = 9, DECISIONS = 100000 };

static int64_t cpu_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

struct bench {
    struct crowd crowd;
    struct policy_limiter *limiter;
    struct arena arena;
    struct crowd_counts counts;
    uint64_t at;
};

static void whole(struct bench *b) {
    crowd_decide(&b->crowd, b->limiter, b->at++, &b->arena, &b->counts);
}

static void verdict_only(struct bench *b) {
    uint64_t i = b->at++;
    struct policy_question question = {.tool = b->crowd.tools[i * 104729 % CROWD_TOOLS],
                                       .arguments = b->crowd.arguments};
    struct verdict verdict;
    arena_reset(&b->arena);
    policy_judge(b->crowd.policy, &b->crowd.users[i * 7919 % CROWD_USERS], &question, &b->arena,
                 &verdict);
}

static void measure(struct bench *b, const char *name, void (*run)(struct bench *b)) {
    int64_t rounds[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        int64_t from = cpu_ns();
        for (int i = 0; i < DECISIONS; i++) run(b);
        rounds[r] = (cpu_ns() - from) / DECISIONS;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], ascending);
    (void)printf("%s\t%" PRId64 "\n", name, rounds[ROUNDS / 2]);
}

int main(void) {
    static struct bench b;
    crowd_open(&b.crowd);
    arena_init(&b.arena, 1 << 16);
    b.limiter = policy_limiter_new();
    if (b.limiter == NULL) return 1;
    measure(&b, "verdict", verdict_only);
    measure(&b, "verdict and limits", whole);
    uint64_t (*count)(void) = NULL;
    *(void **)(&count) = dlsym(RTLD_DEFAULT, "lock_count");
    uint64_t before = count != NULL ? count() : 0;
    for (int i = 0; i < DECISIONS; i++) whole(&b);
    if (count != NULL) (void)printf("locks in %d\t%" PRIu64 "\n", DECISIONS, count() - before);
    (void)printf("allowed, limited, denied\t%" PRIu64 ", %" PRIu64 ", %" PRIu64 "\n",
                 b.counts.allowed, b.counts.limited, b.counts.denied);
    policy_limiter_free(b.limiter);
    arena_deinit(&b.arena);
    crowd_close(&b.crowd);
    return 0;
}
