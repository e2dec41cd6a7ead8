#include "call/codes.h"

#define ROW(name, status, outcome, meaning) {#name, status, CODE_##outcome, meaning},
const struct code call_codes[] = {CALL_CODES(ROW){NULL, 0, CODE_D, NULL}};
#undef ROW

const struct code *code_find(const char *name) {
    const struct code *internal = NULL;
    for (const struct code *c = call_codes; c->name != NULL; c++) {
        if (name != NULL && strcmp(c->name, name) == 0) return c;
        if (strcmp(c->name, "INTERNAL_ERROR") == 0) internal = c;
    }
    return internal;
}
