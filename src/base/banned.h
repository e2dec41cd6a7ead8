/*
 * base/banned.h - functions that no file of ours may call
 *
 * Each is declared once more as deprecated, which -Werror makes an error at the call and which does
 * not disturb system headers, whatever the order they are included in. base/str.h includes this, so
 * that nobody has to remember it.
 */
#ifndef WEIR_BASE_BANNED_H
#define WEIR_BASE_BANNED_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

struct tm;

/* Where a system header came first and has an inline body, clang takes no attribute any more: the
 * call is then seen by gcc alone. */
#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wignored-attributes"
#endif

#define BANNED(instead) __attribute__((deprecated("banned: use " instead)))

/* They write without knowing how much fits, or leave out the NUL. */
BANNED("str_dup, buf_add or memcpy") extern char *strcpy(char *, const char *);
BANNED("str_printf or buf_add") extern char *strcat(char *, const char *);
BANNED("str_dup or memcpy") extern char *strncpy(char *, const char *, size_t);
BANNED("str_printf or buf_add") extern char *strncat(char *, const char *, size_t);
BANNED("memcpy") extern char *stpcpy(char *, const char *);
BANNED("snprintf, str_printf or buf_addf") extern int sprintf(char *, const char *, ...);
BANNED("vsnprintf") extern int vsprintf(char *, const char *, va_list);
BANNED("str_cut") extern char *strtok(char *, const char *);
BANNED("str_cut") extern char *strtok_r(char *, const char *, char **);
/* The worker's stack is 256 KiB. */
BANNED("an arena") extern void *alloca(size_t);
/* They cannot tell a zero from an error. */
BANNED("str_to_i64") extern int atoi(const char *);
BANNED("str_to_i64") extern long atol(const char *);
BANNED("str_to_i64") extern long long atoll(const char *);
BANNED("strtod or json_double") extern double atof(const char *);
/* They share one buffer between threads, or know a time zone of their own. */
BANNED("clock_iso or clock_civil") extern struct tm *gmtime(const time_t *);
BANNED("clock_iso or clock_civil") extern struct tm *localtime(const time_t *);
BANNED("clock_iso") extern char *ctime(const time_t *);
BANNED("clock_iso") extern char *ctime_r(const time_t *, char *);
BANNED("clock_iso") extern char *asctime(const struct tm *);
BANNED("clock_iso") extern char *asctime_r(const struct tm *, char *);
/* They can be guessed. */
BANNED("base/rand.h") extern int rand(void);
BANNED("base/rand.h") extern void srand(unsigned);
BANNED("base/rand.h") extern long random(void);
BANNED("base/rand.h") extern void srandom(unsigned);
BANNED("mkstemp") extern char *mktemp(char *);

#ifdef __clang__
#pragma clang diagnostic pop
#endif
#undef BANNED

/* Fortified builds make macros of some, once their headers are read. */
#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef stpcpy
#undef sprintf
#undef vsprintf
#undef strtok
#undef strtok_r
#undef alloca
#undef atoi
#undef atol
#undef atoll
#undef atof

#endif
