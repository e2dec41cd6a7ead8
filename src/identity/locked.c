#include "identity/locked.h"

#include "base/fault.h"
#include "base/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>

void *locked_new(size_t size) {
    void *pages =
        fault_now() ? MAP_FAILED
                    : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
    if (mlock(pages, size) != 0)
        log_line(LOG_WARN, "secret_not_locked", STR_NONE, "a secret's memory can be swapped: %s",
                 strerrordesc_np(errno));
    madvise(pages, size, MADV_DONTDUMP);
    madvise(pages, size, MADV_DONTFORK);
    return pages;
}

void locked_free(void *memory, size_t size) {
    if (memory == NULL) return;
    OPENSSL_cleanse(memory, size);
    munmap(memory, size);
}
