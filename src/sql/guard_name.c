/* Names of what the guard answers with. */
#include "sql/guard.h"

const char *const access_clause_name[ACCESS_CLAUSES] = {
    "select", "where", "join", "group_by", "having", "qualify", "window", "order_by", "lateral",
};
