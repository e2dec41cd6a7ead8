/*
 * cli/sql_answer.h - the answers of `weir sql`, one JSON object each
 *
 * The members are those of the design's section 8. An empty `id` is left out.
 */
#ifndef WEIR_CLI_SQL_ANSWER_H
#define WEIR_CLI_SQL_ANSWER_H

#include "call/call.h"

/* `report` is NULL for a text that parses. */
void sql_answer_parse(struct str id, struct str sql, const struct report *report,
                      struct json_writer *w);
/* `how` is what query_check() returned; the rest is in call->facts and call->report. */
void sql_answer_check(struct str id, const struct call *call, result how, struct json_writer *w);
void sql_answer_lineage(struct str id, const struct call *call, result how, struct json_writer *w);
/* `envelope` is the reply of run_select_sql. */
void sql_answer_run(struct str id, struct call *call, struct str envelope, struct json_writer *w);
/* For what never came to a check. */
void sql_answer_error(struct str id, const struct report *report, struct json_writer *w);

#endif
