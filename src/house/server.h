/*
 * house/server.h - serving until told to stop
 *
 * SIGTERM and SIGINT drain: no new connections, calls under way are answered, then the end. SIGHUP
 * reloads the configuration and keeps the old one if the new one is bad. A supervisor that wants to
 * know reads GET /health/ready.
 *
 * Errors:  FAIL_IO where an address cannot be had.
 * Threads: the main one, before there are others: it blocks the signals for all.
 */
#ifndef WEIR_HOUSE_SERVER_H
#define WEIR_HOUSE_SERVER_H

#include "house/house.h"

/* HTTP or stdio, as the settings say. Returns when all is answered. `welcome` is written to
 * standard output once every listener listens (HTTP only). */
MUST_USE result server_run(struct house *house, struct report *report);

/* Blocks the signals that server_run() waits for. To be called first of all in main(). */
void server_block_signals(void);

#endif
