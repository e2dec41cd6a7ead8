#include "identity/digest.h"

#include "base/fault.h"

#include <openssl/evp.h>
#include <pthread.h>

/* Fetched once: an implicit fetch at each digest takes a lock that all threads share. */
static EVP_MD *sha256;
static pthread_once_t sha256_fetched = PTHREAD_ONCE_INIT;

static void fetch_sha256(void) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

bool digest_sha256(struct str bytes, uint8_t out[DIGEST_SIZE]) {
    memset(out, 0, DIGEST_SIZE);
    pthread_once(&sha256_fetched, fetch_sha256);
    if (sha256 == NULL || fault_now()) return false;
    if (EVP_Digest(bytes.ptr, bytes.len, out, NULL, sha256, NULL) == 1) return true;
    memset(out, 0, DIGEST_SIZE);
    return false;
}
