/*
 * cli/doctor_tls.c - weir doctor: the certificate, its key, and how long they last
 */
#include "cli/doctor.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <time.h>

enum { DAYS_SERIOUS = 7, DAYS_WARNING = 30 };

static X509 *read_certificate(const char *path) {
    FILE *file = path == NULL ? NULL : fopen(path, "rbe");
    X509 *certificate = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);
    if (file != NULL) fclose(file);
    return certificate;
}

static EVP_PKEY *read_key(const char *path) {
    static char no_password[] = "";
    FILE *file = path == NULL ? NULL : fopen(path, "rbe");
    EVP_PKEY *key = file == NULL ? NULL : PEM_read_PrivateKey(file, NULL, NULL, no_password);
    if (file != NULL) fclose(file);
    return key;
}

static void check_dates(struct patient *patient, struct str path, const X509 *certificate) {
    int days = 0, seconds = 0;
    const char *why = "Clients refuse a certificate that is out of its time.";
    if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0)
        doctor_tell(patient, GRADE_SERIOUS, path, why, "Set the clock, or wait.",
                    "the certificate is not valid yet");
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
        doctor_tell(patient, GRADE_SERIOUS, path, why, "Renew it.",
                    "the certificate's end cannot be read");
    else if (days < 0 || seconds < 0)
        doctor_tell(patient, GRADE_SERIOUS, path, why, "Renew it, and restart the server.",
                    "the certificate ended %d day%s ago", -days, days == -1 ? "" : "s");
    else if (days < DAYS_WARNING)
        doctor_tell(patient, days < DAYS_SERIOUS ? GRADE_SERIOUS : GRADE_WARNING, path, why,
                    "Renew it, and restart the server.", "the certificate ends in %d day%s", days,
                    days == 1 ? "" : "s");
    else
        doctor_tell(patient, GRADE_GOOD, path, NULL, NULL, "the certificate lasts %d days more",
                    days);
}

static void check_pair(struct patient *patient, const struct http_settings *http) {
    X509 *certificate = read_certificate(str_cstr(patient->arena, http->tls_cert));
    EVP_PKEY *key = read_key(str_cstr(patient->arena, http->tls_key));
    const char *why = "A server does not start with it.";
    if (certificate == NULL)
        doctor_tell(patient, GRADE_SERIOUS, http->tls_cert, why,
                    "Put a certificate there, in PEM, its chain behind it.",
                    "there is no certificate that can be read");
    else
        check_dates(patient, http->tls_cert, certificate);
    if (key == NULL)
        doctor_tell(patient, GRADE_SERIOUS, http->tls_key, why,
                    "Put the certificate's key there, in PEM, without a password.",
                    "there is no key that can be read");
    if (certificate != NULL && key != NULL && X509_check_private_key(certificate, key) != 1)
        doctor_tell(patient, GRADE_SERIOUS, http->tls_key, why,
                    "Put the key there that the certificate was made with.",
                    "the key is not that of the certificate");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void doctor_tls(struct patient *patient) {
    const struct http_settings *http = &patient->settings->http;
    bool has_tls = http->tls_cert.len > 0 && http->tls_key.len > 0;
    if (has_tls)
        check_pair(patient, http);
    else if (settings_all_loopback(patient->settings))
        doctor_tell(patient, GRADE_GOOD, STR_NONE, NULL, NULL,
                    "none, and none is needed on loopback");
    else
        doctor_tell(patient, GRADE_WARNING, STR_NONE,
                    "Tokens and data cross the network as they are.",
                    "Set http.tls_cert and http.tls_key, or let a proxy on this machine speak TLS "
                    "and listen on 127.0.0.1.",
                    "a listener beyond this machine has no TLS");
}
