/*
 * test/conformance/fixture.h - tools, prompts and resources that the protocol's own suite asks for
 *
 * The suite (6.2 of the protocol notes) wants a server that shows each of the protocol's parts on
 * call. These toolsets are linked into the program weir-conformance beside the real ones, and into
 * nothing else: there is no switch in the product that could turn them on.
 *
 *     replies.c    fixed contents, telling while it runs, schemas and headers
 *     asking.c     questions to the client, of both eras
 *     tasks.c      calls that become tasks
 *     offers.c     resources and prompts
 *
 * Memory:  rows are const; what is made lives in the call's arena.
 * Threads: tools that nap or ask run on a thread that may block.
 */
#ifndef WEIR_TEST_CONFORMANCE_FIXTURE_H
#define WEIR_TEST_CONFORMANCE_FIXTURE_H

#include "tools/offer.h"
#include "tools/tool.h"

#define FIXTURE_PNG                                                                                \
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg" \
    "gg=="
#define FIXTURE_WAV "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="

extern const struct toolset toolset_replies, toolset_asking, toolset_tasks, toolset_offers;

/* A row: what it takes is FIXTURE_INPUT or FIXTURE_NO_INPUT, then how it waits. */
#define FIXTURE_TOOL(tool_name, says, with, ...)                                                   \
    {                                                                                              \
        .name = tool_name, .title = tool_name, .summary = says, .reply = TOOL_CONTENT,             \
        .run = with, __VA_ARGS__                                                                   \
    }
#define FIXTURE_INPUT(fields, type, call_of)                                                       \
    .input = fields, .input_size = sizeof(struct type), .example = call_of
#define FIXTURE_NO_INPUT .input = fixture_no_input, .example = "{}"
extern const struct field fixture_no_input[];

/* "content": one block of text. */
void fixture_put_text(struct json_writer *w, struct str text);
/* The same, of a text that was printed and may have found no memory. */
MUST_USE result fixture_tell(struct call *call, struct json_writer *w, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Lets time pass. FAIL_CANCELLED as soon as the call is cancelled. */
MUST_USE result fixture_nap(struct call *call, int64_t ms);

/* {"message":…,"requestedSchema":…} */
struct str fixture_form(struct call *call, struct str message, const char *schema);
/* What the user filled into a form; "" without it. */
struct str fixture_filled(const struct ask *ask, const char *field);

#endif
