#include "base/rand.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *out, size_t n) {
    char *at = out;
    while (n > 0) {
        ssize_t got = getrandom(at, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) abort();
        at += got;
        n -= (size_t)got;
    }
}

uint64_t rand_u64(void) {
    uint64_t value;
    rand_bytes(&value, sizeof value);
    return value;
}

void rand_uuid(char out[UUID_SIZE]) {
    uint8_t bytes[16];
    char hex[33];
    rand_bytes(bytes, sizeof bytes);
    bytes[6] = (uint8_t)(0x40 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    hex_encode(hex, bytes, sizeof bytes);
    char *to = out;
    for (size_t i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) *to++ = '-';
        *to++ = hex[i];
    }
    *to = '\0';
}

void rand_hex(char *out, size_t n) {
    uint8_t bytes[64];
    for (size_t done = 0; done < n;) {
        size_t now = n - done < sizeof bytes ? n - done : sizeof bytes;
        rand_bytes(bytes, now);
        hex_encode(out + 2 * done, bytes, now);
        done += now;
    }
    out[2 * n] = '\0';
}

void hex_encode(char *out, const uint8_t *bytes, size_t n) {
    static const char digits[16] = {'0', '1', '2', '3', '4', '5', '6', '7',
                                    '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * n] = '\0';
}

static int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

bool hex_decode(struct str hex, uint8_t *out, size_t n) {
    if (hex.len % 2 != 0 || hex.len / 2 != n) return false;
    for (size_t i = 0; i < n; i++) {
        int high = digit_of(hex.ptr[2 * i]), low = digit_of(hex.ptr[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
