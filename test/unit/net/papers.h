/*
 * A certificate for "localhost", and its key, as files of the working directory.
 */
#ifndef WEIR_TEST_PAPERS_H
#define WEIR_TEST_PAPERS_H

#include "rig.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

/* A self-signed certificate for this run only. */
struct papers {
    char cert[32]; /* in the working directory, which is the build's */
    char key[32];
};

static inline void write_papers(struct papers *papers) {
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);

    snprintf(papers->cert, sizeof papers->cert, "tls-cert-%d.pem", (int)getpid());
    snprintf(papers->key, sizeof papers->key, "tls-key-%d.pem", (int)getpid());
    X509_set_version(cert, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1,
                               0);
    X509_set_issuer_name(cert, name);
    X509_set_pubkey(cert, key);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *file = fopen(papers->cert, "w");
    assert_int_equal(PEM_write_X509(file, cert), 1);
    fclose(file);
    file = fopen(papers->key, "w");
    assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static inline void burn_papers(const struct papers *papers) {
    unlink(papers->cert);
    unlink(papers->key);
}

#endif
