/*
 * house/welcome.h - what a person who starts Weir sees first
 */
#ifndef WEIR_HOUSE_WELCOME_H
#define WEIR_HOUSE_WELCOME_H

#include "house/settings.h"

/* The URL; with a welcome token also a client's configuration to paste and a curl line that works.
 * To standard output. */
void welcome_print(const struct settings *settings, struct str host, unsigned port);

#endif
