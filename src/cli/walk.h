/*
 * cli/walk.h - a call from the command line, made and waited for
 */
#ifndef WEIR_CLI_WALK_H
#define WEIR_CLI_WALK_H

#include "house/house.h"

/* A call of the principal that `as` names (USER[@CLIENT]); empty: a local one without roles. Uses
 * no rate and no quota. NULL: *report says why. */
struct call *cli_call_new(struct house *house, struct str as, struct report *report);

/* Lets it walk the road and waits until it is back. */
void cli_walk(struct house *house, struct call *call);

#endif
