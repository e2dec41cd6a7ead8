#include "audit/journal.h"

#include "base/fault.h"
#include "base/limits.h"
#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

int64_t audit_day_of(int64_t wall_ms) {
    const int64_t day_ms = INT64_C(86400000);
    return wall_ms < 0 ? 0 : wall_ms / day_ms;
}

struct str audit_journal_chain(const struct audit_journal *journal) {
    return str_of(journal->chain_name);
}

struct str audit_journal_ext(const struct audit_journal *journal) {
    return str_of(journal->ext_name);
}

static result failed(struct audit_journal *journal, int error) {
    journal->error = error;
    return (result){FAIL_IO};
}

/* -- the file --------------------------------------------------------------------------------- */

/* Returns the bytes written; fewer than asked means that journal->error tells why. */
static size_t write_all(struct audit_journal *journal, struct iovec *iov, size_t n) {
    size_t written = 0;
    while (n > 0) {
        errno = EIO; /* what a fault, or nothing written, looks like */
        ssize_t got = fault_now() ? -1 : writev(journal->fd, iov, (int)n);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            journal->error = errno;
            return written;
        }
        written += (size_t)got;
        for (size_t left = (size_t)got; n > 0; iov++, n--) {
            if (left < iov->iov_len) {
                iov->iov_base = (char *)iov->iov_base + left;
                iov->iov_len -= left;
                break;
            }
            left -= iov->iov_len;
        }
    }
    return written;
}

/* Invariant 1: cuts off what a failed write left, now or before the next write. */
static result mend(struct audit_journal *journal) {
    struct stat now;
    if (journal->torn_bytes == 0) return OK;
    errno = EIO; /* what a fault looks like */
    if (fault_now() || fstat(journal->fd, &now) != 0 ||
        ftruncate(journal->fd, now.st_size - journal->torn_bytes) != 0) {
        return failed(journal, errno);
    }
    journal->torn_bytes = 0;
    return OK;
}

/* Takes the last `bytes` of the file back; people are told why the write failed, not the mending.
 */
static void take_back(struct audit_journal *journal, size_t bytes) {
    int error = journal->error;
    journal->torn_bytes += (int64_t)bytes;
    (void)!mend(journal).why;
    journal->error = error;
}

result audit_journal_sync(struct audit_journal *journal) {
    if (!journal->is_unsynced) return OK;
    errno = EIO;
    if (fault_now() || fdatasync(journal->fd) != 0) return failed(journal, errno);
    journal->is_unsynced = false;
    return OK;
}

result audit_journal_head(struct audit_journal *journal) {
    if (!journal->head_is_old) return OK;
    struct audit_head head = {journal->last, journal->day, journal->first_seq};
    result r = audit_head_write(journal->state_dir, audit_journal_chain(journal),
                                audit_journal_ext(journal), &head);
    if (r.why != FAIL_NONE) return failed(journal, errno);
    journal->head_is_old = false;
    return OK;
}

/* -- rotation --------------------------------------------------------------------------------- */

bool audit_journal_rename(struct audit_journal *journal) {
    char now[AUDIT_NAME_MAX], dated[AUDIT_NAME_MAX];
    struct str chain = audit_journal_chain(journal), ext = audit_journal_ext(journal);
    audit_name_write(now, chain, ext, AUDIT_DAY_CURRENT, 1);
    uint64_t part = 1;
    do {
        audit_name_write(dated, chain, ext, journal->day, part++);
    } while (faccessat(journal->logs_dir, dated, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
    /* The lock makes us the only one who gives names to this chain. */
    if (!fault_now() && renameat(journal->logs_dir, now, journal->logs_dir, dated) == 0)
        return true;
    journal->error = errno;
    return false;
}

static bool begin_file(struct audit_journal *journal) {
    char name[AUDIT_NAME_MAX];
    audit_name_write(name, audit_journal_chain(journal), audit_journal_ext(journal),
                     AUDIT_DAY_CURRENT, 1);
    int flags = O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC;
    int fd = fault_now() ? -1 : openat(journal->logs_dir, name, flags, 0600);
    if (fd < 0) return false;
    /* Names are the directory's data; without them a synced file may not be found again. */
    if (fault_now() || fsync(journal->logs_dir) != 0) {
        unlinkat(journal->logs_dir, name, 0);
        close(fd);
        return false;
    }
    close(journal->fd);
    journal->fd = fd;
    journal->is_renamed = false;
    return true;
}

void audit_journal_rotate(struct audit_journal *journal) {
    struct stat now;
    int64_t today = audit_day_of(clock_wall_ms(journal->clock));
    if (today <= journal->day || journal->torn_bytes > 0) return;
    if (fstat(journal->fd, &now) != 0) return;
    if (now.st_size > 0) {
        if (audit_journal_sync(journal).why != FAIL_NONE) return;
        if (!journal->is_renamed && !audit_journal_rename(journal)) return;
        journal->is_renamed = true;
        if (!begin_file(journal)) return;
    }
    journal->day = today;
    journal->head_is_old = true;
    (void)!audit_journal_head(journal).why;
    audit_journal_sweep(journal);
}

/* -- appending -------------------------------------------------------------------------------- */

/* The hash of a sealed block stands at its end: 64 digits, a quote, a brace, a newline. */
static void chain_after(struct audit_chain *chain, const struct audit_block *block) {
    memcpy(chain->hash, block->bytes + block->len - AUDIT_HASH_HEX - 3, AUDIT_HASH_HEX);
    chain->seq++;
}

/* Returns how many leading blocks lie within the first `bytes` of the group. */
static size_t count_whole(struct audit_block *const *blocks, size_t n, size_t bytes, size_t *rest) {
    size_t whole = 0;
    while (whole < n && bytes >= blocks[whole]->len) bytes -= blocks[whole++]->len;
    *rest = bytes;
    return whole;
}

static size_t seal_all(struct audit_journal *journal, struct audit_block *const *blocks, size_t n,
                       struct iovec *iov) {
    struct audit_chain chain = journal->last;
    for (size_t i = 0; i < n; i++) {
        struct audit_block *block = blocks[i];
        if (!audit_line_seal(&journal->hasher, &chain, block->bytes, &block->len)) return i;
        iov[i] = (struct iovec){block->bytes, block->len};
    }
    return n;
}

static size_t sum_bytes(struct audit_block *const *blocks, size_t n) {
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) bytes += blocks[i]->len;
    return bytes;
}

/* Writes what could be sealed; *n_whole blocks are in the file and nothing else is. */
static result write_group(struct audit_journal *journal, struct audit_block *const *blocks,
                          size_t n, size_t *n_whole) {
    struct iovec iov[AUDIT_GROUP_MAX];
    size_t torn;
    size_t sealed = seal_all(journal, blocks, n, iov);
    size_t written = write_all(journal, iov, sealed);
    *n_whole = count_whole(blocks, sealed, written, &torn);
    if (*n_whole > 0) journal->is_unsynced = journal->head_is_old = true;
    if (torn > 0) take_back(journal, torn);
    if (sealed < n) journal->error = ENOMEM;
    return *n_whole == n ? OK : (result){sealed < n ? FAIL_MEMORY : FAIL_IO};
}

result audit_journal_append(struct audit_journal *journal, struct audit_block *const *blocks,
                            size_t n, size_t *n_whole) {
    *n_whole = 0;
    TRY(mend(journal));
    audit_journal_rotate(journal);
    result r = write_group(journal, blocks, n, n_whole);
    /* After a failed fdatasync the kernel has forgotten which pages were not written: the lines are
     * taken back, for nobody can say any more whether they would survive. */
    if (journal->sync == AUDIT_ALWAYS && audit_journal_sync(journal).why != FAIL_NONE) {
        take_back(journal, sum_bytes(blocks, *n_whole));
        *n_whole = 0;
        r = (result){FAIL_IO};
    }
    for (size_t i = 0; i < *n_whole; i++) chain_after(&journal->last, blocks[i]);
    /* An old head is no lost record: the writer tries it again and tells /health/ready. */
    if (journal->sync == AUDIT_ALWAYS) (void)!audit_journal_head(journal).why;
    return r;
}

result audit_journal_note(struct audit_journal *journal, const char *code, struct str sentence) {
    char id[UUID_SIZE];
    rand_uuid(id);
    struct audit_record record = {
        .audit_id = id,
        .time_ms = clock_wall_ms(journal->clock),
        .method = STR("audit"),
        .outcome = "error",
        .row_count = -1,
        .engine_us = -1,
        .reply_bytes = -1,
        .error_code = code,
        .error_message = sentence,
        .station = "audit",
    };
    struct audit_block *block = audit_block_make(&record);
    size_t n_whole;
    if (block == NULL) return (result){FAIL_MEMORY};
    result r = audit_journal_append(journal, &block, 1, &n_whole);
    audit_block_free(block);
    return r;
}
