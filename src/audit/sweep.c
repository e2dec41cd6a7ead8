#include "audit/journal.h"
#include "audit/lines.h"
#include "base/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

bool audit_file_first_seq(int dir, const char *name, struct audit_hasher *hasher, uint64_t *seq) {
    struct audit_lines lines;
    struct str line;
    struct audit_seal seal;
    bool is_whole, is_found = false;
    if (audit_lines_open(&lines, dir, name, NULL, NULL).why != FAIL_NONE) return false;
    if (audit_lines_next(&lines, &line, &is_whole, NULL).why == FAIL_NONE && is_whole) {
        is_found = audit_line_check(hasher, line, &seal) == AUDIT_LINE_SOUND;
    }
    if (is_found) *seq = seal.seq;
    audit_lines_close(&lines);
    return is_found;
}

static bool is_old(const struct audit_journal *journal, int64_t day) {
    int64_t today = audit_day_of(clock_wall_ms(journal->clock));
    return day < today - journal->keep_days;
}

/* The sequence that the log begins with once everything before `oldest` is gone. */
static bool first_after(struct audit_journal *journal, const struct audit_file *oldest,
                        uint64_t *first) {
    *first = journal->last.seq + 1; /* of a file that is still empty */
    if (oldest->stat.st_size == 0) return true;
    return audit_file_first_seq(journal->logs_dir, oldest->name, &journal->hasher, first);
}

/* Files stand in order of their days, so the old ones are the first of the chain. */
static void sweep_own(struct audit_journal *journal, const struct audit_files *files) {
    struct str chain = audit_journal_chain(journal);
    size_t from = 0, to;
    while (from < files->n && !str_eq(files->items[from].chain, chain)) from++;
    for (to = from; to < files->n && str_eq(files->items[to].chain, chain); to++) {
        if (!is_old(journal, files->items[to].day)) break;
    }
    bool is_kept = to < files->n && str_eq(files->items[to].chain, chain);
    if (to == from || !is_kept) return;
    if (!first_after(journal, &files->items[to], &journal->first_seq)) return;
    /* The head first: a file that is there although it need not be is no break. */
    journal->head_is_old = true;
    if (audit_journal_head(journal).why != FAIL_NONE) return;
    for (size_t i = from; i < to; i++) unlinkat(journal->logs_dir, files->items[i].name, 0);
}

/* A side chain goes as a whole, head first, when its process has ended and nothing was written to
 * it for so long. */
static void sweep_side(struct audit_journal *journal, const struct audit_files *files, size_t from,
                       size_t to) {
    struct str chain = files->items[from].chain;
    char name[AUDIT_NAME_MAX];
    if (audit_lock_is_held(journal->logs_dir, chain)) return;
    for (size_t i = from; i < to; i++) {
        int64_t written = audit_day_of(files->items[i].stat.st_mtim.tv_sec * INT64_C(1000));
        if (!is_old(journal, written)) return;
    }
    audit_name_head(name, chain);
    unlinkat(journal->state_dir, name, 0);
    for (size_t i = from; i < to; i++) unlinkat(journal->logs_dir, files->items[i].name, 0);
    audit_name_lock(name, chain);
    unlinkat(journal->logs_dir, name, 0);
}

static void sweep_sides(struct audit_journal *journal, const struct audit_files *files) {
    for (size_t from = 0, to; from < files->n; from = to) {
        struct str chain = files->items[from].chain;
        for (to = from; to < files->n && str_eq(files->items[to].chain, chain);) to++;
        if (!str_eq(chain, journal->base.stem)) sweep_side(journal, files, from, to);
    }
}

void audit_journal_sweep(struct audit_journal *journal) {
    if (journal->keep_days <= 0) return;
    struct arena arena;
    struct audit_files files;
    arena_init(&arena, AUDIT_LIST_BYTES_MAX);
    if (audit_files_list(journal->logs_dir, &journal->base, &arena, &files, NULL).why ==
        FAIL_NONE) {
        sweep_own(journal, &files);
        if (!journal->is_side) sweep_sides(journal, &files);
    }
    arena_deinit(&arena);
}
